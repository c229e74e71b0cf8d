//! The validator was current once and the resource has moved on.

use std::time::Duration;

use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence, Issue};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::memory::Write;
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::time::Time;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "stale-validator",
    party: Party::Client,
    other_parties: &[],
    title: "The client's copy is out of date: the resource has changed since",
    explanation: "The validator that was sent is taken for one that the resource has left behind: it was current \
        once, and another one has come since. The evidence says what of this was seen (an answer that gave it \
        out, one that names a newer one, a write); the rest is supposed. A write that does not pass here or a \
        background job moves a resource on unseen, and the client's own earlier write does it as well as another \
        client's.",
    example: r#"client  GET /orders/7 -> 200 | ETag: "v1"
client  PUT /orders/7 | If-Match: "v1" -> 412 | ETag: "v2""#,
    fix: &[
        "Read the resource again, apply the change to what is there now, and write with the new tag; show a \
            conflict to the user where both changed the same thing.",
        "Keep the validator of the newest answer, whatever it was: a read, a write, or the 412 itself.",
        "Keep the condition: without it the write would erase the change that the client has not seen.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §15.5.13"],
    details: &[
        Detail {
            id: "own-write-untracked",
            explanation: "The last write that was seen is the client's own. By all that is known it moved the \
                version on, its answer brought the client no new validator, and the client went on with the old \
                one.",
            fix: &[
                "Read the resource after each successful write, and use the tag of that read.",
                "Make the service send the new ETag with its answers to PUT, PATCH and POST.",
            ],
        },
        Detail {
            id: "ignores-new-tag",
            explanation: "The client had already been handed the newer validator, and sent the old one again.",
            fix: &[
                "Replace the stored tag whenever an answer brings a new one, the 412 included; look for a second \
                    copy of it in the client (a cache, a form field, an object kept in memory).",
                "Stop repeating the same request: with this tag it will be refused for ever.",
            ],
        },
    ],
    examine,
};

/// After that long, what was current may have changed by a way that does not pass here.
const RECENT: Duration = Duration::from_secs(600);

fn examine(case: &Case<'_>) -> Option<Finding> {
    if !case.conditions.if_match.is_present() {
        return own_write_since_date(case);
    }
    let tag = case.judged_tag().filter(|tag| !case.names(*tag))?;
    let issue = case.issue(tag);
    let accepted = case.accepted_at(tag);
    // It was current when it was handed out, and when a condition with it held.
    let since = issue.map(|issue| issue.at).max(accepted.map(|write| write.at));
    let others = since.and_then(|since| case.write_after(since, Some(tag), |by| by != case.client()));
    if let Some(finding) = ignores_new_tag(case, tag, since, others.is_some()) {
        return Some(finding);
    }
    if let Some(finding) = since.and_then(|since| own_write_untracked(case, tag, since)) {
        return Some(finding);
    }
    if others.is_some() {
        return None;
    }
    match (since, issue, accepted) {
        (Some(since), issue, accepted) => moved_on(case, tag, since, issue, accepted),
        (None, ..) => Some(first_sight(case, tag)),
    }
}

/// The client had been handed the newer validator, by whatever answer.
fn ignores_new_tag(case: &Case<'_>, tag: EntityTag<'_>, since: Option<Time>, others_wrote: bool) -> Option<Finding> {
    let (newer, _) = case.handed_newer(tag, since)?;
    let refused = case.refused_before();
    let (sure, told_apart) = case.told_apart(case.client());
    // The first refusal after somebody else's write is that write's; from the second on the client knows better.
    let confidence = if others_wrote && refused.is_none() { Confidence::Possible } else { Confidence::Likely };
    let mut evidence = vec![case.sent(FieldName::IfMatch), Evidence::given(newer, case.client(), false)];
    evidence.extend(refused.map(|refused| Evidence::RefusedBefore { times: refused.times, at: refused.at }));
    evidence.push(told_apart);
    Some(Finding::new(confidence.min(sure), evidence).detail("ignores-new-tag"))
}

