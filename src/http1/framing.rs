//! How long a message's body is (RFC 9112 §6.3).

use http::Method;

use super::head::HeadFault;
use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::semantics::message::Version;

/// The length of a body, as its head announces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyLength {
    /// There is none.
    Empty,
    /// Content-Length says it, in bytes; may be zero.
    Known(u64),
    /// In chunks, with trailers perhaps.
    Chunked,
    /// Until the connection ends; responses only.
    UntilClose,
}

/// The length of a request's body.
///
/// # Errors
/// [`HeadFault`] where two readers could disagree: Content-Length beside Transfer-Encoding, several Content-Length
/// lines, codings that are not understood (RFC 9112 §6.1, §6.3 rules 3 to 5).
pub(crate) fn of_request(fields: &Fields, version: Version) -> Result<BodyLength, HeadFault> {
    let length = content_length(fields)?;
    if !fields.contains(FieldName::TransferEncoding) {
        return Ok(length.map_or(BodyLength::Empty, BodyLength::Known));
    }
    if length.is_some() {
        return Err(HeadFault::Malformed("both Content-Length and Transfer-Encoding"));
    }
    if version == Version::Http10 {
        return Err(HeadFault::Malformed("Transfer-Encoding in HTTP/1.0"));
    }
    match transfer_coding(fields) {
        TransferCoding::Chunked => Ok(BodyLength::Chunked),
        TransferCoding::OthersThenChunked => Err(HeadFault::UnknownTransferCoding),
        TransferCoding::Unframed => Err(HeadFault::Malformed("Transfer-Encoding does not end with one chunked")),
    }
}

/// The length of the body of a response to `method`.
///
/// # Errors
/// [`HeadFault`] where it cannot be told: the upstream is then at fault.
pub(crate) fn of_response(
    method: &Method,
    status: u16,
    fields: &Fields,
    version: Version,
) -> Result<BodyLength, HeadFault> {
    if *method == Method::HEAD || matches!(status, 100..=199 | 204 | 304) {
        // What it says of a length is for others to believe, so it has to be one.
        return content_length(fields).map(|_| BodyLength::Empty);
    }
    if fields.contains(FieldName::TransferEncoding) {
        // RFC 9112 §6.1: HTTP/1.0 has no transfer codings; the framing is faulty.
        if version == Version::Http10 {
            return Err(HeadFault::Malformed("Transfer-Encoding in HTTP/1.0"));
        }
        // RFC 9112 §6.3 rule 3: Transfer-Encoding overrides Content-Length.
        return match transfer_coding(fields) {
            TransferCoding::Chunked => Ok(BodyLength::Chunked),
            TransferCoding::OthersThenChunked | TransferCoding::Unframed => Err(HeadFault::UnknownTransferCoding),
        };
    }
    Ok(content_length(fields)?.map_or(BodyLength::UntilClose, BodyLength::Known))
}

enum TransferCoding {
    Chunked,
    OthersThenChunked,
    Unframed,
}

/// Empty members are no codings (RFC 9110 §5.6.1), but not every reader skips them: they are not understood here.
fn transfer_coding(fields: &Fields) -> TransferCoding {
    let chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let codings = fields
        .all(FieldName::TransferEncoding)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii);
    // RFC 9112 §6.1: chunked once, and last.
    let last = codings.clone().last().is_some_and(chunked);
    let odd = codings.clone().filter(|coding| coding.is_empty() || chunked(coding)).count() != 1;
    match (last, odd, codings.count()) {
        (true, false, 1) => TransferCoding::Chunked,
        (true, false, _) => TransferCoding::OthersThenChunked,
        (false, _, _) | (true, true, _) => TransferCoding::Unframed,
    }
}

fn content_length(fields: &Fields) -> Result<Option<u64>, HeadFault> {
    let mut values = fields.all(FieldName::ContentLength);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(HeadFault::Malformed("more than one Content-Length"));
    }
    // RFC 9110 §8.6: 1*DIGIT, nothing else; a sign or a list would be read differently elsewhere.
    // Eighteen digits hold every size that can occur, and overflow nobody's integers, signed ones included.
    let digits = value.iter().all(u8::is_ascii_digit) && (1..=18).contains(&value.len());
    let number = std::str::from_utf8(value).ok().filter(|_| digits).and_then(|text| text.parse().ok());
    number.map(Some).ok_or(HeadFault::Malformed("Content-Length is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn request(lines: &[(&str, &str)], expected: Result<BodyLength, ()>) {
        let fields = lines.iter().copied().collect();
        assert_eq!(of_request(&fields, Version::Http11).map_err(|_| ()), expected, "{lines:?}");
    }

    #[test]
    fn ambiguous_requests_are_refused() {
        request(&[], Ok(BodyLength::Empty));
        request(&[("Content-Length", "0")], Ok(BodyLength::Known(0)));
        request(&[("Content-Length", "7")], Ok(BodyLength::Known(7)));
        request(&[("Transfer-Encoding", "Chunked")], Ok(BodyLength::Chunked));
        request(&[("Transfer-Encoding", "chunked"), ("Content-Length", "7")], Err(()));
        request(&[("Content-Length", "7"), ("Content-Length", "7")], Err(()));
        request(&[("Content-Length", "7, 7")], Err(()));
        request(&[("Content-Length", "+7")], Err(()));
        request(&[("Content-Length", "")], Err(()));
        request(&[("Content-Length", "99999999999999999999")], Err(()));
        request(&[("Transfer-Encoding", "chunked, identity")], Err(()));
        request(&[("Transfer-Encoding", "gzip, chunked")], Err(()));
        request(&[("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")], Err(()));
        request(&[("Transfer-Encoding", "xchunked")], Err(()));
        request(&[("Transfer-Encoding", "")], Err(()));
        request(&[("Transfer-Encoding", ",chunked")], Err(()));
        request(&[("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "")], Err(()));
    }

    #[track_caller]
    fn response(method: &Method, status: u16, lines: &[(&str, &str)], expected: Result<BodyLength, ()>) {
        let fields = lines.iter().copied().collect();
        assert_eq!(of_response(method, status, &fields, Version::Http11).map_err(|_| ()), expected, "{lines:?}");
    }

    #[test]
    fn the_length_of_a_response_follows_method_status_and_fields() {
        response(&Method::GET, 200, &[], Ok(BodyLength::UntilClose));
        response(&Method::GET, 200, &[("Content-Length", "3")], Ok(BodyLength::Known(3)));
        response(&Method::HEAD, 200, &[("Content-Length", "3")], Ok(BodyLength::Empty));
        response(&Method::GET, 304, &[("Content-Length", "3")], Ok(BodyLength::Empty));
        response(
            &Method::GET,
            200,
            &[("Content-Length", "3"), ("Transfer-Encoding", "chunked")],
            Ok(BodyLength::Chunked),
        );
        response(&Method::GET, 200, &[("Content-Length", "3"), ("Content-Length", "4")], Err(()));
        response(&Method::GET, 200, &[("Transfer-Encoding", "gzip")], Err(()));
        response(&Method::HEAD, 200, &[("Content-Length", "3"), ("Content-Length", "4")], Err(()));
        response(&Method::GET, 304, &[("Content-Length", "-3")], Err(()));
    }
}
