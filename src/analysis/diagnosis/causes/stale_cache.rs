//! A cache handed out the old validator after the resource had changed.

use crate::analysis::diagnosis::{Case, Cause, Detail, products};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "stale-cache",
    party: Party::Gateway,
    title: "A cache gave the client an outdated validator",
    explanation: "The resource had changed, and after that a store on the way still gave this client the old \
        representation with its old validator. The client did what it should (read, then write), and was refused; \
        reading again through the same cache repeats it until the stored copy expires. A 412 does not make a cache \
        refresh its copy.",
    example: r#"bob    PUT /wiki/home -> 204 | ETag: "w2"
alice  GET /wiki/home -> 200 | ETag: "w1" | Age: 40
alice  PUT /wiki/home | If-Match: "w1" -> 412 | ETag: "w2""#,
    fix: &[
        "Purge this URL from the cache now.",
        products::NGINX_PURGE,
        products::VARNISH_PURGE,
        products::HTTPD_PURGE,
        products::HAPROXY_PURGE,
        products::CDN_PURGE,
        "Make the origin send `Cache-Control: no-cache` (store, but revalidate each time) or `private, no-store` \
            for what is edited, so that nobody edits an old copy.",
        "Read with `Cache-Control: no-cache` before writing; some caches obey it, nginx and Varnish as shipped do \
            not.",
    ],
    specification: &["RFC 9111 §4.2", "RFC 9111 §4.4", "RFC 9111 §5.2.1.4"],
    details: &[Detail {
        id: "after-direct-bypass",
        explanation: "A write had gone around the cache by a bypass with `direct`, so the cache could not know \
                of it. That is this tool's doing, not the gateway's fault.",
        fix: &["Purge the URLs that were written during the bypass, and end the bypass or leave `direct_traffic` \
                    off."],
    }],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
