//! The origin's nodes give one version different validators.

use crate::analysis::diagnosis::case::is_other_version;
use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::memory::{Shown, Sighting};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "node-disagreement",
    party: Party::Origin,
    other_parties: &[],
    title: "The service's nodes give the same version different validators",
    explanation: "No write was seen, and the validator changed back and forth, as it does where the nodes of a \
        service differ; the evidence names their addresses where they were seen. A tag from one node is refused \
        by the other: nobody need have written, and a repetition succeeds or fails by chance. Tags made from \
        inode numbers, modification times of deployed files or start-up times do this.",
    example: r#"client  GET /page -> 200 | ETag: "n1-5f2"   (node 10.0.0.1)
client  PUT /page | If-Match: "n1-5f2" -> 412 | ETag: "n2-5f2"   (node 10.0.0.2)"#,
    fix: &[
        "Derive the tag from the content or from a version in the shared store, never from inode, file time, \
            process or host.",
        "Set `FileETag MTime Size` (no INode) in Apache httpd, and deploy files with the same times everywhere; \
            with nginx keep the files' times and sizes identical on every node.",
        "Keep a client on one node for as long as it edits (session affinity), until that is done.",
    ],
    specification: &["RFC 9110 §8.8.1", "RFC 9110 §8.8.3"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let tag = case.only_tag().filter(|tag| !case.names(*tag))?;
    let reads = |seen: &&Sighting| matches!(seen.by, Shown::Get | Shown::Head) && seen.store.is_none();
    let own = case.own_sightings().filter(reads).find(|seen| seen.tag() == Some(tag))?;
    let other = case.own_sightings().filter(reads).find(|seen| {
        let differs = seen.tag().is_some_and(|other| is_other_version(tag, other));
        let is_within = |outer: &Sighting, inner: &Sighting| outer.first < inner.first && inner.first < outer.last;
        // One, the other, and the first again: by a read, or by this refusal.
        let is_back = seen.first < own.first && seen.tag().is_some_and(|other| case.names(other));
        differs && seen.variant == own.variant && (is_within(own, seen) || is_within(seen, own) || is_back)
    })?;
    let since = own.first.min(other.first);
    if case.write_after(since, None, |_| true).is_some() || case.maybe_written_after(since).is_some() {
        return None;
    }
    let by_address = own.upstream.is_some() && other.upstream.is_some() && own.upstream != other.upstream;
    // The refusal comes from the node whose validator had been seen before.
    let is_named = other.tag().is_some_and(|other| case.names(other));
    let confidence = if by_address || is_named { Confidence::Likely } else { Confidence::Possible };
    let value = |seen: &Sighting| seen.etag.as_deref().unwrap_or_default().to_vec();
    let (first, second) = if own.first < other.first { (own, other) } else { (other, own) };
    let mut seen = vec![(value(first), first.first, first.upstream), (value(second), second.first, second.upstream)];
    if first.last > second.first {
        seen.push((value(first), first.last, first.upstream));
    }
    let evidence = vec![Evidence::Sequence { seen }, case.named_evidence(), Evidence::NoWriteSince { since }];
    Some(Finding::new(confidence, evidence))
}
