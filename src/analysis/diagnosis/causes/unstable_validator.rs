//! The validator changes with every answer though nothing changed.

use std::time::Duration;

use crate::analysis::diagnosis::case::is_other_version;
use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::memory::{Shown, Sighting};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "unstable-validator",
    party: Party::Origin,
    other_parties: &[],
    title: "The validator changes with every answer though nothing was written",
    explanation: "Each answer carried another validator, and no write was seen between them. A tag that is old as \
        soon as it is read can never be sent back with success. Something that differs every time goes into it: a \
        timestamp, a nonce, the order of a serialisation, a per-request token.",
    example: r#"client  GET /flags -> 200 | ETag: "aaa"
client  GET /flags -> 200 | ETag: "bbb"
client  PUT /flags | If-Match: "bbb" -> 412 | ETag: "ccc""#,
    fix: &[
        "Compute the tag from what is stored (a version number, a sorted and canonical serialisation), not from the \
            rendered answer.",
        "Take timestamps, tokens and unordered maps out of what is hashed.",
    ],
    specification: &["RFC 9110 §8.8.1"],
    details: &[],
    examine,
};

/// How many reads in a row must each show another validator.
const READS: usize = 3;
/// Within which they must, to say more than that the content changes.
const WITHIN: Duration = Duration::from_secs(60);
/// How many answers, refusals among them, must.
const ANSWERS: usize = 4;

fn examine(case: &Case<'_>) -> Option<Finding> {
    let tag = case.only_tag().filter(|tag| !case.names(*tag))?;
    let own = case.own_sightings().find(|seen| seen.by == Shown::Get && seen.tag() == Some(tag))?;
    let comparable = |seen: &&Sighting| match seen.by {
        Shown::Get | Shown::Head => seen.store.is_none() && seen.variant == own.variant,
        Shown::Refused => true,
        Shown::NotModified | Shown::Written | Shown::Probed | Shown::Other => false,
    };
    let mut answers: Vec<&Sighting> = case.own_sightings().filter(comparable).collect();
    answers.sort_by_key(|seen| seen.first);
    let reads: Vec<&Sighting> = answers.iter().copied().filter(|seen| seen.by == Shown::Get).collect();
    // The refusal itself is the last of the answers, if it names one more.
    let named = usize::from(case.names_other(tag).is_some());
    let last = changing(&reads, READS).or_else(|| changing(&answers, ANSWERS - named))?;
    let since = last.first()?.first;
    if case.write_after(since, None, |_| true).is_some() || case.maybe_written_after(since).is_some() {
        return None;
    }
    let value = |seen: &&Sighting| (seen.etag.as_deref().unwrap_or_default().to_vec(), seen.first, seen.upstream);
    let seen = last.iter().map(value).collect();
    let evidence = vec![Evidence::Sequence { seen }, case.named_evidence(), Evidence::NoWriteSince { since }];
    // Content that changes by itself does so more slowly, as a rule: then each of a few reads shows another version.
    let is_quick = case.exchange.ended.since(since) <= WITHIN;
    Some(Finding::new(if is_quick { Confidence::Likely } else { Confidence::Possible }, evidence))
}

/// The last `count` of them, if each was seen once and differs from all others.
fn changing<'a, 'b>(seen: &'b [&'a Sighting], count: usize) -> Option<&'b [&'a Sighting]> {
    let last = seen.get(seen.len().checked_sub(count)?..)?;
    let differs = |at: usize, one: &Sighting| {
        last.iter().skip(at + 1).all(|other| match (one.tag(), other.tag()) {
            (Some(one), Some(other)) => is_other_version(one, other),
            (None, _) | (_, None) => false,
        })
    };
    last.iter().enumerate().all(|(at, one)| one.times == 1 && differs(at, one)).then_some(last)
}
