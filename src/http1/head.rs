//! Reading the heads of requests and responses. Strict where two readers could disagree: a head that another server
//! would read differently is refused, never repaired.

use std::mem::MaybeUninit;

use http::Method;

use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::semantics::message::{RequestHead, ResponseHead, Version};

/// How large a head may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadLimits {
    /// Bytes of the whole head.
    pub(crate) bytes: usize,
    /// Field lines, at most [`FIELDS_MAX`].
    pub(crate) fields: usize,
    /// Bytes of the request target.
    pub(crate) target: usize,
}

/// The most field lines that any configuration can allow.
pub(crate) const FIELDS_MAX: usize = 512;

/// Why a head cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadFault {
    /// It is not HTTP, or can be read in two ways.
    Malformed(&'static str),
    /// The request target is longer than allowed.
    TargetTooLong,
    /// The head is longer, or has more lines, than allowed.
    TooLarge,
    /// A transfer coding other than chunked.
    UnknownTransferCoding,
}

impl HeadFault {
    /// The status with which a request is refused that has such a head.
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::TargetTooLong => 414,
            Self::TooLarge => 431,
            Self::UnknownTransferCoding => 501,
        }
    }
}

/// Reads a request head from the front of `bytes`: the head and its length, or `None` if more bytes are needed.
///
/// # Errors
/// See [`HeadFault`].
pub(crate) fn parse_request(bytes: &[u8], limits: HeadLimits) -> Result<Option<(RequestHead, usize)>, HeadFault> {
    let mut headers = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut []);
    let status = request.parse_with_uninit_headers(bytes, &mut headers);
    let length = match status {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return unfinished_request(bytes, limits),
        Err(httparse::Error::TooManyHeaders) => return Err(HeadFault::TooLarge),
        Err(httparse::Error::Token) => return Err(HeadFault::Malformed("the request line cannot be read")),
        Err(httparse::Error::Version) => return Err(HeadFault::Malformed("not HTTP/1.0 or HTTP/1.1")),
        Err(_) => return Err(HeadFault::Malformed("a field line cannot be read")),
    };
    let head = bytes.get(..length).unwrap_or_default();
    only_crlf(head)?;
    let target = request.path.unwrap_or_default().as_bytes();
    if target.len() > limits.target {
        return Err(HeadFault::TargetTooLong);
    }
    if length > limits.bytes || request.headers.len() > limits.fields {
        return Err(HeadFault::TooLarge);
    }
    // RFC 9112 §3.2: no form of a request target has a fragment. Nor has one bytes beyond ASCII; but clients send UTF-8
    // there, and servers take it: nothing can be read two ways by it.
    if target.contains(&b'#') {
        return Err(HeadFault::Malformed("the request target has a fragment"));
    }
    let method = Method::from_bytes(request.method.unwrap_or_default().as_bytes())
        .map_err(|_| HeadFault::Malformed("the method is not a token"))?;
    let version = version(request.version);
    let fields = fields_of(request.headers, length);
    let authority = authority(&method, target, version, &fields)?;
    Ok(Some((RequestHead { method, target: target.to_vec(), authority, version, fields }, length)))
}

/// Reads a response head from the front of `bytes`: the head and its length, or `None` if more bytes are needed.
///
/// # Errors
/// See [`HeadFault`]; the target limit does not apply.
pub(crate) fn parse_response(bytes: &[u8], limits: HeadLimits) -> Result<Option<(ResponseHead, usize)>, HeadFault> {
    let mut headers = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut response = httparse::Response::new(&mut []);
    let status = httparse::ParserConfig::default()
        // RFC 9112 §5.1: white space before the colon is removed from a response.
        .allow_spaces_after_header_name_in_responses(true)
        .parse_response_with_uninit_headers(&mut response, bytes, &mut headers);
    let length = match status {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() >= limits.bytes => return Err(HeadFault::TooLarge),
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(HeadFault::TooLarge),
        Err(_) => return Err(HeadFault::Malformed("the response head cannot be read")),
    };
    if length > limits.bytes || response.headers.len() > limits.fields {
        return Err(HeadFault::TooLarge);
    }
    let head = bytes.get(..length).unwrap_or_default();
    let status = response.code.unwrap_or_default();
    if !(100..=999).contains(&status) {
        return Err(HeadFault::Malformed("the status code has not three digits"));
    }
    let reason = reason_phrase(head).to_vec();
    let fields = fields_of(response.headers, length);
    Ok(Some((ResponseHead { status, reason, version: version(response.version), fields }, length)))
}

