//! The literate cases of `tests/cases`: each exchange is judged, and the judgement compared with what the case says.

mod clean;
mod notation;
mod pair;
mod play;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use notation::{Block, Expected};
use why412::analysis::diagnosis::reference;

#[test]
fn every_case_is_judged_as_it_says() {
    let mut faults = String::new();
    for (path, blocks) in all() {
        for block in blocks {
            for fault in play::play(&block) {
                let _ = writeln!(faults, "{}:{}: {}", path.display(), fault.line, fault.says);
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn every_folder_has_a_case_that_fits_and_a_near_miss() {
    let mut told = BTreeSet::new();
    for folder in folders() {
        let id = folder.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(
            reference::entry(&id).map(|entry| entry.id),
            Some(id.as_str()),
            "the folder is named after an entry"
        );
        let blocks: Vec<_> =
            all().into_iter().filter(|(path, _)| path.starts_with(&folder)).flat_map(|it| it.1).collect();
        assert!(blocks.iter().any(|block| names(block, &id)), "{id}: no case that fits");
        assert!(blocks.iter().any(|block| !names(block, &id)), "{id}: no near miss");
        told.insert(id);
    }
    for id in JUDGED {
        assert!(told.contains(*id), "{id} is judged and has no case");
    }
}

/// The entries that are judged today.
const JUDGED: &[&str] = &[
    "precondition-rewritten",
    "etag-stripped",
    "etag-rewritten",
    "gateway-answered",
    "stale-cache",
    "strength-mismatch",
    "client-derived-validator",
    "wrong-target",
    "clock-skew",
    "node-disagreement",
    "validator-disagreement",
    "unstable-validator",
    "malformed-origin-validator",
    "list-unsupported",
    "date-precision",
    "concurrent-update",
    "stale-validator",
    "outdated-date",
    "create-conflict",
    "missing-resource",
    "retry-after-applied",
    "etag-suffixed",
    "etag-weakened",
    "malformed-precondition",
    "weak-etag-in-if-match",
    "vendor-precondition",
    "no-precondition",
    "current-validator-refused",
    "unexplained",
    "protection-given-up",
    "precondition-dropped",
    "precondition-not-enforced",
    "unguarded-write",
    "missed-304",
    "wrong-304",
    "not-modified-mismatch",
    "shared-strong-tag",
    "if-range-ignored",
    "precondition-rejected",
    "near-412",
    "guessed-validator",
    "malformed-validator",
    "validator-unstable",
    "weak-date-validator",
    "stale-response",
    "validator-never-returned",
    "bypass-disobeyed",
];

fn names(block: &Block, id: &str) -> bool {
    block.exchanges.iter().flat_map(|exchange| &exchange.expected).any(|(_, expected)| match expected {
        Expected::Cause { name, .. } | Expected::Hazard { name, .. } | Expected::Amends { name, .. } => {
            name.split('/').next() == Some(id)
        }
        Expected::Also { .. } | Expected::Fix { .. } | Expected::Alteration { .. } => false,
    })
}

fn all() -> Vec<(PathBuf, Vec<Block>)> {
    let mut cases = Vec::new();
    for folder in folders() {
        for path in sorted(&folder) {
            let text = std::fs::read_to_string(&path).unwrap();
            let blocks = notation::blocks(&text).unwrap_or_else(|fault| panic!("{}:{fault}", path.display()));
            assert!(!blocks.is_empty(), "{}: no block of exchanges", path.display());
            cases.push((path, blocks));
        }
    }
    cases
}

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    sorted(&root).into_iter().filter(|path| path.is_dir()).collect()
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