/// The last successful write was the client's own, and its answer gave no new validator.
fn own_write_untracked(case: &Case<'_>, tag: EntityTag<'_>, since: Time) -> Option<Finding> {
    let write = case.resource?.last_applied()?;
    if write.by != case.client() || write.ended <= since || write.showed_validator {
        return None;
    }
    let (sure, told_apart) = case.told_apart(write.by);
    let mut evidence = vec![case.sent(FieldName::IfMatch)];
    evidence.extend(case.issue(tag).map(|issue| Evidence::given(issue.sighting, case.client(), issue.sibling)));
    evidence.push(Evidence::wrote(write, case.client(), false));
    evidence.push(told_apart);
    Some(Finding::new(sure.min(Confidence::Likely), evidence).detail("own-write-untracked"))
}

/// The same with a date: the client's own write moved it on and gave no new one.
fn own_write_since_date(case: &Case<'_>) -> Option<Finding> {
    let date = *case.conditions.if_unmodified_since.valid()?;
    let issue = case.issue_of_date(date).filter(|_| case.named_date().is_none_or(|named| named > date))?;
    let write = case.resource?.last_applied()?;
    if write.by != case.client() || write.ended <= issue.at || write.showed_validator {
        return None;
    }
    let (sure, told_apart) = case.told_apart(write.by);
    let evidence =
        vec![case.sent(FieldName::IfUnmodifiedSince), Evidence::wrote(write, case.client(), false), told_apart];
    Some(Finding::new(sure.min(Confidence::Likely), evidence).detail("own-write-untracked"))
}

/// It was current once, and another one is now.
fn moved_on(
    case: &Case<'_>,
    tag: EntityTag<'_>,
    since: Time,
    issue: Option<Issue<'_>>,
    accepted: Option<&Write>,
) -> Option<Finding> {
    let client = case.client();
    let mut evidence = vec![case.sent(FieldName::IfMatch)];
    evidence.extend(issue.map(|issue| Evidence::given(issue.sighting, client, issue.sibling)));
    evidence.extend(accepted.map(|write| Evidence::wrote(write, client, false)));
    let newer = case.newer_than(tag, since).map(|newer| Evidence::given(newer, client, false));
    let own = case.write_after(since, Some(tag), |_| true).map(|(far, write)| Evidence::wrote(write, client, far));
    let named = case.names_other(tag);
    // What had been seen before the tag was handed out is not newer than the tag: then something else is wrong.
    let is_new = named.is_none_or(|named| {
        !case.own_sightings().any(|seen| seen.tag() == Some(named) && seen.first < since) || own.is_some()
    });
    if let Some(shows) = named.map(|_| case.named_evidence()).or(newer).or(own) {
        evidence.extend([shows, Evidence::NoWriteSince { since }]);
        return Some(Finding::new(if is_new { Confidence::Likely } else { Confidence::Possible }, evidence));
    }
    if let Some(attempt) = case.maybe_written_after(since).filter(|write| write.by == client) {
        evidence.push(Evidence::wrote(attempt, client, false));
        return Some(Finding::new(Confidence::Possible, evidence).detail("own-write-untracked"));
    }
    let last_seen = issue.map_or(since, |issue| issue.sighting.last.max(since));
    (case.exchange.ended.since(last_seen) > RECENT).then(|| {
        evidence.push(Evidence::Missing {
            what: "Whether it is still current is not known: a read after the refusal would show it.",
        });
        Finding::new(Confidence::Possible, evidence)
    })
}

/// A tag that was never seen: only a refusal that names another one says that it is old.
fn first_sight(case: &Case<'_>, tag: EntityTag<'_>) -> Finding {
    let never = Evidence::NeverSeen { value: tag.to_bytes() };
    let evidence = vec![case.sent(FieldName::IfMatch), never, case.named_evidence()];
    let others = case.write_after(Time::default(), Some(tag), |by| by != case.client()).is_some();
    let is_named = case.names_other(tag).is_some() && !others;
    Finding::new(if is_named { Confidence::Likely } else { Confidence::Possible }, evidence)
}
