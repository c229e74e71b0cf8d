//! The difference between two views of a field: what left one side, what arrived on the other.

use super::judgement::Change;
use super::semantics::entity_tag::{EntityTag, TagList};
use super::semantics::fields::FieldName;
use super::semantics::http_date::HttpDate;

/// What became of a field whose lines were `before` and are `after`; `None` if nothing did.
///
/// White space around members, and nothing else, may differ without being a change. Where several things happened at
/// once, the one that breaks the comparison is named.
pub fn change(field: FieldName, before: &[&[u8]], after: &[&[u8]]) -> Option<Change> {
    match (before, after) {
        _ if before == after => None,
        ([], _) => Some(Change::Added),
        (_, []) => Some(Change::Stripped),
        ([one], [other]) => value_change(field, one, other),
        (several, [one]) => Some(if joined(several) == squeezed(one) { Change::Merged } else { Change::Replaced }),
        (_, _) => Some(Change::Replaced),
    }
}

fn value_change(field: FieldName, before: &[u8], after: &[u8]) -> Option<Change> {
    if matches!(field, FieldName::IfMatch | FieldName::IfNoneMatch) {
        return list_change(before, after);
    }
    let is_tag = matches!(field, FieldName::ETag | FieldName::OcETag | FieldName::XETag | FieldName::IfRange);
    let change = if is_tag { tag_change(before, after) } else { date_change(before, after) };
    Some(change.unwrap_or_else(|| text_change(before, after)))
}

/// A change between two single tags; `None` if one of them is none.
fn tag_change(before: &[u8], after: &[u8]) -> Option<Change> {
    let (before, after) = (EntityTag::parse(before)?, EntityTag::parse(after)?);
    Some(match (before.weak, after.weak) {
        (false, true) if before.opaque == after.opaque => Change::Weakened,
        (true, false) if before.opaque == after.opaque => Change::Strengthened,
        _ => opaque_change(before.opaque, after.opaque),
    })
}

fn opaque_change(before: &[u8], after: &[u8]) -> Change {
    if !before.is_empty() && after.len() > before.len() && after.starts_with(before) {
        Change::Suffixed
    } else if !after.is_empty() && before.len() > after.len() && before.starts_with(after) {
        Change::Truncated
    } else {
        Change::Replaced
    }
}

/// A change between two lists of tags: that of the first member that differs, if the lists are as long.
fn list_change(before: &[u8], after: &[u8]) -> Option<Change> {
    if squeezed(before) == squeezed(after) {
        return None;
    }
    let (Some(TagList::Tags(old)), Some(TagList::Tags(new))) = (TagList::parse(before), TagList::parse(after)) else {
        return Some(text_change(before, after));
    };
    if old == new {
        return Some(Change::Reformatted);
    }
    let differing = old.iter().zip(&new).find(|(old, new)| old != new);
    Some(match differing {
        Some((old_tag, new_tag)) if old.len() == new.len() => {
            tag_change(&old_tag.to_bytes(), &new_tag.to_bytes()).unwrap_or(Change::Replaced)
        }
        None if new.len() < old.len() => Change::Truncated,
        Some(_) | None => Change::Replaced,
    })
}

/// The same date written in another of its forms (RFC 9110 §5.6.7).
fn date_change(before: &[u8], after: &[u8]) -> Option<Change> {
    let (before, after) = (HttpDate::parse(before).ok()?, HttpDate::parse(after).ok()?);
    Some(if before == after { Change::Reformatted } else { Change::Replaced })
}

/// A change between values of which at least one is malformed.
fn text_change(before: &[u8], after: &[u8]) -> Change {
    let bare = |value: &[u8]| -> Vec<u8> {
        value.iter().copied().filter(|byte| !matches!(byte, b'"' | b'\'' | b'\\')).collect()
    };
    let quotes = |value: &[u8]| value.len() - bare(value).len();
    if bare(before) == bare(after) {
        return if quotes(after) < quotes(before) { Change::Unquoted } else { Change::Requoted };
    }
    if squeezed(before) == squeezed(after) {
        return Change::Reformatted;
    }
    opaque_change(before, after)
}

/// The lines as one list.
fn joined(lines: &[&[u8]]) -> Vec<u8> {
    squeezed(&lines.join(&b", "[..]))
}

/// A value without white space outside of quotes.
fn squeezed(value: &[u8]) -> Vec<u8> {
    let mut quoted = false;
    let keep = |byte: &&u8| {
        quoted ^= **byte == b'"';
        quoted || !matches!(**byte, b' ' | b'\t')
    };
    value.iter().filter(keep).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(field: FieldName, before: &[&str], after: &[&str], expected: Option<Change>) {
        fn bytes<'a>(lines: &[&'a str]) -> Vec<&'a [u8]> {
            lines.iter().map(|line| line.as_bytes()).collect()
        }
        assert_eq!(change(field, &bytes(before), &bytes(after)), expected, "{before:?} {after:?}");
    }

    #[test]
    fn the_changes_of_a_tag() {
        let etag = |before: &[&str], after: &[&str], expected| check(FieldName::ETag, before, after, expected);
        etag(&["\"a\""], &["\"a\""], None);
        etag(&["\"a\""], &[], Some(Change::Stripped));
        etag(&[], &["\"a\""], Some(Change::Added));
        etag(&["\"a\""], &["W/\"a\""], Some(Change::Weakened));
        etag(&["W/\"a\""], &["\"a\""], Some(Change::Strengthened));
        etag(&["\"a\""], &["\"a-gzip\""], Some(Change::Suffixed));
        etag(&["\"a\""], &["W/\"a-gzip\""], Some(Change::Suffixed));
        etag(&["\"abc\""], &["\"ab\""], Some(Change::Truncated));
        etag(&["\"a\""], &["a"], Some(Change::Unquoted));
        etag(&["a"], &["\"a\""], Some(Change::Requoted));
        etag(&["\"a\""], &["\"b\""], Some(Change::Replaced));
    }

    #[test]
    fn the_changes_of_a_condition() {
        let im = |before: &[&str], after: &[&str], expected| check(FieldName::IfMatch, before, after, expected);
        im(&["\"a\",\"b\""], &["\"a\", \"b\""], None);
        im(&["\"a\",, \"b\""], &["\"a\", \"b\""], Some(Change::Reformatted));
        im(&["\"a\"", "\"b\""], &["\"a\", \"b\""], Some(Change::Merged));
        im(&["\"a\"", "\"b\""], &["\"b\""], Some(Change::Replaced));
        im(&["\"a\", \"b\""], &["\"a\""], Some(Change::Truncated));
        im(&["\"a\", \"b\""], &["\"a\", W/\"b\""], Some(Change::Weakened));
        im(&["\"a-gzip\""], &["\"a\""], Some(Change::Truncated));
        im(&["*"], &["\"*\""], Some(Change::Requoted));
        im(&["\"a b\""], &["\"ab\""], Some(Change::Replaced));
    }

    #[test]
    fn the_changes_of_a_date() {
        let date =
            |before: &str, after: &str, expected| check(FieldName::IfUnmodifiedSince, &[before], &[after], expected);
        date("Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", Some(Change::Reformatted));
        date("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT", Some(Change::Replaced));
        date("1", "2", Some(Change::Replaced));
    }
}
