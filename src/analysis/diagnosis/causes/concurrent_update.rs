//! Another client's write was seen between the issue of the validator and its use.

use crate::analysis::diagnosis::{Case, Cause, Detail};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "concurrent-update",
    party: Party::OtherClient,
    title: "Another client changed the resource in between",
    explanation: "This client read the resource, then another client wrote it successfully, then this client tried \
        to write with the validator of its old read. The write in between was seen. This is what the precondition \
        is for: without it the other client's change would have been erased.",
    example: r#"alice  GET /orders/7 -> 200 | ETag: "v1"
bob    PUT /orders/7 | If-Match: "v1" -> 204 | ETag: "v2"
alice  PUT /orders/7 | If-Match: "v1" -> 412 | ETag: "v2""#,
    fix: &[
        "Read the resource again, merge the change into it (or show both to the user), and write with the new tag.",
        "Shorten the time between reading and writing, write smaller parts (PATCH), or split a resource that many \
            write, where this happens often.",
        "Keep the condition: repeating the write without it erases what the other client has done.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §15.5.13"],
    details: &[Detail {
        id: "torn-read",
        explanation: "The other write came while this client was reading in several pieces (ranges, pages): its \
                parts belong to different versions.",
        fix: &["Read all pieces under If-Match or If-Range with the first piece's strong tag, and begin anew when \
                    it no longer holds."],
    }],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
