//! The validator changes with every answer though nothing changed.

use crate::analysis::diagnosis::{Case, Cause};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "unstable-validator",
    party: Party::Origin,
    title: "The validator changes with every answer though nothing was written",
    explanation: "Each answer carried another validator, and no write was seen between them. A tag that is old as \
        soon as it is read can never be sent back with success. Something that differs every time goes into it: a \
        timestamp, a nonce, the order of a serialisation, a per-request token.",
    example: r#"client  GET /flags -> 200 | ETag: "aaa"
client  GET /flags -> 200 | ETag: "bbb"
client  PUT /flags | If-Match: "bbb" -> 412 | ETag: "ccc""#,
    fix: &[
        "Compute the tag from what is stored (a version number, a sorted and canonical serialisation), not from the \
            rendered answer.",
        "Take timestamps, tokens and unordered maps out of what is hashed.",
    ],
    specification: &["RFC 9110 §8.8.1"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
