//! A cache gave an older validator than one already seen.

use crate::analysis::diagnosis::{Case, Hazard};
use crate::analysis::judgement::Finding;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "stale-response",
    title: "A cache answered with an older version than one already seen",
    explanation: "A newer validator of this resource had been seen, and a later answer, which shows the marks of a \
        cache, carried the older one again. Whoever edits this copy will be refused with 412, or where no condition \
        is sent, will undo the newer version.",
    example: r#"client  GET /wiki/home -> 200 | ETag: "w2"
client  GET /wiki/home -> 200 | ETag: "w1" | Age: 40"#,
    fix: &[
        "Purge this URL from the cache.",
        "Make the origin send `Cache-Control: no-cache` for what is edited, so that each use is confirmed first.",
        "Invalidate on writes: have the cache drop a URL when a PUT, PATCH, POST or DELETE on it succeeds, also on \
            its other nodes.",
    ],
    specification: &["RFC 9111 §4.2", "RFC 9111 §4.4"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
