//! The 304 carries other metadata than the 200 it confirms.

use super::common::{is_read, named};
use crate::analysis::diagnosis::{Case, Evidence, Hazard};
use crate::analysis::judgement::{Confidence, Finding};
use crate::analysis::memory::{Shown, Sighting};
use crate::analysis::semantics::fields::{FieldName, Fields};

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "not-modified-mismatch",
    title: "The 304 carries another ETag, or lacks fields, than the 200 it confirms",
    explanation: "A 304 has to repeat ETag, Cache-Control, Expires, Vary and Content-Location as the 200 would have \
        carried them, for the client updates its copy with them. Here the tag is another one or missing, or a field \
        that the 200 had is gone. Clients then go on with wrong freshness or with a tag that the origin does not \
        know.",
    example: r#"client  GET /img.png -> 200 | ETag: "a" | Cache-Control: max-age=31536000
client  GET /img.png | If-None-Match: "a" -> 304 | ETag: "a""#,
    fix: &[
        "Send with a 304 the same ETag, Cache-Control, Expires, Vary and Content-Location as with the 200.",
        "Apply header rules to 304 as well as to 200 in gateways (nginx `add_header … always` for the fields that \
            it adds; CDN response-header policies).",
    ],
    specification: &["RFC 9110 §15.4.5"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    if case.status() != 304 || !is_read(&case.exchange.request.method) {
        return None;
    }
    let tags = case.if_none_match();
    // With several tags it is not known which copy is confirmed.
    let [tag] = tags[..] else { return None };
    let confirmed = |seen: &&Sighting| seen.by == Shown::Get && seen.status == 200 && seen.tag() == Some(tag);
    let sighting = case.own_sightings().filter(confirmed).max_by_key(|seen| seen.last)?;
    let fields = case.answer_fields()?;
    let evidence = vec![case.sent(FieldName::IfNoneMatch), Evidence::given(sighting, case.client(), false)];
    let finding = Finding::new(Confidence::Likely, evidence);
    match case.named() {
        Some(named) if named == tag => {}
        Some(other) => {
            // The same version in another strength: caches cannot freshen their copy by it (RFC 9111 §4.3.4), people can.
            let confidence = if other.weak_eq(&tag) { Confidence::Possible } else { Confidence::Likely };
            return Some(finding.at_most(confidence).and(named(case, FieldName::ETag).unwrap_or(Evidence::NamedNone)));
        }
        None => return Some(finding.and(named(case, FieldName::ETag).unwrap_or(Evidence::NamedNone))),
    }
    Some(finding.and(lost(sighting, fields)?))
}

/// A field that the 200 carried and its 304 does not (RFC 9110 §15.4.5).
fn lost(sighting: &Sighting, fields: &Fields) -> Option<Evidence> {
    const SAYS: [(FieldName, &str); 4] = [
        (FieldName::CacheControl, "The 200 carried Cache-Control, its 304 does not."),
        (FieldName::Expires, "The 200 carried Expires, its 304 does not."),
        (FieldName::Vary, "The 200 carried Vary, its 304 does not."),
        (FieldName::ContentLocation, "The 200 carried Content-Location, its 304 does not."),
    ];
    let is_lost = |name: FieldName| sighting.carried.contains(name) && !fields.contains(name);
    let (_, says) = SAYS.into_iter().find(|(name, _)| is_lost(*name))?;
    Some(Evidence::Fact { kind: "lost", says })
}
