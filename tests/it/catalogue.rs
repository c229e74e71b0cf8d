//! The catalogue is what the contract promises: every name and detail, and texts that keep their form.

use std::collections::BTreeSet;

use why412::analysis::diagnosis::reference::{Entry, Kind, entries};
use why412::analysis::judgement::Party;

/// The promised causes, who has to act, and the details.
const CAUSES: &[(&str, &str, &[&str])] = &[
    ("concurrent-update", "other-client", &["torn-read"]),
    ("stale-validator", "client", &["own-write-untracked", "ignores-new-tag"]),
    ("outdated-date", "client", &[]),
    ("create-conflict", "client", &["own-earlier-create", "lock-held", "contradiction"]),
    ("missing-resource", "client", &[]),
    ("retry-after-applied", "client", &["by-client", "by-gateway"]),
    ("etag-suffixed", "gateway", &["inside-origin"]),
    ("etag-weakened", "gateway", &[]),
    ("etag-stripped", "gateway", &["on-write-response"]),
    ("etag-rewritten", "gateway", &[]),
    ("precondition-rewritten", "gateway", &["replayed", "merged", "injected", "reformatted"]),
    ("gateway-answered", "gateway", &["after-write-applied", "from-store"]),
    ("stale-cache", "gateway", &["after-direct-bypass"]),
    (
        "malformed-precondition",
        "client",
        &["unquoted", "double-quoted", "xml-entity", "js-value", "star-in-list", "date", "other"],
    ),
    ("weak-etag-in-if-match", "client", &["origin-issues-weak"]),
    ("strength-mismatch", "client", &[]),
    ("client-derived-validator", "client", &[]),
    ("wrong-target", "client", &[]),
    ("clock-skew", "client", &[]),
    ("node-disagreement", "origin", &[]),
    ("validator-disagreement", "origin", &["variant", "component", "wrong-object"]),
    ("unstable-validator", "origin", &[]),
    ("malformed-origin-validator", "origin", &[]),
    ("list-unsupported", "origin", &[]),
    ("date-precision", "origin", &[]),
    ("current-validator-refused", "origin", &["recovered-by-read", "recovered-by-itself"]),
    ("vendor-precondition", "client", &["lease-missing", "lease-lost"]),
    ("no-precondition", "unknown", &[]),
    ("unexplained", "unknown", &[]),
];

/// The promised hazards and their details.
const HAZARDS: &[(&str, &[&str])] = &[
    ("precondition-dropped", &[]),
    ("precondition-not-enforced", &["star-as-tag", "weak-match-accepted", "ignored"]),
    ("unguarded-write", &[]),
    ("protection-given-up", &[]),
    ("missed-304", &["etag-weakened", "etag-suffixed", "etag-stripped", "request-no-cache", "unstable", "other"]),
    ("wrong-304", &["precedence", "unasked", "injected", "tag-not-in-list", "stale", "after-404", "other"]),
    ("not-modified-mismatch", &[]),
    ("shared-strong-tag", &[]),
    ("if-range-ignored", &["current-got-200", "old-got-206", "weak-got-206"]),
    ("precondition-rejected", &[]),
    ("near-412", &["as-404", "as-409", "in-200-body"]),
    ("guessed-validator", &[]),
    ("malformed-validator", &["unquoted", "date"]),
    ("validator-unstable", &["per-node", "per-answer"]),
    ("weak-date-validator", &[]),
    ("stale-response", &[]),
    ("validator-never-returned", &[]),
    ("bypass-disobeyed", &[]),
];

/// Advice that does harm, in words that would give it: guessing at spellings, cutting suffixes, cutting dates, leaving
/// the condition out.
const BANNED: &[&str] = &[
    "send both",
    "both spellings of",
    "strip the suffix",
    "remove the suffix",
    "cut the suffix",
    "strip w/",
    "drop w/",
    "without the condition",
    "remove the condition",
    "remove if-match",
    "omit if-match",
    "drop the condition",
    "disable the precondition",
    "truncat",
    "round the date",
    "whole seconds",
];

