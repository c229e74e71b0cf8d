//! `why412 tail`: follows the live feed, and comes back after an interruption without missing anything.

use std::io::BufRead;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::CliError;
use super::arguments::TailArguments;
use super::client::Client;
use super::output::Output;
use super::record;

/// How long to wait before the first attempt to come back, and at most.
const WAIT_FIRST: Duration = Duration::from_millis(500);
const WAIT_MAX: Duration = Duration::from_secs(10);

/// The longest line of a feed that is taken in.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Follows until nobody reads the output.
pub(super) fn tail(arguments: &TailArguments, output: &Output) -> Result<ExitCode, CliError> {
    let client = Client::new(&arguments.instance)?;
    // Where there is no instance at first there will hardly be one soon: that is a failure, no interruption.
    let mut feed = Some(client.events(None)?);
    let mut last = None;
    let mut wait = WAIT_FIRST;
    loop {
        if let Some(events) = feed.take() {
            follow(events, &mut last, arguments, *output)?;
            wait = WAIT_FIRST;
            output.message("the feed has ended; trying again");
        }
        thread::sleep(wait);
        wait = (wait * 2).min(WAIT_MAX);
        feed = client.events(last.as_deref()).ok();
    }
}

/// Shows events until the feed ends.
fn follow(
    mut events: impl BufRead,
    last: &mut Option<String>,
    arguments: &TailArguments,
    output: Output,
) -> Result<(), CliError> {
    let mut event = Event::default();
    while let Some(line) = next_line(&mut events) {
        let Some(done) = event.take(&line) else { continue };
        if let Some(id) = done.id.filter(|id| !id.is_empty()) {
            *last = Some(id);
        }
        let Ok(record) = serde_json::from_str::<Value>(&done.data) else { continue };
        if !fits(&record, arguments) {
            continue;
        }
        let shown = if arguments.json { record.to_string() } else { record::line(&record, output) };
        output.data(&shown)?;
    }
    Ok(())
}

fn next_line(events: &mut impl BufRead) -> Option<String> {
    use std::io::Read as _;

    let mut bytes = Vec::new();
    let read = events.take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes).ok()?;
    let whole = read > 0 && bytes.ends_with(b"\n");
    whole.then(|| String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned())
}

fn fits(record: &Value, arguments: &TailArguments) -> bool {
    let is = |pointer: &str, wanted: &Option<String>| {
        wanted.as_deref().is_none_or(|wanted| record.pointer(pointer).and_then(Value::as_str) == Some(wanted))
    };
    is("/route", &arguments.route) && is("/diagnosis/cause", &arguments.cause)
}

/// A server-sent event in the making (WHATWG HTML §9.2.6).
#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    id: Option<String>,
    data: String,
}

impl Event {
    /// Takes a line; the event if it was the empty one that ends it.
    fn take(&mut self, line: &str) -> Option<Self> {
        if line.is_empty() {
            return Some(std::mem::take(self)).filter(|event| !event.data.is_empty());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        if field == "id" {
            self.id = Some(value.to_owned());
        }
        if field == "data" {
            if !self.data.is_empty() {
                self.data.push('\n');
            }
            self.data.push_str(value);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_put_together_from_lines() {
        let text = ": hello\r\n\r\nid: 1\nevent: exchange\ndata: {\"a\":\ndata: 1}\n\nid: 2\ndata:x\n\ndata: cut";
        let mut lines = text.as_bytes();
        let mut event = Event::default();
        let mut seen = Vec::new();
        while let Some(line) = next_line(&mut lines) {
            seen.extend(event.take(&line));
        }
        let expected = [("1", "{\"a\":\n1}"), ("2", "x")];
        assert_eq!(seen, expected.map(|(id, data)| Event { id: Some(id.to_owned()), data: data.to_owned() }));
    }
}
