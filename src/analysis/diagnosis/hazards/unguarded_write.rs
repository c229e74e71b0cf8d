//! An unconditional write on a resource that is otherwise written conditionally.

use crate::analysis::diagnosis::{Case, Hazard};
use crate::analysis::judgement::Finding;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "unguarded-write",
    title: "A write without a precondition, where others write with one",
    explanation: "Most writes on this route carry a condition, from several clients; this one carried none and \
        succeeded. It may have replaced a change that this client had never seen, and the others' conditions cannot \
        protect them from it.",
    example: r#"alice  PUT /orders/7 | If-Match: "v1" -> 204 | ETag: "v2"
script PUT /orders/7 -> 204 | ETag: "v3""#,
    fix: &[
        "Send If-Match with the tag of the last read from this client, too.",
        "Require conditions on this route in the service: answer 428 (Precondition Required) to writes without one.",
    ],
    specification: &["RFC 6585 §3", "RFC 9110 §13.1.1"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
