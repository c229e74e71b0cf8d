//! `why412 check`: every fault of the configuration at once.

use std::process::ExitCode;

use serde_json::json;

use super::CliError;
use super::arguments::CheckArguments;
use super::output::{Output, Tone};
use super::run::unknown_variables;
use crate::config::fault::Fault;
use crate::lifecycle::{self, Source};

/// Checks what `run` would start with.
pub(super) fn check(arguments: &CheckArguments, output: &Output) -> Result<ExitCode, CliError> {
    for name in unknown_variables() {
        output.message(&format!("unknown environment variable {name}; it is ignored"));
    }
    let source =
        Source { file: arguments.run.config.clone(), flags: arguments.run.flags(), unknown_variables: Vec::new() };
    let (faults, warnings) = match lifecycle::check(&source) {
        Ok(checked) => (Vec::new(), checked.warnings),
        Err(faults) => (faults.faults, faults.warnings),
    };
    if arguments.json {
        output.data(&json!({ "faults": faults, "warnings": warnings }).to_string())?;
    } else {
        lines(&faults, &warnings, *output)?;
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn lines(faults: &[Fault], warnings: &[Fault], output: Output) -> std::io::Result<()> {
    for fault in faults {
        output.data(&format!("{} {fault}", output.toned(Tone::Bad, "fault:")))?;
    }
    for warning in warnings {
        output.data(&format!("{} {warning}", output.toned(Tone::Strong, "warning:")))?;
    }
    if faults.is_empty() {
        output.data("The configuration can be used.")?;
    }
    Ok(())
}
