//! The date comes from a clock that disagrees with the origin's.

use crate::analysis::diagnosis::{Case, Cause};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "clock-skew",
    party: Party::Client,
    title: "The date sent comes from a clock that disagrees with the server's",
    explanation: "The date in the condition was never served as Last-Modified: the client took it from its own \
        clock, and that clock and the server's (its Date field) disagree. A condition by date only means something \
        with a date that the server itself gave out.",
    example: r#"client  PUT /f | If-Unmodified-Since: Tue, 27 Jan 2026 10:58:00 GMT -> 412 | Date: Tue, 27 Jan 2026 11:08:21 GMT"#,
    fix: &[
        "Send the Last-Modified of the last answer, unchanged, instead of a time from the local clock.",
        "Synchronise the clocks (NTP) on the machine that the evidence names.",
        "Prefer If-Match with an ETag: it needs no clock.",
    ],
    specification: &["RFC 9110 §13.1.4", "RFC 9110 §8.8.2.1"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
