//! The tag handed out and the tag judged against come from different places.

use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence, Issue};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::memory::{is_distinctive, negotiated};
use crate::analysis::resource::path_of;
use crate::analysis::semantics::caching::Product;
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "validator-disagreement",
    party: Party::Origin,
    other_parties: &[],
    title: "The service hands out one tag and judges against another",
    explanation: "The tag was handed out for this resource, no write was seen since, and it is refused: the tag \
        that the service judges by comes from another representation or another component than the one that \
        issued it. The tag that the refusal itself carries shows it; where it carries none, the same request \
        with the other representation selected would.",
    example: r#"client  GET /r/1 | Accept: application/vnd.v2+json -> 200 | ETag: "h2"
client  PATCH /r/1 | If-Match: "h2" | Accept: */* -> 412"#,
    fix: &[
        "Make one function of the service answer the question \"what is the current tag of this representation?\" \
            and use it for answers and for conditions alike.",
        "Escalate with the record: it shows which answer issued the tag and which request refused it.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §8.8.3.3"],
    details: &[
        Detail {
            id: "variant",
            explanation: "The write is judged against the representation that its own Accept, Accept-Encoding or \
                Accept-Language selects, and that is another one than was read.",
            fix: &[
                "Send the write with the same Accept fields as the read, as a workaround.",
                "Make the service judge If-Match against any current representation of the resource, or use one tag \
                    per version of the data.",
            ],
        },
        Detail {
            id: "component",
            explanation: "One component issues tags (a framework's ETag filter, a cache, a file server), another \
                judges conditions (the application, the database).",
            fix: &["Switch the generated tags off for this route and issue the application's own."],
        },
        Detail {
            id: "wrong-object",
            explanation: "The tag is that of another object, such as the collection instead of the record in it.",
            fix: &["Issue the record's own tag on the record's URL."],
        },
    ],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let tag = case.only_tag().filter(|tag| !case.names(*tag) && (!tag.weak || case.compares_weakly()))?;
    let issue = case.issue(tag).filter(|issue| !issue.sibling)?;
    if case.write_after(issue.at, Some(tag), |_| true).is_some() || case.maybe_written_after(issue.at).is_some() {
        return None;
    }
    variant(case, tag, issue).or_else(|| wrong_object(case, tag, issue)).or_else(|| component(case, tag, issue))
}

/// The write selects another representation than the one that was read.
fn variant(case: &Case<'_>, tag: EntityTag<'_>, issue: Issue<'_>) -> Option<Finding> {
    let selected = negotiated(&case.exchange.request.fields);
    let read = issue.sighting.variant.negotiated;
    // A request that asks for anything, after one that asked for something.
    if read == 0 || read == selected || case.newer_than(tag, issue.sighting.last).is_some() {
        return None;
    }
    let confidence = match case.names_other(tag) {
        None => Confidence::Possible,
        // The tag that it is judged by was seen as that of another representation.
        Some(other) => {
            let known = case.issue(other).filter(|known| known.sighting.variant.negotiated != read)?;
            if known.sibling { Confidence::Possible } else { Confidence::Likely }
        }
    };
    let evidence = vec![
        case.sent(FieldName::IfMatch),
        Evidence::given(issue.sighting, case.client(), false),
        Evidence::OtherVariant,
        case.named_evidence(),
    ];
    Some(Finding::new(confidence, evidence).detail("variant"))
}

/// The tag that the 412 names is that of another resource. Where one of them holds the other, such as a collection and
/// its record, that is no chance; elsewhere two resources may have the same content, and a tag made of it.
fn wrong_object(case: &Case<'_>, tag: EntityTag<'_>, issue: Issue<'_>) -> Option<Finding> {
    // What only refusals named was never given out here.
    let judged_by = case.names_other(tag).filter(|named| case.issue(*named).is_none())?;
    let other = case.elsewhere.judged_by.as_ref().filter(|other| *other.opaque == *judged_by.opaque)?;
    let (path, other_path) = (path_of(&case.exchange.request.target), &*other.path);
    if !is_distinctive(&other.opaque) || trimmed(path) == trimmed(other_path) {
        return None;
    }
    let is_related = holds(path, other_path) || holds(other_path, path);
    let confidence = if is_related && !other.several { Confidence::Likely } else { Confidence::Possible };
    let evidence = vec![
        case.sent(FieldName::IfMatch),
        Evidence::given(issue.sighting, case.client(), false),
        case.named_evidence(),
        Evidence::Elsewhere { value: other.opaque.to_vec(), path: other.path.to_vec(), at: other.at },
    ];
    Some(Finding::new(confidence, evidence).detail("wrong-object"))
}

/// Whether the resource at `inner` is one of those below `outer`. The root is above everything, which says nothing.
fn holds(outer: &[u8], inner: &[u8]) -> bool {
    let outer = trimmed(outer);
    !outer.is_empty() && inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with(b"/") && rest.len() > 1)
}

fn trimmed(path: &[u8]) -> &[u8] {
    path.strip_suffix(b"/").unwrap_or(path)
}

/// Refused, read again, the same tag given again, and refused for the same other tag.
fn component(case: &Case<'_>, tag: EntityTag<'_>, issue: Issue<'_>) -> Option<Finding> {
    let before = case.refused_before()?;
    let judged_by = case.names_other(tag)?;
    let same = before.etag.as_deref().and_then(EntityTag::parse) == Some(judged_by);
    // A cache does this as well, where its answers do not show it.
    let is_cached = issue.sighting.store.is_some() || case.product().is_some_and(Product::is_cache);
    let evidence = || {
        vec![
            Evidence::RefusedBefore { times: before.times, at: before.at },
            Evidence::given(issue.sighting, case.client(), false),
            case.named_evidence(),
        ]
    };
    (same && issue.at > before.at && !is_cached)
        .then(|| Finding::new(Confidence::Possible, evidence()).detail("component"))
}
