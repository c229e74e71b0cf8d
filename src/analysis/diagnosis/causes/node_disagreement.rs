//! The origin's nodes give one version different validators.

use crate::analysis::diagnosis::{Case, Cause};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "node-disagreement",
    party: Party::Origin,
    title: "The service's nodes give the same version different validators",
    explanation: "Without any write the validator changed back and forth, depending on the node that answered. A \
        tag from one node is refused by the other: nobody wrote, and a repetition succeeds or fails by chance. Tags \
        made from inode numbers, modification times of deployed files or start-up times do this.",
    example: r#"client  GET /page -> 200 | ETag: "n1-5f2"   (node 10.0.0.1)
client  PUT /page | If-Match: "n1-5f2" -> 412 | ETag: "n2-5f2"   (node 10.0.0.2)"#,
    fix: &[
        "Derive the tag from the content or from a version in the shared store, never from inode, file time, \
            process or host.",
        "Set `FileETag MTime Size` (no INode) in Apache httpd, and deploy files with the same times everywhere; \
            with nginx keep the files' times and sizes identical on every node.",
        "Keep a client on one node for as long as it edits (session affinity), until that is done.",
    ],
    specification: &["RFC 9110 §8.8.1", "RFC 9110 §8.8.3"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
