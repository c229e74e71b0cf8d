//! The ETag was removed on its way to the client, whose condition shows it.

use crate::analysis::diagnosis::products::KeepFrom;
use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence, products};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::memory::{Shown, Sighting};
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "etag-stripped",
    party: Party::Gateway,
    other_parties: &[],
    title: "A gateway removed the ETag, so the client had no tag to send back",
    explanation: "By what was seen the origin issued an ETag, and the client received the answer without it. \
        What the client then put into its condition fits: the word null or undefined, an empty value, or the tag \
        of an older answer. We know it from both sides of the gateway or from a copy of the tag in another field \
        of the same answer (OC-ETag, X-ETag), or conclude it from a tag that the resource shows by HEAD, without \
        compression, or as far as this instance; the evidence says which.",
    example: r#"origin   200 ETag: "c2"  →  client  200 (no ETag)
client   PUT /cards/8 | If-Match: null -> 412"#,
    fix: &[
        "Stop the gateway from removing ETag on this route.",
        products::NGINX_STRIPPED,
        products::ENVOY_COMPRESSION,
        products::HTTPD_STRIPPED,
        products::HAPROXY_STRIPPED,
        "Make the origin put its tag in double quotes: compressors drop tags that are not well-formed.",
        "Make the client stop and read again when it was given no tag, rather than send a placeholder.",
    ],
    specification: &["RFC 9110 §8.8.3", "RFC 9110 §7.7"],
    details: &[Detail {
        id: "on-write-response",
        explanation: "The tag was missing from the answer to a write. Where reads deliver it, the first edit \
            after a read succeeds and the next one fails.",
        fix: &[
            "Keep ETag on answers to PUT, PATCH and POST in the gateway; header rules are often written for \
                    pages and remove it there.",
            "Read the resource again after each write until the gateway is mended, and use the tag of that \
                    read.",
        ],
    }],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    older_tag(case).or_else(|| placeholder(case))
}

/// The tag of an older answer, because the tag of the last one was removed.
fn older_tag(case: &Case<'_>) -> Option<Finding> {
    let tag = case.only_tag()?;
    let last = last_answer(case).filter(|last| last.etag.is_none())?;
    let given = last.origin.as_deref()?;
    let removed = given.etag.as_ref()?;
    let had_before = case.own_sightings().any(|seen| seen.tag() == Some(tag) && seen.last < last.last)
        || case.accepted_at(tag).is_some_and(|write| write.ended <= last.last);
    // A write of somebody else may be the reason just as well.
    let others = case.write_after(last.last, Some(tag), |_| true).is_some();
    if !had_before || others || removed.is_of(&tag.to_bytes()) {
        return None;
    }
    let is_current = case.named_by_origin().is_some_and(|named| removed.is_of(&named.to_bytes()));
    let confidence = if is_current { given.sure } else { given.sure.min(Confidence::Likely) };
    let evidence =
        vec![case.sent(FieldName::IfMatch), Evidence::origin_gave(last, given, FieldName::ETag), case.named_evidence()];
    Some(found(case, last, confidence, evidence))
}

fn found(case: &Case<'_>, last: &Sighting, confidence: Confidence, evidence: Vec<Evidence>) -> Finding {
    let finding = Finding::new(confidence, evidence).advise(case, KeepFrom::Stripping);
    if last.by == Shown::Written { finding.detail("on-write-response") } else { finding }
}

fn placeholder(case: &Case<'_>) -> Option<Finding> {
    // The client's condition must show that it had nothing.
    let (field, value) = case.conditions.absent_value()?;
    let malformed = Evidence::Malformed { field, value, says: "it names a value that the client did not have" };
    let last = last_answer(case)?;
    let (confidence, fact) = missing_tag(case, last)?;
    Some(found(case, last, confidence, vec![malformed, fact]))
}

/// The last answer that should have given this client a tag.
fn last_answer<'a>(case: &Case<'a>) -> Option<&'a Sighting> {
    let client = case.client();
    let given = case.own_sightings().filter(|seen| matches!(seen.by, Shown::Get | Shown::Written));
    given.filter_map(|seen| Some((seen, seen.given_at(client)?))).max_by_key(|(_, at)| *at).map(|(seen, _)| seen)
}

fn missing_tag(case: &Case<'_>, last: &Sighting) -> Option<(Confidence, Evidence)> {
    if let Some(given) = &last.origin {
        let is_stripped = last.etag.is_none() && given.etag.is_some();
        return is_stripped.then(|| (given.sure, Evidence::origin_gave(last, given, FieldName::ETag)));
    }
    if last.etag.is_some() {
        // It went out with a tag from here. What happened behind, or whether the script may read it, is not known.
        let fact = Evidence::given(last, case.client(), false);
        return (last.by == Shown::Written).then_some((Confidence::Possible, fact));
    }
    if let Some((field, value)) = &last.double {
        let double = Evidence::Double { field: *field, value: value.to_vec(), etag: None, at: last.last };
        return Some((Confidence::Likely, double));
    }
    // The same resource has a tag where no coding is accepted, or by HEAD.
    let bare = |seen: &&Sighting| seen.etag.is_some() && (seen.by == Shown::Head || !seen.variant.accepts_coding);
    let other = case.own_sightings().filter(bare).last().filter(|_| last.variant.accepts_coding)?;
    Some((Confidence::Likely, Evidence::given(other, case.client(), false)))
}
