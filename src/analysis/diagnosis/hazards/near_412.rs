//! A failed precondition of a write under another name.

use crate::analysis::diagnosis::{Case, Detail, Hazard};
use crate::analysis::judgement::Finding;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "near-412",
    title: "A failed precondition was reported as something else than 412",
    explanation: "By what was seen, the write failed because its condition was false; the answer says so by another \
        status, or hides it in the content of a success. Clients that handle 412 (read again, merge) do not \
        recognise it.",
    example: r#"client  POST /b/k?uploadId=u | If-None-Match: * -> 200 | Content-Type: application/xml
(the body: <Error><Code>PreconditionFailed</Code></Error>)"#,
    fix: &[
        "Answer 412 where a condition of the request failed.",
        "Teach the client to treat this answer like a 412, where the service cannot be changed.",
    ],
    specification: &["RFC 9110 §15.5.13", "RFC 9110 §13.2.1"],
    details: &[
        Detail {
            id: "as-404",
            explanation: "The write was answered with 404 although reads show the resource.",
            fix: &["Answer 412 to a false If-Match on a resource that exists."],
        },
        Detail {
            id: "as-409",
            explanation: "The write was answered with 409, and its body or validator names the precondition.",
            fix: &["Answer 412 for conditions of the request, and 409 for conflicts of the service's own rules."],
        },
        Detail {
            id: "in-200-body",
            explanation: "The answer began as a success and reports the failed condition in its body.",
            fix: &["Check the body of this operation for an error before taking it as done; update the SDK to a \
                    version that does."],
        },
    ],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
