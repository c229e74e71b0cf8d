//! The condition was false by what was known, and the request succeeded.

use super::common::{content_is_shared, is_fresh_content, successful_write};
use crate::analysis::diagnosis::case::is_other_version;
use crate::analysis::diagnosis::{Case, Detail, Evidence, Hazard};
use crate::analysis::exchange::Role;
use crate::analysis::judgement::{Confidence, Finding};
use crate::analysis::memory::{Resource, Sighting, Write};
use crate::analysis::semantics::entity_tag::{EntityTag, TagList};
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "precondition-not-enforced",
    title: "The service carried out a write although its precondition was false",
    explanation: "By everything that was seen, the condition of this write did not hold: the resource had another \
        validator than the one sent. The write succeeded all the same. Clients believe that they are protected from \
        overwriting each other, and are not.",
    example: r#"bob    PUT /notes/1 | If-Match: "n1" -> 204 | ETag: "n2"
alice  PUT /notes/1 | If-Match: "n1" -> 204 | ETag: "n3""#,
    fix: &[
        "Make the service judge If-Match, If-None-Match and If-Unmodified-Since before it writes, in the same \
            transaction as the write.",
        "Check file servers and WebDAV modules: some implement no If-Unmodified-Since, or no conditions on PUT at \
            all.",
        "Compare the stored content with what both clients wrote; the first write is probably gone.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §13.2.1"],
    details: &[
        Detail {
            id: "star-as-tag",
            explanation: "`If-None-Match: *` was taken for a tag named `*`: a create replaced what existed.",
            fix: &["Handle `*` before comparing tags (RFC 9110 §13.1.2)."],
        },
        Detail {
            id: "weak-match-accepted",
            explanation: "A weak tag was accepted in If-Match, which compares strongly.",
            fix: &[
                "Compare strongly in If-Match, or set `comparison = \"weak\"` on the route where weak tags are the \
                    API's design.",
            ],
        },
        Detail {
            id: "ignored",
            explanation: "The service seems not to look at this condition at all.",
            fix: &["Implement the condition, or refuse what cannot be judged; until then offer clients one that is \
                    judged."],
        },
    ],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let answer = successful_write(case)?;
    let conditions = &case.conditions;
    if conditions.if_match.is_present() {
        // RFC 9110 §13.2.2: where If-Match is present, If-Unmodified-Since is not looked at.
        return superseded_tag(case).or_else(|| weak_tag(case));
    }
    if conditions.if_none_match.valid() == Some(&TagList::Any) {
        return created_over(case, answer.head.status);
    }
    modified_after_the_date(case)
}

/// Every tag that was sent had been replaced by a write that was seen.
fn superseded_tag(case: &Case<'_>) -> Option<Finding> {
    let resource = case.resource?;
    let sent = case.if_match();
    let (write, current) = resource.writes.iter().rev().find_map(|write| Some((write, write.tag()?)))?;
    let is_settled = write.is_applied()
        && write.ended <= case.exchange.at
        && !resource.writes.iter().any(|later| later.ended > write.ended)
        && resource.absence.is_none_or(|absence| absence.at < write.ended);
    if sent.is_empty() || !is_settled || !sent.iter().all(|tag| is_other_version(*tag, current)) {
        return None;
    }
    let mut evidence = vec![case.sent(FieldName::IfMatch)];
    for tag in &sent {
        evidence.push(seen_before(case, resource, *tag, write)?);
    }
    evidence.push(Evidence::wrote(write, case.client(), false));
    Some(Finding::new(Confidence::Likely, evidence).detail("ignored"))
}

/// That a tag was that of the version which `write` replaced, and not seen again.
fn seen_before(case: &Case<'_>, resource: &Resource, tag: EntityTag<'_>, write: &Write) -> Option<Evidence> {
    let of_tag = |sighting: &&Sighting| sighting.tag().is_some_and(|shown| !is_other_version(shown, tag));
    if resource.sightings.iter().filter(of_tag).any(|sighting| sighting.last >= write.at) {
        return None;
    }
    // The tag that the write itself was conditional on was the current one.
    let replaced = write.if_match.as_deref().and_then(EntityTag::parse).is_some_and(|of| !is_other_version(of, tag));
    let sighting = resource.sightings.iter().rev().find(of_tag)?;
    (replaced || content_is_shared(sighting, case.client(), write.by))
        .then(|| Evidence::given(sighting, case.client(), false))
}

/// RFC 9110 §13.1.1: a weak tag never matches.
fn weak_tag(case: &Case<'_>) -> Option<Finding> {
    let sent = case.if_match();
    if case.compares_weakly() || sent.is_empty() || !sent.iter().all(|tag| tag.weak) {
        return None;
    }
    // In front of a gateway one cannot see whether it makes the tag strong again on the way in.
    let confidence = if case.exchange.role == Role::Inner { Confidence::Likely } else { Confidence::Possible };
    Some(Finding::new(confidence, vec![case.sent(FieldName::IfMatch)]).detail("weak-match-accepted"))
}

/// `If-None-Match: *`, and the client itself had been shown the resource.
fn created_over(case: &Case<'_>, status: u16) -> Option<Finding> {
    let resource = case.resource.filter(|resource| resource.absence.is_none())?;
    if status == 201 {
        return None;
    }
    let client = case.client();
    let seen = |sighting: &&Sighting| is_fresh_content(sighting) && sighting.given_at(client).is_some();
    let sighting = resource.sightings.iter().rev().find(seen)?;
    let evidence = vec![case.sent(FieldName::IfNoneMatch), Evidence::given(sighting, client, false)];
    Some(Finding::new(Confidence::Likely, evidence).detail("star-as-tag"))
}

/// If-Unmodified-Since before a Last-Modified that this client, or the one it shares the content with, was shown.
fn modified_after_the_date(case: &Case<'_>) -> Option<Finding> {
    let resource = case.resource?;
    let sent = *case.conditions.if_unmodified_since.valid()?;
    let client = case.client();
    let shown_before = |later: &Sighting| {
        resource.sightings.iter().any(|earlier| {
            earlier.date() == Some(sent) && earlier.given_to.iter().any(|(to, _)| later.given_at(*to).is_some())
        })
    };
    let contradicts = |sighting: &&Sighting| {
        sighting.store.is_none()
            && sighting.last <= case.exchange.at
            && sighting.date().is_some_and(|date| date > sent)
            && (sighting.given_at(client).is_some() || shown_before(sighting))
    };
    let sighting = resource.sightings.iter().rev().find(contradicts)?;
    let evidence = vec![case.sent(FieldName::IfUnmodifiedSince), Evidence::given(sighting, client, false)];
    Some(Finding::new(Confidence::Likely, evidence).detail("ignored"))
}
