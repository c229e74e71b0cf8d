//! A condition left on a write and did not arrive, and the write succeeded.

use crate::analysis::diagnosis::{Case, Hazard};
use crate::analysis::judgement::Finding;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "precondition-dropped",
    title: "The precondition of a write was lost on the way, and it succeeded",
    explanation: "The client sent a write with a condition; the request that reached the origin had none, and the \
        origin carried it out unconditionally. Whatever another client had stored meanwhile is overwritten, and \
        nobody was told. Both sides of the gateway were seen for this request; or the service answered 428 (a \
        condition is required) to a request that carried one.",
    example: r#"client  PUT /file | If-None-Match: * -> 200
(arrived at the origin without a condition)"#,
    fix: &[
        "Configure the gateway to pass If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since on unsafe \
            methods: dropping them is only harmless on a GET or HEAD that fills a cache.",
        "Check application proxies and functions that forward a list of known fields, and add the conditions and \
            validators to that list.",
        "Make the origin require a condition on these resources (428), so that a lost one fails loudly.",
        "Compare what is stored with what it should be: writes since the gateway's last change may have overwritten \
            each other.",
    ],
    specification: &["RFC 9110 §13.1", "RFC 9110 §7.6", "RFC 6585 §3"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
