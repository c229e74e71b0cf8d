//! 412 to a request that carried no condition.

use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::exchange::Role;
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::conditions::Conditions;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "no-precondition",
    party: Party::Unknown,
    other_parties: &[Party::Origin],
    title: "412 came to a request that carried no condition",
    explanation: "Neither a standard condition (If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, \
        If-Range) nor a vendor's was in the request as it was sent on, so there was nothing that could fail. \
        Either the service uses 412 for something else (a missing header, a state that does not fit, a rule of \
        its own), or a condition was added on the way, or a cache gave this client the stored refusal of another \
        one. Where the origin was seen to answer, it is the origin's doing.",
    example: r#"client  POST /orders -> 412"#,
    fix: &[
        "Read the body of the answer: services that use 412 for rules of their own usually say there which one.",
        "Make the service answer 400, 409, 422 or 428 where no condition of the request failed; 412 tells clients \
            to read again and retry, which does not help here.",
        "Pair a second instance on the origin's side, to see whether a condition was added on the way or the answer \
            came from a store.",
    ],
    specification: &["RFC 9110 §15.5.13", "RFC 6585 §3"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    if case.conditions.is_any_present() || case.condition.is_some() {
        return None;
    }
    let mut evidence = vec![Evidence::SentNone];
    if case.exchange.bypass.is_some_and(|bypass| bypass.preconditions_removed) {
        evidence.push(Evidence::Fact { kind: "bypass", says: "A bypass had removed the conditions, as a test." });
    }
    // RFC 9110 §7.6.1: what the client nominates as a connection option does not go further.
    if Conditions::any(&case.exchange.request.fields) && case.exchange.bypass.is_none() {
        evidence.push(Evidence::Fact {
            kind: "nominated",
            says: "The client named its condition in Connection, so it was removed as the RFC demands.",
        });
    }
    let finding = Finding::new(Confidence::Likely, evidence);
    // Behind every gateway, or by its own report, it is the service that was seen to answer.
    let reported = case.testimony.own_report().is_some_and(|report| report.status == case.status());
    let is_origins = reported || case.exchange.role == Role::Inner;
    Some(if is_origins { finding.party(Party::Origin) } else { finding })
}
