//! `why412 bypass`: the switch, from a distance.

use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::CliError;
use super::arguments::{BypassAction, BypassArguments};
use super::client::Client;
use super::layout::wrapped;
use super::output::{Output, Tone, printable};
use crate::clock;
use crate::recorder::record::time_text;

const PATH: &str = "/api/v1/bypass";

/// Does what the arguments say, and shows what is on then.
pub(super) fn bypass(arguments: &BypassArguments, output: &Output) -> Result<ExitCode, CliError> {
    let (instance, json) = match &arguments.action {
        BypassAction::Status { instance, json }
        | BypassAction::On { instance, json, .. }
        | BypassAction::Off { instance, json, .. } => (instance, *json),
    };
    let client = Client::new(instance, *output)?;
    match &arguments.action {
        BypassAction::Status { .. } => {}
        BypassAction::On { route, lasting, direct, .. } => {
            let mut wanted = json!({ "route": route, "direct": direct });
            if let (Some(wanted), Some(lasting)) = (wanted.as_object_mut(), lasting) {
                wanted.insert("for".to_owned(), Value::String(written(*lasting)));
            }
            client.well(client.ask("PUT", PATH, &[], Some(&wanted))?)?;
        }
        BypassAction::Off { route, .. } => {
            let query: Vec<_> = route.iter().map(|route| ("route", route.clone())).collect();
            client.well(client.ask("DELETE", PATH, &query, None)?)?;
        }
    }
    show(&client, json, *output)
}

fn show(client: &Client, json: bool, output: Output) -> Result<ExitCode, CliError> {
    let answer = client.ask("GET", PATH, &[], None)?;
    // What is left is told by the clock that ends it, where that is known.
    let now = answer.date.or_else(|| time_text(clock::now()).parse().ok()).unwrap_or_default();
    let text = client.well(answer)?;
    let state = client.parsed(&text, "bypasses")?;
    if json {
        output.data(text.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let bypasses = state.get("bypasses").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if bypasses.is_empty() {
        output.data("No bypass is on.")?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = client.json("/api/v1/config", &[], "pairing")?;
    let role = config.pointer("/pairing/role").and_then(Value::as_str).unwrap_or_default();
    for bypass in bypasses {
        output.data(&lines(bypass, role, now, output))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is on, how long still, and what it changes.
fn lines(bypass: &Value, role: &str, now: Timestamp, output: Output) -> String {
    let member = |name: &str| bypass.get(name).and_then(Value::as_str).map(printable);
    let scope = member("route").map_or_else(|| "all routes".to_owned(), |route| format!("route {route}"));
    let until = member("until").unwrap_or_default();
    let left = until.parse::<Timestamp>().map(|until| left(until.as_second() - now.as_second())).unwrap_or_default();
    let mut lines =
        vec![format!("{} on for {scope}: {left} left, until {until}", output.toned(Tone::Strong, "Bypass"))];
    let mut add = |text: &str| lines.push(wrapped(text, "  - ", "    ", output.prose_columns()));
    if role != "inner" {
        add("Requests carry Cache-Control: no-cache and Pragma: no-cache, beside what stands there.");
    }
    if role == "outer" {
        add("The inner instance of the pair adds no-store to answers, where the gateway lets it know.");
    } else {
        add(
            "Answers carry Cache-Control: no-store, CDN-Cache-Control: no-store and Surrogate-Control: no-store, beside \
             what stands there.",
        );
    }
    if bypass.get("direct").and_then(Value::as_bool).unwrap_or_default() {
        add("Traffic goes to the direct addresses, around the gateway.");
    }
    if member("preconditions").as_deref() == Some("remove") {
        add("Conditions are removed from writes: they are no longer protected against overwriting.");
    } else {
        add("Conditions and validators stay as they are.");
    }
    if let Some(warning) = member("warning") {
        add(&format!("Mind: {warning}."));
    }
    lines.join("\n")
}

/// `14 min 30 s`
fn left(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let said: Vec<_> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    if said.is_empty() { "0 s".to_owned() } else { said.join(" ") }
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
    fn a_bypass_is_told_with_what_it_changes() {
        let now = "2026-11-22T06:00:30Z".parse().unwrap();
        let bypass = json!({ "route": "orders", "until": "2026-11-22T06:15:00Z", "direct": true,
                             "preconditions": "remove", "warning": "writes go around" });
        insta::assert_snapshot!(lines(&bypass, "outer", now, Output::plain()), @r##"
Bypass on for route orders: 14 min 30 s left, until 2026-11-22T06:15:00Z
  - Requests carry Cache-Control: no-cache and Pragma: no-cache, beside what
    stands there.
  - The inner instance of the pair adds no-store to answers, where the gateway
    lets it know.
  - Traffic goes to the direct addresses, around the gateway.
  - Conditions are removed from writes: they are no longer protected against
    overwriting.
  - Mind: writes go around.
"##);
        let all = json!({ "route": null, "until": "2026-11-22T07:00:30Z", "direct": false, "preconditions": "keep" });
        insta::assert_snapshot!(lines(&all, "alone", now, Output::plain()), @r##"
Bypass on for all routes: 1 h left, until 2026-11-22T07:00:30Z
  - Requests carry Cache-Control: no-cache and Pragma: no-cache, beside what
    stands there.
  - Answers carry Cache-Control: no-store, CDN-Cache-Control: no-store and
    Surrogate-Control: no-store, beside what stands there.
  - Conditions and validators stay as they are.
"##);
    }

    #[test]
    fn what_is_left_is_told_in_units() {
        for (seconds, expected) in [(0, "0 s"), (-5, "0 s"), (59, "59 s"), (870, "14 min 30 s"), (7200, "2 h")] {
            assert_eq!(left(seconds), expected);
        }
    }
}
