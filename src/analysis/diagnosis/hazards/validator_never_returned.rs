//! Validators are issued on this route and no write ever brings one back.

use crate::analysis::diagnosis::{Case, Hazard};
use crate::analysis::judgement::Finding;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "validator-never-returned",
    title: "Validators are issued here, and no write ever brings one back",
    explanation: "Answers on this route carry an ETag or Last-Modified, and of at least twenty writes by several \
        clients not one carried a condition. Either no client uses them, so that writers overwrite each other \
        unseen, or something on the way removes the validators or the conditions.",
    example: r#"alice  GET /orders/7 -> 200 | ETag: "v1"
alice  PUT /orders/7 -> 204   (and so for every write)"#,
    fix: &[
        "Check with `why412 diagnose`, or a second instance on the other side of the gateway, whether validators \
            and conditions get through.",
        "Send If-Match from the clients where lost updates matter.",
        "Leave it as it is where the last writer is meant to win.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 6585 §3"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
