//! The 304 carries other metadata than the 200 it confirms.

use crate::analysis::diagnosis::{Case, Hazard};
use crate::analysis::judgement::Finding;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "not-modified-mismatch",
    title: "The 304 carries another ETag, or lacks fields, than the 200 it confirms",
    explanation: "A 304 has to repeat ETag, Cache-Control, Expires, Vary and Content-Location as the 200 would have \
        carried them, for the client updates its copy with them. Here the tag is another one or missing, or a field \
        that the 200 had is gone. Clients then go on with wrong freshness or with a tag that the origin does not \
        know.",
    example: r#"client  GET /img.png -> 200 | ETag: "a" | Cache-Control: max-age=31536000
client  GET /img.png | If-None-Match: "a" -> 304 | ETag: "a""#,
    fix: &[
        "Send with a 304 the same ETag, Cache-Control, Expires, Vary and Content-Location as with the 200.",
        "Apply header rules to 304 as well as to 200 in gateways (nginx `add_header … always` for the fields that \
            it adds; CDN response-header policies).",
    ],
    specification: &["RFC 9110 §15.4.5"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
