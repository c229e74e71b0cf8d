//! Without a write the validator went A, B, A, or took three values in a row.

use std::time::Duration;

use super::common::content;
use crate::analysis::diagnosis::{Case, Detail, Evidence, Hazard};
use crate::analysis::judgement::{Confidence, Finding};
use crate::analysis::memory::{Shown, Sighting, variant};
use crate::analysis::semantics::caching::from_store;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "validator-unstable",
    title: "The validator keeps changing although nothing is written",
    explanation: "No write of this resource was seen, and its validator changed to and fro or with every answer. \
        Caches and conditional reads are useless for it, and conditional writes fail by chance.",
    example: r#"client  GET /page -> 200 | ETag: "n1"
client  GET /page -> 200 | ETag: "n2"
client  GET /page -> 200 | ETag: "n1""#,
    fix: &["Derive the validator from the stored content or its version alone."],
    specification: &["RFC 9110 §8.8.1"],
    details: &[
        Detail {
            id: "per-node",
            explanation: "Two values alternate: each node has its own.",
            fix: &["Take inode numbers, file times and host names out of the tag; deploy with the same file times on \
                    every node."],
        },
        Detail {
            id: "per-answer",
            explanation: "Every answer has another value.",
            fix: &["Take timestamps, tokens and unordered serialisation out of what the tag is computed from."],
        },
    ],
    examine,
};

/// Content that changes by itself does so more slowly, as a rule.
const WITHIN: Duration = Duration::from_secs(60);

fn examine(case: &Case<'_>) -> Option<Finding> {
    let exchange = case.exchange;
    let answer = content(case).filter(|answer| answer.head.status == 200)?;
    let tag = case.named().filter(|_| from_store(&answer.head.fields).is_none())?;
    let resource = case.resource?;
    let begin = Duration::as_micros(&WITHIN);
    let recent = |seen: &&Sighting| exchange.at.since(seen.last).as_micros() <= begin;
    let now = variant(exchange, answer);
    // Content may differ from user to user: only what this very client was shown counts.
    let comparable = |seen: &&Sighting| {
        seen.by == Shown::Get && seen.variant == now && seen.store.is_none() && seen.given_at(case.client()).is_some()
    };
    let mut seen: Vec<_> = resource.sightings.iter().filter(comparable).filter(recent).collect();
    seen.sort_by_key(|sighting| sighting.last);
    let since = seen.iter().map(|sighting| sighting.first).min()?;
    if resource.writes.iter().any(|write| write.ended >= since) || resource.absence.is_some() {
        return None;
    }
    let mut sequence: Vec<_> = seen
        .iter()
        .filter_map(|sighting| Some((sighting.etag.as_deref()?.to_vec(), sighting.last, sighting.upstream)))
        .collect();
    sequence.push((tag.to_bytes(), exchange.ended, exchange.upstream));
    let evidence = vec![Evidence::Sequence { seen: sequence }];
    let latest = seen.last().filter(|latest| latest.tag().is_some_and(|other| !other.weak_eq(&tag)))?;
    if let Some(earlier) = seen.iter().find(|sighting| sighting.tag() == Some(tag)) {
        let by_node = earlier.upstream == exchange.upstream && latest.upstream != exchange.upstream;
        let finding = Finding::new(Confidence::Likely, evidence);
        return Some(if by_node { finding.detail("per-node") } else { finding });
    }
    let every_one_new = seen.len() >= 2 && seen.iter().all(|sighting| sighting.times == 1);
    every_one_new.then(|| Finding::new(Confidence::Possible, evidence).detail("per-answer"))
}
