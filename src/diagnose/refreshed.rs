//! The refreshed request: the one that was refused, with a condition that holds now; and whether sending it would
//! overwrite what its author has not read.

use super::asked::Asked;
use super::observed::Observed;
use super::steps::{Kind, Way};
use crate::analysis::diagnosis::spelling::shown;
use crate::analysis::diagnosis::suffix;
use crate::analysis::semantics::conditions::tags_of;
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::semantics::http_date::HttpDate;

/// A condition that holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// Which condition is replaced.
    pub field: FieldName,
    /// Its new value.
    pub value: Vec<u8>,
    /// How it relates to the condition that was given.
    pub version: Version,
}

/// Whether the current version is the one that the refused condition named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// It is: the condition was only spelled in a way that cannot hold.
    Same,
    /// It is another one; what differs, in sentences.
    Other(Vec<String>),
}

/// Why there is no refreshed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoneBecause {
    /// The request has neither If-Match nor If-Unmodified-Since.
    NoCondition,
    /// The resource gives no validator that could be named.
    NoValidator,
    /// Only weak tags are given out, and If-Match compares strongly.
    OnlyWeak,
    /// The resource could not be read.
    NotRead,
}

impl NoneBecause {
    /// As a sentence.
    pub const fn says(self) -> &'static str {
        match self {
            Self::NoCondition => "the request has no If-Match or If-Unmodified-Since that could be refreshed",
            Self::NoValidator => "the resource gives no validator that the condition could name",
            Self::OnlyWeak => "only weak tags are given out, and If-Match never holds with a weak one",
            Self::NotRead => "the resource could not be read, so its current validator is not known",
        }
    }
}

/// The condition that holds now, by what was read.
///
/// # Errors
/// Why there is none.
pub fn refreshed(asked: &Asked, observed: &Observed) -> Result<Refreshed, NoneBecause> {
    let is_read = observed.shown(Kind::Plain, Way::Through).is_some() || observed.has_direct();
    if asked.fields.contains(FieldName::IfMatch) {
        if !is_read {
            return Err(NoneBecause::NotRead);
        }
        let current = observed.origins_tag().ok_or(NoneBecause::NoValidator)?;
        let tag = EntityTag::parse(current).ok_or(NoneBecause::NoValidator)?;
        if tag.weak {
            return Err(NoneBecause::OnlyWeak);
        }
        let version = version_of_tag(asked, observed, tag);
        return Ok(Refreshed { field: FieldName::IfMatch, value: current.to_vec(), version });
    }
    if asked.fields.contains(FieldName::IfUnmodifiedSince) {
        if !is_read {
            return Err(NoneBecause::NotRead);
        }
        let current = observed.origins_date().ok_or(NoneBecause::NoValidator)?;
        let now = HttpDate::parse(current).map_err(|_| NoneBecause::NoValidator)?;
        let sent = asked.fields.first(FieldName::IfUnmodifiedSince).unwrap_or_default();
        let version = match HttpDate::parse(sent) {
            // RFC 9110 §13.1.4: a later date holds as well.
            Ok(sent) if sent >= now => Version::Same,
            Ok(_) | Err(_) => Version::Other(vec![
                format!("Your date: {}.", shown(sent)),
                format!("Last-Modified now: {}.", shown(current)),
            ]),
        };
        return Ok(Refreshed { field: FieldName::IfUnmodifiedSince, value: current.to_vec(), version });
    }
    Err(NoneBecause::NoCondition)
}

fn version_of_tag(asked: &Asked, observed: &Observed, current: EntityTag<'_>) -> Version {
    let conditions = asked.conditions();
    let tags = tags_of(&conditions.if_match);
    let raw = asked.fields.first(FieldName::IfMatch).unwrap_or_default();
    let is_same =
        if tags.is_empty() { is_misspelled(raw, current) } else { tags.iter().any(|tag| is_same(*tag, current)) };
    if is_same {
        return Version::Same;
    }
    let mut differs = vec![
        format!("You sent If-Match: {}.", shown(raw)),
        format!("Current is ETag: {}.", shown(&current.to_bytes())),
    ];
    if let Some(date) = observed.origins_date() {
        differs.push(format!("Last changed: {}.", shown(date)));
    }
    Version::Other(differs)
}

/// Whether a tag names the version whose tag is `current`: the same, weak, or with the mark of a compressor.
fn is_same(tag: EntityTag<'_>, current: EntityTag<'_>) -> bool {
    tag.weak_eq(&current) || suffix::split(tag.opaque).is_some_and(|split| split.bare == current.opaque)
}

/// Whether what is no tag is the current one, misspelled: without its quotes, in two pairs of them, or escaped.
fn is_misspelled(raw: &[u8], current: EntityTag<'_>) -> bool {
    let text = raw.strip_prefix(b"W/").unwrap_or(raw);
    let stripped = text.strip_prefix(b"&quot;").and_then(|text| text.strip_suffix(b"&quot;")).unwrap_or(text);
    let stripped = trimmed(stripped);
    stripped == current.opaque && !stripped.is_empty()
}

fn trimmed(mut text: &[u8]) -> &[u8] {
    while let Some(rest) =
        text.strip_prefix(b"\"").or_else(|| text.strip_prefix(b"\\\"")).or_else(|| text.strip_prefix(b"'"))
    {
        text = rest;
    }
    while let Some(rest) =
        text.strip_suffix(b"\\\"").or_else(|| text.strip_suffix(b"\"")).or_else(|| text.strip_suffix(b"'"))
    {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sent: &str, current: &str, same: bool) {
        let current = EntityTag::parse(current.as_bytes()).unwrap();
        let found = EntityTag::parse(sent.as_bytes())
            .map_or_else(|| is_misspelled(sent.as_bytes(), current), |tag| is_same(tag, current));
        assert_eq!(found, same, "{sent}");
    }

    #[test]
    fn only_a_tag_that_names_the_current_version_is_the_same() {
        check("\"v1\"", "\"v1\"", true);
        check("W/\"v1\"", "\"v1\"", true);
        check("\"v1-gzip\"", "\"v1\"", true);
        check("v1", "\"v1\"", true);
        check("\"\"v1\"\"", "\"v1\"", true);
        check("&quot;v1&quot;", "\"v1\"", true);
        check("\\\"v1\\\"", "\"v1\"", true);
        check("\"v0\"", "\"v1\"", false);
        check("\"v11\"", "\"v1\"", false);
        check("\"v1-two\"", "\"v1\"", false);
        check("null", "\"v1\"", false);
        check("", "\"v1\"", false);
    }
}
