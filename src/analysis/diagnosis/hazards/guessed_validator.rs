//! A list in If-Match held, beside an issued tag, one that nobody issued.

use super::common::successful_write;
use crate::analysis::diagnosis::case::is_other_version;
use crate::analysis::diagnosis::{Case, Evidence, Hazard};
use crate::analysis::exchange::Role;
use crate::analysis::judgement::{Confidence, Finding};
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "guessed-validator",
    title: "The client guessed a second tag; it may overwrite what it never read",
    explanation: "The If-Match list held a tag that the client was given, and beside it one that nobody issued: \
        usually the same tag with or without a compressor's suffix or W/. The list passes when any member matches, \
        so where the guess happens to be the tag of a version that this client has not read, that version is \
        overwritten without a word.",
    example: r#"client  GET /f -> 200 | ETag: "abc-gzip"
client  PUT /f | If-Match: "abc-gzip", "abc" -> 204"#,
    fix: &[
        "Send only tags that were received for this resource.",
        "Mend what made the client guess: a gateway that changes tags when it compresses (see `etag-suffixed` and \
            `etag-weakened`).",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §8.8.3"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    successful_write(case)?;
    // On the origin's side both may have been given out by the gateway in front.
    if case.exchange.role == Role::Inner {
        return None;
    }
    let tags = case.if_match();
    let given = |tag: &EntityTag<'_>| case.issue(*tag).filter(|issue| issue.to_client);
    let (known, issue) = tags.iter().find_map(|tag| Some((*tag, given(tag)?)))?;
    // A tag that merely was not seen may come from before this instance began; one that is spelled like the other was
    // made of it.
    let is_guess =
        |tag: &&EntityTag<'_>| **tag != known && !is_other_version(**tag, known) && case.issue(**tag).is_none();
    let guess = tags.iter().find(is_guess)?;
    let evidence = vec![
        case.sent(FieldName::IfMatch),
        Evidence::given(issue.sighting, case.client(), issue.sibling),
        Evidence::NeverSeen { value: guess.to_bytes() },
    ];
    Some(Finding::new(Confidence::Possible, evidence))
}
