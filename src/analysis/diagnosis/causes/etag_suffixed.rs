//! A compressor appended its mark to the tag, and whoever judges it does not know it.

use crate::analysis::diagnosis::products::KeepFrom;
use crate::analysis::diagnosis::suffix::{self, Suffixed};
use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence, Issue, products};
use crate::analysis::exchange::Role;
use crate::analysis::far_side::AsGiven;
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "etag-suffixed",
    party: Party::Gateway,
    other_parties: &[Party::Origin],
    title: "A compressor added a suffix to the ETag, which is then not recognised",
    explanation: "The tag that was sent ends in the mark of a compressor (such as -gzip, --gzip, ;br, :zstd or \
        -df). A compressing layer adds it when it sends the compressed answer out, and where it is not taken off \
        again when the client returns the tag, the tag is refused: whoever judges the condition knows the one \
        without the mark. What of this was seen stands in the evidence. Every read-modify-write of a client that \
        accepts compression fails this way, until compression or its effect on the tag is switched off; tests \
        without Accept-Encoding do not show it.",
    example: r#"client  GET /notes/1 | Accept-Encoding: gzip -> 200 | ETag: "n5-gzip" | Content-Encoding: gzip
client  PUT /notes/1 | If-Match: "n5-gzip" -> 412 | ETag: "n5""#,
    fix: &[
        "Switch compression off where the suffix is added, for the routes that are written conditionally, or let \
            the origin compress and tag each encoding itself.",
        products::HTTPD_COMPRESSION,
        products::HTTPD_BROTLI,
        products::TRAFFIC_SERVER_COMPRESSION,
        products::JETTY_COMPRESSION,
        "Read with `Accept-Encoding: identity` before writing, as a workaround in the client until then: the \
            uncompressed answer carries the origin's own tag. Neither cut the suffix off nor send both spellings: \
            where a version is really named that way, the guess overwrites somebody's work.",
    ],
    specification: &["RFC 9110 §8.8.3.3", "RFC 9110 §13.1.1"],
    details: &[Detail {
        id: "inside-origin",
        explanation: "The compressor is part of the service itself (a handler, filter or middleware), not a \
                gateway in front of it: the origin's own answers carry the suffix.",
        fix: &[
            "Exclude the path from the framework's compression, or update it to a version that recognises its \
                    own suffix in If-Match as well as in If-None-Match.",
            "Issue the tag of each encoding in the code that judges conditions, so that it knows them all.",
        ],
    }],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let tags = case.if_match();
    // The refusal names the very tag: the origin knows it.
    let (tag, split) =
        tags.iter().filter(|tag| !case.names(**tag)).find_map(|tag| Some((*tag, suffix::split(tag.opaque)?)))?;
    let issue = case.issue(tag);
    let told = case.as_origin_gave(tag);
    // The gateway takes off again what it has put on, or the tag was altered in another way.
    if told.is_some_and(|(_, given)| case.is_undone(given) || !fits(given, tag, split)) {
        return None;
    }
    let added = told
        .filter(|(_, given)| !gave(given, tag))
        .map(|(seen, given)| (given.sure, Evidence::origin_gave(seen, given, FieldName::ETag)));
    let (confidence, fact) = added
        .or_else(|| origin_knows_bare(case, tag, split))
        .unwrap_or_else(|| given_with_coding(case, tag, split, issue));
    let mut evidence = vec![Evidence::Suffix { tag: tag.to_bytes(), suffix: split.suffix.to_vec() }];
    evidence.extend(issue.map(|issue| Evidence::given(issue.sighting, case.client(), issue.sibling)));
    evidence.push(fact);
    evidence.push(case.named_evidence());
    // Both sides saw it: the service itself gave the tag out like this.
    let own = told.filter(|(_, given)| gave(given, tag));
    if own.is_some() || (case.exchange.role == Role::Inner && issue.is_some()) {
        evidence.extend(own.map(|(seen, given)| Evidence::origin_gave(seen, given, FieldName::ETag)));
        let finding = Finding::new(confidence.min(Confidence::Likely), evidence);
        return Some(finding.detail("inside-origin").party(Party::Origin));
    }
    let mut finding = Finding::new(confidence, evidence).advise(case, KeepFrom::Suffixing);
    if finding.fix.is_empty() {
        finding.fix.extend(advice_for(split));
    }
    Some(finding)
}

