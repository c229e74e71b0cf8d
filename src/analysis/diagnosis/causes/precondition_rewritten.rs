//! The condition that reached the origin is not the one the client sent.

use crate::analysis::diagnosis::case::is_other_version;
use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence};
use crate::analysis::far_side::Altered;
use crate::analysis::judgement::{Change, Confidence, Finding, Party};
use crate::analysis::pairing::CarriedValue;
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::semantics::precondition::Verdict;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "precondition-rewritten",
    party: Party::Gateway,
    other_parties: &[],
    title: "A gateway changed the condition on its way to the origin",
    explanation: "The condition that arrived at the origin is not the one that the client sent: both sides of \
        the gateway were seen for this very request, or the mark that came with it had come with a request for \
        another resource before. The origin judged what arrived, and refused it. Whether the condition would \
        have held as it was sent stands in the evidence where it is known.",
    example: r#"client   PATCH /contacts/B | If-Match: "b-7" -> 412
(arrived at the origin as If-Match: "a-1")"#,
    fix: &[
        "Find the rule, script, plugin or library on the way that sets or edits If-Match, If-None-Match or the \
            dates, and remove it: conditions are end-to-end fields and pass unchanged.",
        "Forward the fields of each request from that request alone; never keep a header object between requests.",
    ],
    specification: &["RFC 9110 §13.1", "RFC 9110 §7.7"],
    details: &[
        Detail {
            id: "replayed",
            explanation: "The condition that arrived, or the mark that came with it, had been sent earlier with \
                another request: something on the way keeps fields from one request to the next.",
            fix: &[
                "Build the forwarded headers anew for every request (serverless functions and SDK clients that keep \
                    a shared headers object or default headers while they stay warm).",
            ],
        },
        Detail {
            id: "merged",
            explanation: "Several lines were joined into one, or one of several was dropped, and what came out is \
                another condition.",
            fix: &[
                "Send one line of this field only, and configure the gateway to forward repeated lines as they are.",
            ],
        },
        Detail {
            id: "injected",
            explanation: "The client sent no such condition; the gateway added it.",
            fix: &[
                "Restrict the gateway's own revalidation to GET and HEAD: a condition added to a write decides over \
                    data that the client asked to change without one.",
            ],
        },
        Detail {
            id: "reformatted",
            explanation: "The value is the same by meaning but written otherwise, and the origin compares it \
                character by character.",
            fix: &[
                "Turn off header normalisation for this route in the gateway.",
                "Make the origin parse the field as RFC 9110 §13.1 defines it, rather than compare strings.",
            ],
        },
    ],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    // What the origin did not refuse, the gateway did.
    if case.testimony.own_report().is_some_and(|report| report.status != 412) {
        return None;
    }
    if let Some(finding) = with_an_old_mark(case) {
        return Some(finding);
    }
    let fields = [FieldName::IfMatch, FieldName::IfUnmodifiedSince, FieldName::IfNoneMatch];
    let altered = fields.into_iter().filter(|field| decides(case, *field)).find_map(|it| case.testimony.altered(it))?;
    // The gateway undid what it had done to the tag itself: the condition is the one that the origin's tag makes.
    if undoes_itself(case) {
        return None;
    }
    let verdicts = case.both_verdicts();
    let most = case.testimony.most;
    let confidence = match altered.change {
        // The same condition in other words: it is to blame only where it would have held as it was sent.
        Change::Merged | Change::Reformatted => match verdicts {
            Some((Verdict::Failed { .. }, _)) => return None,
            Some((Verdict::Proceed | Verdict::NotModified, _)) => most,
            Some((Verdict::Undecidable { .. }, _)) | None => most.min(Confidence::Likely),
        },
        // A condition that did not arrive cannot fail, and a strong tag matches wherever the weak one does.
        Change::Stripped => return None,
        Change::Strengthened if !case.compares_weakly() => return None,
        Change::Added
        | Change::Weakened
        | Change::Strengthened
        | Change::Suffixed
        | Change::Unquoted
        | Change::Requoted
        | Change::Truncated
        | Change::Replaced => most,
    };
    let mut evidence = vec![Evidence::arrived(altered)];
    let detail = detail(case, altered, &mut evidence);
    evidence.push(case.named_evidence());
    if let Some((sent, arrived)) = verdicts {
        evidence.push(Evidence::Verdicts { sent: says(sent), arrived: says(arrived) });
    }
    let finding = Finding::new(confidence, evidence);
    Some(match detail {
        Some(detail) => finding.detail(detail),
        None => finding,
    })
}

