//! An unconditional write on a resource that is otherwise written conditionally.

use super::common::successful_write;
use crate::analysis::diagnosis::{Case, Evidence, Hazard};
use crate::analysis::judgement::{Confidence, Finding};
use http::Method;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "unguarded-write",
    title: "A write without a precondition, where others write with one",
    explanation: "Most writes on this route carry a condition, and it is written by several clients; this one carried \
        none and succeeded. It may have replaced a change that this client had never seen, and the others' conditions \
        cannot protect them from it.",
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

/// So many writes show how a route is usually written.
const WRITES_MIN: u64 = 10;

fn examine(case: &Case<'_>) -> Option<Finding> {
    let answer = successful_write(case)?;
    let route = case.route;
    let writes = route.conditional_writes + route.unconditional_writes;
    let is_usual = writes >= WRITES_MIN && route.conditional_writes * 2 > writes && route.has_two_writers();
    // A POST that answers for something else, and a creation, replace nothing.
    let replaces = exchange_replaces(case) && answer.head.status != 201;
    if case.condition.is_some()
        || case.testimony.is_condition_altered()
        || !is_usual
        || !replaces
        || case.exchange.bypass.is_some_and(|it| it.preconditions_removed)
    {
        return None;
    }
    // One client that writes several times in a row overwrites its own.
    let resource = case.resource?;
    let before = resource.last_applied()?;
    if before.by == case.client() {
        return None;
    }
    let says = "Most writes on this route carry a condition.";
    let evidence =
        vec![Evidence::SentNone, Evidence::Fact { kind: "usual", says }, Evidence::wrote(before, case.client(), false)];
    Some(Finding::new(Confidence::Likely, evidence))
}

fn exchange_replaces(case: &Case<'_>) -> bool {
    let method = &case.exchange.request.method;
    *method == Method::PUT || *method == Method::PATCH || *method == Method::DELETE
}