/// Reads the trailer section that follows the last chunk, up to and with its empty line.
///
/// # Errors
/// [`HeadFault::Malformed`] or [`HeadFault::TooLarge`].
pub(crate) fn parse_trailers(bytes: &[u8], limits: HeadLimits) -> Result<Option<(Fields, usize)>, HeadFault> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    match httparse::parse_headers(bytes, &mut headers) {
        Ok(httparse::Status::Complete((length, headers))) => {
            only_crlf(bytes.get(..length).unwrap_or_default())?;
            Ok(Some((fields_of(headers, length), length)))
        }
        Ok(httparse::Status::Partial) if bytes.len() >= limits.bytes => Err(HeadFault::TooLarge),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(HeadFault::TooLarge),
        Err(_) => Err(HeadFault::Malformed("a trailer line cannot be read")),
    }
}

fn unfinished_request(bytes: &[u8], limits: HeadLimits) -> Result<Option<(RequestHead, usize)>, HeadFault> {
    let line_ended = memchr::memchr(b'\n', bytes).is_some();
    // The method and the version beside the target are short; what is longer is target.
    if !line_ended && bytes.len() > limits.target + 64 {
        return Err(HeadFault::TargetTooLong);
    }
    if bytes.len() >= limits.bytes {
        return Err(HeadFault::TooLarge);
    }
    Ok(None)
}

const fn version(minor: Option<u8>) -> Version {
    match minor {
        Some(0) => Version::Http10,
        _ => Version::Http11,
    }
}

fn fields_of(headers: &[httparse::Header<'_>], bytes: usize) -> Fields {
    let mut fields = Fields::with_capacity(bytes + 64, headers.len() + 4);
    for header in headers {
        fields.push(header.name.as_bytes(), header.value);
    }
    fields
}

/// RFC 9112 §2.2 lets a recipient take a bare LF for a line end. Two recipients that differ in it see two requests, so
/// it is refused.
fn only_crlf(head: &[u8]) -> Result<(), HeadFault> {
    let bare = memchr::memchr_iter(b'\n', head).any(|at| at == 0 || head.get(at - 1) != Some(&b'\r'));
    if bare { Err(HeadFault::Malformed("a line ends without CR")) } else { Ok(()) }
}

/// The reason phrase with its obs-text, which the parser drops (RFC 9112 §4).
fn reason_phrase(head: &[u8]) -> &[u8] {
    let line = memchr::memchr(b'\n', head).and_then(|end| head.get(..end)).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default()
}

/// The authority a request is for (RFC 9112 §3.2 and §3.3).
fn authority(method: &Method, target: &[u8], version: Version, fields: &Fields) -> Result<Vec<u8>, HeadFault> {
    let mut hosts = fields.all(FieldName::Host);
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(HeadFault::Malformed("more than one Host"));
    }
    if host.is_none() && version != Version::Http10 {
        return Err(HeadFault::Malformed("no Host"));
    }
    if !host.is_none_or(host_is_authority) {
        return Err(HeadFault::Malformed("Host is not an authority"));
    }
    if *method == Method::CONNECT {
        return connected(target, host);
    }
    let well_formed = target.first() == Some(&b'/') || (*method == Method::OPTIONS && target == b"*");
    let Some(in_target) = absolute_authority(target) else {
        return if well_formed {
            Ok(host.unwrap_or_default().to_vec())
        } else {
            Err(HeadFault::Malformed("the request target has none of the four forms"))
        };
    };
    // RFC 9112 §3.2.2 has the target win. Whoever reads Host instead sees another request, so they have to agree.
    match host {
        Some(host) if !host.eq_ignore_ascii_case(in_target) => {
            Err(HeadFault::Malformed("Host and the request target name different authorities"))
        }
        _ if !host_is_authority(in_target) => Err(HeadFault::Malformed("the request target names no authority")),
        _ => Ok(in_target.to_vec()),
    }
}

