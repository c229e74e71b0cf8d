//! 304 although the resource had changed, or was not asked for, or by wrong precedence.

use super::common::{is_read, last_write, named, replaced_by};
use crate::analysis::diagnosis::case::is_other_version;
use crate::analysis::diagnosis::{Case, Detail, Evidence, Hazard};
use crate::analysis::far_side::MadeBy;
use crate::analysis::judgement::{Change, Confidence, Finding};
use crate::analysis::semantics::conditions::{Conditions, Field};
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "wrong-304",
    title: "304 Not Modified was answered where it must not be",
    explanation: "A 304 tells the client to use the copy it has. Here the copy it has is not the current one, or \
        the client had not asked conditionally, or the conditions that it sent did not allow a 304. It shows old \
        content, or none.",
    example: r#"client  GET /clip | If-None-Match: "a" | If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT -> 304 | ETag: "b""#,
    fix: &[
        "Judge conditions in the order of RFC 9110 §13.2.2: where If-None-Match is present, If-Modified-Since does \
            not count.",
        "Reload the content without conditions (a forced reload) to get clients out of it.",
        "Purge the URL from the caches on the way.",
    ],
    specification: &["RFC 9110 §13.2.2", "RFC 9110 §15.4.5"],
    details: &[
        Detail {
            id: "precedence",
            explanation: "The tag did not match; the date decided, though it must not be looked at beside \
                If-None-Match.",
            fix: &["Ignore If-Modified-Since in the service whenever If-None-Match is present."],
        },
        Detail {
            id: "unasked",
            explanation: "The request carried no valid If-None-Match or If-Modified-Since, and 304 is only ever an \
                answer to one.",
            fix: &[
                "Find the layer that revalidates its own copy and passes the 304 on to a client that asked \
                    unconditionally; it has to send its stored 200 instead.",
                "Ignore a date that is malformed, rather than guess at it (RFC 9110 §13.1.3).",
            ],
        },
        Detail {
            id: "injected",
            explanation: "A gateway added its own condition to the request and passed the 304 on to a client that \
                had sent none.",
            fix: &[
                "Update or reconfigure that cache: the answer to its own revalidation is for its store, the client \
                    gets the stored 200.",
            ],
        },
        Detail {
            id: "tag-not-in-list",
            explanation: "The 304 carries a tag that was not among those in If-None-Match.",
            fix: &["Compare with the tags of the list; an answer with another tag has to be a 200 with its content."],
        },
        Detail {
            id: "stale",
            explanation: "The resource had been written since the validator was given out, and the 304 confirms the \
                old one.",
            fix: &["Purge the URL from the cache that answered; make the service derive its validator from what is \
                    stored."],
        },
        Detail {
            id: "after-404",
            explanation: "The resource did not exist when last seen; a copy of it cannot be confirmed.",
            fix: &["Drop stored validators in the client on a 404 or 410."],
        },
        Detail {
            id: "other",
            explanation: "The 304 contradicts what was seen of the resource in another way.",
            fix: &["Compare the dates and tags in the record with those of the last full answer."],
        },
    ],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let exchange = case.exchange;
    let removed = exchange.bypass.is_some_and(|bypass| bypass.preconditions_removed);
    if case.status() != 304 || removed || !is_read(&exchange.request.method) {
        return None;
    }
    injected(case)
        .or_else(|| {
            unasked(&case.conditions).map(|evidence| Finding::new(Confidence::Likely, vec![evidence]).detail("unasked"))
        })
        .or_else(|| other_tag(case))
        .or_else(|| written_since(case))
        .or_else(|| after_absence(case))
}

/// The client had sent none, a gateway added one of its own, and the origin's 304 was passed on.
fn injected(case: &Case<'_>) -> Option<Finding> {
    unasked(&case.conditions)?;
    case.testimony.own_report().filter(|report| report.status == 304)?;
    let fields = [FieldName::IfNoneMatch, FieldName::IfModifiedSince];
    let added = fields.into_iter().find_map(|field| case.testimony.altered(field))?;
    (added.change == Change::Added)
        .then(|| Finding::new(case.testimony.most, vec![Evidence::arrived(added)]).detail("injected"))
}

