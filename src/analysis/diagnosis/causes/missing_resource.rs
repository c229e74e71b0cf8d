//! If-Match on a resource that is not there.

use crate::analysis::diagnosis::{Case, Cause};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "missing-resource",
    party: Party::Client,
    title: "The resource is not there (any more), so If-Match cannot match",
    explanation: "If-Match demands that the resource exist, and it does not: it was deleted, moved, or never \
        created. The service answers 412, and may do so instead of 404. Reads through this instance, or the \
        deletion that was seen, show it.",
    example: r#"bob    DELETE /tasks/1 -> 204
alice  PUT /tasks/1 | If-Match: "t4" -> 412"#,
    fix: &[
        "Read the resource: if it answers 404, decide whether the deletion stands or the resource is to be created \
            anew with `If-None-Match: *`.",
        "Tell the user that the thing was deleted, not that somebody edited it.",
    ],
    specification: &["RFC 9110 §13.1.1"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
