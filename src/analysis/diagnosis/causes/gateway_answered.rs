//! The 412 was made on the way, not by the origin.

use crate::analysis::diagnosis::products::{KeepFrom, advice};
use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence, products};
use crate::analysis::far_side::MadeBy;
use crate::analysis::judgement::{Confidence, Diagnosis, Finding, Party};
use crate::analysis::pairing::Report;
use crate::analysis::semantics::caching::{FromStore, from_store};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "gateway-answered",
    party: Party::Gateway,
    other_parties: &[],
    title: "The gateway made this 412; the origin did not refuse the request",
    explanation: "By what was seen the answer did not come from the origin: the instance on the origin's side \
        reported another answer than the client received, or an earlier one, or did not report where it usually \
        does; or the 412 carries the marks of a stored answer (Age, a cache hit). Either the gateway judged the \
        condition itself, against its own copy of the resource or against a validator that it had altered, or it \
        gave an answer that it had stored or made for another reason. Changing the client's tag or the origin's \
        data cures nothing as long as the gateway keeps answering.",
    example: r#"client  GET /reports/9 | If-Match: "r3" -> 412 | Server: nginx
(the origin saw no request, or answered 200)"#,
    fix: &[
        "Stop the gateway from caching or filtering this route, so that conditions reach the origin: conditional \
            writes and reads with If-Match are the origin's to judge.",
        products::NGINX_CACHE_ANSWERS,
        products::HTTPD_CACHE_ANSWERS,
        products::VARNISH_CACHE_ANSWERS,
        "Read the resource before writing again: the 412 alone does not say whether the change was applied.",
    ],
    specification: &["RFC 9110 §13.2.1", "RFC 9111 §4.3.2"],
    details: &[
        Detail {
            id: "after-write-applied",
            explanation: "The origin had carried out the write and answered with success; the gateway replaced that \
                answer by a 412. The change is in effect although the client was told otherwise.",
            fix: &[
                "Treat the write as done: read the resource and compare before anything is sent again.",
                "Remove the step that judges If-Match in the response phase of the gateway (a plugin, a script, a \
                    header filter); a condition has to be judged before the write.",
            ],
        },
        Detail {
            id: "from-store",
            explanation: "The 412 is a stored answer to an earlier request, given again to a request that did not \
                deserve it.",
            fix: &[
                "Make the origin send `Cache-Control: no-store` with 412 answers, and purge the stored one from the \
                    gateway.",
            ],
        },
    ],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let finding = match case.testimony.answer {
        MadeBy::Origin(report) if report.status == 412 => return None,
        MadeBy::Origin(report) => replaced(case, report),
        MadeBy::Store { report, .. } => stored(case, report),
        MadeBy::Unreported { against_habit } => by_its_fields(case).unwrap_or_else(|| unreported(case, against_habit)),
        MadeBy::Unknown => by_its_fields(case)?,
    };
    Some(finding.advise(case, KeepFrom::Answering))
}

/// The origin gave another answer to this very request.
fn replaced(case: &Case<'_>, report: &Report) -> Finding {
    let answered = Evidence::OriginAnswered { status: report.status, earlier: false, later: false };
    let finding = Finding::new(case.testimony.most, vec![answered]);
    if case.is_write() && matches!(report.status, 200..=299) { finding.detail("after-write-applied") } else { finding }
}

/// The store answered: with a refusal that it kept, or by judging the condition on what it keeps.
fn stored(case: &Case<'_>, report: &Report) -> Finding {
    let sign = case.store_sign().unwrap_or(FromStore::EarlierReport);
    let finding = Finding::new(case.testimony.most, vec![Evidence::Stored { sign, at: case.exchange.ended }]);
    if report.status == 412 { finding.detail("from-store") } else { finding }
}

/// No report came, where they usually do: a hint. That a cache refuses reads by itself, with a page of its own that
/// names no version, is known of some products.
fn unreported(case: &Case<'_>, against_habit: bool) -> Finding {
    let names_none = case.named().is_none() && case.named_date().is_none();
    let judges_itself = case.product().is_some_and(|product| advice(product, KeepFrom::Answering).is_some());
    let is_own_page = !case.is_write() && names_none && judges_itself && case.conditions.is_any_present();
    let confidence = if against_habit || is_own_page { Confidence::Likely } else { Confidence::Possible };
    Finding::new(confidence, vec![Evidence::NoReport { against_habit }, case.named_evidence()])
}

/// From one side, only a refusal that came out of a store shows it.
fn by_its_fields(case: &Case<'_>) -> Option<Finding> {
    let sign = from_store(case.answer_fields()?).filter(|_| !case.is_write())?;
    let evidence = vec![Evidence::Stored { sign, at: case.exchange.ended }];
    Some(if case.condition.is_none() {
        // Nothing could fail: it is somebody else's refusal.
        Finding::new(Confidence::Likely, evidence).and(Evidence::SentNone).detail("from-store")
    } else {
        Finding::new(Confidence::Possible, evidence)
    })
}

/// The verdict on a 412 of which a later report says that the origin had answered otherwise. The earlier verdict is
/// ranked behind it.
pub fn shown_later(before: &Diagnosis, status: u16, is_write: bool, sure: Confidence) -> Diagnosis {
    let finding = Finding::new(sure, vec![Evidence::OriginAnswered { status, earlier: false, later: true }]);
    let applied = is_write && matches!(status, 200..=299);
    let finding = if applied { finding.detail("after-write-applied") } else { finding };
    let earlier = std::iter::once((before.cause, before.finding.clone())).chain(before.others.iter().cloned());
    let others = earlier.filter(|(cause, _)| cause.id != CAUSE.id).collect();
    Diagnosis { cause: &CAUSE, finding, others }
}

/// The verdict on a 412 that the origin gave itself, as a later report says; `None` if nothing else had been said.
pub fn refuted(before: &Diagnosis) -> Option<Diagnosis> {
    if before.cause.id != CAUSE.id {
        return None;
    }
    let mut others = before.others.iter().cloned();
    let (cause, finding) = others.next()?;
    Some(Diagnosis { cause, finding, others: others.collect() })
}
