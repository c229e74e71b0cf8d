//! The origin issues a tag without quotes, or a date that is none.

use crate::analysis::diagnosis::{Case, Detail, Hazard};
use crate::analysis::judgement::Finding;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "malformed-validator",
    title: "The service issues a malformed ETag or Last-Modified",
    explanation: "The validator in this answer is not well-formed. Some gateways drop such tags (nginx when it \
        compresses), others pass them on, and clients and libraries differ in what they send back. 412s and lost \
        protection follow sooner or later.",
    example: r#"client  GET /items/3 -> 200 | ETag: 8d4f00"#,
    fix: &["Issue the tag in double quotes, `ETag: \"8d4f00\"`, and dates as `Tue, 15 Nov 1994 12:45:26 GMT`."],
    specification: &["RFC 9110 §8.8.3", "RFC 9110 §5.6.7"],
    details: &[
        Detail {
            id: "unquoted",
            explanation: "The ETag lacks its double quotes.",
            fix: &["Add the quotes where the header is set; most frameworks have a function for ETags that does."],
        },
        Detail {
            id: "date",
            explanation: "Last-Modified is not an HTTP-date.",
            fix: &["Format Last-Modified with the framework's HTTP-date function: in GMT, in English, with the \
                    four-digit year."],
        },
    ],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
