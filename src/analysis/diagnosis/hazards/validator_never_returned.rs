//! Validators are issued on this route and no write ever brings one back.

use http::Method;

use super::common::successful_write;
use crate::analysis::diagnosis::{Case, Evidence, Hazard};
use crate::analysis::judgement::{Confidence, Finding, Judgement};

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
        "Pair a second instance on the other side of the gateway, to see whether validators and conditions get \
            through.",
        "Send If-Match from the clients where lost updates matter.",
        "Leave it as it is where the last writer is meant to win.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 6585 §3"],
    details: &[],
    examine,
};

/// So many writes without a condition show that none is used.
const WRITES_MIN: u64 = 20;

fn examine(case: &Case<'_>) -> Option<Finding> {
    let answer = successful_write(case)?;
    let route = case.route;
    // This write is the one after those that are counted.
    let replaces = case.exchange.request.method != Method::POST && answer.head.status != 201;
    let is_due = replaces && case.condition.is_none() && route.unconditional_writes + 1 >= WRITES_MIN;
    // A condition that was refused has come back all the same. Told once, it is known.
    let is_usual = !route.conditions_sent && route.validators_shown && route.has_two_writers();
    if !is_due || !is_usual || route.never_returned_told {
        return None;
    }
    let says = "Of at least 20 writes on this route, by two clients or more, not one carried a condition, though answers \
        carry validators.";
    Some(Finding::new(Confidence::Possible, vec![Evidence::Fact { kind: "never-returned", says }]))
}

/// Whether it is among what was concluded from an exchange.
pub fn is_told(judgement: &Judgement) -> bool {
    judgement.hazards.iter().any(|found| std::ptr::eq(found.hazard, &HAZARD))
}
