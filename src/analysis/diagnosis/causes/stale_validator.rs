//! The validator was current once and the resource has moved on.

use crate::analysis::diagnosis::{Case, Cause, Detail};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "stale-validator",
    party: Party::Client,
    title: "The client's copy is out of date: the resource has changed since",
    explanation: "The validator was given out for this resource and was current then; the resource has another one \
        now. No write of another client was seen in between: the change came by another way (a write that did not \
        pass here, a background job), or the client's own earlier write moved the version on.",
    example: r#"client  GET /orders/7 -> 200 | ETag: "v1"
client  PUT /orders/7 | If-Match: "v1" -> 412 | ETag: "v2""#,
    fix: &[
        "Read the resource again, apply the change to what is there now, and write with the new tag; show a \
            conflict to the user where both changed the same thing.",
        "Keep the validator of the newest answer, whatever it was: a read, a write, or the 412 itself.",
        "Keep the condition: without it the write would erase the change that the client has not seen.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §15.5.13"],
    details: &[
        Detail {
            id: "own-write-untracked",
            explanation: "The last successful write was the client's own. It moved the version on, its answer \
                carried no new validator, and the client went on with the old one.",
            fix: &[
                "Read the resource after each successful write, and use the tag of that read.",
                "Make the service send the new ETag with its answers to PUT, PATCH and POST.",
            ],
        },
        Detail {
            id: "ignores-new-tag",
            explanation: "The client had already been handed the newer validator, and sent the old one again.",
            fix: &[
                "Replace the stored tag whenever an answer brings a new one, the 412 included; look for a second \
                    copy of it in the client (a cache, a form field, an object kept in memory).",
                "Stop repeating the same request: with this tag it will be refused for ever.",
            ],
        },
    ],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
