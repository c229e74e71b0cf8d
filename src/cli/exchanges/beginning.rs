//! An exchange by the beginning of its id. An id begins with the time of its exchange, so that the records among which it
//! must be are known, and looking at all of them tells whether it is the only one.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::super::CliError;
use super::super::client::Client;
use super::{PATH, records};

/// Characters of a whole id, and those of them that are its time (https://github.com/ulid/spec).
const CHARACTERS: usize = 26;
const CHARACTERS_OF_TIME: usize = 10;
/// Fewer say nothing.
const CHARACTERS_MIN: usize = 4;
const DIGITS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// An id is given when the request's head has been read, which is the time by which records are searched; this much they
/// may lie apart.
const APART: SignedDuration = SignedDuration::from_secs(2);

/// The beginning of an id.
#[derive(Debug)]
pub(super) struct Beginning(String);

impl Beginning {
    /// `None` for what is a whole id, or no part of one.
    pub(super) fn of(text: &str) -> Option<Self> {
        // As lists write it where it is cut off.
        let text = text.trim_end_matches('…').to_ascii_uppercase();
        let is_part = (CHARACTERS_MIN..CHARACTERS).contains(&text.len()) && text.chars().all(|c| DIGITS.contains(c));
        is_part.then_some(Self(text))
    }

    /// The id of the only exchange that begins so.
    pub(super) fn resolved(&self, client: &Client) -> Result<String, CliError> {
        let (first, last) = self.times().ok_or_else(|| self.none())?;
        let mut found: Vec<String> = Vec::new();
        let mut before: Option<String> = None;
        loop {
            let mut query =
                vec![("since", first.to_string()), ("until", last.to_string()), ("limit", "1000".to_owned())];
            query.extend(before.map(|id| ("before", id)));
            let listed = client.json(PATH, &query, "exchanges")?;
            let ids = records(&listed).iter().filter_map(|record| record.get("id")?.as_str());
            found.extend(ids.filter(|id| id.starts_with(&self.0)).map(str::to_owned));
            if let [one, other, ..] = found.as_slice() {
                return Err(CliError::Failed(format!(
                    "several exchanges begin with {}, such as {one} and {other}; write more of the id",
                    self.0
                )));
            }
            match listed.get("next").and_then(Value::as_str) {
                Some(next) => before = Some(next.to_owned()),
                None => return found.pop().ok_or_else(|| self.none()),
            }
        }
    }

    fn none(&self) -> CliError {
        CliError::Failed(format!("no recorded exchange begins with {}; it may have made room for others", self.0))
    }

    /// Between which times an exchange was whose id begins so.
    fn times(&self) -> Option<(Timestamp, Timestamp)> {
        let time = |fill: char| {
            let digits: String = self.0.chars().chain(std::iter::repeat(fill)).take(CHARACTERS_OF_TIME).collect();
            let value = |sum: i64, digit: char| Some((sum << 5) | i64::try_from(DIGITS.find(digit)?).ok()?);
            Timestamp::from_millisecond(digits.chars().try_fold(0, value)?).ok()
        };
        Some((time('0')?.checked_sub(APART).ok()?, time('Z')?.checked_add(APART).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_told_from_whole_ids_and_other_words() {
        let of = |text: &str| Beginning::of(text).map(|beginning| beginning.0);
        assert_eq!(of("01m886e6q8…").as_deref(), Some("01M886E6Q8"));
        for other in ["01M886E6Q8DJJ3CDXW5T18PE7H", "01M", "latest", "01M8-6", "", "01MÜÜÜ"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn the_beginning_of_an_id_is_a_span_of_time() {
        let span = |text: &str| {
            let (first, last) = Beginning::of(text).unwrap().times().unwrap();
            [first, last].map(|time| time.to_string())
        };
        // The exchange of this id was at 2026-11-25T01:52:02.280Z.
        assert_eq!(span("01M886E6Q8DJ"), ["2026-11-25T01:52:00.28Z", "2026-11-25T01:52:04.28Z"]);
        assert_eq!(span("01M886E6Q8"), span("01M886E6Q8DJ"));
        let [first, last] = span("01M886");
        assert!(first.as_str() < "2026-11-25T01:52:02" && last.as_str() > "2026-11-25T01:52:02", "{first} {last}");
        assert!(Beginning::of("ZZZZ").unwrap().times().is_none(), "later than any time");
    }
}
