//! The origin issued a strong tag and the client was given a weak one.

use crate::analysis::diagnosis::{Case, Cause, products};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "etag-weakened",
    party: Party::Gateway,
    title: "A gateway made the strong ETag weak, so If-Match can never match",
    explanation: "The origin issued a strong tag; the client was given the same tag with W/ in front and returned \
        it in If-Match. If-Match compares strongly, and a weak tag never matches strongly, whatever the origin's \
        version: this write fails every time, for every client that reads through this gateway. Gateways weaken \
        tags when they compress or rewrite the body. The client returned what it was given; nobody else need have \
        written.",
    example: r#"origin   200 ETag: "v1"  →  client  200 ETag: W/"v1", Content-Encoding: gzip
client   PUT /roles/dev | If-Match: W/"v1" -> 412 | ETag: "v1""#,
    fix: &[
        "Switch compression and body rewriting off at the gateway for the routes that are written conditionally; \
            have the origin compress by itself where it is needed: gateways leave a body that is already encoded, \
            and its tag, alone.",
        products::NGINX_COMPRESSION,
        products::HAPROXY_COMPRESSION,
        products::VARNISH_COMPRESSION,
        products::CLOUDFLARE_COMPRESSION,
        products::CLOUDFRONT_COMPRESSION,
        products::IIS_COMPRESSION,
        "Read with `Accept-Encoding: identity` before writing, as a workaround in the client where the gateway only \
            weakens what it compresses. Do not remove W/ from the tag: a weak tag makes no promise about the bytes, \
            and a match would be luck.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §8.8.1", "RFC 9110 §8.8.3.2"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