/// RFC 9110 §13.1.3: a date that is none is ignored, so that nothing was asked.
fn unasked(conditions: &Conditions<'_>) -> Option<Evidence> {
    // Whoever reads a malformed tag leniently has been asked; what repeated dates mean is anybody's guess.
    if conditions.if_none_match.is_present() {
        return None;
    }
    match &conditions.if_modified_since {
        Field::Absent => Some(Evidence::Fact {
            kind: "unasked",
            says: "The request carried neither If-None-Match nor If-Modified-Since.",
        }),
        Field::Malformed { raw } => Some(Evidence::Malformed {
            field: FieldName::IfModifiedSince,
            value: raw.to_vec(),
            says: "it is no HTTP-date and has to be ignored",
        }),
        Field::Valid { .. } | Field::Repeated { .. } => None,
    }
}

/// The 304 names a tag that was not among those that were sent, not even as a compressor alters it.
fn other_tag(case: &Case<'_>) -> Option<Finding> {
    let etag = case.named()?;
    let tags = case.if_none_match();
    if tags.is_empty() || !tags.iter().all(|tag| is_other_version(*tag, etag)) {
        return None;
    }
    let mut evidence = vec![case.sent(FieldName::IfNoneMatch)];
    evidence.extend(named(case, FieldName::ETag));
    // RFC 9110 §13.1.3: If-Modified-Since is ignored where If-None-Match is present.
    if !case.conditions.if_modified_since.is_present() {
        return Some(Finding::new(Confidence::Likely, evidence).detail("tag-not-in-list"));
    }
    evidence.push(case.sent(FieldName::IfModifiedSince));
    Some(Finding::new(Confidence::Likely, evidence).detail("precedence"))
}

/// The tag that was confirmed had been replaced by a write that was seen.
fn written_since(case: &Case<'_>) -> Option<Finding> {
    let tags = case.if_none_match();
    let [tag] = tags[..] else { return None };
    let write = last_write(case)?;
    let is_replaced = write.tag().is_some_and(|current| is_other_version(tag, current));
    // What a store gave out after the write is no sign that the tag came back.
    let fresh = case.own_sightings().filter(|seen| seen.tag() == Some(tag) && seen.store.is_none());
    let last = fresh.max_by_key(|seen| seen.last)?;
    let is_newer_copy = matches!(case.testimony.answer,
        MadeBy::Store { filled: Some(filled), .. } if filled > write.ended);
    if !is_replaced || last.last >= write.at || is_newer_copy {
        return None;
    }
    let confidence = replaced_by(case, last, write)?;
    // The report of an earlier exchange says for certain that an old copy was judged by.
    let is_certain = confidence == Confidence::Likely && case.testimony.is_from_store();
    let confidence = if is_certain { case.testimony.most } else { confidence };
    let client = case.client();
    let evidence = vec![
        case.sent(FieldName::IfNoneMatch),
        Evidence::given(last, client, false),
        Evidence::wrote(write, client, false),
    ];
    Some(Finding::new(confidence, evidence).detail("stale"))
}

/// When last seen it was not there, and the date that was sent is not older than that: no copy can be meant by it.
fn after_absence(case: &Case<'_>) -> Option<Finding> {
    if case.conditions.if_none_match.is_present() {
        return None;
    }
    // What is not there for another may be there for this client.
    let absence = case.resource?.absence.filter(|absence| absence.by == case.client())?;
    let date = *case.conditions.if_modified_since.valid()?;
    if case.named_date() == Some(date) || date.0 < absence.at.unix_seconds() - CLOCKS_DIFFER {
        return None;
    }
    let evidence = vec![case.sent(FieldName::IfModifiedSince), Evidence::gone(&absence)];
    Some(Finding::new(Confidence::Likely, evidence).detail("after-404"))
}

/// Seconds by which the origin's clock may be behind ours.
const CLOCKS_DIFFER: i64 = 2;
