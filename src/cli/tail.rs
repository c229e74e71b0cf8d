//! `why412 tail`: follows the live feed, and comes back after an interruption without missing or repeating anything.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::BufRead;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::arguments::TailArguments;
use super::client::Client;
use super::output::Output;
use super::record::Summary;
use super::record::fold::Folded;
use super::record::line::line;
use super::{CliError, today};

/// How long to wait before the first attempt to come back, and at most.
const WAIT_FIRST: Duration = Duration::from_millis(500);
const WAIT_MAX: Duration = Duration::from_secs(10);

/// The longest line of a feed that is taken in.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Records that are known to have been shown.
const SEEN_MAX: usize = 4096;

/// The id that is older than any: what follows it is everything.
const BEFORE_ALL: &str = "00000000000000000000000000";

/// Follows until it is interrupted or nobody reads the output.
pub(super) fn tail(arguments: &TailArguments, output: &Output) -> Result<ExitCode, CliError> {
    end_when_interrupted();
    let client = Client::new(&arguments.instance, *output)?;
    let mut follower = Follower { arguments, output: *output, place: Place::default(), shown: None };
    follower.begin(&client)?;
    // Where there is no instance at first there will hardly be one soon: that is a failure, no interruption.
    let mut feed = Some(client.events(Some(&follower.place.last))?);
    output.hint(&format!("following {}; Ctrl-C ends it", client.base()));
    let mut wait = WAIT_FIRST;
    let mut complaint = String::new();
    loop {
        if let Some(events) = feed.take() {
            follower.follow(events)?;
            wait = WAIT_FIRST;
            follower.say("the feed has ended; reconnecting …");
        }
        thread::sleep(wait);
        wait = (wait * 2).min(WAIT_MAX);
        match client.events(Some(&follower.place.last)) {
            Ok(events) => {
                feed = Some(events);
                complaint.clear();
                follower.say("reconnected");
            }
            // The same complaint is made once.
            Err(error) if error.to_string() != complaint => {
                complaint = error.to_string();
                follower.say(&format!("{complaint}; trying again"));
            }
            Err(_) => {}
        }
    }
}

/// An interrupted `tail` has done what it was asked for: that is no failure.
fn end_when_interrupted() {
    let wait = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            Ok::<(), std::io::Error>(())
        })
    };
    #[expect(
        clippy::exit,
        reason = "the main thread may hang in a write that nobody reads, and has nothing to tidy up"
    )]
    let end = move || {
        if wait().is_ok() {
            std::process::exit(0);
        }
    };
    // Without the thread a signal ends the process as it ends others, with another code.
    let _ = thread::Builder::new().name("why412-signals".to_owned()).spawn(end);
}

/// Shows events as they come.
struct Follower<'a> {
    arguments: &'a TailArguments,
    output: Output,
    place: Place,
    /// What the last line says, as long as it is the last one.
    shown: Option<Folded>,
}

impl Follower<'_> {
    /// Finds the place to begin at, and shows what is wanted of what lies before it.
    fn begin(&mut self, client: &Client) -> Result<(), CliError> {
        const PATH: &str = "/api/v1/exchanges";
        let newest = client.json(PATH, &[("limit", "1".to_owned())], "exchanges")?;
        let id = newest.pointer("/exchanges/0/id").and_then(Value::as_str);
        id.unwrap_or(BEFORE_ALL).clone_into(&mut self.place.last);
        if self.arguments.last == 0 {
            return Ok(());
        }
        let TailArguments { route, cause, hazard, status, .. } = self.arguments;
        let pairs = [
            ("route", route.clone()),
            ("cause", cause.clone()),
            ("hazard", hazard.clone()),
            ("status", status.map(|status| status.to_string())),
            ("limit", Some(self.arguments.last.to_string())),
        ];
        let query: Vec<_> = pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let listed = client.json(PATH, &query, "exchanges")?;
        for record in listed.get("exchanges").and_then(Value::as_array).into_iter().flatten().rev() {
            let text = record.to_string();
            self.place.is_news(record, &text);
            self.show(record)?;
        }
        Ok(())
    }

    /// Shows events until the feed ends.
    fn follow(&mut self, mut events: impl BufRead) -> Result<(), CliError> {
        let mut event = Event::default();
        while let Some(line) = next_line(&mut events) {
            let Some(done) = event.take(&line) else { continue };
            let Ok(record) = serde_json::from_str::<Value>(&done.data) else { continue };
            if self.place.is_news(&record, &record.to_string()) && fits(&record, self.arguments) {
                self.show(&record)?;
            }
        }
        Ok(())
    }

    fn show(&mut self, record: &Value) -> Result<(), CliError> {
        if self.arguments.json {
            return Ok(self.output.data(&record.to_string())?);
        }
        let summary = Summary::of(record);
        let before = self.shown.take().filter(|_| self.output.is_terminal());
        let (again, folded) = match before {
            // The line above said what was known then.
            Some(before) if before.shown.id == summary.id && before.times == 1 => (true, Folded::of(summary)),
            Some(mut before) if !self.arguments.each => match before.fold(summary) {
                None => (true, before),
                Some(summary) => (false, Folded::of(summary)),
            },
            Some(_) | None => (false, Folded::of(summary)),
        };
        let line = line(&folded, self.output, &today());
        if again {
            self.output.data_again(&line)?
        } else {
            self.output.data(&line)?
        }
        self.shown = Some(folded);
        Ok(())
    }

    /// A message stands below the last line, which therefore stays as it is.
    fn say(&mut self, text: &str) {
        self.shown = None;
        self.output.message(text);
    }
}

