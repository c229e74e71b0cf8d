//! The validator was current and a full answer came.

use crate::analysis::diagnosis::{Case, Detail, Hazard, products};
use crate::analysis::judgement::Finding;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "missed-304",
    title: "The client's copy was current, and the full content was sent again",
    explanation: "The client asked with If-None-Match or If-Modified-Since, its validator was the current one, and \
        the answer was a full 200 instead of a short 304. Nothing is wrong with the data; bandwidth and time are \
        wasted on every such read.",
    example: r#"client  GET /r | Accept-Encoding: gzip -> 200 | ETag: W/"hi" | Content-Encoding: gzip
client  GET /r | If-None-Match: W/"hi" | Accept-Encoding: gzip -> 200 | ETag: W/"hi""#,
    fix: &[
        "Compare If-None-Match weakly in the service: W/ does not count there (RFC 9110 §13.1.2).",
        "Check which layer produces the validator that clients get and which one judges it; they have to be the \
            same.",
    ],
    specification: &["RFC 9110 §13.1.2", "RFC 9110 §13.1.3", "RFC 9110 §8.8.3.2"],
    details: &[
        Detail {
            id: "etag-weakened",
            explanation: "A gateway made the tag weak, and the origin compares it character by character.",
            fix: &[
                "Make the service compare weakly in If-None-Match, or switch compression at the gateway off for \
                    this route.",
                products::NGINX_COMPRESSION,
                products::HAPROXY_COMPRESSION,
                products::VARNISH_COMPRESSION,
            ],
        },
        Detail {
            id: "etag-suffixed",
            explanation: "A compressor added a suffix to the tag, and whoever judges If-None-Match does not know \
                it.",
            fix: &[
                products::HTTPD_COMPRESSION,
                products::TRAFFIC_SERVER_COMPRESSION,
                "Update the compressing layer to a version that recognises its own suffix in If-None-Match.",
            ],
        },
        Detail {
            id: "etag-stripped",
            explanation: "The answers carry no ETag any more, so that only the date is left to judge by.",
            fix: &["Keep ETag on answers in the gateway, or have the origin judge If-Modified-Since as well."],
        },
        Detail {
            id: "request-no-cache",
            explanation: "The client itself demanded a fresh copy with `Cache-Control: no-cache`, and a cache \
                answered that with the whole content.",
            fix: &["Send `max-age=0` instead of `no-cache` where a confirmation is enough."],
        },
        Detail {
            id: "unstable",
            explanation: "The tag is another with every answer, though nothing was written.",
            fix: &["Compute the tag from what is stored, not from the rendered answer."],
        },
        Detail {
            id: "other",
            explanation: "Nothing seen explains why the full answer came.",
            fix: &["Compare the validators of both answers in the record, and ask the service's developers."],
        },
    ],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
