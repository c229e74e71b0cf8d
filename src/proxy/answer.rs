//! Answers of our own: what a client is told when there is no upstream's answer to pass on.

use http::{Method, StatusCode};

use super::prepare;
use super::upstream::failure::UpstreamFailure;
use crate::analysis::semantics::fields::{FieldName, FieldSet, Fields};
use crate::analysis::semantics::message::RequestHead;

/// Why a request is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No route fits.
    NoRoute,
    /// The body did not come within its time.
    BodyTimeout,
    /// The body is larger than allowed.
    BodyTooLarge,
    /// The body's chunks cannot be read.
    BodyMalformed,
    /// An expectation other than 100-continue.
    Expectation,
    /// CONNECT where the route does not allow it.
    Connect,
    /// A transfer coding other than chunked.
    TransferCoding,
    /// A target that the upstream's version of HTTP cannot carry.
    Target,
    /// As many exchanges are in flight as may be.
    Busy,
}

impl Refusal {
    /// The status.
    pub(super) const fn status(self) -> u16 {
        match self {
            Self::NoRoute => 404,
            Self::BodyTimeout => 408,
            Self::BodyTooLarge => 413,
            Self::BodyMalformed | Self::Target => 400,
            Self::Expectation => 417,
            Self::Connect | Self::TransferCoding => 501,
            Self::Busy => 503,
        }
    }

    /// The error type of RFC 9209 §2.3.
    const fn error_type(self) -> &'static str {
        match self {
            Self::NoRoute => "destination_not_found",
            Self::BodyTimeout
            | Self::BodyTooLarge
            | Self::BodyMalformed
            | Self::Expectation
            | Self::TransferCoding
            | Self::Target => "http_request_error",
            Self::Connect => "http_request_denied",
            Self::Busy => "connection_limit_reached",
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::NoRoute => "No route of why412 fits this request.",
            Self::BodyTimeout => "The request's body did not come within the time that why412 allows.",
            Self::BodyTooLarge => "The request's body is larger than why412 allows.",
            Self::BodyMalformed => "The request's body cannot be read.",
            Self::Expectation => "why412 knows no expectation but 100-continue.",
            Self::Connect => "CONNECT is not passed on by this route of why412.",
            Self::TransferCoding => "why412 knows no transfer coding but chunked.",
            Self::Target => "The request's target has bytes that no HTTP/2 request can have.",
            Self::Busy => "why412 carries as many requests as it is allowed to.",
        }
    }
}

/// An answer of our own.
#[derive(Debug)]
pub(super) struct OwnAnswer {
    /// Its status.
    pub(super) status: u16,
    /// Its fields, Content-Length included.
    pub(super) fields: Fields,
    /// Its body.
    pub(super) body: Vec<u8>,
}

impl From<Refusal> for OwnAnswer {
    fn from(refusal: Refusal) -> Self {
        let mut own = problem(refusal.status(), refusal.error_type(), refusal.detail());
        if refusal == Refusal::Busy {
            // RFC 9110 §10.2.3: exchanges take less than that, as a rule.
            own.fields.push(b"Retry-After", b"1");
        }
        own
    }
}

impl From<&UpstreamFailure> for OwnAnswer {
    fn from(failure: &UpstreamFailure) -> Self {
        // What exactly happened is for the log: a client need not learn the addresses behind us.
        let detail = match failure {
            UpstreamFailure::Resolve(_) => "The upstream's name cannot be resolved.",
            UpstreamFailure::Connect(_) => "The upstream cannot be reached.",
            UpstreamFailure::ConnectTimeout => "Connecting to the upstream took too long.",
            UpstreamFailure::Tls(_) => "The TLS handshake with the upstream failed.",
            UpstreamFailure::Loop => "The upstream is this instance of why412 itself.",
            UpstreamFailure::Closed { .. } | UpstreamFailure::Unsent => {
                "The upstream closed the connection without an answer."
            }
            UpstreamFailure::HeadCut => "The upstream closed the connection within the head of its answer.",
            UpstreamFailure::HeadTimeout => "The upstream took too long to answer.",
            UpstreamFailure::WriteTimeout => "The upstream took too long to read the request.",
            UpstreamFailure::Malformed(_) => "The upstream's answer cannot be read.",
            UpstreamFailure::Switched => "The upstream changed the protocol without being asked to.",
            UpstreamFailure::NotSwitched => "The upstream did not change the protocol.",
            UpstreamFailure::NoHttp2 => "The upstream does not speak HTTP/2.",
            UpstreamFailure::Unprocessed(_) => "The upstream did not take the request.",
            UpstreamFailure::Reset(_) => "The upstream reset the request's stream without an answer.",
        };
        problem(failure.status(), failure.error_type(), detail)
    }
}

/// The answer to a request that goes no further because its Max-Forwards has run out (RFC 9110 §7.6.2): we are its final
/// recipient.
pub(super) fn final_recipient(request: &RequestHead) -> Option<OwnAnswer> {
    if !matches!(request.method, Method::TRACE | Method::OPTIONS) || prepare::max_forwards(&request.fields) != Some(0) {
        return None;
    }
    let mut fields = Fields::with_capacity(64, 3);
    let mut body = Vec::new();
    if request.method == Method::TRACE {
        fields.push(b"Content-Type", b"message/http");
        body = reflected(request);
    }
    fields.push(b"Content-Length", body.len().to_string().as_bytes());
    Some(OwnAnswer { status: 200, fields, body })
}

/// RFC 9110 §9.3.8: the request as it came, without what is nobody's business.
fn reflected(request: &RequestHead) -> Vec<u8> {
    const SECRET: FieldSet = FieldSet::of(&[
        FieldName::Authorization,
        FieldName::ProxyAuthorization,
        FieldName::Cookie,
        FieldName::Why412Pair,
        FieldName::Why412Report,
        FieldName::Why412Bypass,
    ]);
    let version = request.version.as_str();
    let mut body = [request.method.as_str().as_bytes(), b" ", &request.target, b" ", version.as_bytes()].concat();
    for line in request.fields.iter().filter(|line| !SECRET.contains(line.name)) {
        body.extend([b"\r\n", line.name_bytes, b": ", line.value].concat());
    }
    body.extend_from_slice(b"\r\n\r\n");
    body
}

/// The reason phrase of a status of ours.
pub(super) fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

/// A problem document (RFC 9457) that says in Proxy-Status that it is ours (RFC 9209). All its texts are our own, so
/// nothing in it needs to be escaped.
fn problem(status: u16, error_type: &str, detail: &str) -> OwnAnswer {
    let title = reason(status);
    let body = format!(r#"{{"type":"about:blank","title":"{title}","status":{status},"detail":"{detail}"}}"#);
    let mut fields = Fields::with_capacity(192, 5);
    fields.push(b"Content-Type", b"application/problem+json");
    fields.push(b"Content-Length", body.len().to_string().as_bytes());
    fields.push(b"Proxy-Status", format!("why412; error={error_type}").as_bytes());
    OwnAnswer { status, fields, body: body.into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::semantics::fields::FieldName;

    #[test]
    fn a_problem_document_says_whose_it_is() {
        let answer = OwnAnswer::from(Refusal::NoRoute);
        assert_eq!(answer.fields.first(FieldName::ProxyStatus), Some(&b"why412; error=destination_not_found"[..]));
        let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((document["status"].as_u64(), document["title"].as_str()), (Some(404), Some("Not Found")));
    }
}
