//! One request on a connection of its own, exactly as given, and its answer as it came. It follows no redirect, repeats
//! nothing, and keeps no connection: what is measured is the service, not the client.

mod failure;
mod http1;
mod http2;
mod trust;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

pub use failure::Failure;
pub use trust::Trust;

use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::semantics::message::ResponseHead;
use crate::analysis::time::Time;
use crate::clock::{self, Stopwatch};
use crate::config::UpstreamUrl;

/// A request, and where to send it.
#[derive(Clone)]
pub struct Request {
    /// The server to connect to.
    pub to: UpstreamUrl,
    /// How to speak TLS with it; without it an `https` server cannot be asked.
    pub trust: Option<Arc<Trust>>,
    /// The method, case-sensitive.
    pub method: Method,
    /// The target as it goes onto the wire: path and query.
    pub target: Vec<u8>,
    /// What `Host` (HTTP/2 `:authority`) says; a Host line among the fields goes before it.
    pub authority: Vec<u8>,
    /// The field lines: order, case and bytes as they go out. Lengths and the connection's own fields are left out:
    /// they are made for the connection that is used.
    pub fields: Fields,
    /// The body; an empty one is announced as such, none is not.
    pub body: Option<Bytes>,
}

/// How long an exchange may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Resolving, connecting and the TLS handshake together.
    pub connect: Duration,
    /// From then to the end of the answer's head.
    pub head: Duration,
    /// From then for the part of the body that is wanted.
    pub body: Duration,
}

/// How much of an answer is taken in.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the head.
    pub head_bytes: usize,
    /// Bytes of the body; what comes behind them is not waited for.
    pub body_bytes: usize,
}

/// What came back.
#[derive(Clone)]
pub struct Answer {
    /// The head as it came; in HTTP/2 lines of one name stand together.
    pub head: ResponseHead,
    /// The first bytes of the body.
    pub body: Vec<u8>,
    /// Why there is no more of it.
    pub body_end: BodyEnd,
    /// Where it came from.
    pub peer: SocketAddr,
    /// When the request was begun.
    pub at: Time,
    /// From then to the end of what was read.
    pub took: Duration,
    /// From the request's first byte to the end of the answer's head.
    pub waited: Duration,
}

/// Why no more of a body was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// This was all.
    Whole,
    /// The limit was reached.
    Limit,
    /// The time was up.
    Late,
    /// The connection ended, or the framing broke, before the announced end.
    Cut,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), head: Duration::from_secs(30), body: Duration::from_secs(10) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { head_bytes: 128 * 1024, body_bytes: 64 * 1024 }
    }
}

/// Sends a request on a new connection and reads the answer. Needs a runtime with time and I/O.
///
/// # Errors
/// See [`Failure`]: each says what happened and what to do.
pub async fn send(request: &Request, timeouts: Timeouts, limits: Limits) -> Result<Answer, Failure> {
    exchange(request, Cleartext::Http1, timeouts, limits).await
}

/// The same, but without TLS HTTP/2 is spoken by prior knowledge (RFC 9113 §3.3).
///
/// # Errors
/// See [`send`].
pub async fn send_by_prior_knowledge(request: &Request, timeouts: Timeouts, limits: Limits) -> Result<Answer, Failure> {
    exchange(request, Cleartext::Http2, timeouts, limits).await
}

/// What is spoken where there is no TLS to agree on it.
#[derive(Clone, Copy)]
enum Cleartext {
    Http1,
    Http2,
}

async fn exchange(
    request: &Request,
    cleartext: Cleartext,
    timeouts: Timeouts,
    limits: Limits,
) -> Result<Answer, Failure> {
    let (at, watch) = (clock::now(), Stopwatch::start());
    let (connection, peer) = timeout(timeouts.connect, connect(request, cleartext))
        .await
        .map_err(|_| Failure::slow_to_connect(request, timeouts))??;
    let waiting = Stopwatch::start();
    let late = || Failure::NoAnswerInTime { server: request.to.to_string(), seconds: timeouts.head.as_secs() };
    let (head, waited, (body, body_end)) = match connection {
        Connection::Http1(stream) => {
            let mut exchange = http1::Exchange::over(stream, limits);
            let head = timeout(timeouts.head, exchange.ask(request)).await.map_err(|_| late())??;
            (head, waiting.elapsed(), exchange.body(timeouts.body).await)
        }
        Connection::Http2(stream) => {
            let (head, body) =
                timeout(timeouts.head, http2::ask(stream, request, limits)).await.map_err(|_| late())??;
            (head, waiting.elapsed(), http2::read(body, limits, timeouts.body).await)
        }
    };
    Ok(Answer { head, body, body_end, peer, at, took: watch.elapsed(), waited })
}

enum Connection {
    Http1(Box<dyn Stream>),
    Http2(Box<dyn Stream>),
}

/// A connection, with TLS or without.
trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}
impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for S {}

async fn connect(request: &Request, cleartext: Cleartext) -> Result<(Connection, SocketAddr), Failure> {
    let to = &request.to;
    let found = tokio::net::lookup_host((to.host.as_str(), to.port)).await;
    let addresses: Vec<_> = found.map_err(|error| Failure::Resolve { host: to.host.clone(), error })?.collect();
    let mut last = None;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Small requests gain nothing from waiting for more.
                let _ = stream.set_nodelay(true);
                return Ok((secured(request, cleartext, stream).await?, address));
            }
            Err(error) => last = Some(Failure::Connect { server: to.to_string(), address, error }),
        }
    }
    let nowhere = || Failure::Resolve { host: to.host.clone(), error: std::io::ErrorKind::NotFound.into() };
    Err(last.unwrap_or_else(nowhere))
}

async fn secured(request: &Request, cleartext: Cleartext, stream: TcpStream) -> Result<Connection, Failure> {
    if !request.to.https {
        return Ok(match cleartext {
            Cleartext::Http1 => Connection::Http1(Box::new(stream)),
            Cleartext::Http2 => Connection::Http2(Box::new(stream)),
        });
    }
    let server = request.to.to_string();
    let Some(trust) = &request.trust else {
        return Err(Failure::Unsendable("an https server cannot be asked without certificates to trust".to_owned()));
    };
    let name = trust.name_for(&request.to).map_err(Failure::Unsendable)?;
    let stream =
        TlsConnector::from(trust.config()).connect(name, stream).await.map_err(|error| Failure::tls(server, error))?;
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let stream: Box<dyn Stream> = Box::new(stream);
    Ok(if is_http2 { Connection::Http2(stream) } else { Connection::Http1(stream) })
}

/// What is made for the connection, never taken from the request's fields.
const fn is_of_the_connection(name: FieldName) -> bool {
    matches!(
        name,
        FieldName::ContentLength
            | FieldName::TransferEncoding
            | FieldName::Connection
            | FieldName::KeepAlive
            | FieldName::ProxyConnection
            | FieldName::Upgrade
            | FieldName::Http2Settings
            // A body that waits for leave would make the answer depend on the waiting.
            | FieldName::Expect
    )
}

/// Values can be secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("to", &self.to).field("method", &self.method).finish_non_exhaustive()
    }
}

/// Values can be secrets.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.head.status).field("peer", &self.peer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
