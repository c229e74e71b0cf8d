//! The validator was current and a full answer came.

use http::Method;

use super::common::named;
use crate::analysis::diagnosis::products::KeepFrom;
use crate::analysis::diagnosis::{Case, Detail, Evidence, Hazard, products, suffix};
use crate::analysis::far_side::AsGiven;
use crate::analysis::judgement::{Confidence, Finding};
use crate::analysis::memory::{Sighting, accepts_coding};
use crate::analysis::semantics::caching::contains;
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::semantics::validators::Validators;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "missed-304",
    title: "The client's copy was current, and the full content was sent again",
    explanation: "The client asked with If-None-Match or If-Modified-Since, its validator was the current one, and \
        the answer was a full 200 instead of a short 304. Nothing is wrong with the data; bandwidth and time are \
        wasted on every such read.",
    example: r#"client  GET /r | Accept-Encoding: gzip -> 200 | ETag: W/"hi" | Content-Encoding: gzip
client  GET /r | If-None-Match: W/"hi" | Accept-Encoding: gzip -> 200 | ETag: W/"hi""#,
    fix: &[
        "Compare If-None-Match weakly in the service: W/ does not count there (RFC 9110 §13.1.2).",
        "Check which layer produces the validator that clients get and which one judges it; they have to be the \
            same.",
    ],
    specification: &["RFC 9110 §13.1.2", "RFC 9110 §13.1.3", "RFC 9110 §8.8.3.2"],
    details: &[
        Detail {
            id: "etag-weakened",
            explanation: "A gateway made the tag weak, and the origin compares it character by character.",
            fix: &[
                "Make the service compare weakly in If-None-Match, or switch compression at the gateway off for \
                    this route.",
                products::NGINX_COMPRESSION,
                products::HAPROXY_COMPRESSION,
                products::VARNISH_COMPRESSION,
            ],
        },
        Detail {
            id: "etag-suffixed",
            explanation: "A compressor added a suffix to the tag, and whoever judges If-None-Match does not know \
                it.",
            fix: &[
                products::HTTPD_COMPRESSION,
                products::TRAFFIC_SERVER_COMPRESSION,
                "Update the compressing layer to a version that recognises its own suffix in If-None-Match.",
            ],
        },
        Detail {
            id: "etag-stripped",
            explanation: "The answers carry no ETag any more, so that only the date is left to judge by.",
            fix: &["Keep ETag on answers in the gateway, or have the origin judge If-Modified-Since as well."],
        },
        Detail {
            id: "request-no-cache",
            explanation: "The client itself demanded a fresh copy with `Cache-Control: no-cache`, and a cache \
                answered that with the whole content.",
            fix: &["Send `max-age=0` instead of `no-cache` where a confirmation is enough."],
        },
        Detail {
            id: "unstable",
            explanation: "The tag is another with every answer, though nothing was written.",
            fix: &["Compute the tag from what is stored, not from the rendered answer."],
        },
        Detail {
            id: "other",
            explanation: "Nothing seen explains why the full answer came.",
            fix: &["Compare the validators of both answers in the record, and ask the service's developers."],
        },
    ],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let exchange = case.exchange;
    // A HEAD without its 304 wastes nothing, and what a bypass asked for is not the client's doing.
    if case.status() != 200 || exchange.request.method != Method::GET || exchange.bypass.is_some() {
        return None;
    }
    let conditions = &case.conditions;
    // RFC 9110 §13.2.2: they come first, and what follows from them is not a matter of 304.
    if conditions.if_match.is_present() || conditions.if_unmodified_since.is_present() {
        return None;
    }
    let found = if conditions.if_none_match.is_present() { by_tag(case) } else { by_date(case) }?;
    let as_asked = || found.clone().at_most(Confidence::Possible).detail("request-no-cache");
    Some(if asks_for_fresh(case) { as_asked() } else { found })
}

