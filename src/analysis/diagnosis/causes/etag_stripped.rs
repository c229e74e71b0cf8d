//! The ETag was removed on its way to the client, whose condition shows it.

use crate::analysis::diagnosis::{Case, Cause, Detail, products};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "etag-stripped",
    party: Party::Gateway,
    title: "A gateway removed the ETag, so the client had no tag to send back",
    explanation: "The origin issued an ETag and the client received the answer without it. What the client then put \
        into its condition shows that it had nothing: the word null or undefined, an empty value, or the tag of an \
        older answer. We know it from both sides of the gateway, or from a copy of the tag in another field of the \
        same answer (OC-ETag, X-ETag) that came through.",
    example: r#"origin   200 ETag: "c2"  →  client  200 (no ETag)
client   PUT /cards/8 | If-Match: null -> 412"#,
    fix: &[
        "Stop the gateway from removing ETag on this route.",
        products::NGINX_STRIPPED,
        products::ENVOY_COMPRESSION,
        products::HTTPD_STRIPPED,
        products::HAPROXY_STRIPPED,
        "Make the origin put its tag in double quotes: compressors drop tags that are not well-formed.",
        "Make the client stop and read again when it was given no tag, rather than send a placeholder.",
    ],
    specification: &["RFC 9110 §8.8.3", "RFC 9110 §7.7"],
    details: &[Detail {
        id: "on-write-response",
        explanation: "The tag was removed from the answer to a write. Reads deliver it, so the first edit after \
                a read succeeds and the next one fails.",
        fix: &[
            "Keep ETag on answers to PUT, PATCH and POST in the gateway; header rules are often written for \
                    pages and remove it there.",
            "Read the resource again after each write until the gateway is mended, and use the tag of that \
                    read.",
        ],
    }],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
