//! `why412 healthcheck`: whether an instance is ready.

use std::process::ExitCode;

use super::CliError;
use super::arguments::InstanceArguments;
use super::client::Client;
use super::output::{Output, printable};

/// Exits with 0 if the instance is ready.
pub(super) fn healthcheck(instance: &InstanceArguments, output: &Output) -> Result<ExitCode, CliError> {
    let answer = Client::new(instance)?.ask("GET", "/readyz", &[], None)?;
    if answer.status == 200 {
        output.data("ready")?;
        return Ok(ExitCode::SUCCESS);
    }
    Err(CliError::Failed(format!("not ready ({}): {}", answer.status, printable(answer.body.trim()))))
}
