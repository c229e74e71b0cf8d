//! The list holds the current tag; the origin does not read lists.

use crate::analysis::diagnosis::{Case, Cause};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "list-unsupported",
    party: Party::Origin,
    title: "The current tag was in the list; the service does not read lists",
    explanation: "If-Match may carry several tags, and one of them was the current one: the condition is true. The \
        service refused all the same, because it compares the whole field value as one string.",
    example: r#"client  GET /b/k -> 200 | ETag: "k2"
client  PUT /b/k | If-Match: "k1", "k2" -> 412"#,
    fix: &[
        "Make the service split the field at commas outside of quotes and compare each member (RFC 9110 §13.1.1).",
        "Send the one tag that the client's copy is based on; that is nearly always what is meant.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §5.6.1"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
