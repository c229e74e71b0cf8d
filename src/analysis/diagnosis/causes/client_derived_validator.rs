//! Nobody issued this tag; the client made it out of one that was.

use crate::analysis::diagnosis::{Case, Cause};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "client-derived-validator",
    party: Party::Client,
    title: "The client made up the tag out of one that was issued",
    explanation: "Nobody gave out this tag. It resembles one that was: shortened, changed in case, joined to \
        something, decoded or encoded once too often, or without a suffix that really belonged to it. A tag is \
        opaque; any change makes it another tag.",
    example: r#"client  GET /img/5 -> 200 | ETag: "Ab3F-9"
client  PUT /img/5 | If-Match: "ab3f-9" -> 412"#,
    fix: &[
        "Return the tag byte for byte as it was received.",
        "Check what handles the tag on the client's side: a database column that is too short, a lower-casing \
            header map, URL or base64 decoding, code that \"cleans\" suffixes.",
    ],
    specification: &["RFC 9110 §8.8.3"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
