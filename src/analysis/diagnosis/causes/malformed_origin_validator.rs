//! The origin issues a malformed validator and cannot match its own.

use crate::analysis::diagnosis::{Case, Cause};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "malformed-origin-validator",
    party: Party::Origin,
    title: "The service issued a malformed validator and then refused it",
    explanation: "The client returned the validator exactly as the service had given it out, and that was not \
        well-formed: an ETag without its quotes, or a date that is none. What comes back malformed matches nothing. \
        The client is not to blame, and cannot repair it without guessing.",
    example: r#"client  GET /items/3 -> 200 | ETag: 8d4f00
client  PUT /items/3 | If-Match: 8d4f00 -> 412"#,
    fix: &[
        "Issue the tag in double quotes: `ETag: \"8d4f00\"`; and dates in the format `Tue, 15 Nov 1994 12:45:26 \
            GMT`.",
        "Set the header through the framework's ETag function rather than as a bare string.",
        "Accept the unquoted form in conditions for as long as clients hold old tags, then refuse it.",
    ],
    specification: &["RFC 9110 §8.8.3", "RFC 9110 §5.6.7"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
