//! A conditional write by date in a second in which the resource was written twice.

use crate::analysis::diagnosis::{Case, Hazard};
use crate::analysis::judgement::Finding;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "weak-date-validator",
    title: "Two writes within one second: the date cannot tell them apart",
    explanation: "A write conditional on If-Unmodified-Since succeeded, and the resource had been written more than \
        once within the second that the date names. The date is the same before and after the second of these \
        writes, so the condition could not protect it.",
    example: r#"bob    PUT /f -> 204 | Last-Modified: Tue, 06 Jan 2026 09:30:00 GMT
carol  PUT /f -> 204 | Last-Modified: Tue, 06 Jan 2026 09:30:00 GMT
alice  PUT /f | If-Unmodified-Since: Tue, 06 Jan 2026 09:30:00 GMT -> 204"#,
    fix: &[
        "Use If-Match with an ETag on what is written often.",
        "Compare the stored content with what was written in that second; the evidence names the exchanges.",
    ],
    specification: &["RFC 9110 §8.8.2.2", "RFC 9110 §13.1.4"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
