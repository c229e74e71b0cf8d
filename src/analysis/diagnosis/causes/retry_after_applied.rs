//! The same write had already succeeded; this 412 answers its repetition.

use crate::analysis::diagnosis::{Case, Cause, Detail, products};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "retry-after-applied",
    party: Party::Client,
    title: "The write had already succeeded; this 412 answers its repetition",
    explanation: "The same write, with the same condition and body, had been carried out before. Its answer never \
        reached the client (a timeout, a closed connection, a restart), so it was sent again; by then the validator \
        had moved on, because of the first attempt itself. Nothing was lost and nobody else wrote: the change is in \
        effect. Telling the user that somebody else won would be wrong.",
    example: r#"client  PUT /ledger/42 | If-Match: "g1" -> (connection lost after it was sent)
client  PUT /ledger/42 | If-Match: "g1" -> 412 | ETag: "g2""#,
    fix: &[
        "Read the resource after an attempt whose answer was lost, before repeating it; where the content is \
            already what was to be written, treat the write as done and take the new validator from that read.",
        "Give writes an idempotency key, or a version in the body, so that the service can recognise its own \
            repetition.",
        "Raise the client's timeout above the time the service needs for this write, so that answers are not given \
            up too early.",
    ],
    specification: &["RFC 9110 §9.2.2", "RFC 9110 §13.1.1"],
    details: &[
        Detail {
            id: "by-client",
            explanation: "The client, its library or its SDK repeated the request.",
            fix: &["Take conditional writes out of the library's automatic retries; retry them only by reading first."],
        },
        Detail {
            id: "by-gateway",
            explanation: "The client sent the request once; a gateway sent it to the origin again after a \
                connection had died.",
            fix: &[
                products::NGINX_RESEND,
                products::HAPROXY_RESEND,
                products::ENVOY_RESEND,
                products::VARNISH_RESEND,
                "Fix the origin that closes connections without answering: keep its idle timeout longer than that \
                    of the gateway.",
            ],
        },
    ],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
