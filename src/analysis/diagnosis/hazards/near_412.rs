//! A failed precondition of a write under another name.

use super::common::named;
use crate::analysis::diagnosis::case::is_other_version;
use crate::analysis::diagnosis::{Case, Detail, Evidence, Hazard};
use crate::analysis::exchange::Answer;
use crate::analysis::judgement::{Confidence, Finding};
use crate::analysis::memory::Shown;
use crate::analysis::semantics::caching::contains;
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "near-412",
    title: "A failed precondition was reported as something else than 412",
    explanation: "By what was seen, the write failed because its condition was false; the answer says so by another \
        status, or hides it in the content of a success. Clients that handle 412 (read again, merge) do not \
        recognise it.",
    example: r#"client  POST /b/k?uploadId=u | If-None-Match: * -> 200 | Content-Type: application/xml
(the body: <Error><Code>PreconditionFailed</Code></Error>)"#,
    fix: &[
        "Answer 412 where a condition of the request failed.",
        "Teach the client to treat this answer like a 412, where the service cannot be changed.",
    ],
    specification: &["RFC 9110 §15.5.13", "RFC 9110 §13.2.1"],
    details: &[
        Detail {
            id: "as-404",
            explanation: "The write was answered with 404 although reads show the resource.",
            fix: &["Answer 412 to a false If-Match on a resource that exists."],
        },
        Detail {
            id: "as-409",
            explanation: "The write was answered with 409, and its body or validator names the precondition.",
            fix: &["Answer 412 for conditions of the request, and 409 for conflicts of the service's own rules."],
        },
        Detail {
            id: "in-200-body",
            explanation: "The answer began as a success and reports the failed condition in its body.",
            fix: &["Check the body of this operation for an error before taking it as done; update the SDK to a \
                    version that does."],
        },
    ],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let answer = case.exchange.answer()?;
    if !case.is_write() || case.condition.is_none() {
        return None;
    }
    match answer.head.status {
        // 207 reports on each member by design (RFC 4918 §13).
        207 => None,
        200..=299 => in_success(case, answer),
        409 => as_conflict(case, answer),
        404 => as_missing(case),
        _ => None,
    }
}

/// An error document in place of a result.
fn in_success(case: &Case<'_>, answer: &Answer<'_>) -> Option<Finding> {
    let body = answer.body_prefix.trim_ascii_start();
    let is_error = match body.first()? {
        b'<' => contains(body, b"<error") && contains(body, b"<code>preconditionfailed</code>"),
        b'{' => is_json_error(body),
        _ => false,
    };
    let says = "The answer began as a success, and its body is an error that names the precondition.";
    is_error.then(|| {
        let evidence = conditions_sent(case);
        Finding::new(Confidence::Likely, evidence).detail("in-200-body").and(Evidence::Fact { kind: "body", says })
    })
}

/// A member whose value names the precondition, and a member that says "error".
fn is_json_error(body: &[u8]) -> bool {
    let bare: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'_').collect();
    let names = |value: &[u8]| contains(&bare, value);
    let code =
        names(b":\"preconditionfailed\"") || names(b":\"conditionnotmet\"") || names(b":\"preconditionfailure\"");
    let number = names(b"\"code\":412") || names(b"\"status\":412") || names(b"\"statuscode\":412");
    code || (number && names(b"error"))
}

/// 409, and its body or its validator names the precondition.
fn as_conflict(case: &Case<'_>, answer: &Answer<'_>) -> Option<Finding> {
    let words: [&[u8]; 5] = [b"precondition", b"if-match", b"if-none-match", b"etag", b"conditionalrequestconflict"];
    let by_body = words.iter().any(|word| contains(answer.body_prefix, word));
    let tags = case.if_match();
    let by_tag =
        case.named().is_some_and(|named| !tags.is_empty() && tags.iter().all(|tag| is_other_version(*tag, named)));
    if !by_body && !by_tag {
        return None;
    }
    let mut evidence = conditions_sent(case);
    evidence.extend(named(case, FieldName::ETag));
    if by_body {
        evidence.push(Evidence::Fact { kind: "body", says: "The body of the 409 names the precondition." });
    }
    Some(Finding::new(Confidence::Likely, evidence).detail("as-409"))
}

/// 404 to a tag that was not current, though this client had just read the resource.
fn as_missing(case: &Case<'_>) -> Option<Finding> {
    let resource = case.resource.filter(|resource| resource.absence.is_none())?;
    let client = case.client();
    let read = case.own_sightings().filter(|seen| seen.by == Shown::Get && seen.store.is_none());
    let newest = read.max_by_key(|seen| seen.last).filter(|seen| seen.given_at(client).is_some())?;
    let current = newest.tag()?;
    let tags = case.if_match();
    let is_false = !tags.is_empty() && tags.iter().all(|tag| is_other_version(*tag, current));
    let is_recent = case.exchange.at.since(newest.last).as_secs() <= JUST_READ
        && resource.last_applied().is_none_or(|write| write.ended <= newest.last);
    if !is_false || !is_recent {
        return None;
    }
    let evidence = vec![case.sent(FieldName::IfMatch), Evidence::given(newest, client, false)];
    Some(Finding::new(Confidence::Possible, evidence).detail("as-404"))
}

/// Seconds for which a read shows that a resource is there.
const JUST_READ: u64 = 60;

fn conditions_sent(case: &Case<'_>) -> Vec<Evidence> {
    let names = [FieldName::IfMatch, FieldName::IfNoneMatch, FieldName::IfUnmodifiedSince];
    let mut evidence: Vec<_> =
        names.into_iter().filter(|name| case.exchange.forwarded.contains(*name)).map(|name| case.sent(name)).collect();
    let vendor = case.vendor_conditions();
    evidence.extend(vendor.into_iter().map(|it| Evidence::Sent { field: it.name, value: it.value }));
    evidence
}
