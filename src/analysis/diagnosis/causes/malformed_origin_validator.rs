//! The origin issues a malformed validator and cannot match its own.

use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::semantics::http_date::HttpDate;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "malformed-origin-validator",
    party: Party::Origin,
    other_parties: &[],
    title: "The service issued a malformed validator and then refused it",
    explanation: "The client returned a validator that had been given out malformed, as it was or with the \
        quotes that it lacked: an ETag without its quotes, or a date that is none. By the grammar it names no \
        version, so that it depends on the service whether it can ever match; this one refused it. The client is \
        not to blame, and cannot repair it without guessing.",
    example: r#"client  GET /items/3 -> 200 | ETag: 8d4f00
client  PUT /items/3 | If-Match: 8d4f00 -> 412"#,
    fix: &[
        "Issue the tag in double quotes: `ETag: \"8d4f00\"`; and dates in the format `Tue, 15 Nov 1994 12:45:26 \
            GMT`.",
        "Set the header through the framework's ETag function rather than as a bare string.",
        "Accept the unquoted form in conditions for as long as clients hold old tags, then refuse it.",
    ],
    specification: &["RFC 9110 §8.8.3", "RFC 9110 §5.6.7"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let (field, sent) = if case.conditions.if_match.is_present() {
        (FieldName::IfMatch, case.conditions.if_match.raw())
    } else {
        (FieldName::IfUnmodifiedSince, case.conditions.if_unmodified_since.raw())
    };
    let (sibling, seen) = case.sightings().find(|(_, seen)| {
        if field == FieldName::IfMatch {
            seen.etag.as_deref().is_some_and(|etag| brings_back(&sent, etag))
        } else {
            seen.last_modified.as_deref().is_some_and(|date| date == sent && HttpDate::parse(date).is_err())
        }
    })?;
    let evidence = vec![case.sent(field), Evidence::given(seen, case.client(), sibling)];
    Some(Finding::new(Confidence::Likely, evidence))
}

/// Whether what was sent is a malformed tag as it was issued, or that tag with the quotes it lacks.
fn brings_back(sent: &[u8], issued: &[u8]) -> bool {
    let quoted =
        || EntityTag::parse(sent).is_some_and(|tag| tag.opaque == issued.strip_prefix(b"W/").unwrap_or(issued));
    !issued.is_empty() && EntityTag::parse(issued).is_none() && (sent == issued || quoted())
}
