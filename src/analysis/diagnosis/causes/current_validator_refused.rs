//! Exactly the current validator was sent and refused, and nothing else explains it.

use crate::analysis::diagnosis::{Case, Cause, Detail};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "current-validator-refused",
    party: Party::Origin,
    title: "The current validator was sent, and the service refused it",
    explanation: "The client sent exactly the validator that the service gives out for this resource, before the \
        refusal and after it; nothing was written in between. By what RFC 9110 says the condition was true. Nothing \
        that is known of gateways, dates, lists or other clients explains the refusal: look for it in the service.",
    example: r#"client  GET /api/values -> 200 | ETag: "12345"
client  PATCH /api/values | If-Match: "12345" -> 412
client  GET /api/values -> 200 | ETag: "12345""#,
    fix: &[
        "Check where the service keeps the tags that it judges by: a memory that a restart, an earlier failed \
            request, or another node empties is the usual reason.",
        "Escalate to the service's developers with the exported record: it shows the tag issued, sent and refused.",
        "Read again and repeat the write once with the tag of that read; stop there if it is refused again.",
    ],
    specification: &["RFC 9110 §13.1.1"],
    details: &[
        Detail {
            id: "recovered-by-read",
            explanation: "After a read the same condition was accepted: the service learns its tags from reads and \
                had forgotten this one.",
            fix: &["Make the service compute the tag from what is stored when it judges a condition, instead of \
                    remembering what it once sent."],
        },
        Detail {
            id: "recovered-by-itself",
            explanation: "The same condition was accepted later, with nothing in between: the service's judgement \
                depends on timing, on a node, or on a replica that lags behind.",
            fix: &["Judge conditions against the primary store, within the transaction of the write."],
        },
    ],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
