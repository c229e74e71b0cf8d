//! A condition outside RFC 9110 failed: a vendor's field, a lock, a lease.

use crate::analysis::diagnosis::{Case, Cause, Detail};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "vendor-precondition",
    party: Party::Client,
    title: "A vendor's own condition failed, not one of the five of HTTP",
    explanation: "The request carried a condition that HTTP itself does not define (a generation, a lease, a lock \
        token, a copy-source condition, a condition in the query), and that is what the service judged. The \
        evidence names it. Its rules are the vendor's: some compare versions, some ask for a lock that has run out.",
    example: r#"client  PUT /bucket/state.json | x-goog-if-generation-match: 1715 -> 412"#,
    fix: &[
        "Read the current value that the named condition is about (generation, metageneration, lease, schedule tag, \
            lock token) and repeat the work on top of it.",
        "Follow the vendor's documentation of the field that the evidence names; a standard If-Match beside it does \
            not help.",
    ],
    specification: &["RFC 4918 §10.4", "RFC 6638 §8.3", "RFC 9110 §15.5.13"],
    details: &[
        Detail {
            id: "lease-missing",
            explanation: "The resource is leased or locked, and the request did not name the lease or lock.",
            fix: &["Send the lease or lock token that was given out when it was acquired, or acquire it first."],
        },
        Detail {
            id: "lease-lost",
            explanation: "The request named a lease or lock that is not in force any more: it ran out, was broken, \
                or was released.",
            fix: &["Acquire the lease or lock anew, read the resource again, and renew it well before it ends."],
        },
    ],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