/// The authority of a CONNECT (RFC 9112 §3.2.3). A Host beside it may leave the port out, and say nothing else.
pub(crate) fn connected(target: &[u8], host: Option<&[u8]>) -> Result<Vec<u8>, HeadFault> {
    let Some((name, Some([_, ..]))) = split_authority(target) else {
        return Err(HeadFault::Malformed("the target of CONNECT is not a host and a port"));
    };
    match host {
        Some(host) if !host.eq_ignore_ascii_case(target) && !host.eq_ignore_ascii_case(name) => {
            Err(HeadFault::Malformed("Host and the request target name different authorities"))
        }
        Some(_) | None => Ok(target.to_vec()),
    }
}

/// Whether a Host is an authority, and only one (RFC 9110 §7.2); it may be empty.
pub(crate) fn host_is_authority(host: &[u8]) -> bool {
    host.is_empty() || split_authority(host).is_some()
}

/// `uri-host [ ":" port ]` (RFC 3986 §3.2.2 and §3.2.3): the host, and the port where a colon announces one. `None` for
/// all else, userinfo included; a comma stands for a list of hosts and never within one.
fn split_authority(authority: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let bracketed = authority.first() == Some(&b'[');
    let host_length = if bracketed {
        memchr::memchr(b']', authority)? + 1
    } else {
        memchr::memchr(b':', authority).unwrap_or(authority.len())
    };
    let (host, rest) = authority.split_at_checked(host_length)?;
    let well_formed = if bracketed {
        let address = host.get(1..host_length - 1)?;
        std::str::from_utf8(address).is_ok_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
    } else {
        !host.is_empty() && is_registered_name(host)
    };
    let port = match rest {
        [] => None,
        [b':', port @ ..] if port.len() <= 5 && port.iter().all(u8::is_ascii_digit) => Some(port),
        _ => return None,
    };
    well_formed.then_some((host, port))
}

fn is_registered_name(name: &[u8]) -> bool {
    let mut rest = name;
    loop {
        rest = match rest {
            [] => return true,
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => rest,
            [byte, rest @ ..] if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(byte) => rest,
            _ => return false,
        };
    }
}

