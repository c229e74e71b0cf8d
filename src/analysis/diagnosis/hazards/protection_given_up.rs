//! A client answered a 412 by repeating the write without the condition.

use crate::analysis::diagnosis::{Case, Hazard};
use crate::analysis::judgement::Finding;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "protection-given-up",
    title: "After its 412 a client repeated the write without the precondition",
    explanation: "The client's conditional write was refused because the resource had changed. It then sent the \
        write again without the condition and succeeded: exactly the overwrite that the 412 had prevented has now \
        happened, unless the client had read and merged in between.",
    example: r#"alice  PUT /orders/7 | If-Match: "v1" -> 412 | ETag: "v2"
alice  PUT /orders/7 -> 204 | ETag: "v3""#,
    fix: &[
        "Change the client's handling of 412: read, merge or ask, and write with the new tag.",
        "Compare the version that was overwritten with what is stored now, and restore what was lost; the evidence \
            names the exchanges.",
        "Require conditions on this route in the service: answer 428 (Precondition Required) to writes without one.",
    ],
    specification: &["RFC 9110 §15.5.13", "RFC 6585 §3"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
