//! Exactly the current validator was sent and refused, and nothing else explains it.

use std::time::Duration;

use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "current-validator-refused",
    party: Party::Origin,
    other_parties: &[],
    title: "The current validator was sent, and the service refused it",
    explanation: "The client sent exactly the validator that the service gives out for this resource, as the \
        refusal itself, the answers around it or a later success of the same condition show; no write was seen \
        in between. By what RFC 9110 says the condition was true. Nothing that is known of gateways, dates, \
        lists or other clients explains the refusal: look for it in the service.",
    example: r#"client  GET /api/values -> 200 | ETag: "12345"
client  PATCH /api/values | If-Match: "12345" -> 412
client  GET /api/values -> 200 | ETag: "12345""#,
    fix: &[
        "Check where the service keeps the tags that it judges by: a memory that a restart, an earlier failed \
            request, or another node empties is the usual reason.",
        "Escalate to the service's developers with the exported record: it shows the tag issued, sent and refused.",
        "Read again and repeat the write once with the tag of that read; stop there if it is refused again.",
    ],
    specification: &["RFC 9110 §13.1.1"],
    details: &[
        Detail {
            id: "recovered-by-read",
            explanation: "After a read the same condition was accepted. A service that learns its tags from \
                reads, and had forgotten this one, does that.",
            fix: &["Make the service compute the tag from what is stored when it judges a condition, instead of \
                    remembering what it once sent."],
        },
        Detail {
            id: "recovered-by-itself",
            explanation: "The same condition was accepted later, with neither a read nor a write seen in \
                between: the service's judgement depends on timing, on a node, or on a replica that lags behind.",
            fix: &["Judge conditions against the primary store, within the transaction of the write."],
        },
    ],
    examine,
};

/// For how long what was seen as current is taken to be so.
const RECENT: Duration = Duration::from_secs(600);

fn examine(case: &Case<'_>) -> Option<Finding> {
    let tags = case.if_match();
    let comparable = |weak: bool| !weak || case.compares_weakly();
    let sent = case.sent(FieldName::IfMatch);
    if tags.iter().any(|tag| comparable(tag.weak) && case.names(*tag)) {
        return Some(Finding::new(Confidence::Likely, vec![sent, case.named_evidence()]));
    }
    let tag = case.judged_tag().filter(|tag| comparable(tag.weak))?;
    let issue = case.issue(tag)?;
    let seen = issue.sighting.last;
    let moved_on = case.names_other(tag).is_some()
        || case.newer_than(tag, seen).is_some()
        || case.write_after(issue.at.min(seen), Some(tag), |_| true).is_some()
        || case.maybe_written_after(issue.at.min(seen)).is_some();
    let is_recent = case.exchange.ended.since(seen) < RECENT && issue.sighting.store.is_none();
    if moved_on || !is_recent {
        return None;
    }
    let evidence = vec![
        sent,
        Evidence::given(issue.sighting, case.client(), issue.sibling),
        Evidence::NoWriteSince { since: seen },
        Evidence::Missing { what: "A read after the refusal would show whether it is still current." },
    ];
    Some(Finding::new(Confidence::Possible, evidence))
}
