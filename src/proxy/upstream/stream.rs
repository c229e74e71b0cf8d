//! One exchange with an upstream on a stream of HTTP/2: its head out, its answer's head in (RFC 9113 §8).

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::ext::Protocol;
use h2::{Reason, RecvStream};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, Method, Request, Response, Uri, header};

use super::Wanted;
use super::exchange::{Begin, NotBegun};
use super::failure::UpstreamFailure;
use super::link::{OpenStream, Place};
use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::semantics::message::{RequestHead, ResponseHead, Version};
use crate::proxy::alarm::Alarm;
use crate::proxy::http1::framing::BodyLength;
use crate::proxy::http1::head::{HeadFault, HeadLimits, absolute_authority};
use crate::proxy::http2::receive::Receiving;
use crate::proxy::http2::send::Sending;
use crate::proxy::http2::{check_size, fields_of, map_of};
use crate::proxy::prepare::Tunnel;
use crate::proxy::websocket;

/// A stream that is about to carry an exchange. Dropped before both ends, it is reset (CANCEL).
pub(in crate::proxy) struct Stream {
    requests: SendRequest<Bytes>,
    secure: bool,
    stall: Duration,
    /// The upstream takes extended CONNECT; known where it was asked for.
    pub(super) tunnels: bool,
    /// What is told.
    pub(super) sending: Option<Sending>,
    /// What is said.
    pub(super) answer: Answer,
    /// For what it takes too long with.
    pub(super) alarm: Alarm,
}

/// What is said on a stream.
pub(in crate::proxy) struct Answer {
    state: State,
    /// What the answer to an extended CONNECT stands for in HTTP/1.1.
    switches: Option<Switch>,
    limits: HeadLimits,
    /// Counts the stream; says how its connection is.
    pub(super) open: OpenStream,
}

enum State {
    /// Nothing was asked yet.
    Unasked,
    Waiting(ResponseFuture),
    Body(Receiving),
}

struct Switch {
    protocol: Vec<u8>,
    accept: Option<String>,
}

impl Stream {
    /// A stream on a connection that has a place for it.
    pub(super) fn new(place: Place, secure: bool, wanted: Wanted<'_>) -> Self {
        let Place { requests, open } = place;
        let answer = Answer { state: State::Unasked, switches: None, limits: wanted.limits, open };
        Self {
            requests,
            secure,
            stall: wanted.timeouts.write,
            tunnels: false,
            sending: None,
            answer,
            alarm: Alarm::default(),
        }
    }

    /// Whether the upstream takes extended CONNECT (RFC 8441 §3), once it has said so.
    pub(super) async fn offers_tunnels(&self) -> bool {
        self.answer.open.settled().await;
        self.requests.is_extended_connect_protocol_enabled()
    }

    /// Sends the head of a request.
    ///
    /// # Errors
    /// It cannot be sent; then nothing was.
    pub(super) fn begin(&mut self, begin: &Begin<'_>) -> Result<(), NotBegun> {
        let Begin { request, fields, length, tunnel } = *begin;
        let mut head = Request::new(());
        *head.headers_mut() = section(fields);
        *head.method_mut() = request.method.clone();
        if tunnel == Tunnel::Upgrade {
            self.extend(&mut head, fields);
        }
        let host = fields.first(FieldName::Host).unwrap_or_default();
        let authority = Authority::try_from(host).ok();
        if authority.is_none()
            && let Ok(host) = http::HeaderValue::from_bytes(host)
            && !host.is_empty()
        {
            // RFC 9113 §8.3.1: without :authority, Host says it.
            head.headers_mut().insert(header::HOST, host);
        }
        *head.uri_mut() = uri(request, authority, self.secure).ok_or(NotBegun::Target)?;
        let ended = tunnel == Tunnel::None && matches!(length, BodyLength::Empty | BodyLength::Known(0));
        // Nothing of it has left: the connection has taken no more requests.
        let unsent = |error: h2::Error| error.reason().unwrap_or(Reason::REFUSED_STREAM);
        let (response, stream) = self
            .requests
            .send_request(head, ended)
            .map_err(|error| NotBegun::Upstream(UpstreamFailure::Unprocessed(unsent(error))))?;
        self.sending = Some(Sending::new(stream, self.stall, ended));
        self.answer.state = State::Waiting(response);
        Ok(())
    }

    /// RFC 8441 §4 and §5: an Upgrade becomes an extended CONNECT, without the key that HTTP/2 has no need of.
    fn extend(&mut self, head: &mut Request<()>, fields: &Fields) {
        let protocol = fields.first(FieldName::Upgrade).unwrap_or_default().to_vec();
        let accept = protocol.eq_ignore_ascii_case(b"websocket").then(|| websocket::accept(fields)).flatten();
        *head.method_mut() = Method::CONNECT;
        head.extensions_mut().insert(Protocol::from(String::from_utf8_lossy(&protocol).as_ref()));
        if let Ok(key) = HeaderName::from_bytes(websocket::KEY) {
            head.headers_mut().remove(key);
        }
        self.answer.switches = Some(Switch { protocol, accept });
    }
}

