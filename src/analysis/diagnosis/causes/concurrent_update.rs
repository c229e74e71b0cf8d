//! Another client's write was seen between the issue of the validator and its use.

use super::retry_after_applied;
use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence};
use crate::analysis::exchange::Role;
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::memory::Write;
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::semantics::http_date::HttpDate;
use crate::analysis::time::Time;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "concurrent-update",
    party: Party::OtherClient,
    other_parties: &[],
    title: "Another client changed the resource in between",
    explanation: "The client's condition stands for an older version, and after that another client wrote the \
        resource successfully: the write was seen, and the evidence says by whom and when. This is what the \
        precondition is for: without it the other client's change would have been erased.",
    example: r#"alice  GET /orders/7 -> 200 | ETag: "v1"
bob    PUT /orders/7 | If-Match: "v1" -> 204 | ETag: "v2"
alice  PUT /orders/7 | If-Match: "v1" -> 412 | ETag: "v2""#,
    fix: &[
        "Read the resource again, merge the change into it (or show both to the user), and write with the new tag.",
        "Shorten the time between reading and writing, write smaller parts (PATCH), or split a resource that many \
            write, where this happens often.",
        "Keep the condition: repeating the write without it erases what the other client has done.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §15.5.13"],
    details: &[Detail {
        id: "torn-read",
        explanation: "The other write came while this client was reading in several pieces (ranges, pages): its \
                parts belong to different versions.",
        fix: &["Read all pieces under If-Match or If-Range with the first piece's strong tag, and begin anew when \
                    it no longer holds."],
    }],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    match case.judged_tag() {
        Some(tag) => by_tag(case, tag),
        None if case.conditions.if_match.is_present() => None,
        None => by_date(case, *case.conditions.if_unmodified_since.valid()?),
    }
}

fn by_tag(case: &Case<'_>, tag: EntityTag<'_>) -> Option<Finding> {
    // An unchanged validator refutes it.
    if case.names(tag) {
        return None;
    }
    let issue = case.issue(tag);
    // A write that was accepted with the tag found it current.
    let accepted = case.accepted_at(tag).map(|write| write.at);
    let since = issue.map(|issue| issue.at).max(accepted);
    let other = |by| by != case.client();
    let (sibling, write) = case.write_after(since.unwrap_or_default(), Some(tag), other)?;
    let is_named = write.tag().is_some_and(|tag| case.names(tag));
    let mut confidence = if is_named && !sibling { Confidence::Proven } else { Confidence::Likely };
    // Behind a gateway it is not seen whether its store handed the old tag out again after the write.
    if case.exchange.role == Role::Inner {
        confidence = confidence.min(Confidence::Likely);
        // It did: the origin gave the tag to others alone.
        if issue.is_some_and(|issue| !issue.to_client) {
            confidence = Confidence::Possible;
        }
    }
    if since.is_none() {
        // The tag may be older than the write by more than one version.
        if !is_named {
            return None;
        }
        confidence = Confidence::Possible;
    }
    // From the second refusal on, the client has the new tag and does not use it.
    let ignores = case.refused_before().is_some() && case.handed_newer(tag, since).is_some();
    if ignores || may_be_own(case, write) {
        confidence = Confidence::Possible;
    }
    let mut evidence = vec![case.sent(FieldName::IfMatch)];
    evidence.extend(issue.map(|issue| Evidence::given(issue.sighting, case.client(), issue.sibling)));
    let finding = found(case, confidence, evidence, (sibling, write));
    let reads_on = !case.is_write() && case.exchange.request.fields.contains(FieldName::Range);
    Some(if reads_on { finding.detail("torn-read") } else { finding })
}

/// The very same request under a credential that may have been renewed in between.
fn may_be_own(case: &Case<'_>, write: &Write) -> bool {
    let same_body = write.body.digest.is_some() && write.body.digest == case.exchange.request_body.digest;
    let same = same_body && write.condition == case.condition && write.method == case.exchange.request.method;
    same && retry_after_applied::is_interchangeable(write.by.by.max(case.client().by))
}

fn by_date(case: &Case<'_>, date: HttpDate) -> Option<Finding> {
    if case.named_date().is_some_and(|named| named <= date) {
        return None;
    }
    let issue = case.issue_of_date(date);
    // The date itself says since when; the second that it names is not over.
    let from_date = Time::from_unix_micros(u64::try_from(date.0 + 1).unwrap_or_default().saturating_mul(1_000_000));
    let since = issue.map_or(from_date, |issue| issue.at);
    let found_write = case.write_after(since, None, |by| by != case.client())?;
    let mut evidence = vec![case.sent(FieldName::IfUnmodifiedSince)];
    evidence.extend(issue.map(|issue| Evidence::given(issue.sighting, case.client(), issue.sibling)));
    Some(found(case, Confidence::Likely, evidence, found_write))
}

fn found(case: &Case<'_>, confidence: Confidence, mut evidence: Vec<Evidence>, write: (bool, &Write)) -> Finding {
    let (sibling, write) = write;
    let (sure, told_apart) = case.told_apart(write.by);
    evidence.extend([Evidence::wrote(write, case.client(), sibling), case.named_evidence(), told_apart]);
    Finding::new(confidence.min(sure), evidence)
}
