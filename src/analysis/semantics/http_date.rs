//! HTTP-dates (RFC 9110 §5.6.7): all three forms are read, and what is wrong with others is named.

/// A moment with the resolution of an HTTP-date: seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpDate(pub i64);

/// What is wrong with a value that should be an HTTP-date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DateFault {
    /// Nothing in it.
    Empty,
    /// A bare number, such as seconds since an epoch.
    Number,
    /// A date of ISO 8601 or RFC 3339.
    Iso,
    /// The right shape with a day, hour or year that does not exist.
    Impossible,
    /// The right date in another zone than GMT.
    Zone,
    /// An entity-tag.
    Tag,
    /// Anything else.
    Other,
}

impl DateFault {
    /// As a sentence names it.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Empty => "it is empty",
            Self::Number => "it is a bare number",
            Self::Iso => "it is a date of ISO 8601",
            Self::Impossible => "it names a day or time that does not exist",
            Self::Zone => "its zone is not GMT",
            Self::Tag => "it is an entity-tag",
            Self::Other => "it is not written as RFC 9110 §5.6.7 demands",
        }
    }
}

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

impl HttpDate {
    /// Reads IMF-fixdate, the form of RFC 850 and that of asctime. A weekday that does not fit the date is ignored, as
    /// every recipient does.
    pub fn parse(raw: &[u8]) -> Result<Self, DateFault> {
        let parts = imf(raw).or_else(|| rfc850(raw)).or_else(|| asctime(raw)).ok_or_else(|| fault(raw))?;
        parts.seconds().map(Self).ok_or(DateFault::Impossible)
    }

    /// As IMF-fixdate.
    pub fn to_imf(self) -> String {
        let days = self.0.div_euclid(86_400);
        let seconds = self.0.rem_euclid(86_400);
        let (year, month, day) = civil_from_days(days);
        let text = |names: &[&'static [u8]], at: i64| {
            let name = usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or_default();
            std::str::from_utf8(name).unwrap_or_default()
        };
        // 1970-01-01 was a Thursday.
        let weekday = text(&DAYS, (days + 3).rem_euclid(7));
        let month = text(&MONTHS, month - 1);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
    }
}

/// Year, month and day of a count of days since 1970-01-01, in the Gregorian calendar.
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    // Eras of 400 years that begin on 1 March, so that the leap day comes last.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

