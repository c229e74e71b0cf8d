//! The origin issues a tag without quotes, or a date that is none.

use crate::analysis::diagnosis::{Case, Detail, Evidence, Hazard};
use crate::analysis::judgement::{Confidence, Finding};
use crate::analysis::semantics::conditions::Field;
use crate::analysis::semantics::entity_tag::TagFault;
use crate::analysis::semantics::fields::FieldName;

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

fn examine(case: &Case<'_>) -> Option<Finding> {
    if !matches!(case.status(), 200 | 201 | 203 | 204 | 206 | 304) {
        return None;
    }
    let shown = case.validators()?;
    let (field, raw, detail, says) = match (&shown.etag, &shown.last_modified) {
        (Field::Malformed { raw }, _) if is_unquoted(raw) => {
            (FieldName::ETag, *raw, "unquoted", "an entity-tag stands in double quotes")
        }
        (_, Field::Malformed { raw }) if !raw.is_empty() => {
            (FieldName::LastModified, *raw, "date", "it is not an HTTP-date")
        }
        (_, _) => return None,
    };
    let evidence = vec![Evidence::Malformed { field, value: raw.to_vec(), says }];
    // From here it cannot be seen whether the service or something behind us wrote it so.
    Some(Finding::new(Confidence::Likely, evidence).detail(detail))
}

fn is_unquoted(raw: &[u8]) -> bool {
    !raw.is_empty() && TagFault::of(raw) == TagFault::Unquoted
}