/// RFC 9110 §13.1.2: compared weakly.
fn by_tag(case: &Case<'_>) -> Option<Finding> {
    let shown = case.validators()?;
    let sent = case.if_none_match();
    let evidence = || [Some(case.sent(FieldName::IfNoneMatch)), named(case, FieldName::ETag)].into_iter().flatten();
    let Some(etag) = shown.etag.valid() else {
        // The date says that it is still the version whose tag was given out.
        let earlier = same_date(case, &shown, &sent).filter(|_| !shown.etag.is_present())?;
        let evidence = evidence().chain([Evidence::given(earlier, case.client(), false)]).collect();
        return Some(Finding::new(Confidence::Likely, evidence).detail("etag-stripped"));
    };
    if let Some(tag) = sent.iter().find(|tag| tag.weak_eq(etag)) {
        let (confidence, detail) = current(case, tag, etag);
        let finding = Finding::new(confidence, evidence().collect()).detail(detail);
        return Some(match detail {
            "etag-weakened" => finding.advise(case, KeepFrom::Weakening),
            "etag-suffixed" => finding.advise(case, KeepFrom::Suffixing),
            _ => finding,
        });
    }
    // The bare tag, in an answer to a client that holds the compressed one and still accepts compression.
    let is_suffixed = |tag: &EntityTag<'_>| suffix::split(tag.opaque).is_some_and(|split| split.bare == etag.opaque);
    if sent.iter().any(is_suffixed) && accepts_coding(&case.exchange.request.fields) {
        let finding = Finding::new(Confidence::Likely, evidence().collect()).detail("etag-suffixed");
        return Some(finding.advise(case, KeepFrom::Suffixing));
    }
    let earlier = same_date(case, &shown, &sent)?;
    let evidence = evidence().chain([Evidence::given(earlier, case.client(), false)]).collect();
    Some(Finding::new(Confidence::Possible, evidence).detail("unstable"))
}

/// Why a full answer came though its tag is one of those that were sent.
fn current(case: &Case<'_>, sent: &EntityTag<'_>, etag: &EntityTag<'_>) -> (Confidence, &'static str) {
    let strong = EntityTag { weak: false, ..*sent };
    let gave_strong = |given: &AsGiven| given.etag.as_ref().is_some_and(|value| value.is_of(&strong.to_bytes()));
    let was_strong = !etag.weak
        || case.own_sightings().any(|seen| seen.tag() == Some(strong))
        || case.as_origin_gave(*sent).is_some_and(|(_, given)| gave_strong(given));
    let is_encoded = case.answer_fields().is_some_and(|fields| fields.contains(FieldName::ContentEncoding));
    if sent.weak && was_strong {
        (Confidence::Likely, "etag-weakened")
    } else if sent.weak && is_encoded {
        (Confidence::Possible, "etag-weakened")
    } else if suffix::split(sent.opaque).is_some() && accepts_coding(&case.exchange.request.fields) {
        (Confidence::Likely, "etag-suffixed")
    } else {
        (Confidence::Likely, "other")
    }
}

/// A sighting of a tag that was sent, in the same variant and with the date that came now.
fn same_date<'a>(case: &Case<'a>, shown: &Validators<'_>, sent: &[EntityTag<'_>]) -> Option<&'a Sighting> {
    let date = *shown.last_modified.valid()?;
    let accepts = accepts_coding(&case.exchange.request.fields);
    let fits = |sighting: &&Sighting| {
        sighting.date() == Some(date)
            && sighting.variant.accepts_coding == accepts
            && sighting.given_at(case.client()).is_some()
            && sighting.tag().is_some_and(|tag| sent.contains(&tag))
    };
    // Within the second of a write there are two versions.
    let resource = case.resource.filter(|resource| resource.writes.is_empty())?;
    resource.sightings.iter().rev().find(fits)
}

/// RFC 9110 §13.1.3, where there is no If-None-Match.
fn by_date(case: &Case<'_>) -> Option<Finding> {
    let sent = *case.conditions.if_modified_since.valid()?;
    if case.named_date()? > sent {
        return None;
    }
    let evidence = [Some(case.sent(FieldName::IfModifiedSince)), named(case, FieldName::LastModified)];
    Some(Finding::new(Confidence::Likely, evidence.into_iter().flatten().collect()).detail("other"))
}

fn asks_for_fresh(case: &Case<'_>) -> bool {
    let fields = &case.exchange.request.fields;
    let says = |name, directive: &[u8]| fields.all(name).any(|value| contains(value, directive));
    says(FieldName::CacheControl, b"no-cache")
        || says(FieldName::CacheControl, b"no-store")
        || says(FieldName::Pragma, b"no-cache")
}
