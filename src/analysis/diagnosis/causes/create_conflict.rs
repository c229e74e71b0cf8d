//! The write asked that the resource should not exist, and it does.

use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::memory::{Write, WriteOutcome};
use crate::analysis::semantics::entity_tag::TagList;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::semantics::vendor::Asks;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "create-conflict",
    party: Party::Client,
    other_parties: &[],
    title: "The resource already exists, and the write asked that it should not",
    explanation: "The request carried If-None-Match (with `*`, or with a tag) or a vendor's \"must not exist\" \
        on a write: carry this out only if it is not there, or not in that version. Unless another condition of \
        the request failed, it is there; the refusal then protects what exists, and the service works as it \
        should.",
    example: r#"client  PUT /calendar/ev1.ics | If-None-Match: * -> 412 | ETag: "e9""#,
    fix: &[
        "Read what is there, and decide: keep it, choose another name, or update it with If-Match and the tag of \
            that read.",
        "Choose names that cannot collide (a fresh UUID) where every create should succeed.",
        "Keep the condition: without it the write would replace what somebody stored there.",
    ],
    specification: &["RFC 9110 §13.1.2"],
    details: &[
        Detail {
            id: "own-earlier-create",
            explanation: "The same client had created the resource before and did not know, or forgot, that it \
                succeeded.",
            fix: &["Record the outcome of the first create, with its ETag, and continue with updates under If-Match."],
        },
        Detail {
            id: "lock-held",
            explanation: "A vendor's \"must not exist\" is how tools take a lock. Where the name is one, its \
                existence says that somebody holds it, and the 412 is the lock at work.",
            fix: &["Wait and try again with growing pauses, or ask the holder that the lock's content names; break a \
                    lock only when its holder is known to be gone."],
        },
        Detail {
            id: "contradiction",
            explanation: "The request demands that the resource exist (If-Match) and not exist (If-None-Match) at \
                once; it can never succeed.",
            fix: &["Send one of the two: If-Match to update, `If-None-Match: *` to create."],
        },
    ],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    if !case.conditions.is_any_present() {
        return vendor_absence(case);
    }
    if !case.is_write() && case.exchange.request.method != "COPY" {
        return None;
    }
    let list = case.conditions.if_none_match.valid();
    if list != Some(&TagList::Any) {
        return matching_tag(case);
    }
    let evidence = vec![case.sent(FieldName::IfNoneMatch), case.named_evidence()];
    if case.conditions.if_match.is_present() {
        let both = Finding::new(Confidence::Likely, evidence).and(case.sent(FieldName::IfMatch));
        return Some(both.detail("contradiction"));
    }
    let finding = Finding::new(Confidence::Likely, evidence);
    let Some(own) = own_create(case) else { return Some(finding) };
    let (sure, told_apart) = case.told_apart(own.by);
    let finding = finding.and(Evidence::wrote(own, case.client(), false)).and(told_apart);
    // That it exists is sure either way; whose it is, is not where only the address tells.
    Some(if sure > Confidence::Possible { finding.detail("own-earlier-create") } else { finding })
}

/// The write by which this client had created the resource, if it did.
fn own_create<'a>(case: &Case<'a>) -> Option<&'a Write> {
    case.resource?.writes.iter().rev().find(|write| {
        // RFC 9110 §9.3.4: 201 says that it was created; so does the same demand that was granted.
        let created = matches!(write.outcome, WriteOutcome::Applied { status: 201, .. })
            || (write.is_applied() && write.condition == case.condition);
        write.by == case.client() && created && !case.was_gone_after(write.ended)
    })
}

/// If-None-Match with tags on a write: one of them is the current one.
fn matching_tag(case: &Case<'_>) -> Option<Finding> {
    let tags = case.if_none_match();
    let matches = |current| tags.iter().any(|tag| tag.weak_eq(&current));
    let evidence = || vec![case.sent(FieldName::IfNoneMatch), case.named_evidence()];
    match case.named().or_else(|| case.last_known_state().etag) {
        Some(current) => matches(current).then(|| Finding::new(Confidence::Likely, evidence())),
        None => (!tags.is_empty()).then(|| Finding::new(Confidence::Possible, evidence())),
    }
}

/// A vendor's "must not exist". `Overwrite: F` is a condition of its own.
fn vendor_absence(case: &Case<'_>) -> Option<Finding> {
    let conditions = case.vendor_conditions();
    let absence =
        conditions.iter().find(|one| one.asks == Asks::Absence && !one.name.eq_ignore_ascii_case(b"overwrite"))?;
    let sent = Evidence::Sent { field: absence.name.clone(), value: absence.value.clone() };
    Some(Finding::new(Confidence::Likely, vec![sent, case.named_evidence()]).detail("lock-held"))
}
