//! A validator was changed on its way to the client in some other way.

use crate::analysis::diagnosis::case::is_other_version;
use crate::analysis::diagnosis::suffix;
use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::far_side::AsGiven;
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::memory::Sighting;
use crate::analysis::pairing::CarriedValue;
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::semantics::http_date::HttpDate;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "etag-rewritten",
    party: Party::Gateway,
    other_parties: &[],
    title: "A gateway replaced the validator with one the origin does not know",
    explanation: "The validator that the origin issued and the one that came to the client differ, and not by a \
        compressor's suffix or by W/: the gateway computed its own, cut or requoted it, or took it from another \
        answer. The client returned what had been given out; the origin compared it with its own and refused.",
    example: r#"origin   200 ETag: "order-7-v3"  →  client  200 ETag: "5f1c09"
client   PUT /orders/7 | If-Match: "5f1c09" -> 412 | ETag: "order-7-v3""#,
    fix: &[
        "Find the step on the way that generates or edits ETag or Last-Modified (a framework's ETag middleware in a \
            proxying service, a header rule, an edge function) and switch it off for answers that already carry \
            one.",
        "Configure one place only to issue validators: the one that also judges conditions.",
        "Escalate with the exported bundle of this exchange: it shows both values side by side.",
    ],
    specification: &["RFC 9110 §7.7", "RFC 9110 §8.8.3"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    by_pair(case).or_else(|| by_double(case))
}

/// The validator that was sent is what the client was given, and not what the origin gave.
fn by_pair(case: &Case<'_>) -> Option<Finding> {
    let (field, of, (seen, given)) = given_for_tag(case).or_else(|| {
        let date = *case.conditions.if_unmodified_since.valid()?;
        let told = case.as_origin_gave_date(date)?;
        let origins = told.1.last_modified.as_ref();
        let differs = origins.is_none_or(|value| HttpDate::parse(&value.to_text()).ok() != Some(date));
        differs.then_some((FieldName::IfUnmodifiedSince, FieldName::LastModified, told))
    })?;
    if case.is_undone(given) {
        return None;
    }
    let evidence = vec![case.sent(field), Evidence::origin_gave(seen, given, of), case.named_evidence()];
    Some(Finding::new(given.sure, evidence))
}

type Told<'a> = (FieldName, FieldName, (&'a Sighting, &'a AsGiven));

fn given_for_tag<'a>(case: &Case<'a>) -> Option<Told<'a>> {
    let sent = case.conditions.if_match.first().filter(|_| case.if_match().len() < 2)?;
    let (seen, given) = case.as_origin_gave_bytes(sent)?;
    let tag = EntityTag::parse(sent);
    // W/ and the marks of compressors are other causes.
    let is_kin = |value: &CarriedValue| {
        let CarriedValue::Whole(bytes) = value else { return value.is_of(sent) };
        match (tag, EntityTag::parse(bytes)) {
            (Some(tag), Some(origins)) => {
                let weakened = tag.weak && !origins.weak && tag.opaque == origins.opaque;
                let suffixed = suffix::split(tag.opaque).is_some_and(|split| split.bare == origins.opaque);
                tag == origins || weakened || suffixed
            }
            (Some(_) | None, _) => value.is_of(sent),
        }
    };
    (!given.etag.as_ref().is_some_and(is_kin)).then_some((FieldName::IfMatch, FieldName::ETag, (seen, given)))
}

/// A vendor's copy of the tag on the same message differs.
fn by_double(case: &Case<'_>) -> Option<Finding> {
    let tag = case.only_tag()?;
    if case.as_origin_gave(tag).is_some() {
        return None;
    }
    // Only OC-ETag is known to be always a copy of the tag.
    let (seen, value) = case.own_sightings().find_map(|seen| {
        let double = seen.double_tag().filter(|double| is_other_version(tag, *double))?;
        let (field, value) = seen.double.as_ref().filter(|_| seen.tag() == Some(tag))?;
        (*field == FieldName::OcETag).then_some((seen, (value, double)))
    })?;
    let (value, double) = value;
    let confidence = if case.names(double) { Confidence::Proven } else { Confidence::Likely };
    let etag = seen.etag.as_deref().map(<[u8]>::to_vec);
    let double = Evidence::Double { field: FieldName::OcETag, value: value.to_vec(), etag, at: seen.last };
    Some(Finding::new(confidence, vec![case.sent(FieldName::IfMatch), double, case.named_evidence()]))
}
