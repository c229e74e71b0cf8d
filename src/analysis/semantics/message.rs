//! The heads of a request and of a response, as they stood on the wire.

use http::Method;

use super::fields::Fields;

/// The version a message was sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    Http2,
}

impl Version {
    /// The name as records and logs show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}

/// The head of a request.
#[derive(Clone, Debug)]
pub struct RequestHead {
    /// The method, case-sensitive (RFC 9110 §9.1).
    pub method: Method,
    /// The request target as it was sent (RFC 9112 §3.2); for HTTP/2 the `:path`.
    pub target: Vec<u8>,
    /// The authority the request is for: HTTP/2 `:authority`, the authority of an absolute-form target, else `Host`.
    /// Empty where there is none.
    pub authority: Vec<u8>,
    /// The version it came in.
    pub version: Version,
    /// Its field lines, in the order in which they came.
    pub fields: Fields,
}

/// The head of a response.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    /// The status code.
    pub status: u16,
    /// The reason phrase as sent; empty in HTTP/2.
    pub reason: Vec<u8>,
    /// The version it came in.
    pub version: Version,
    /// Its field lines, in the order in which they came.
    pub fields: Fields,
}
