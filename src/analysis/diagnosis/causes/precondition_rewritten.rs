//! The condition that reached the origin is not the one the client sent.

use crate::analysis::diagnosis::{Case, Cause, Detail};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "precondition-rewritten",
    party: Party::Gateway,
    title: "A gateway changed the condition on its way to the origin",
    explanation: "The condition that left the client and the condition that arrived at the origin differ: both \
        sides of the gateway were seen for this very request. The origin judged a condition that the client never \
        sent, and refused it. The client did nothing wrong.",
    example: r#"client   PATCH /contacts/B | If-Match: "b-7" -> 412
(arrived at the origin as If-Match: "a-1")"#,
    fix: &[
        "Find the rule, script, plugin or library on the way that sets or edits If-Match, If-None-Match or the \
            dates, and remove it: conditions are end-to-end fields and pass unchanged.",
        "Forward the fields of each request from that request alone; never keep a header object between requests.",
    ],
    specification: &["RFC 9110 §13.1", "RFC 9110 §7.7"],
    details: &[
        Detail {
            id: "replayed",
            explanation: "The condition that arrived had been sent earlier, for another request: something on the \
                way keeps fields from one request to the next.",
            fix: &[
                "Build the forwarded headers anew for every request (serverless functions and SDK clients that keep \
                    a shared headers object or default headers while they stay warm).",
            ],
        },
        Detail {
            id: "merged",
            explanation: "Several lines were joined into one, or one of several was dropped, and what came out is \
                another condition.",
            fix: &[
                "Send one line of this field only, and configure the gateway to forward repeated lines as they are.",
            ],
        },
        Detail {
            id: "injected",
            explanation: "The client sent no such condition; the gateway added it.",
            fix: &[
                "Restrict the gateway's own revalidation to GET and HEAD: a condition added to a write decides over \
                    data that the client asked to change without one.",
            ],
        },
        Detail {
            id: "reformatted",
            explanation: "The value is the same by meaning but written otherwise, and the origin compares it \
                character by character.",
            fix: &[
                "Turn off header normalisation for this route in the gateway.",
                "Make the origin parse the field as RFC 9110 §13.1 defines it, rather than compare strings.",
            ],
        },
    ],
    examine,
};

/// Needs both sides of the gateway.
const fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
