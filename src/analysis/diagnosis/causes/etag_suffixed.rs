//! A compressor appended its mark to the tag; the origin never issued it.

use crate::analysis::diagnosis::{Case, Cause, Detail, products};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "etag-suffixed",
    party: Party::Gateway,
    title: "A compressor added a suffix to the ETag; the origin never issued it",
    explanation: "The tag that the client returned ends in the mark of a compressor (such as -gzip, --gzip, ;br, \
        :zstd or -df), and the tag without that mark is the one the origin knows. The compressing layer changes the \
        tag when it sends the compressed answer out, and does not change it back when the client returns it. The \
        client returned exactly what it was given. Every read-modify-write of a client that accepts compression \
        fails this way, until compression or its effect on the tag is switched off; tests without Accept-Encoding \
        do not show it.",
    example: r#"client  GET /notes/1 | Accept-Encoding: gzip -> 200 | ETag: "n5-gzip" | Content-Encoding: gzip
client  PUT /notes/1 | If-Match: "n5-gzip" -> 412 | ETag: "n5""#,
    fix: &[
        "Switch compression off where the suffix is added, for the routes that are written conditionally, or let \
            the origin compress and tag each encoding itself.",
        products::HTTPD_COMPRESSION,
        products::HTTPD_BROTLI,
        products::TRAFFIC_SERVER_COMPRESSION,
        products::JETTY_COMPRESSION,
        "Read with `Accept-Encoding: identity` before writing, as a workaround in the client until then: the \
            uncompressed answer carries the origin's own tag. Neither cut the suffix off nor send both spellings: \
            where a version is really named that way, the guess overwrites somebody's work.",
    ],
    specification: &["RFC 9110 §8.8.3.3", "RFC 9110 §13.1.1"],
    details: &[Detail {
        id: "inside-origin",
        explanation: "The compressor is part of the service itself (a handler, filter or middleware), not a \
                gateway in front of it: the origin's own answers carry the suffix.",
        fix: &[
            "Exclude the path from the framework's compression, or update it to a version that recognises its \
                    own suffix in If-Match as well as in If-None-Match.",
            "Place the compression outside of the code that judges conditions, and have it undo the suffix on \
                    every condition it forwards.",
        ],
    }],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
