//! Finding a text in a record: in its names and in what was sent, not in what we say about it.

use memchr::memmem::Finder;

use super::record::{HeaderLines, Record};

/// A text to find, whatever its case.
#[derive(Debug)]
pub(super) struct Needle {
    text: String,
    /// What a record's JSON must hold for the text to be in the record.
    trace: Finder<'static>,
}

impl Needle {
    /// `None` where nothing is wanted: an empty text is in every record.
    pub(super) fn new(text: &str) -> Option<Self> {
        let text = lower(text.trim());
        // A line of a field is two texts in JSON: the longer one of them leaves more out.
        let part = text.split(": ").max_by_key(|part| part.len())?;
        let quoted = serde_json::to_string(part).ok()?;
        let trace = quoted.get(1..quoted.len() - 1)?.as_bytes();
        (!text.is_empty()).then(|| Self { trace: Finder::new(trace).into_owned(), text: text.clone() })
    }

    /// Whether the record of this JSON may have it; false only where it does not.
    pub(super) fn may_be_in(&self, json: &str) -> bool {
        self.trace.find(lower(json).as_bytes()).is_some()
    }

    /// Whether it is in the id, the client, the URL, a line of a field, a cause or a hazard, on either side of a pair.
    pub(super) fn is_in(&self, record: &Record) -> bool {
        let has = |text: &str| lower(text).contains(&self.text);
        let line = |name: &str, value: &str| has(&format!("{name}: {value}"));
        let in_lines = |lines: &HeaderLines| lines.iter().any(|(name, value)| line(name, value));
        let in_far_side = |far_side: &super::far_side::FarSideRecord| {
            far_side.exchange.as_deref().is_some_and(has)
                || far_side.marked.as_deref().is_some_and(has)
                || in_lines(&far_side.conditions)
                || in_lines(&far_side.validators)
        };
        has(&record.id)
            || has(&record.client)
            || has(&record.request.url)
            || in_lines(&record.request.headers)
            || in_lines(&record.request.forwarded_headers)
            || record.response.as_ref().is_some_and(|response| in_lines(&response.headers))
            || record.far_side.as_ref().is_some_and(in_far_side)
            || record.diagnosis.as_ref().is_some_and(|diagnosis| has(&diagnosis.cause))
            || record.hazards.iter().any(|found| has(&found.hazard))
            || record.alterations.iter().any(|altered| {
                let side = |value: &Option<String>| value.as_deref().is_some_and(|value| line(&altered.field, value));
                side(&altered.before) || side(&altered.after)
            })
    }
}

fn lower(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::testing::record;

    fn sample() -> Record {
        let mut record = record("PUT", "http://api.example.com/Orders/7?x=1");
        record.request.headers = vec![
            ("If-Match".to_owned(), "W/\"V1\\a\"".to_owned()),
            ("X-Latin".to_owned(), "CAF\u{c9}\u{7f}".to_owned()),
        ];
        record
    }

    #[test]
    fn what_was_sent_is_found_whatever_its_case() {
        let record = sample();
        let json = serde_json::to_string(&record).unwrap();
        for text in [
            "orders/7",
            "ORDERS",
            "if-match",
            "w/\"v1",
            "If-Match: W/\"v1\\A\"",
            "caf\u{e9}",
            "\u{7f}",
            "C-0000",
            &record.id[20..],
            "match: w",
        ] {
            let needle = Needle::new(text).unwrap();
            assert!(needle.may_be_in(&json) && needle.is_in(&record), "{text}");
        }
    }

    #[test]
    fn what_is_only_said_about_it_is_not() {
        let record = sample();
        for text in ["forwarded_headers", "timing_us", "if-match: w/\"v2", "nothing of the kind", "412"] {
            assert!(!Needle::new(text).unwrap().is_in(&record), "{text}");
        }
        assert!(Needle::new("").is_none() && Needle::new("  ").is_none());
    }
}
