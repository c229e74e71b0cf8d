//! How facts are spelled in sentences: names of fields, values and points in time. Values are hostile and are escaped
//! here, once, for every sink.

use std::fmt::Write as _;

use crate::analysis::semantics::fields::FieldName;
use crate::analysis::semantics::http_date::civil_from_days;
use crate::analysis::time::Time;

/// The name of a field as people write it.
pub fn title(field: FieldName) -> String {
    const IRREGULAR: [(FieldName, &str); 3] =
        [(FieldName::ETag, "ETag"), (FieldName::OcETag, "OC-ETag"), (FieldName::XETag, "X-ETag")];
    if let Some((_, name)) = IRREGULAR.iter().find(|(irregular, _)| *irregular == field) {
        return (*name).to_owned();
    }
    let mut upper = true;
    let capital = |letter: char| {
        let shown = if upper { letter.to_ascii_uppercase() } else { letter };
        upper = letter == '-';
        shown
    };
    field.as_str().chars().map(capital).collect()
}

/// The longest value that a sentence shows, in bytes.
const SHOWN_MAX: usize = 256;

/// A value as ISO-8859-1, with what controls terminals and pages escaped.
pub fn shown(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.iter().take(SHOWN_MAX) {
        match byte {
            b'\\' => text.push_str("\\\\"),
            0x20..=0x7e | 0xa0.. => text.push(char::from(*byte)),
            control => {
                let _ = write!(text, "\\x{control:02x}");
            }
        }
    }
    if value.len() > SHOWN_MAX {
        text.push('…');
    }
    if text.is_empty() { "(nothing)".to_owned() } else { text }
}

/// A point in time, in UTC.
pub fn moment(at: Time) -> String {
    let seconds = at.unix_seconds();
    let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    let millis = at.unix_micros() / 1000 % 1000;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_values_are_escaped() {
        assert_eq!(shown(b"a\x1b[31m\r\n\\\xe9\x85"), "a\\x1b[31m\\x0d\\x0a\\\\\u{e9}\\x85");
        assert_eq!(shown(b""), "(nothing)");
        assert_eq!(shown(&[b'x'; 300]).chars().count(), 257);
    }

    #[test]
    fn moments_and_names() {
        assert_eq!(moment(Time::from_unix_micros(1_795_327_200_123_456)), "2026-11-22T06:00:00.123Z");
        assert_eq!(title(FieldName::IfNoneMatch), "If-None-Match");
    }
}