struct Parts {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Parts {
    fn seconds(&self) -> Option<i64> {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let length = match self.month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        // RFC 9110 §5.6.7: a second of 60 is allowed, for leap seconds.
        let exists = (1..=length).contains(&self.day) && self.hour < 24 && self.minute < 60 && self.second <= 60;
        let days = days_from_civil(self.year, self.month, self.day);
        exists.then(|| days * 86_400 + self.hour * 3600 + self.minute * 60 + self.second)
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn imf(raw: &[u8]) -> Option<Parts> {
    let rest = weekday(raw, 3)?.strip_prefix(b", ")?;
    let (day, rest) = number(rest, 2)?;
    let (month, rest) = month(rest.strip_prefix(b" ")?)?;
    let (year, rest) = number(rest.strip_prefix(b" ")?, 4)?;
    let ((hour, minute, second), rest) = time(rest.strip_prefix(b" ")?)?;
    (rest == b" GMT").then_some(Parts { year, month, day, hour, minute, second })
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
fn rfc850(raw: &[u8]) -> Option<Parts> {
    let comma = raw.iter().position(|byte| *byte == b',')?;
    let name = weekday(raw, comma)?;
    let (day, rest) = number(name.strip_prefix(b", ")?, 2)?;
    let (month, rest) = month(rest.strip_prefix(b"-")?)?;
    let (year, rest) = number(rest.strip_prefix(b"-")?, 2)?;
    let ((hour, minute, second), rest) = time(rest.strip_prefix(b" ")?)?;
    // RFC 9110 §5.6.7 wants a year that seems over 50 years ahead in the past. Without a clock, 1970 is the border.
    let year = if year < 70 { 2000 + year } else { 1900 + year };
    (rest == b" GMT").then_some(Parts { year, month, day, hour, minute, second })
}

/// `Sun Nov  6 08:49:37 1994`
fn asctime(raw: &[u8]) -> Option<Parts> {
    let rest = weekday(raw, 3)?.strip_prefix(b" ")?;
    let (month, rest) = month(rest)?;
    let rest = rest.strip_prefix(b" ")?;
    let (day, rest) = rest.strip_prefix(b" ").map_or_else(|| number(rest, 2), |rest| number(rest, 1))?;
    let ((hour, minute, second), rest) = time(rest.strip_prefix(b" ")?)?;
    let (year, rest) = number(rest.strip_prefix(b" ")?, 4)?;
    rest.is_empty().then_some(Parts { year, month, day, hour, minute, second })
}

/// What follows a weekday's name of `length` letters. Longer names begin like the short ones.
fn weekday(raw: &[u8], length: usize) -> Option<&[u8]> {
    let (name, rest) = raw.split_at_checked(length)?;
    let known = DAYS.iter().any(|day| name.starts_with(day)) && name.iter().all(u8::is_ascii_alphabetic);
    known.then_some(rest)
}

fn month(raw: &[u8]) -> Option<(i64, &[u8])> {
    let (name, rest) = raw.split_at_checked(3)?;
    let at = MONTHS.iter().position(|month| *month == name)?;
    Some((at as i64 + 1, rest))
}

fn number(raw: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let (text, rest) = raw.split_at_checked(digits)?;
    let value = text
        .iter()
        .try_fold(0_i64, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))?;
    Some((value, rest))
}

/// Hour, minute and second, and what follows them.
type TimeOfDay<'a> = ((i64, i64, i64), &'a [u8]);

fn time(raw: &[u8]) -> Option<TimeOfDay<'_>> {
    let (hour, rest) = number(raw, 2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 2)?;
    let (second, rest) = number(rest.strip_prefix(b":")?, 2)?;
    Some(((hour, minute, second), rest))
}

fn fault(raw: &[u8]) -> DateFault {
    let raw = raw.trim_ascii();
    let digits = raw.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if raw.is_empty() {
        DateFault::Empty
    } else if raw.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+')) && digits != 4 {
        DateFault::Number
    } else if raw.contains(&b'"') {
        DateFault::Tag
    } else if digits == 4 && raw.get(4) == Some(&b'-') {
        DateFault::Iso
    } else if weekday(raw, 3).is_some() && !raw.ends_with(b" GMT") && raw.contains(&b':') {
        DateFault::Zone
    } else {
        DateFault::Other
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(raw: &str, expected: Result<i64, DateFault>) {
        assert_eq!(HttpDate::parse(raw.as_bytes()).map(|date| date.0), expected, "{raw}");
    }

    #[test]
    fn three_forms() {
        check("Sun, 06 Nov 1994 08:49:37 GMT", Ok(784_111_777));
        check("Sunday, 06-Nov-94 08:49:37 GMT", Ok(784_111_777));
        check("Sun Nov  6 08:49:37 1994", Ok(784_111_777));
        check("Thu, 01 Jan 1970 00:00:00 GMT", Ok(0));
        check("Mon, 06 Nov 1994 08:49:37 GMT", Ok(784_111_777));
        check("Thu, 29 Feb 2024 23:59:60 GMT", Ok(1_709_251_200));
    }

    #[test]
    fn what_is_wrong() {
        check("12345", Err(DateFault::Number));
        check("", Err(DateFault::Empty));
        check("2026-01-27T11:08:21Z", Err(DateFault::Iso));
        check("Sun, 30 Feb 2025 00:00:00 GMT", Err(DateFault::Impossible));
        check("Tue, 27 Jan 2026 24:08:21 GMT", Err(DateFault::Impossible));
        check("Tue, 27 Jan 2026 11:08:21 +0100", Err(DateFault::Zone));
        check("\"v1\"", Err(DateFault::Tag));
        check("yesterday", Err(DateFault::Other));
        check("tue, 27 jan 2026 11:08:21 gmt", Err(DateFault::Other));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_parsed(seconds in 0_i64..253_402_300_800) {
            prop_assert_eq!(HttpDate::parse(HttpDate(seconds).to_imf().as_bytes()), Ok(HttpDate(seconds)));
        }

        #[test]
        fn nothing_panics(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = HttpDate::parse(&raw);
        }
    }
}
