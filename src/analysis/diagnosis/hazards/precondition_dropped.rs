//! A condition left on a write and did not arrive, and the write succeeded.

use super::common::successful_write;
use crate::analysis::diagnosis::{Case, Evidence, Hazard};
use crate::analysis::far_side::Altered;
use crate::analysis::judgement::{Change, Confidence, Finding};
use crate::analysis::semantics::conditions::CONDITION_NAMES;
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "precondition-dropped",
    title: "The precondition of a write was lost on the way, and it succeeded",
    explanation: "The client sent a write with a condition, and the request reached the origin without it. Both \
        sides of the gateway were seen for this request, and the origin carried it out unconditionally: whatever \
        another client had stored meanwhile is overwritten, and nobody was told. Or the service answered 428 (a \
        condition is required) to a request that carried one, and nothing was written.",
    example: r#"client  PUT /file | If-None-Match: * -> 200
(arrived at the origin without a condition)"#,
    fix: &[
        "Configure the gateway to pass If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since on unsafe \
            methods: dropping them is only harmless on a GET or HEAD that fills a cache.",
        "Check application proxies and functions that forward a list of known fields, and add the conditions and \
            validators to that list.",
        "Make the origin require a condition on these resources (428), so that a lost one fails loudly.",
        "Compare what is stored with what it should be: writes since the gateway's last change may have overwritten \
            each other.",
    ],
    specification: &["RFC 9110 §13.1", "RFC 9110 §7.6", "RFC 6585 §3"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    removed_by_bypass(case).or_else(|| did_not_arrive(case)).or_else(|| demanded_all_the_same(case))
}

/// Both sides of the gateway were seen.
fn did_not_arrive(case: &Case<'_>) -> Option<Finding> {
    let origins = case.testimony.own_report().map_or_else(|| case.status(), |report| report.status);
    let was_applied = case.is_write() && matches!(origins, 200..=299);
    // If-Range is about reads.
    let is_dropped = |altered: &&Altered| altered.change == Change::Stripped && altered.field != FieldName::IfRange;
    let dropped: Vec<_> = case.testimony.altered.iter().filter(is_dropped).map(Evidence::arrived).collect();
    if !was_applied || dropped.is_empty() {
        return None;
    }
    let answered = Evidence::OriginAnswered { status: origins, earlier: false, later: false };
    Some(Finding::new(case.testimony.most, dropped).and(answered))
}

/// A bypass of this instance took the conditions out, as a test that somebody asked for.
fn removed_by_bypass(case: &Case<'_>) -> Option<Finding> {
    case.exchange.bypass.filter(|bypass| bypass.preconditions_removed)?;
    successful_write(case)?;
    let lines = case.exchange.request.fields.iter().filter(|line| CONDITION_NAMES.contains(&line.name));
    let evidence: Vec<_> =
        lines.map(|line| Evidence::Sent { field: line.name_bytes.to_vec(), value: line.value.to_vec() }).collect();
    if evidence.is_empty() {
        return None;
    }
    let says = "A bypass of this instance removed the conditions, as it had been told to.";
    Some(Finding::new(Confidence::Proven, evidence).and(Evidence::Fact { kind: "removed-by-bypass", says }))
}

/// RFC 6585 §3: a condition is required, though one was sent.
fn demanded_all_the_same(case: &Case<'_>) -> Option<Finding> {
    let was_sent = case.is_write() && !case.if_match().is_empty();
    let says = "The answer 428 demands a condition.";
    (was_sent && case.status() == 428).then(|| {
        Finding::new(Confidence::Likely, vec![case.sent(FieldName::IfMatch)])
            .and(Evidence::Fact { kind: "demanded", says })
    })
}