impl Answer {
    /// The next head, informational ones included.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, UpstreamFailure>> {
        let State::Waiting(response) = &mut self.state else {
            return Poll::Ready(Err(UpstreamFailure::Closed { reused: self.open.reused }));
        };
        if let Poll::Ready(Some(Ok(informational))) = response.poll_informational(cx) {
            return Poll::Ready(head_of(&informational.into_parts().0, self.limits));
        }
        let response = ready!(Pin::new(response).poll(cx)).map_err(|error| self.failure(&error))?;
        let (parts, body): (_, RecvStream) = Response::into_parts(response);
        self.state = State::Body(Receiving::new(body));
        Poll::Ready(head_of(&parts, self.limits).map(|head| self.switched(head)))
    }

    /// The body, once the final head has come.
    pub(super) const fn body(&mut self) -> Option<&mut Receiving> {
        match &mut self.state {
            State::Body(receiving) => Some(receiving),
            State::Unasked | State::Waiting(_) => None,
        }
    }

    /// A well answered extended CONNECT is what 101 is to HTTP/1.1.
    fn switched(&mut self, mut head: ResponseHead) -> ResponseHead {
        if let Some(Switch { protocol, accept }) = self.switches.take()
            && (200..300).contains(&head.status)
        {
            head.status = 101;
            head.fields.push(b"connection", b"upgrade");
            head.fields.push(b"upgrade", &protocol);
            if let Some(accept) = accept {
                head.fields.push(websocket::ACCEPT, accept.as_bytes());
            }
        }
        head
    }

    fn failure(&self, error: &h2::Error) -> UpstreamFailure {
        match error.reason() {
            // RFC 9113 §8.7: both are proof that nothing was done.
            Some(Reason::REFUSED_STREAM) if error.is_reset() && error.is_remote() => {
                UpstreamFailure::Unprocessed(Reason::REFUSED_STREAM)
            }
            Some(reason) if error.is_go_away() && error.is_remote() => UpstreamFailure::Unprocessed(reason),
            Some(reason) if error.is_reset() && error.is_remote() => UpstreamFailure::Reset(reason),
            // Who has not sent SETTINGS first speaks something else.
            Some(_) if !self.open.is_settled() => UpstreamFailure::NoHttp2,
            Some(_) => UpstreamFailure::Malformed(HeadFault::Malformed("it breaks the rules of HTTP/2")),
            None => UpstreamFailure::Closed { reused: self.open.reused },
        }
    }
}

/// The fields of a request: its authority is a pseudo-field, and TE says nothing but `trailers` (RFC 9113 §8.2.2).
fn section(fields: &Fields) -> HeaderMap {
    let mut map = map_of(fields);
    map.remove(header::HOST);
    if map.get(header::TE).is_some_and(|value| value != "trailers") {
        map.remove(header::TE);
    }
    map
}

/// RFC 9113 §8.3.1 and §8.5. The scheme is that of the connection, as it is for who is asked by this URL.
fn uri(request: &RequestHead, authority: Option<Authority>, secure: bool) -> Option<Uri> {
    let mut parts = http::uri::Parts::default();
    if request.method == Method::CONNECT {
        parts.authority = Some(Authority::try_from(request.target.as_slice()).ok()?);
        return Uri::from_parts(parts).ok();
    }
    parts.path_and_query = Some(PathAndQuery::try_from(path(request)?).ok()?);
    if authority.is_some() {
        parts.scheme = Some(if secure { Scheme::HTTPS } else { Scheme::HTTP });
        parts.authority = authority;
    }
    Uri::from_parts(parts).ok()
}

/// What of the target is `:path`; `None` if it has bytes that `:path` cannot have.
fn path(request: &RequestHead) -> Option<Vec<u8>> {
    let target = request.target.as_slice();
    let Some(authority) = absolute_authority(target).filter(|_| target.first() != Some(&b'/')) else {
        return Some(target.to_vec());
    };
    let start = target.windows(3).position(|window| window == b"://")? + 3 + authority.len();
    match target.get(start..)? {
        // RFC 9113 §8.3.1: the OPTIONS of a server as a whole.
        [] if request.method == Method::OPTIONS => Some(b"*".to_vec()),
        rest @ ([] | [b'?', ..]) => Some([b"/", rest].concat()),
        rest => Some(rest.to_vec()),
    }
}

fn head_of(parts: &http::response::Parts, limits: HeadLimits) -> Result<ResponseHead, UpstreamFailure> {
    check_size(&parts.headers, limits).map_err(UpstreamFailure::Malformed)?;
    let status = parts.status.as_u16();
    // RFC 9113 §8.6: HTTP/2 has no 101.
    if status == 101 {
        return Err(UpstreamFailure::Malformed(HeadFault::Malformed("101 in HTTP/2")));
    }
    Ok(ResponseHead { status, reason: Vec::new(), version: Version::Http2, fields: fields_of(&parts.headers) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, target: &str) -> RequestHead {
        RequestHead {
            method: method.parse().unwrap(),
            target: target.into(),
            authority: b"a".to_vec(),
            version: Version::Http11,
            fields: Fields::default(),
        }
    }

    #[track_caller]
    fn check(method: &str, target: &str, expected: Option<&str>) {
        let uri = uri(&request(method, target), Some(Authority::from_static("a")), true);
        assert_eq!(uri.map(|uri| uri.to_string()).as_deref(), expected, "{method} {target}");
    }

    #[test]
    fn a_target_becomes_the_path_it_stands_for() {
        check("GET", "/a%2Fb/../{\"}|c?q=%zz&|{}", Some("https://a/a%2Fb/../{\"}|c?q=%zz&|{}"));
        check("GET", "http://a/b?c", Some("https://a/b?c"));
        check("GET", "http://a", Some("https://a/"));
        check("GET", "http://a?b", Some("https://a/?b"));
        check("GET", "/x?u=http://b/", Some("https://a/x?u=http://b/"));
        check("CONNECT", "b:443", Some("b:443"));
        check("GET", "/<", None);
        check("GET", "/caf\u{e9}", Some("https://a/caf\u{e9}"));
        let whole = uri(&request("OPTIONS", "http://a"), Some(Authority::from_static("a")), false).unwrap();
        assert_eq!(whole.path_and_query().unwrap(), "*");
    }
}
