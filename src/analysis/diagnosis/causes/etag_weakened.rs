//! The origin issued a strong tag and the client was given a weak one.

use crate::analysis::diagnosis::products::KeepFrom;
use crate::analysis::diagnosis::{Case, Cause, Evidence, products};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "etag-weakened",
    party: Party::Gateway,
    other_parties: &[],
    title: "A gateway made the strong ETag weak, so If-Match can never match",
    explanation: "The client sent, with W/ in front, a tag that the origin issues without it: the evidence says \
        where the strong one was seen, or only that the weak one came with compressed content. If-Match compares \
        strongly, and a weak tag never matches strongly, whatever the origin's version: this write fails every \
        time, for every client whose tags are weakened. Gateways weaken tags when they compress or rewrite the \
        body. A client that returns what it was given is not to blame; nobody else need have written.",
    example: r#"origin   200 ETag: "v1"  →  client  200 ETag: W/"v1", Content-Encoding: gzip
client   PUT /roles/dev | If-Match: W/"v1" -> 412 | ETag: "v1""#,
    fix: &[
        "Switch compression and body rewriting off at the gateway for the routes that are written conditionally; \
            have the origin compress by itself where it is needed: gateways leave a body that is already encoded, \
            and its tag, alone.",
        products::NGINX_COMPRESSION,
        products::HAPROXY_COMPRESSION,
        products::VARNISH_COMPRESSION,
        products::CLOUDFLARE_COMPRESSION,
        products::CLOUDFRONT_COMPRESSION,
        products::IIS_COMPRESSION,
        "Read with `Accept-Encoding: identity` before writing, as a workaround in the client where the gateway only \
            weakens what it compresses. Do not remove W/ from the tag: a weak tag makes no promise about the bytes, \
            and a match would be luck.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §8.8.1", "RFC 9110 §8.8.3.2"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let tags = case.if_match();
    if let Some(finding) = current_but_weakened(case, &tags) {
        return Some(finding);
    }
    // One strong tag in a list could have matched.
    let tag = tags.first().copied().filter(|_| tags.iter().all(|tag| tag.weak) && !case.compares_weakly())?;
    let (confidence, fact) = strong_one(case, tag)?;
    // A service that has taken weak tags before did not refuse this one for its weakness.
    if case.route.weak_accepted && confidence < Confidence::Proven {
        return None;
    }
    let mut evidence = vec![case.sent(FieldName::IfMatch)];
    evidence.extend(case.issue(tag).map(|issue| Evidence::given(issue.sighting, case.client(), issue.sibling)));
    evidence.push(fact);
    Some(Finding::new(confidence, evidence).advise(case, KeepFrom::Weakening))
}

/// Of several tags, the one that would have matched had it not been made weak: the origin names it as current, and strong.
fn current_but_weakened(case: &Case<'_>, tags: &[EntityTag<'_>]) -> Option<Finding> {
    let weakened = tags.iter().filter(|tag| tag.weak && tags.len() > 1 && !case.compares_weakly()).find_map(|tag| {
        let strong = EntityTag { weak: false, ..*tag };
        if !case.names(strong) || tags.contains(&strong) {
            return None;
        }
        let Some((seen, given)) = case.as_origin_gave(*tag) else {
            // A service that has taken weak tags before did not refuse this one for its weakness.
            return (!case.route.weak_accepted).then_some((Confidence::Likely, None));
        };
        let is_strong = given.etag.as_ref().is_some_and(|value| value.is_of(&strong.to_bytes()));
        let told = Evidence::origin_gave(seen, given, FieldName::ETag);
        (is_strong && !case.is_undone(given)).then_some((given.sure, Some(told)))
    });
    let (confidence, told) = weakened?;
    let mut evidence = vec![case.sent(FieldName::IfMatch)];
    evidence.extend(told);
    evidence.push(case.named_evidence());
    Some(Finding::new(confidence, evidence).advise(case, KeepFrom::Weakening))
}

/// How we know that the origin's tag is strong.
fn strong_one(case: &Case<'_>, tag: EntityTag<'_>) -> Option<(Confidence, Evidence)> {
    let strong = EntityTag { weak: false, ..tag };
    if let Some((seen, given)) = case.as_origin_gave(tag) {
        let is_strong = given.etag.as_ref().is_some_and(|value| value.is_of(&strong.to_bytes()));
        let fact = || Evidence::origin_gave(seen, given, FieldName::ETag);
        return (is_strong && !case.is_undone(given)).then(|| (given.sure, fact()));
    }
    let double = case.sightings().find_map(|(_, seen)| {
        let (field, value) =
            seen.double.as_ref().filter(|_| seen.tag() == Some(tag) && seen.double_tag() == Some(strong))?;
        let etag = seen.etag.as_deref().map(<[u8]>::to_vec);
        Some(Evidence::Double { field: *field, value: value.to_vec(), etag, at: seen.last })
    });
    if let Some(double) = double {
        return Some((Confidence::Proven, double));
    }
    if case.names(strong) {
        return Some((Confidence::Likely, case.named_evidence()));
    }
    // Given out strong by a read, or named by HEAD, a 304 or an earlier 412.
    if let Some((sibling, seen)) = case.sightings().find(|(_, seen)| seen.tag() == Some(strong)) {
        return Some((Confidence::Likely, Evidence::given(seen, case.client(), sibling)));
    }
    let compressed = case.issue(tag).filter(|issue| issue.sighting.variant.coding.is_some())?;
    Some((Confidence::Possible, Evidence::given(compressed.sighting, case.client(), compressed.sibling)))
}
