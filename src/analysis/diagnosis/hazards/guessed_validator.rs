//! A list in If-Match held, beside an issued tag, one that nobody issued.

use crate::analysis::diagnosis::{Case, Hazard};
use crate::analysis::judgement::Finding;

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

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
