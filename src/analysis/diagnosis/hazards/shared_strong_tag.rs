//! One strong tag names two different representations.

use super::common::{content, named};
use crate::analysis::diagnosis::{Case, Evidence, Hazard};
use crate::analysis::judgement::{Confidence, Finding};
use crate::analysis::memory::{Shown, Sighting, Variant, variant};
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "shared-strong-tag",
    title: "One strong ETag names two different representations",
    explanation: "The same strong tag came with two different content codings or media types. A strong tag promises \
        identical bytes; a client that resumes a download, or a cache that stores variants, will join parts of the \
        two.",
    example: r#"client  GET /f.tif | Accept-Encoding: gzip -> 200 | ETag: "s" | Content-Encoding: gzip
client  GET /f.tif | Range: bytes=5000- | If-Range: "s" -> 206 | ETag: "s""#,
    fix: &[
        "Give each encoding its own strong tag where it is produced, or a weak one; and send `Vary: \
            Accept-Encoding`.",
        "Switch compression off for content that is fetched in ranges (downloads, media): it is mostly compressed \
            already.",
        "Review `DeflateAlterETag NoChange` and `BrotliAlterETag NoChange` in Apache httpd: they keep writes \
            working at this price, so use them for virtual hosts that are written, not for downloads.",
    ],
    specification: &["RFC 9110 §8.8.1", "RFC 9110 §8.8.3.3"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let answer = content(case)?;
    let tag = case.named().filter(|tag| !tag.weak)?;
    let now = variant(case.exchange, answer);
    let is_another = |seen: &&Sighting| seen.by == Shown::Get && seen.tag() == Some(tag) && differ(&seen.variant, &now);
    let other = case.own_sightings().filter(is_another).max_by_key(|seen| seen.last)?;
    let shown = [FieldName::ETag, FieldName::ContentEncoding, FieldName::ContentType];
    let mut evidence: Vec<_> = shown.into_iter().filter_map(|name| named(case, name)).collect();
    evidence.push(Evidence::given(other, case.client(), false));
    Some(Finding::new(Confidence::Likely, evidence))
}

/// Whether two representations that were asked for differently cannot be the same bytes. Where the same was asked for,
/// a compressor that works now and then is as likely, and its answers are told apart by their coding.
fn differ(one: &Variant, other: &Variant) -> bool {
    let asked_alike = one.accepts_coding == other.accepts_coding
        && one.negotiated == other.negotiated
        && one.partial == other.partial;
    if asked_alike {
        return false;
    }
    let coding = |variant: &Variant| {
        let coding = variant.coding.as_deref().unwrap_or_default().to_ascii_lowercase();
        if coding == b"identity" { Vec::new() } else { coding }
    };
    if coding(one) != coding(other) {
        return true;
    }
    match (media_type(one), media_type(other)) {
        (Some(one), Some(other)) => one != other,
        (None, _) | (_, None) => false,
    }
}

/// The media type without its parameters. That of several ranges is not the content's (RFC 9110 §14.6).
fn media_type(variant: &Variant) -> Option<Vec<u8>> {
    let whole = variant.content_type.as_deref()?;
    let name = whole.split(|byte| *byte == b';').next()?.trim_ascii().to_ascii_lowercase();
    (name != b"multipart/byteranges").then_some(name)
}
