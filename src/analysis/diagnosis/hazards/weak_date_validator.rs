//! A conditional write by date in a second in which the resource was written twice.

use super::common::successful_write;
use crate::analysis::diagnosis::{Case, Evidence, Hazard};
use crate::analysis::judgement::{Confidence, Finding};
use crate::analysis::memory::Write;
use crate::analysis::semantics::fields::FieldName;

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

fn examine(case: &Case<'_>) -> Option<Finding> {
    successful_write(case)?;
    let conditions = &case.conditions;
    // RFC 9110 §13.2.2: beside If-Match the date is not looked at.
    if conditions.if_match.is_present() {
        return None;
    }
    let date = *conditions.if_unmodified_since.valid()?;
    let client = case.client();
    let in_that_second = |write: &&Write| {
        write.is_applied() && write.at.unix_seconds() == date.0 && write.ended.unix_seconds() == date.0
    };
    let writes: Vec<_> = case.resource?.writes.iter().filter(in_that_second).collect();
    // What the client wrote itself it cannot have missed.
    if writes.len() < 2 || writes.last().is_none_or(|last| last.by == client) {
        return None;
    }
    let mut evidence = vec![case.sent(FieldName::IfUnmodifiedSince)];
    evidence.extend(writes.into_iter().map(|write| Evidence::wrote(write, client, false)));
    Some(Finding::new(Confidence::Possible, evidence))
}
