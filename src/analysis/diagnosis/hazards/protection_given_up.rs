//! A client answered a 412 by repeating the write without the condition.

use std::time::Duration;

use super::common::{same_client, successful_write};
use crate::analysis::diagnosis::{Case, Evidence, Hazard};
use crate::analysis::judgement::{Confidence, Finding};
use crate::analysis::memory::Refusal;
use crate::analysis::semantics::entity_tag::TagList;
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "protection-given-up",
    title: "After its 412 a client repeated the write without the precondition",
    explanation: "The client's conditional write was refused with 412. It then sent the write again without the \
        condition and succeeded: exactly the overwrite that a 412 prevents has now happened, unless the client \
        had read and merged in between.",
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

/// A write that comes later than this is not the answer to a 412.
const ANSWERS_WITHIN: Duration = Duration::from_secs(600);

fn examine(case: &Case<'_>) -> Option<Finding> {
    successful_write(case)?;
    let exchange = case.exchange;
    let removed = exchange.bypass.is_some_and(|bypass| bypass.preconditions_removed);
    // What was lost on the way the client has not given up.
    if removed || case.testimony.is_condition_altered() || (case.condition.is_some() && !holds_for_any(case)) {
        return None;
    }
    let is_answered = |refusal: &&Refusal| {
        refusal.by == exchange.client
            && refusal.condition.is_some()
            && refusal.condition != case.condition
            && !refusal.recovered
            && refusal.method == exchange.request.method
            && exchange.at.since(refusal.at) <= ANSWERS_WITHIN
    };
    let refusal = case.resource?.refusals.iter().rev().find(is_answered)?;
    let (surest, told_apart) = same_client(case, refusal.by)?;
    // Who read in between may have merged before writing.
    let confidence = if refusal.read_since { Confidence::Possible } else { surest };
    let sent = if case.condition.is_some() { case.sent(FieldName::IfMatch) } else { Evidence::SentNone };
    let refused = Evidence::RefusedBefore { times: refusal.times, at: refusal.at };
    Some(Finding::new(confidence, vec![refused, sent, told_apart]))
}

/// `If-Match: *` and nothing else: it holds for any version and protects no more than no condition does.
fn holds_for_any(case: &Case<'_>) -> bool {
    case.conditions.if_match.valid() == Some(&TagList::Any)
        && !case.conditions.if_none_match.is_present()
        && !case.conditions.if_unmodified_since.is_present()
        && case.vendor_conditions().is_empty()
}
