//! `why412 exchanges`: the recorded exchanges, listed, shown and exported.

use std::process::ExitCode;

use serde_json::Value;

use super::CliError;
use super::arguments::{ExchangesAction, ExchangesArguments, ExportFormat, InstanceArguments, ListArguments};
use super::client::{Client, encoded};
use super::output::Output;
use super::record;

/// Does what the arguments say; without an action it lists.
pub(super) fn exchanges(arguments: &ExchangesArguments, output: &Output) -> Result<ExitCode, CliError> {
    match &arguments.action {
        None => list(&arguments.list, *output),
        Some(ExchangesAction::List(arguments)) => list(arguments, *output),
        Some(ExchangesAction::Show { instance, id, json }) => show(instance, id, *json, *output),
        Some(ExchangesAction::Export { instance, id, format }) => export(instance, id, *format, *output),
    }
}

fn list(arguments: &ListArguments, output: Output) -> Result<ExitCode, CliError> {
    let pairs = [
        ("route", arguments.route.clone()),
        ("cause", arguments.cause.clone()),
        ("hazard", arguments.hazard.clone()),
        ("status", arguments.status.map(|status| status.to_string())),
        ("resource", arguments.resource.clone()),
        ("after", arguments.after.clone()),
        ("before", arguments.before.clone()),
        ("limit", Some(arguments.limit.to_string())),
    ];
    let query: Vec<_> = pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let text = Client::new(&arguments.instance)?.text("/api/v1/exchanges", &query)?;
    if arguments.json {
        output.data(text.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let listed = super::client::parse(&text)?;
    let records = listed.get("exchanges").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for record in records {
        output.data(&record::line(record, output))?;
    }
    if records.is_empty() {
        output.message("nothing is recorded that fits");
    }
    if let Some(next) = listed.get("next").and_then(Value::as_str) {
        let way = if arguments.after.is_some() { "--after" } else { "--before" };
        output.message(&format!("there are more: {way} {next}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(instance: &InstanceArguments, id: &str, json: bool, output: Output) -> Result<ExitCode, CliError> {
    let path = format!("/api/v1/exchanges/{}", encoded(id));
    let client = Client::new(instance)?;
    if json {
        output.data(client.text(&path, &[])?.trim_end())?;
    } else {
        output.data(record::whole(&client.json(&path, &[])?, output).trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn export(instance: &InstanceArguments, id: &str, format: ExportFormat, output: Output) -> Result<ExitCode, CliError> {
    let suffix = match format {
        ExportFormat::Har => "/har",
        ExportFormat::Curl => "/curl",
        ExportFormat::Json => "",
        ExportFormat::Bundle => {
            let says = "a bundle is not available in this version; export --as har, curl or json instead";
            return Err(CliError::Failed(says.to_owned()));
        }
    };
    let text = Client::new(instance)?.text(&format!("/api/v1/exchanges/{}{suffix}", encoded(id)), &[])?;
    output.data(text.trim_end())?;
    Ok(ExitCode::SUCCESS)
}
