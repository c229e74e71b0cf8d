//! The validator changes with every answer though nothing changed.

use crate::analysis::diagnosis::case::is_other_version;
use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::memory::{Shown, Sighting};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "unstable-validator",
    party: Party::Origin,
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

/// How many different validators in a row it takes.
const IN_A_ROW: usize = 3;

fn examine(case: &Case<'_>) -> Option<Finding> {
    let tag = case.only_tag().filter(|tag| !case.names(*tag))?;
    let own = case.own_sightings().find(|seen| seen.by == Shown::Get && seen.tag() == Some(tag))?;
    let mut reads: Vec<&Sighting> = case
        .own_sightings()
        .filter(|seen| seen.by == Shown::Get && seen.store.is_none() && seen.variant == own.variant)
        .collect();
    reads.sort_by_key(|seen| seen.first);
    // Each was seen once and differs from the one before.
    let start = reads.len().checked_sub(IN_A_ROW)?;
    let last = reads.get(start..)?;
    let changes = last.windows(2).all(|pair| match pair {
        [one, other] => match (one.tag(), other.tag()) {
            (Some(one), Some(other)) => is_other_version(one, other),
            _ => false,
        },
        _ => false,
    });
    let since = last.first()?.first;
    let once = last.iter().all(|seen| seen.times == 1);
    if !changes || !once || case.write_after(since, None, |_| true).is_some() {
        return None;
    }
    let value = |seen: &&Sighting| (seen.etag.as_deref().unwrap_or_default().to_vec(), seen.first, seen.upstream);
    let seen = last.iter().map(value).collect();
    Some(Finding::new(Confidence::Likely, vec![Evidence::Sequence { seen }, Evidence::NoWriteSince { since }]))
}
