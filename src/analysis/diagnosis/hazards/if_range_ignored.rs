//! Range with a current If-Range got 200, or with an old or weak one got 206.

use http::Method;

use super::common::named;
use crate::analysis::diagnosis::{Case, Detail, Evidence, Hazard};
use crate::analysis::judgement::{Confidence, Finding};
use crate::analysis::semantics::conditions::RangeValidator;
use crate::analysis::semantics::fields::{FieldName, Fields};

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "if-range-ignored",
    title: "If-Range was not judged: a partial answer does not fit the copy",
    explanation: "If-Range asks for the rest of a download only if it is still the same version, and for the whole \
        otherwise. Here the answer was the other one of the two: a part of another version (the client's file is \
        now corrupt), or the whole although the part would have done.",
    example: r#"client  GET /disk.img | Range: bytes=500- | If-Range: "d1" -> 206 | ETag: "d2""#,
    fix: &[
        "Judge If-Range by strong comparison before a range is served (RFC 9110 §13.1.5); where it is false, send \
            the whole.",
        "Verify downloads that were resumed by a checksum until that is done.",
    ],
    specification: &["RFC 9110 §13.1.5", "RFC 9110 §14.2"],
    details: &[
        Detail {
            id: "current-got-200",
            explanation: "The validator was current and the whole was sent again: time and bandwidth are lost, no \
                data.",
            fix: &[
                "Check whether a compressor on the way removes `Accept-Ranges` or ignores Range; switch it off for \
                    this content.",
            ],
        },
        Detail {
            id: "old-got-206",
            explanation: "The validator was out of date and a part came: the client's file is now joined from two \
                versions.",
            fix: &["Fetch the whole again, and treat files resumed this way as corrupt."],
        },
        Detail {
            id: "weak-got-206",
            explanation: "The validator was weak, which promises nothing about bytes, and a part came.",
            fix: &["Issue strong tags for what is served in ranges."],
        },
    ],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let exchange = case.exchange;
    // RFC 9110 §13.1.5: without Range it has no meaning; §14.2: Range is defined for GET alone.
    if exchange.request.method != Method::GET || !exchange.forwarded.contains(FieldName::Range) {
        return None;
    }
    let validator = *case.conditions.if_range.valid()?;
    match case.status() {
        206 => part_of_another(case, &validator),
        200 => whole_though_current(case, &validator),
        _ => None,
    }
}

/// RFC 9110 §13.1.5: a weak tag, and one that is not the current one, make the condition false.
fn part_of_another(case: &Case<'_>, validator: &RangeValidator<'_>) -> Option<Finding> {
    let (detail, field) = match validator {
        RangeValidator::Tag(tag) if tag.weak => ("weak-got-206", FieldName::ETag),
        RangeValidator::Tag(tag) if tag.strong_eq(&case.named()?) => return None,
        RangeValidator::Tag(_) => ("old-got-206", FieldName::ETag),
        RangeValidator::Date(date) if *date == case.named_date()? => return None,
        RangeValidator::Date(_) => ("old-got-206", FieldName::LastModified),
    };
    let evidence = [Some(case.sent(FieldName::IfRange)), named(case, field)].into_iter().flatten().collect();
    Some(Finding::new(Confidence::Likely, evidence).detail(detail))
}

/// The whole came, though the answer itself shows that the copy is current and ranges are served here.
fn whole_though_current(case: &Case<'_>, validator: &RangeValidator<'_>) -> Option<Finding> {
    let is_current = match validator {
        RangeValidator::Tag(tag) => tag.strong_eq(&case.named()?),
        // RFC 9110 §8.8.2.2: from here it cannot be known whether a date is strong.
        RangeValidator::Date(_) => false,
    };
    let answer = case.answer_fields()?;
    let serves = case.resource.is_some_and(|resource| resource.serves_ranges);
    // A range of a compressed answer is a range of other bytes: gateways that compress send the whole.
    let is_plain = !answer.contains(FieldName::ContentEncoding);
    if !is_current || !serves || !is_plain || !can_be_served(case.exchange.forwarded, answer) {
        return None;
    }
    let serves = Evidence::Fact { kind: "serves-ranges", says: "Ranges of this resource had been served before." };
    let mut evidence = vec![case.sent(FieldName::IfRange), serves];
    evidence.extend(named(case, FieldName::ETag));
    Some(Finding::new(Confidence::Possible, evidence).detail("current-got-200"))
}

/// One simple range that begins within the content. Others may be ignored (RFC 9110 §14.2).
fn can_be_served(request: &Fields, answer: &Fields) -> bool {
    fn text(value: Option<&[u8]>) -> Option<&str> {
        std::str::from_utf8(value?).ok().map(str::trim)
    }
    let Some(range) = text(request.first(FieldName::Range)) else { return false };
    let first = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).map(|(first, _)| first);
    let first = first.filter(|_| !range.contains(',')).and_then(|first| first.trim().parse::<u64>().ok());
    let length = text(answer.first(FieldName::ContentLength)).and_then(|length| length.parse::<u64>().ok());
    match (first, length) {
        (Some(first), Some(length)) => first > 0 && first < length,
        (None, _) | (_, None) => false,
    }
}
