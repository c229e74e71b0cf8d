//! A cache gave an older validator than one already seen.

use std::time::Duration;

use http::Method;

use super::common::{content, last_write, named, replaced_by};
use crate::analysis::diagnosis::case::is_other_version;
use crate::analysis::diagnosis::products::KeepFrom;
use crate::analysis::diagnosis::{Case, Evidence, Hazard};
use crate::analysis::exchange::Answer;
use crate::analysis::far_side::MadeBy;
use crate::analysis::judgement::{Confidence, Finding};
use crate::analysis::memory::{Shown, Sighting, variant};
use crate::analysis::semantics::caching::FromStore;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::time::Time;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "stale-response",
    title: "A cache answered with an older version than one already seen",
    explanation: "A newer validator of this resource had been seen, and a later answer, which shows the marks of a \
        cache, carried the older one again. Whoever edits this copy will be refused with 412, or where no condition \
        is sent, will undo the newer version.",
    example: r#"client  GET /wiki/home -> 200 | ETag: "w2"
client  GET /wiki/home -> 200 | ETag: "w1" | Age: 40"#,
    fix: &[
        "Purge this URL from the cache.",
        "Make the origin send `Cache-Control: no-cache` for what is edited, so that each use is confirmed first.",
        "Invalidate on writes: have the cache drop a URL when a PUT, PATCH, POST or DELETE on it succeeds, also on \
            its other nodes.",
    ],
    specification: &["RFC 9111 §4.2", "RFC 9111 §4.4"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    content(case).or_else(|| stored_head(case))?;
    // Without the mark of a store it may as well be a node that lags behind, or another's content.
    let sign = case.store_sign()?;
    let made = made_before(case, sign);
    let (confidence, newer) = newer_date(case).or_else(|| replaced(case, made)).or_else(|| newer_read(case, made))?;
    let mut evidence = vec![Evidence::Stored { sign, at: case.exchange.ended }];
    evidence.extend(named(case, FieldName::ETag));
    evidence.push(newer);
    // The report of an earlier exchange says for certain that it is an old copy, if it is known of when.
    let is_dated = matches!(case.testimony.answer, MadeBy::Store { filled: Some(_), .. });
    let is_certain = confidence == Confidence::Likely && case.testimony.is_from_store() && is_dated;
    let confidence = if is_certain { case.testimony.most } else { confidence };
    Some(Finding::new(confidence, evidence).advise(case, KeepFrom::OldCopies))
}

/// A 200 to a HEAD out of a store, by the report that came with it. Without one it says nothing: some gateways answer HEAD
/// with another tag than GET.
fn stored_head<'a>(case: &Case<'a>) -> Option<&'a Answer<'a>> {
    let answer = case.exchange.answer().filter(|answer| answer.head.status == 200)?;
    (case.exchange.request.method == Method::HEAD && case.testimony.is_from_store()).then_some(answer)
}

/// The latest time at which the origin can have given the copy: by the report that came with it, or by its age (RFC 9111
/// §4.2.3).
fn made_before(case: &Case<'_>, sign: FromStore) -> Option<Time> {
    if let MadeBy::Store { filled: Some(filled), .. } = case.testimony.answer {
        return Some(filled);
    }
    let FromStore::Age(age) = sign else { return None };
    // Age has whole seconds.
    let micros = age.saturating_sub(1).saturating_mul(1_000_000);
    Some(Time::from_unix_micros(case.exchange.ended.unix_micros().saturating_sub(micros)))
}

/// A later Last-Modified had been shown to the same client.
fn newer_date(case: &Case<'_>) -> Option<(Confidence, Evidence)> {
    let date = case.named_date()?;
    let client = case.client();
    let is_newer = |seen: &&Sighting| seen.date().is_some_and(|newer| newer > date) && seen.given_at(client).is_some();
    let newer = case.own_sightings().find(is_newer)?;
    Some((Confidence::Likely, Evidence::given(newer, client, false)))
}

/// A write that was seen had replaced the tag that came.
fn replaced(case: &Case<'_>, made: Option<Time>) -> Option<(Confidence, Evidence)> {
    let tag = case.named()?;
    let write = last_write(case)?;
    write.tag().filter(|current| is_other_version(tag, *current))?;
    let fresh = case.own_sightings().filter(|seen| seen.tag() == Some(tag) && seen.store.is_none());
    // It was the current one once, and not again since the write.
    let before = fresh.max_by_key(|seen| seen.last).filter(|seen| seen.last < write.at)?;
    // The origin itself gave it after the write.
    let jitter = if case.testimony.is_from_store() { Duration::ZERO } else { JITTER };
    if made.is_some_and(|made| made > write.ended.plus(jitter)) {
        return None;
    }
    Some((replaced_by(case, before, write)?, Evidence::wrote(write, case.client(), false)))
}

/// Another tag had been read from the origin, in the same variant, after the one that came now.
fn newer_read(case: &Case<'_>, made: Option<Time>) -> Option<(Confidence, Evidence)> {
    let tag = case.named()?;
    let answer = content(case)?;
    let now = variant(case.exchange, answer);
    let alike = |seen: &&Sighting| seen.by == Shown::Get && seen.variant == now;
    let newest = case.own_sightings().filter(alike).filter(|seen| seen.store.is_none());
    let newest = newest.max_by_key(|seen| seen.last)?;
    let earlier = case.own_sightings().filter(alike).filter(|seen| seen.tag() == Some(tag));
    let was_shown_before = earlier.map(|seen| seen.first).min().is_some_and(|first| first < newest.first);
    let is_replaced = newest.tag().is_some_and(|current| is_other_version(tag, current));
    if !is_replaced || !was_shown_before || !case.resource?.writes.is_empty() {
        return None;
    }
    let confidence = match made {
        Some(made) if made < newest.first => Confidence::Likely,
        // Made since: the origin has gone back to it.
        Some(_) => return None,
        None => Confidence::Possible,
    };
    Some((confidence, Evidence::given(newest, case.client(), false)))
}

/// By which the clocks of stores may be behind.
const JITTER: Duration = Duration::from_secs(2);