/// The authority of an absolute-form target.
pub(crate) fn absolute_authority(target: &[u8]) -> Option<&[u8]> {
    let scheme_end = target.windows(3).take(8).position(|window| window == b"://")?;
    let scheme = target.get(..scheme_end)?;
    if !(scheme.eq_ignore_ascii_case(b"http") || scheme.eq_ignore_ascii_case(b"https")) {
        return None;
    }
    let rest = target.get(scheme_end + 3..)?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    rest.get(..end).filter(|authority| !authority.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: HeadLimits = HeadLimits { bytes: 4096, fields: 8, target: 64 };

    #[track_caller]
    fn refused(head: &str, fault: HeadFault) {
        assert_eq!(parse_request(head.as_bytes(), LIMITS).map(|_| ()), Err(fault), "{head:?}");
    }

    #[track_caller]
    fn malformed(head: &str) {
        let result = parse_request(head.as_bytes(), LIMITS);
        assert!(matches!(result, Err(HeadFault::Malformed(_))), "{head:?}: {result:?}");
    }

    #[test]
    fn heads_that_can_be_read_in_two_ways_are_refused() {
        malformed("GET / HTTP/1.1\nHost: a\r\n\r\n");
        malformed("GET / HTTP/1.1\r\nHost: a\n\r\n");
        malformed("GET / HTTP/1.1\r\nHost : a\r\n\r\n");
        malformed("GET / HTTP/1.1\r\n\r\n");
        malformed("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n");
        malformed("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n");
        malformed("GET /#x HTTP/1.1\r\nHost: a\r\n\r\n");
        malformed("GET /  HTTP/1.1\r\nHost: a\r\n\r\n");
        malformed("GET / HTTP/2.0\r\nHost: a\r\n\r\n");
        malformed("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n");
        malformed("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n");
        malformed("GET example HTTP/1.1\r\nHost: a\r\n\r\n");
        malformed("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n");
        malformed("GET http://u@a/ HTTP/1.0\r\n\r\n");
        malformed("CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n");
        malformed("CONNECT a:1 HTTP/1.1\r\nHost: b:1\r\n\r\n");
    }

    #[test]
    fn heads_over_a_limit_are_refused_also_before_they_end() {
        let long = "x".repeat(65);
        refused(&format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), HeadFault::TargetTooLong);
        refused(&format!("GET /{long}{long}"), HeadFault::TargetTooLong);
        refused(&format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(4096)), HeadFault::TooLarge);
        refused(&format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: 1\r\n".repeat(8)), HeadFault::TooLarge);
    }

    #[test]
    fn the_bytes_of_a_head_are_kept() {
        let head = b"PURGE /a%2Fb//c?x=%7e&y HTTP/1.1\r\nhOsT: a\r\nX-Own:  caf\xe9 \r\nEmpty:\r\n\r\nrest";
        let (request, length) = parse_request(head, LIMITS).unwrap().unwrap();
        assert_eq!(&head[length..], b"rest");
        assert_eq!(request.target, b"/a%2Fb//c?x=%7e&y");
        let lines: Vec<_> = request.fields.iter().map(|line| (line.name_bytes, line.value)).collect();
        assert_eq!(lines, [(&b"hOsT"[..], &b"a"[..]), (b"X-Own", b"caf\xe9"), (b"Empty", b"")]);
    }

    #[test]
    fn a_reason_phrase_is_kept_with_its_obs_text() {
        let (response, _) = parse_response(b"HTTP/1.1 412 Nicht erf\xfcllt\r\n\r\n", LIMITS).unwrap().unwrap();
        assert_eq!((response.status, response.reason.as_slice()), (412, &b"Nicht erf\xfcllt"[..]));
    }

    #[test]
    fn white_space_before_the_colon_is_removed_from_an_answer() {
        let (response, _) = parse_response(b"HTTP/1.1 200 OK\r\nETag : \"a\"\r\n\r\n", LIMITS).unwrap().unwrap();
        assert_eq!(response.fields.first(FieldName::ETag), Some(&b"\"a\""[..]));
    }

    #[test]
    fn the_authority_comes_from_the_target_before_host() {
        let of = |head: &str| parse_request(head.as_bytes(), LIMITS).unwrap().unwrap().0.authority;
        assert_eq!(of("GET http://Api.Example:81/x HTTP/1.1\r\nHost: api.example:81\r\n\r\n"), b"Api.Example:81");
        assert_eq!(of("GET / HTTP/1.1\r\nHost: b\r\n\r\n"), b"b");
        assert_eq!(of("GET / HTTP/1.0\r\n\r\n"), b"");
        assert_eq!(of("OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n"), b"b");
    }

    #[test]
    fn an_authority_is_a_host_and_perhaps_a_port() {
        for good in ["", "a", "A-b_c.d", "a.", "a:", "a:0", "a:65535", "1.2.3.4:80", "[::1]", "[::1]:80", "a%2Fb", "a!"]
        {
            assert!(host_is_authority(good.as_bytes()), "{good:?}");
        }
        for bad in
            [":80", "a:b", "a:1:2", "a:123456", "::1", "[::1", "[::1]x", "[a]", "a%", "a%2", "a,b", "a\\b", "a\u{e9}"]
        {
            assert!(!host_is_authority(bad.as_bytes()), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_can_break_the_parsers(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..60) {
            // Half of it looks like a head, so that the later checks are reached, too.
            let mut head = b"GET http://a/b HTTP/1.1\r\nHost: a\r\nX: y\r\nZ: \r\n\r\n".to_vec();
            let at = at.min(head.len());
            head.splice(at..at, bytes.iter().copied().take(3));
            for bytes in [&bytes, &head] {
                let _ = parse_request(bytes, LIMITS);
                let _ = parse_response(bytes, LIMITS);
                let _ = parse_trailers(bytes, LIMITS);
            }
        }

        #[test]
        fn a_head_is_read_the_same_however_it_arrives(at in 1_usize..60, lines in proptest::collection::vec("[A-Za-z-]{1,9}: [ -~]{0,9}", 0..6)) {
            let head = format!("PUT /x?y HTTP/1.1\r\nHost: a\r\n{}\r\n", lines.iter().map(|line| format!("{line}\r\n")).collect::<String>());
            let (part, _) = head.as_bytes().split_at(at.min(head.len() - 1));
            let whole = parse_request(head.as_bytes(), LIMITS);
            // A part is never taken for a whole, and is refused only where the whole is.
            match parse_request(part, LIMITS) {
                Ok(None) => {}
                Ok(Some(_)) => prop_assert!(false, "{head:?} is not whole at {at}"),
                Err(_) => prop_assert!(whole.is_err(), "{head:?} is refused at {at}"),
            }
        }
    }
}
