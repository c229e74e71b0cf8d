//! A validator was changed on its way to the client in some other way.

use crate::analysis::diagnosis::case::is_other_version;
use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "etag-rewritten",
    party: Party::Gateway,
    title: "A gateway replaced the validator with one the origin does not know",
    explanation: "The validator that the origin issued and the one the client received differ, and not by a \
        compressor's suffix or by W/: the gateway computed its own, cut or requoted it, or took it from another \
        answer. The client returned what it was given; the origin compared it with its own and refused.",
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
    let tag = case.only_tag()?;
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
