//! Nobody issued this tag; the client made it out of one that was.

use crate::analysis::diagnosis::suffix::differs_by_suffix;
use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "client-derived-validator",
    party: Party::Client,
    other_parties: &[],
    title: "The client made up the tag out of one that was issued",
    explanation: "No answer that was seen gave out this tag. It resembles one that was given out: shortened, \
        changed in case, joined to something, decoded or encoded once too often, or without a suffix that really \
        belonged to it. A tag is opaque; any change makes it another tag.",
    example: r#"client  GET /img/5 -> 200 | ETag: "Ab3F-9"
client  PUT /img/5 | If-Match: "ab3f-9" -> 412"#,
    fix: &[
        "Return the tag byte for byte as it was received.",
        "Check what handles the tag on the client's side: a database column that is too short, a lower-casing \
            header map, URL or base64 decoding, code that \"cleans\" suffixes.",
    ],
    specification: &["RFC 9110 §8.8.3"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let tag = case.only_tag()?;
    if case.is_known(tag) || case.named().is_some_and(|named| named.weak_eq(&tag)) {
        return None;
    }
    let client = case.client();
    let given = case.own_sightings().filter(|seen| seen.given_at(client).is_some());
    let (seen, confidence) = given
        .filter_map(|seen| Some((seen, derived(tag.opaque, seen.tag()?.opaque)?)))
        .max_by_key(|(_, confidence)| *confidence)?;
    let confidence = match case.named() {
        // What the tag was made of is still the current one.
        Some(named) if seen.tag() == Some(named) => confidence.max(Confidence::Likely),
        // A version that has moved on explains the refusal as well.
        Some(_) => Confidence::Possible,
        None => confidence,
    };
    let evidence = vec![case.sent(FieldName::IfMatch), Evidence::given(seen, client, false), case.named_evidence()];
    Some(Finding::new(confidence, evidence))
}

/// How sure it is that `sent` was made out of `issued`.
fn derived(sent: &[u8], issued: &[u8]) -> Option<Confidence> {
    if sent.len() < 4 || issued.len() < 4 {
        return None;
    }
    // The case of letters, or W/ taken into the quotes.
    if sent.eq_ignore_ascii_case(issued) || sent.strip_prefix(b"W/") == Some(issued) {
        return Some(Confidence::Likely);
    }
    // The mark of a compressor taken off: wrong only where the service itself had put it on.
    if differs_by_suffix(sent, issued) && sent.len() < issued.len() {
        return Some(Confidence::Possible);
    }
    // Cut or joined at a boundary. Counters are their own successors' beginnings.
    let part = |whole: &[u8], part: &[u8]| {
        let rest = whole.strip_prefix(part).map(|rest| rest.first().copied());
        let head = whole.strip_suffix(part).map(|head| head.last().copied());
        rest.or(head).flatten().is_some_and(|edge| !edge.is_ascii_alphanumeric())
    };
    (part(issued, sent) || part(sent, issued)).then_some(Confidence::Possible)
}