/// The mark had come with a request for another resource before: what keeps header fields from one request to the next
/// has kept the condition, too. Of the condition that was sent nothing is known then.
fn with_an_old_mark(case: &Case<'_>) -> Option<Finding> {
    case.elsewhere.mark_used.filter(|_| case.is_write() && case.conditions.is_any_present())?;
    let says = "The mark on this request had come with a request for another resource before.";
    let evidence = vec![Evidence::Fact { kind: "old-mark", says }, case.named_evidence()];
    Some(Finding::new(Confidence::Likely.min(case.testimony.most), evidence).detail("replayed"))
}

/// RFC 9110 §13.2.2: whether the origin looks at a condition among those that arrived.
fn decides(case: &Case<'_>, field: FieldName) -> bool {
    let arrived = case.testimony.both.as_deref().map(|both| &both.arrived);
    field != FieldName::IfUnmodifiedSince || !arrived.is_some_and(|arrived| arrived.contains(FieldName::IfMatch))
}

fn undoes_itself(case: &Case<'_>) -> bool {
    let differs = |value: Option<&CarriedValue>, sent: &[u8]| !value.is_some_and(|value| value.is_of(sent));
    let by_tag = case.if_match().into_iter().find_map(|tag| {
        let (_, given) = case.as_origin_gave(tag)?;
        differs(given.etag.as_ref(), &tag.to_bytes()).then_some(given)
    });
    let by_date = || {
        let (_, given) = case.as_origin_gave_date(*case.conditions.if_unmodified_since.valid()?)?;
        differs(given.last_modified.as_ref(), &case.conditions.if_unmodified_since.raw()).then_some(given)
    };
    by_tag.or_else(by_date).is_some_and(|given| case.is_undone(given))
}

fn detail(case: &Case<'_>, altered: &Altered, evidence: &mut Vec<Evidence>) -> Option<&'static str> {
    match altered.change {
        Change::Added => Some("injected"),
        Change::Merged => Some("merged"),
        Change::Reformatted => Some("reformatted"),
        // One of several lines was dropped.
        Change::Replaced if altered.sent.len() > altered.arrived.len() => Some("merged"),
        Change::Replaced | Change::Suffixed | Change::Truncated => {
            let sent_before = sent_before(case, altered)?;
            evidence.push(sent_before);
            Some("replayed")
        }
        Change::Stripped | Change::Weakened | Change::Strengthened | Change::Unquoted | Change::Requoted => None,
    }
}

/// That what arrived had been sent before, for another resource or an earlier version of this one.
fn sent_before(case: &Case<'_>, altered: &Altered) -> Option<Evidence> {
    let [line] = altered.arrived.as_slice() else { return None };
    let tag = EntityTag::parse(line)?;
    // What is made of the tag that was sent is no repetition.
    let is_kin = |sent: &Vec<u8>| EntityTag::parse(sent).is_some_and(|sent| !is_other_version(sent, tag));
    if altered.sent.iter().any(is_kin) {
        return None;
    }
    let elsewhere = case.elsewhere.sent.iter().find(|sent| *sent.opaque == *tag.opaque);
    if let Some(sent) = elsewhere {
        return Some(Evidence::Elsewhere { value: line.clone(), path: sent.path.to_vec(), at: sent.at });
    }
    let write = case.applied().map(|(_, write)| write).find(|write| write.if_match.as_deref() == Some(line))?;
    Some(Evidence::wrote(write, case.client(), false))
}

const fn says(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Proceed => "hold",
        Verdict::NotModified => "ask for a 304",
        Verdict::Failed { .. } => "fail",
        Verdict::Undecidable { .. } => "cannot be judged",
    }
}