/// Whether the origin gave the tag with the mark, or without it.
fn fits(given: &AsGiven, tag: EntityTag<'_>, split: Suffixed<'_>) -> bool {
    let bare = |weak| EntityTag { weak, opaque: split.bare };
    gave(given, tag) || gave(given, bare(false)) || gave(given, bare(true))
}

fn gave(given: &AsGiven, tag: EntityTag<'_>) -> bool {
    given.etag.as_ref().is_some_and(|value| value.is_of(&tag.to_bytes()))
}

/// That the origin knows the tag without the mark.
fn origin_knows_bare(case: &Case<'_>, tag: EntityTag<'_>, split: Suffixed<'_>) -> Option<(Confidence, Evidence)> {
    // A tag that went round more than once has several marks.
    let bares = std::iter::successors(Some(split.bare), |bare| Some(suffix::split(bare)?.bare));
    let is_bare = |other: EntityTag<'_>| bares.clone().any(|bare| bare == other.opaque);
    let double = case.sightings().find_map(|(_, seen)| {
        let (field, value) =
            seen.double.as_ref().filter(|_| seen.tag() == Some(tag) && seen.double_tag().is_some_and(is_bare))?;
        let etag = seen.etag.as_deref().map(<[u8]>::to_vec);
        Some(Evidence::Double { field: *field, value: value.to_vec(), etag, at: seen.last })
    });
    if let Some(double) = double {
        return Some((Confidence::Proven, double));
    }
    if case.named().is_some_and(is_bare) {
        return Some((Confidence::Likely, case.named_evidence()));
    }
    let (sibling, bare) = case.sightings().find(|(_, seen)| seen.tag().is_some_and(is_bare))?;
    Some((Confidence::Likely, Evidence::given(bare, case.client(), sibling)))
}

/// That the tag was given out with the very coding that its mark names.
fn given_with_coding(
    case: &Case<'_>,
    tag: EntityTag<'_>,
    split: Suffixed<'_>,
    issue: Option<Issue<'_>>,
) -> (Confidence, Evidence) {
    let Some(issue) = issue else {
        return (Confidence::Possible, Evidence::NeverSeen { value: tag.to_bytes() });
    };
    let fact = Evidence::Fact {
        kind: "coding",
        says: "The tag was given out in an answer to a request that accepts compression, and the mark fits.",
    };
    let variant = &issue.sighting.variant;
    let fits = variant
        .coding
        .as_deref()
        .map_or(variant.accepts_coding, |coding| split.coding == b"df" || coding.eq_ignore_ascii_case(split.coding));
    // Services that issue such tags themselves know them, and a version that has moved on explains a refusal, too.
    let taken_back = case.applied().any(|(_, write)| {
        let sent = write.if_match.as_deref().and_then(EntityTag::parse);
        sent.is_some_and(|sent| suffix::split(sent.opaque).is_some())
    });
    let moved_on = case.names_other(tag).is_some() || case.write_after(issue.at, Some(tag), |_| true).is_some();
    let is_likely = fits && !taken_back && !moved_on;
    (if is_likely { Confidence::Likely } else { Confidence::Possible }, fact)
}

/// The product whose mark this is, where no answer names one.
fn advice_for(split: Suffixed<'_>) -> Option<&'static str> {
    match split.suffix {
        b"-gzip" => Some(products::HTTPD_COMPRESSION),
        b"-br" => Some(products::HTTPD_BROTLI),
        b"--gzip" => Some(products::JETTY_COMPRESSION),
        b"-df" => Some(products::TRAFFIC_SERVER_COMPRESSION),
        _ => None,
    }
}
