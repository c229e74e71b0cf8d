//! Query parameters, read strictly: a misspelt one is told, not ignored.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::problem::Problem;
use crate::analysis::exchange::ExchangeId;
use crate::analysis::time::Time;
use crate::recorder::record::id_of_text;

/// The parameters of one request.
#[derive(Debug, Default)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads a query in which only the parameters `known` may stand, each once.
    pub(super) fn read(query: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let mut parameters = BTreeMap::new();
        let mut faults = Vec::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (decoded(name), decoded(value)) else {
                faults.push(format!("{pair:?} is not well encoded"));
                continue;
            };
            if !known.contains(&name.as_str()) {
                let known = if known.is_empty() { "there are none".to_owned() } else { known.join(", ") };
                faults.push(format!("{name:?} is not a parameter here ({known})"));
            } else if parameters.insert(name.clone(), value).is_some() {
                faults.push(format!("{name} is given twice"));
            }
        }
        if faults.is_empty() { Ok(Self(parameters)) } else { Err(wrong(faults)) }
    }

    /// The value of a parameter, if it is given.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    /// What `parse` makes of a parameter; its complaint goes to `faults`.
    pub(super) fn parsed<T>(
        &self,
        name: &str,
        faults: &mut Vec<String>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(self.0.get(name)?) {
            Ok(value) => Some(value),
            Err(fault) => {
                faults.push(format!("{name}: {fault}"));
                None
            }
        }
    }
}

/// What is wrong with a request's parameters.
pub(super) fn wrong(faults: Vec<String>) -> Problem {
    Problem::bad_request(faults.join("; ")).with_faults(faults)
}

/// A whole number within bounds.
pub(super) fn number(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("{text:?} is not a number from {least} to {most}"))
}

/// The name of an exchange.
pub(super) fn exchange_id(text: &str) -> Result<ExchangeId, String> {
    id_of_text(text).ok_or_else(|| format!("{text:?} is not the id of an exchange"))
}

/// A point in time: RFC 3339, or how long before `now`.
pub(super) fn moment(text: &str, now: Time) -> Result<Time, String> {
    if let Some(back) = duration(text) {
        let micros = u64::try_from(back.as_micros()).unwrap_or(u64::MAX);
        return Ok(Time::from_unix_micros(now.unix_micros().saturating_sub(micros)));
    }
    // In a query a plus that is not encoded is a space.
    let stamp = text.parse::<Timestamp>().or_else(|fault| match text.rsplit_once(' ') {
        Some((time, offset)) => format!("{time}+{offset}").parse(),
        None => Err(fault),
    });
    let micros = stamp.ok().and_then(|stamp| u64::try_from(stamp.as_microsecond()).ok());
    micros.map(Time::from_unix_micros).ok_or_else(|| {
        format!(
            "{text:?} is neither a time such as \"2026-11-22T06:00:00Z\" nor a duration back from now such as \"15m\""
        )
    })
}

/// `90s`, `15m`, `1h 30m`, `2d`.
fn duration(text: &str) -> Option<Duration> {
    const DAY: u64 = 86_400;
    if let Some(days) = text.trim().strip_suffix('d') {
        return days.trim().parse::<u64>().ok()?.checked_mul(DAY).map(Duration::from_secs);
    }
    text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok())
}

/// `application/x-www-form-urlencoded`, as query parameters usually are.
fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
                let (high, low) = (digit()?, digit()?);
                out.push(u8::try_from(high * 16 + low).ok()?);
            }
            other => out.push(other),
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let parameters =
            Parameters::read(Some("url=http%3A%2F%2Fh%2Fa%3Fb&route=a+b&limit"), &["url", "route", "limit"]);
        let parameters = parameters.unwrap();
        assert_eq!(parameters.text("url").as_deref(), Some("http://h/a?b"));
        assert_eq!(parameters.text("route").as_deref(), Some("a b"));
        assert_eq!(parameters.text("limit").as_deref(), Some(""));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let problem = Parameters::read(Some("rout=a&limit=1&limit=2&x=%zz"), &["route", "limit"]).unwrap_err();
        assert_eq!(problem.status, 400);
        assert_eq!(problem.faults.len(), 3, "{problem:?}");
    }

    #[test]
    fn moments_are_times_or_lie_back_from_now() {
        let now = Time::from_unix_micros(1_795_327_200_000_000);
        #[track_caller]
        fn check(text: &str, seconds_back: u64, now: Time) {
            let expected = Time::from_unix_micros(now.unix_micros() - seconds_back * 1_000_000);
            assert_eq!(moment(text, now), Ok(expected), "{text}");
        }
        check("15m", 900, now);
        check("1h 30m", 5400, now);
        check("2d", 172_800, now);
        check("2026-11-22T06:00:00Z", 0, now);
        check("2026-11-22T05:59:59.000Z", 1, now);
        check("2026-11-22T07:00:00+01:00", 0, now);
        check("2026-11-22T07:00:00 01:00", 0, now);
        for text in ["", "15", "yesterday", "-5m", "2026-11-22", "2026-11-22T06:00:00", "1 000", "d"] {
            assert!(moment(text, now).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_bounded() {
        assert_eq!(number("1000", 1, 1000), Ok(1000));
        for text in ["0", "1001", "-1", "", "1.5", "x"] {
            assert!(number(text, 1, 1000).is_err(), "{text}");
        }
    }
}
