//! Without a write the validator went A, B, A, or took three values in a row.

use crate::analysis::diagnosis::{Case, Detail, Hazard};
use crate::analysis::judgement::Finding;

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

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
