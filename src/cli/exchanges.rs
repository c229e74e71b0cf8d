//! `why412 exchanges`: the recorded exchanges, listed, shown and exported.

mod beginning;
mod export;

use std::process::ExitCode;

use serde_json::{Value, json};

use self::beginning::Beginning;
use super::CliError;
use super::arguments::{ExchangesAction, ExchangesArguments, InstanceArguments, ListArguments};
use super::client::{Client, encoded};
use super::output::Output;
use super::record::fold::{Folded, folded};
use super::record::table::table;
use super::record::{Summary, whole::whole};
use super::today;

const PATH: &str = "/api/v1/exchanges";

/// Does what the arguments say; without an action it lists.
pub(super) fn exchanges(arguments: &ExchangesArguments, output: &Output) -> Result<ExitCode, CliError> {
    match &arguments.action {
        None => list(&arguments.list, *output),
        Some(ExchangesAction::List(arguments)) => list(arguments, *output),
        Some(ExchangesAction::Show { instance, id, json }) => show(instance, id, *json, *output),
        Some(ExchangesAction::Probe { instance, id, json }) => probe(instance, id, *json, *output),
        Some(ExchangesAction::Export(arguments)) => export::export(arguments, *output),
    }
}

fn list(arguments: &ListArguments, output: Output) -> Result<ExitCode, CliError> {
    let pairs = [
        ("route", arguments.route.clone()),
        ("cause", arguments.cause.clone()),
        ("hazard", arguments.hazard.clone()),
        ("status", arguments.status.map(|status| status.to_string())),
        ("resource", arguments.resource.clone()),
        ("since", arguments.since.clone()),
        ("until", arguments.until.clone()),
        ("text", arguments.text.clone()),
        ("after", arguments.after.clone()),
        ("before", arguments.before.clone()),
        ("limit", Some(arguments.limit.to_string())),
    ];
    let query: Vec<_> = pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let client = Client::new(&arguments.instance, output)?;
    if arguments.json {
        let text = client.text(PATH, &query)?;
        client.parsed(&text, "exchanges")?;
        output.data(text.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let (records, next) = searched(&client, query, usize::from(arguments.limit), arguments.after.is_some())?;
    let summaries = records.iter().map(Summary::of);
    let rows = if arguments.each { summaries.map(Folded::of).collect() } else { folded(summaries) };
    if rows.is_empty() {
        output.message("nothing is recorded that fits");
    } else {
        output.data(&table(&rows, output, &today()))?;
        output.hint("all about one: why412 exchanges show ID");
    }
    if let Some(next) = next {
        let (what, way) = if arguments.after.is_some() { ("newer", "--after") } else { ("older", "--before") };
        output.message(&format!("there are {what} ones: the same command with {way} {next}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks until there are as many as wanted or no more: one search of an instance takes a bounded time, and may end before
/// it has found anything.
fn searched(
    client: &Client,
    mut query: Vec<(&'static str, String)>,
    limit: usize,
    forwards: bool,
) -> Result<(Vec<Value>, Option<String>), CliError> {
    let mut found = Vec::new();
    loop {
        let listed = client.json(PATH, &query, "exchanges")?;
        found.extend_from_slice(records(&listed));
        let next = listed.get("next").and_then(Value::as_str).map(str::to_owned);
        match next {
            Some(next) if found.len() < limit => {
                query.retain(|(name, _)| !matches!(*name, "after" | "before" | "limit"));
                query.push((if forwards { "after" } else { "before" }, next));
                query.push(("limit", (limit - found.len()).to_string()));
            }
            next => return Ok((found, next)),
        }
    }
}

fn records(listed: &Value) -> &[Value] {
    listed.get("exchanges").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn show(instance: &InstanceArguments, id: &str, json: bool, output: Output) -> Result<ExitCode, CliError> {
    let client = Client::new(instance, output)?;
    let text = client.text(&path_of(&client, id)?, &[])?;
    let record = client.parsed(&text, "request")?;
    output.data(if json { text.trim_end().to_owned() } else { whole(&record, output) }.as_str())?;
    Ok(ExitCode::SUCCESS)
}

fn probe(instance: &InstanceArguments, id: &str, json: bool, output: Output) -> Result<ExitCode, CliError> {
    let client = Client::new(instance, output)?;
    let path = format!("{}/probe", path_of(&client, id)?);
    let text = client.well(client.ask("POST", &path, &[], Some(&json!({})))?)?;
    let record = client.parsed(&text, "request")?;
    output.data(if json { text.trim_end().to_owned() } else { whole(&record, output) }.as_str())?;
    Ok(ExitCode::SUCCESS)
}

/// The path of the exchange that is meant: by its id or the beginning of it, or as the newest of all or of the 412s.
fn path_of(client: &Client, meant: &str) -> Result<String, CliError> {
    let id = match meant {
        "latest" => newest(client, meant, None)?,
        "last-412" => newest(client, meant, Some(("status", "412".to_owned())))?,
        id => match Beginning::of(id) {
            Some(beginning) => beginning.resolved(client)?,
            None => id.to_owned(),
        },
    };
    Ok(format!("{PATH}/{}", encoded(&id)))
}

fn newest(client: &Client, meant: &str, filter: Option<(&str, String)>) -> Result<String, CliError> {
    let query: Vec<_> = filter.into_iter().chain([("limit", "1".to_owned())]).collect();
    let listed = client.json(PATH, &query, "exchanges")?;
    let newest = records(&listed).first().and_then(|record| record.get("id")).and_then(Value::as_str);
    newest.map(str::to_owned).ok_or_else(|| CliError::Failed(format!("nothing is recorded that is {meant}")))
}
