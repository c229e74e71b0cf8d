//! `why412 bypass`: the switch, from a distance.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::CliError;
use super::arguments::{BypassAction, BypassArguments, InstanceArguments};
use super::client::{Client, parse};
use super::output::{Output, Tone, printable};

const PATH: &str = "/api/v1/bypass";

/// Does what the arguments say, and shows what is on then.
pub(super) fn bypass(arguments: &BypassArguments, output: &Output) -> Result<ExitCode, CliError> {
    match &arguments.action {
        BypassAction::Status { instance, json } => {
            let text = Client::new(instance)?.text(PATH, &[])?;
            show(&text, *json, *output)
        }
        BypassAction::On { instance, route, lasting, direct, json } => {
            let mut wanted = json!({ "route": route, "direct": direct });
            if let (Some(wanted), Some(lasting)) = (wanted.as_object_mut(), lasting) {
                wanted.insert("for".to_owned(), Value::String(written(*lasting)));
            }
            let client = Client::new(instance)?;
            client.ask("PUT", PATH, &[], Some(&wanted))?.well()?;
            show(&client.text(PATH, &[])?, *json, *output)
        }
        BypassAction::Off { instance, route, json } => off(instance, route.as_ref(), *json, *output),
    }
}

fn off(instance: &InstanceArguments, route: Option<&String>, json: bool, output: Output) -> Result<ExitCode, CliError> {
    let client = Client::new(instance)?;
    let query: Vec<_> = route.map(|route| ("route", route.clone())).into_iter().collect();
    client.ask("DELETE", PATH, &query, None)?.well()?;
    show(&client.text(PATH, &[])?, json, output)
}

fn show(text: &str, json: bool, output: Output) -> Result<ExitCode, CliError> {
    if json {
        output.data(text.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let state = parse(text)?;
    let bypasses = state.get("bypasses").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if bypasses.is_empty() {
        output.data("No bypass is on.")?;
    }
    for bypass in bypasses {
        output.data(&line(bypass, output))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn line(bypass: &Value, output: Output) -> String {
    let member = |name: &str| bypass.get(name).and_then(Value::as_str).map(printable);
    let scope = member("route").map_or_else(|| "all routes".to_owned(), |route| format!("route {route}"));
    let direct = bypass.get("direct").and_then(Value::as_bool).unwrap_or_default();
    let removed = member("preconditions").as_deref() == Some("remove");
    let until = member("until").unwrap_or_default();
    let direct = if direct { ", traffic goes to the direct addresses" } else { "" };
    let removed = if removed { ", conditions are removed" } else { "" };
    format!("{} on for {scope} until {until}{direct}{removed}", output.toned(Tone::Strong, "Bypass"))
}

/// The way the API takes durations: whole milliseconds are exact enough for a switch that people set.
fn written(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}ms", duration.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_on_and_until_when() {
        let bypass =
            json!({ "route": "orders", "until": "2026-11-22T06:15:00Z", "direct": true, "preconditions": "remove" });
        assert_eq!(
            line(&bypass, Output::plain()),
            "Bypass on for route orders until 2026-11-22T06:15:00Z, traffic goes to the direct addresses, conditions are \
             removed"
        );
        let all = json!({ "route": null, "until": "T", "direct": false, "preconditions": "keep" });
        assert_eq!(line(&all, Output::plain()), "Bypass on for all routes until T");
    }
}
