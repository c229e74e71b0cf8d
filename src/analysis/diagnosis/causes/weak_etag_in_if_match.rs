//! A weak tag in If-Match never matches, for If-Match compares strongly.

use crate::analysis::diagnosis::{Case, Cause, Detail};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "weak-etag-in-if-match",
    party: Party::Client,
    title: "A weak tag was sent in If-Match, which compares strongly",
    explanation: "If-Match is compared strongly, and a weak tag (W/\"…\") never matches strongly, not even itself. \
        As long as the client has nothing but a weak tag, this write fails every time. From here it cannot be seen \
        whether the service issues weak tags or something on the way made a strong one weak; compressing gateways \
        do that.",
    example: r#"client  PUT /doc | If-Match: W/"v1" -> 412"#,
    fix: &[
        "Find out who made the tag weak: run `why412 diagnose` with a direct address, or put a second instance on \
            the origin's side; a compressing gateway is the usual answer.",
        "Make the service issue strong tags for what is written conditionally (a version number or content hash, in \
            quotes, without W/).",
        "Set `comparison = \"weak\"` on this route where the API uses weak tags by design and its service is known \
            to accept them.",
        "Keep the tag as it is: removing W/ in the client asserts something that nobody promised.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §8.8.3.2"],
    details: &[Detail {
        id: "origin-issues-weak",
        explanation: "The service itself gave the tag out as weak, and judges it strongly: no client can ever \
                write with it.",
        fix: &["Make the service issue strong tags, or compare weakly where that is safe; many frameworks generate \
                    weak tags by default (Express: `app.set('etag', 'strong')`)."],
    }],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
