//! A cache handed out the old validator after the resource had changed.

use std::time::Duration;

use crate::analysis::diagnosis::products::KeepFrom;
use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence, Issue, products};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::memory::Write;
use crate::analysis::semantics::caching::{FromStore, Product};
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::time::Time;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "stale-cache",
    party: Party::Gateway,
    other_parties: &[Party::Unknown],
    title: "A cache gave the client an outdated validator",
    explanation: "By what was seen the resource had changed, and after that this client was still given the old \
        representation with its old validator. A store on the way does that, or, where the evidence shows no \
        sign of one, a replica that lags behind. The client did what it should (read, then write), and was \
        refused; reading again the same way repeats it until the stored copy expires. A 412 does not make a \
        cache refresh its copy.",
    example: r#"bob    PUT /wiki/home -> 204 | ETag: "w2"
alice  GET /wiki/home -> 200 | ETag: "w1" | Age: 40
alice  PUT /wiki/home | If-Match: "w1" -> 412 | ETag: "w2""#,
    fix: &[
        "Purge this URL from the cache now.",
        products::NGINX_PURGE,
        products::VARNISH_PURGE,
        products::HTTPD_PURGE,
        products::HAPROXY_PURGE,
        products::CDN_PURGE,
        "Make the origin send `Cache-Control: no-cache` (store, but revalidate each time) or `private, no-store` \
            for what is edited, so that nobody edits an old copy.",
        "Read with `Cache-Control: no-cache` before writing; some caches obey it, nginx and Varnish as shipped do \
            not.",
    ],
    specification: &["RFC 9111 §4.2", "RFC 9111 §4.4", "RFC 9111 §5.2.1.4"],
    details: &[Detail {
        id: "after-direct-bypass",
        explanation: "A write had gone around the cache by a bypass with `direct`, so the cache could not know \
                of it. That is this tool's doing, not the gateway's fault.",
        fix: &["Purge the URLs that were written during the bypass, and end the bypass or leave `direct_traffic` \
                    off."],
    }],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let tag = case.only_tag().filter(|tag| !case.names(*tag))?;
    let issue = case.issue(tag).filter(|issue| issue.to_client)?;
    let Some((fact, direct)) = replaced_before(case, tag, issue) else { return old_copy(case, tag, issue) };
    let was_written = matches!(fact, Evidence::Wrote { .. });
    let is_cache = was_written && case.product().is_some_and(Product::is_cache);
    // Without a sign of a store, a replica that lags behind does the same.
    let confidence = match issue.sighting.filled() {
        // The origin had given another one by then, and this copy to an earlier exchange.
        Some((_, sure)) => sure,
        None if issue.sighting.store.is_some() || is_cache => Confidence::Likely,
        None => Confidence::Possible,
    };
    let mut evidence =
        vec![case.sent(FieldName::IfMatch), fact, Evidence::given(issue.sighting, case.client(), issue.sibling)];
    evidence.extend(issue.sighting.store.map(|sign| Evidence::Stored { sign, at: issue.at }));
    evidence.push(case.named_evidence());
    let finding = Finding::new(confidence, evidence);
    Some(if direct {
        finding.detail("after-direct-bypass").party(Party::Unknown)
    } else {
        finding.advise(case, KeepFrom::OldCopies)
    })
}

/// What had replaced the tag before it was handed to the client once more, and whether that went around the gateway.
fn replaced_before(case: &Case<'_>, tag: EntityTag<'_>, issue: Issue<'_>) -> Option<(Evidence, bool)> {
    let known_since = case.own_sightings().filter(|seen| seen.tag() == Some(tag)).map(|seen| seen.first).min()?;
    // What came out of a store was made that long before.
    let by_age = match issue.sighting.store {
        Some(FromStore::Age(age)) => Some(before(issue.at, Duration::from_secs(age))),
        Some(FromStore::CacheStatus | FromStore::XCache | FromStore::XVarnish | FromStore::EarlierReport) | None => {
            None
        }
    };
    // What the origin gave after a write, no write had replaced.
    let by_report = issue.sighting.filled().is_some();
    let made = issue.sighting.filled().map(|(at, _)| at).or(by_age);
    let replaces = |write: &Write| {
        let since_fill = made.is_some_and(|made| write.at > made);
        // A copy of unknown age that is not what the last write has made is older than it, or too old by now.
        let is_other = issue.sighting.store.is_some() && made.is_none() && write.tag().is_some();
        let later = since_fill || ((write.at > known_since || is_other) && !by_report);
        later && write.ended < issue.at && write.tag() != Some(tag)
    };
    let writes = case.resource.map(|resource| resource.writes.as_slice()).unwrap_or_default();
    // Only the last one before the issue: a later write may have brought the tag back.
    let last = writes.iter().rev().find(|write| write.is_applied() && write.ended < issue.at);
    if let Some(write) = last.filter(|write| replaces(write)) {
        return Some((Evidence::wrote(write, case.client(), false), write.direct));
    }
    // A newer validator that was seen before the old one came again.
    let newer =
        case.newer_than(tag, known_since).filter(|newer| newer.first > known_since && newer.first < issue.at)?;
    let shows_it = issue.sighting.store.is_some() || newer.by.names_the_version();
    shows_it.then(|| (Evidence::given(newer, case.client(), false), false))
}

/// The tag came out of a store, by a report, and the origin had another one when it refused: nobody saw the write, but
/// the copy had been kept for longer than the client held it.
fn old_copy(case: &Case<'_>, tag: EntityTag<'_>, issue: Issue<'_>) -> Option<Finding> {
    let (filled, sure) = issue.sighting.filled()?;
    case.names_other(tag)?;
    if case.write_after(issue.at, Some(tag), |_| true).is_some() {
        return None;
    }
    let was_kept_longer = issue.at.since(filled) > case.exchange.at.since(issue.at);
    let confidence = if was_kept_longer { Confidence::Likely } else { Confidence::Possible };
    let evidence = vec![
        case.sent(FieldName::IfMatch),
        Evidence::given(issue.sighting, case.client(), issue.sibling),
        Evidence::Stored { sign: FromStore::EarlierReport, at: issue.at },
        case.named_evidence(),
    ];
    Some(Finding::new(confidence.min(sure), evidence).advise(case, KeepFrom::OldCopies))
}

fn before(at: Time, by: Duration) -> Time {
    Time::from_unix_micros(at.unix_micros().saturating_sub(by.as_micros() as u64))
}
