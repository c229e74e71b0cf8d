//! The validator belongs to another resource than the one it was sent for.

use crate::analysis::diagnosis::{Case, Cause};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "wrong-target",
    party: Party::Client,
    title: "The condition was sent for another resource than the tag belongs to",
    explanation: "The validator was given out for another resource, or the condition is judged against another one \
        than the client had in mind: the URL of a chunk instead of the file, the source of a MOVE or COPY instead \
        of its destination, a list of keys that slipped by one. It cannot match there, whatever version the meant \
        resource has.",
    example: r#"client  GET /files/a -> 200 | ETag: "a-1"
client  PUT /files/b | If-Match: "a-1" -> 412"#,
    fix: &[
        "Keep each validator beside the URL it came with, and send it only there.",
        "Name the resource that is meant for MOVE and COPY with the WebDAV `If` field and its tagged list, since \
            If-Match is about the source; for chunked uploads send the condition with the step that assembles the \
            file.",
    ],
    specification: &["RFC 9110 §8.8.3", "RFC 4918 §10.4.2"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
