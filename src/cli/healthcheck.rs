//! `why412 healthcheck`: whether an instance is ready.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::CliError;
use super::arguments::HealthcheckArguments;
use super::client::Client;
use super::output::Output;

/// Exits with 0 if the instance is ready.
pub(super) fn healthcheck(arguments: &HealthcheckArguments, output: &Output) -> Result<ExitCode, CliError> {
    let client = Client::new(&arguments.instance, *output)?;
    let answer = client.ask("GET", "/readyz", &[], None)?;
    let not_ready = (answer.status == 503).then(|| detail(&answer.body)).flatten();
    if not_ready.is_none() && client.well(answer)?.trim() != "ok" {
        return Err(client.stranger());
    }
    if arguments.json {
        output.data(&json!({ "ready": not_ready.is_none(), "because": not_ready }).to_string())?;
    } else if let Some(because) = &not_ready {
        output.message(&format!("not ready: {because}"));
    } else {
        output.data("ready")?;
    }
    Ok(if not_ready.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a problem document (RFC 9457) says in particular.
fn detail(body: &str) -> Option<String> {
    let problem: Value = serde_json::from_str(body).ok()?;
    problem.get("detail")?.as_str().map(super::output::printable)
}
