//! If-Unmodified-Since lies before the resource's Last-Modified.

use crate::analysis::diagnosis::{Case, Cause};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "outdated-date",
    party: Party::Client,
    title: "The resource was modified after the date the client sent",
    explanation: "If-Unmodified-Since asks that nothing has changed since its date, and the resource's \
        Last-Modified is later: it has changed. No write of another client was seen in between, so who changed it \
        is not known from here.",
    example: r#"client  PUT /f | If-Unmodified-Since: Mon, 05 Jan 2026 08:00:00 GMT -> 412 | Last-Modified: Tue, 06 Jan 2026 09:30:00 GMT"#,
    fix: &[
        "Read the resource again, apply the change to what is there now, and send the Last-Modified of that read.",
        "Prefer If-Match with an ETag where the service offers one: dates miss changes within one second.",
    ],
    specification: &["RFC 9110 §13.1.4"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
