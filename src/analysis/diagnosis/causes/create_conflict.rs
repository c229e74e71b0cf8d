//! The write asked that the resource should not exist, and it does.

use crate::analysis::diagnosis::{Case, Cause, Detail};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "create-conflict",
    party: Party::Client,
    title: "The resource already exists, and the write asked that it should not",
    explanation: "The request carried If-None-Match (with `*`, or with a tag that matches) or a vendor's \"must not \
        exist\" on a write: create this only if it is not there. It is there. The refusal protects what exists; the \
        service works as it should.",
    example: r#"client  PUT /calendar/ev1.ics | If-None-Match: * -> 412 | ETag: "e9""#,
    fix: &[
        "Read what is there, and decide: keep it, choose another name, or update it with If-Match and the tag of \
            that read.",
        "Choose names that cannot collide (a fresh UUID) where every create should succeed.",
        "Keep the condition: without it the write would replace what somebody stored there.",
    ],
    specification: &["RFC 9110 §13.1.2"],
    details: &[
        Detail {
            id: "own-earlier-create",
            explanation: "The same client had created the resource before and did not know, or forgot, that it \
                succeeded.",
            fix: &["Record the outcome of the first create, with its ETag, and continue with updates under If-Match."],
        },
        Detail {
            id: "lock-held",
            explanation: "The name is a lock: its existence says that somebody holds it. The 412 is the lock at \
                work.",
            fix: &["Wait and try again with growing pauses, or ask the holder that the lock's content names; break a \
                    lock only when its holder is known to be gone."],
        },
        Detail {
            id: "contradiction",
            explanation: "The request demands that the resource exist (If-Match) and not exist (If-None-Match) at \
                once; it can never succeed.",
            fix: &["Send one of the two: If-Match to update, `If-None-Match: *` to create."],
        },
    ],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
