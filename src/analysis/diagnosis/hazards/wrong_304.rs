//! 304 although the resource had changed, or was not asked for, or by wrong precedence.

use crate::analysis::diagnosis::{Case, Detail, Hazard};
use crate::analysis::judgement::Finding;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "wrong-304",
    title: "304 Not Modified was answered where it must not be",
    explanation: "A 304 tells the client to use the copy it has. Here the copy it has is not the current one, or \
        the client had not asked conditionally, or the conditions that it sent did not allow a 304. It shows old \
        content, or none.",
    example: r#"client  GET /clip | If-None-Match: "a" | If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT -> 304 | ETag: "b""#,
    fix: &[
        "Judge conditions in the order of RFC 9110 §13.2.2: where If-None-Match is present, If-Modified-Since does \
            not count.",
        "Reload the content without conditions (a forced reload) to get clients out of it.",
        "Purge the URL from the caches on the way.",
    ],
    specification: &["RFC 9110 §13.2.2", "RFC 9110 §15.4.5"],
    details: &[
        Detail {
            id: "precedence",
            explanation: "The tag did not match; the date decided, though it must not be looked at beside \
                If-None-Match.",
            fix: &["Ignore If-Modified-Since in the service whenever If-None-Match is present."],
        },
        Detail {
            id: "unasked",
            explanation: "The request carried no valid If-None-Match or If-Modified-Since, and 304 is only ever an \
                answer to one.",
            fix: &[
                "Find the layer that revalidates its own copy and passes the 304 on to a client that asked \
                    unconditionally; it has to send its stored 200 instead.",
                "Ignore a date that is malformed, rather than guess at it (RFC 9110 §13.1.3).",
            ],
        },
        Detail {
            id: "injected",
            explanation: "A gateway added its own condition to the request and passed the 304 on to a client that \
                had sent none.",
            fix: &[
                "Update or reconfigure that cache: the answer to its own revalidation is for its store, the client \
                    gets the stored 200.",
            ],
        },
        Detail {
            id: "tag-not-in-list",
            explanation: "The 304 carries a tag that was not among those in If-None-Match.",
            fix: &["Compare with the tags of the list; an answer with another tag has to be a 200 with its content."],
        },
        Detail {
            id: "stale",
            explanation: "The resource had been written since the validator was given out, and the 304 confirms the \
                old one.",
            fix: &["Purge the URL from the cache that answered; make the service derive its validator from what is \
                    stored."],
        },
        Detail {
            id: "after-404",
            explanation: "The resource did not exist when last seen; a copy of it cannot be confirmed.",
            fix: &["Drop stored validators in the client on a 404 or 410."],
        },
        Detail {
            id: "other",
            explanation: "The 304 contradicts what was seen of the resource in another way.",
            fix: &["Compare the dates and tags in the record with those of the last full answer."],
        },
    ],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