/// How far the feed has been read.
#[derive(Debug, Default)]
struct Place {
    /// The record to go on behind.
    last: String,
    /// What was seen of which record, to tell what is news from what is sent again.
    seen: HashMap<String, u64>,
    order: VecDeque<String>,
}

impl Place {
    /// Whether a record, or what it says, has not been seen yet. `text` is all that it says.
    fn is_news(&mut self, record: &Value, text: &str) -> bool {
        let Some(id) = record.get("id").and_then(Value::as_str) else { return true };
        let mut digest = DefaultHasher::new();
        text.hash(&mut digest);
        let digest = digest.finish();
        let known = self.seen.insert(id.to_owned(), digest);
        if known.is_none() {
            self.order.push_back(id.to_owned());
            if self.order.len() > SEEN_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.seen.remove(&oldest);
            }
        }
        // An amended record is sent when it changes, but stays where it was: going on behind it would go back.
        if known.is_none() && record.get("amended_at").is_none_or(Value::is_null) {
            id.clone_into(&mut self.last);
        }
        known != Some(digest)
    }
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
    let hazards = || record.get("hazards").and_then(Value::as_array).into_iter().flatten();
    let is_hazard = |hazard: &Value, wanted: &str| hazard.get("hazard").and_then(Value::as_str) == Some(wanted);
    let has_hazard = |wanted: &str| hazards().any(|hazard| is_hazard(hazard, wanted));
    let status = record.pointer("/response/status").and_then(Value::as_u64);
    is("/route", &arguments.route)
        && is("/diagnosis/cause", &arguments.cause)
        && arguments.hazard.as_deref().is_none_or(has_hazard)
        && arguments.status.is_none_or(|wanted| status == Some(u64::from(wanted)))
}

/// A server-sent event in the making (WHATWG HTML §9.2.6). Its id is that of the record it carries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    data: String,
}

impl Event {
    /// Takes a line; the event if it was the empty one that ends it.
    fn take(&mut self, line: &str) -> Option<Self> {
        if line.is_empty() {
            return Some(std::mem::take(self)).filter(|event| !event.data.is_empty());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        if field == "data" {
            if !self.data.is_empty() {
                self.data.push('\n');
            }
            self.data.push_str(value.strip_prefix(' ').unwrap_or(value));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_are_put_together_from_lines() {
        let text = ": hello\r\n\r\nid: 1\nevent: exchange\ndata: {\"a\":\ndata: 1}\n\nid: 2\ndata:x\n\ndata: cut";
        let mut lines = text.as_bytes();
        let mut event = Event::default();
        let mut seen = Vec::new();
        while let Some(line) = next_line(&mut lines) {
            seen.extend(event.take(&line).map(|event| event.data));
        }
        assert_eq!(seen, ["{\"a\":\n1}", "x"]);
    }

    fn is_news(place: &mut Place, record: &Value) -> bool {
        place.is_news(record, &record.to_string())
    }

    #[test]
    fn what_is_sent_again_is_no_news_and_what_says_something_else_is() {
        let mut place = Place::default();
        assert!(is_news(&mut place, &json!({ "id": "1" })));
        assert!(is_news(&mut place, &json!({ "id": "2" })));
        assert!(!is_news(&mut place, &json!({ "id": "1" })));
        let amended = json!({ "id": "1", "amended_at": "now" });
        assert!(is_news(&mut place, &amended));
        assert!(!is_news(&mut place, &amended));
        assert_eq!(place.last, "2", "an amended record does not lead back to its place");
        assert!(is_news(&mut place, &json!({ "id": "0", "amended_at": "now" })));
        assert_eq!(place.last, "2", "nor does one that was recorded before the beginning");
    }

    #[test]
    fn what_was_seen_is_bounded() {
        let mut place = Place::default();
        for id in 0..SEEN_MAX + 10 {
            assert!(is_news(&mut place, &json!({ "id": id.to_string() })));
        }
        assert_eq!((place.seen.len(), place.order.len()), (SEEN_MAX, SEEN_MAX));
    }
}