#[test]
fn every_cause_is_there_with_its_party_and_details() {
    let there: Vec<_> = entries().filter(|entry| entry.kind == Kind::Cause).collect();
    assert_eq!(names(&there), CAUSES.iter().map(|(id, ..)| *id).collect());
    for (id, party, details) in CAUSES {
        let entry = there.iter().find(|entry| entry.id == *id).unwrap();
        assert_eq!(entry.party.map(Party::as_str), Some(*party), "{id}");
        assert_eq!(details_of(entry), details.iter().copied().collect(), "{id}");
    }
    assert_eq!(there.last().map(|entry| entry.id), Some("unexplained"), "what always fits comes last");
}

#[test]
fn every_hazard_is_there_with_its_details() {
    let there: Vec<_> = entries().filter(|entry| entry.kind == Kind::Hazard).collect();
    assert_eq!(names(&there), HAZARDS.iter().map(|(id, _)| *id).collect());
    for (id, details) in HAZARDS {
        let entry = there.iter().find(|entry| entry.id == *id).unwrap();
        assert_eq!(details_of(entry), details.iter().copied().collect(), "{id}");
    }
}

#[test]
fn names_are_unique_and_lower_case_with_hyphens() {
    let mut seen = BTreeSet::new();
    for entry in entries() {
        assert!(seen.insert(entry.id), "{} is there twice", entry.id);
        for id in entry.details.iter().map(|detail| detail.id).chain([entry.id]) {
            assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{id}");
        }
        assert_eq!(details_of(&entry).len(), entry.details.len(), "{} has a detail twice", entry.id);
    }
}

#[test]
fn titles_fit_a_line_and_every_text_is_there() {
    for entry in entries() {
        let id = entry.id;
        assert!((10..=72).contains(&entry.title.chars().count()), "{id}: {}", entry.title);
        assert!(!entry.title.ends_with('.'), "{id}: a title is no sentence");
        assert!(entry.explanation.len() > 100 && entry.explanation.ends_with('.'), "{id}");
        assert!(!entry.example.trim().is_empty(), "{id}");
        assert!(!entry.fix.is_empty(), "{id}");
        assert!(!entry.specification.is_empty(), "{id}");
        for section in entry.specification {
            assert!(section.starts_with("RFC ") && section.contains(" §"), "{id}: {section}");
        }
        for detail in entry.details {
            assert!(detail.explanation.ends_with(['.', ')']), "{id}/{}", detail.id);
        }
    }
}

#[test]
fn advice_begins_with_a_verb_and_does_no_harm() {
    for entry in entries() {
        let details = entry.details.iter().flat_map(|detail| detail.fix.iter());
        for fix in entry.fix.iter().chain(details) {
            let id = entry.id;
            let first = fix.split_whitespace().next().unwrap_or_default();
            let is_word = first.starts_with(char::is_uppercase) && first.chars().skip(1).all(|c| c.is_lowercase());
            assert!(is_word, "{id}: advice begins with a verb: {fix}");
            assert!(!NO_VERBS.contains(&first), "{id}: {fix}");
            assert!(fix.ends_with(['.', ')']), "{id}: {fix}");
            let lower = fix.to_lowercase();
            // What advice warns of stands behind "not", "nor" or "rather than" in the same sentence.
            for banned in BANNED.iter().filter(|banned| lower.contains(*banned)) {
                assert!(is_warning(&lower, banned), "{id}: \"{banned}\" does harm: {fix}");
            }
        }
    }
}

/// Words that sentences often begin with and that are no verbs.
const NO_VERBS: &[&str] = &["The", "This", "It", "If", "In", "When", "Where", "For", "With", "Without", "You", "Then"];

fn is_warning(advice: &str, banned: &str) -> bool {
    let Some((before, _)) = advice.split_once(banned) else { return false };
    let sentence = before.rsplit(['.', ':', ';']).next().unwrap_or(before);
    ["not ", "nor ", "neither ", "never ", "rather than "].iter().any(|word| sentence.contains(word))
}

fn names(entries: &[Entry]) -> BTreeSet<&'static str> {
    entries.iter().map(|entry| entry.id).collect()
}

fn details_of(entry: &Entry) -> BTreeSet<&'static str> {
    entry.details.iter().map(|detail| detail.id).collect()
}
