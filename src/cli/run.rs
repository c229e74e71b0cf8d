//! `why412 run`: the proxy.

use std::process::ExitCode;

use super::CliError;
use super::arguments::{RunArguments, VARIABLES};
use crate::lifecycle::{self, Ended, RunError, Source};

/// Runs until a signal ends it.
pub(super) fn run(arguments: &RunArguments) -> Result<ExitCode, CliError> {
    let source =
        Source { file: arguments.config.clone(), flags: arguments.flags(), unknown_variables: unknown_variables() };
    match lifecycle::run(source) {
        Ok(Ended::Drained | Ended::HandedOver) => Ok(ExitCode::SUCCESS),
        Ok(Ended::AtOnce) => Ok(ExitCode::FAILURE),
        Err(error) => Err(match error {
            RunError::Configuration(_) | RunError::Unusable(_) => CliError::Configuration(error.to_string()),
            RunError::Bind { .. } | RunError::Unasked(_) | RunError::Recorder(_) | RunError::System(_) => {
                CliError::Failed(error.to_string())
            }
        }),
    }
}

/// Variables that begin like ours: a typing error, or Kubernetes, which sets some for a Service named `why412`.
pub(super) fn unknown_variables() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut unknown: Vec<_> =
        names.filter(|name| name.starts_with("WHY412_") && !VARIABLES.contains(&name.as_str())).collect();
    unknown.sort_unstable();
    unknown
}
