//! HTTP/2 from clients: hyper speaks the protocol, this file turns its messages into ours and back.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::{mpsc, oneshot};

use super::http1::framing::BodyLength;
use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::semantics::message::{RequestHead, Version};

/// The body of an answer on its way into an HTTP/2 stream.
pub(super) struct AnswerBody {
    frames: Option<mpsc::Receiver<Piece>>,
    length: Option<u64>,
}

enum Piece {
    Data(Bytes),
    Trailers(HeaderMap),
    End,
}

/// Why a stream is reset: the answer's end is missing.
#[derive(Debug, thiserror::Error)]
#[error("the answer was cut")]
pub(super) struct Cut;

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let Some(frames) = &mut self.frames else { return Poll::Ready(None) };
        let piece = std::task::ready!(frames.poll_recv(cx));
        Poll::Ready(match piece {
            Some(Piece::Data(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Piece::Trailers(map)) => {
                self.frames = None;
                Some(Ok(Frame::trailers(map)))
            }
            Some(Piece::End) => {
                self.frames = None;
                None
            }
            // The exchange went away without saying that this was all: never a clean end.
            None => {
                self.frames = None;
                Some(Err(Cut))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The answer to one HTTP/2 request.
pub(super) struct Http2Answer {
    head: Option<oneshot::Sender<Response<AnswerBody>>>,
    frames: Option<mpsc::Sender<Piece>>,
    /// Waits for the stream to let go of the body.
    closed: Option<Pin<Box<dyn Future<Output = ()>>>>,
    /// How long the client may take nothing.
    stall: Duration,
}

impl Http2Answer {
    /// An answer whose head goes through that channel.
    pub(super) const fn new(head: oneshot::Sender<Response<AnswerBody>>, stall: Duration) -> Self {
        Self { head: Some(head), frames: None, closed: None, stall }
    }

    /// Sends the head.
    ///
    /// # Errors
    /// The stream is gone.
    pub(super) fn head(&mut self, status: u16, fields: &Fields, length: BodyLength) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        // One piece at a time: the next is read only when the stream has taken this one.
        let (frames, length) = if length == BodyLength::Empty {
            (None, Some(0))
        } else {
            let (sender, receiver) = mpsc::channel(1);
            self.frames = Some(sender);
            (Some(receiver), None)
        };
        let mut response = Response::new(AnswerBody { frames, length });
        *response.status_mut() = StatusCode::from_u16(status).map_err(|_| gone())?;
        *response.headers_mut() = map_of(fields);
        self.head.take().ok_or_else(gone)?.send(response).map_err(|_| gone())
    }

    /// Sends a piece of the body, when the stream has room for it.
    ///
    /// # Errors
    /// The stream is gone.
    pub(super) async fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.send(Piece::Data(Bytes::copy_from_slice(bytes))).await
    }

    /// Ends the stream well.
    ///
    /// # Errors
    /// The stream is gone.
    pub(super) async fn end(&mut self, trailers: Option<&Fields>) -> io::Result<()> {
        if self.frames.is_none() {
            return Ok(());
        }
        let last = trailers.map_or(Piece::End, |trailers| Piece::Trailers(map_of(trailers)));
        self.send(last).await?;
        self.let_go();
        Ok(())
    }

    /// Resets the stream.
    pub(super) async fn cut(&mut self) {
        // A head that nobody sent, or a body without its end: hyper resets the stream for either.
        self.head = None;
        self.let_go();
    }

    fn let_go(&mut self) {
        self.frames = None;
        self.closed = None;
    }

    /// Ready when the stream is gone.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(head) = &mut self.head {
            return head.poll_closed(cx);
        }
        let Some(frames) = &self.frames else { return Poll::Pending };
        let closed = self.closed.get_or_insert_with(|| {
            let frames = frames.clone();
            Box::pin(async move { frames.closed().await })
        });
        closed.as_mut().poll(cx)
    }

    async fn send(&self, piece: Piece) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let sending = self.frames.as_ref().ok_or_else(gone)?.send(piece);
        let sent = tokio::time::timeout(self.stall, sending).await;
        sent.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?.map_err(|_| gone())
    }
}

/// The head of a request that came as HTTP/2, as HTTP/1.1 writes it (RFC 9113 §8.3.1): `Host` from `:authority`, the
/// crumbs of `Cookie` joined (§8.2.3).
pub(super) fn head_of(parts: &http::request::Parts) -> RequestHead {
    let target = parts.uri.path_and_query().map_or("*", http::uri::PathAndQuery::as_str);
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes().to_vec());
    let target = if parts.method == http::Method::CONNECT {
        authority.clone().unwrap_or_default()
    } else {
        target.as_bytes().to_vec()
    };
    let host = parts.headers.get(http::header::HOST).map(|host| host.as_bytes().to_vec());
    let authority = authority.or(host).unwrap_or_default();
    let mut fields = Fields::with_capacity(512, parts.headers.len() + 2);
    fields.push(b"host", &authority);
    let mut cookie = Vec::new();
    for (name, value) in &parts.headers {
        if *name == http::header::COOKIE {
            if !cookie.is_empty() {
                cookie.extend_from_slice(b"; ");
            }
            cookie.extend_from_slice(value.as_bytes());
        } else if *name != http::header::HOST {
            fields.push(name.as_str().as_bytes(), value.as_bytes());
        }
    }
    if !cookie.is_empty() {
        fields.push(b"cookie", &cookie);
    }
    RequestHead { method: parts.method.clone(), target, authority, version: Version::Http2, fields }
}

/// How long the body of a request is that came as HTTP/2, where every body is framed by its stream.
pub(super) fn length_of(parts: &http::request::Parts, body: &Incoming) -> BodyLength {
    let announced = parts.headers.get(http::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    match announced {
        Some(length) => BodyLength::Known(length),
        None if body.is_end_stream() => BodyLength::Empty,
        None => BodyLength::Chunked,
    }
}

/// The fields of a trailer section.
pub(super) fn fields_of(map: &HeaderMap) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in map {
        fields.push(name.as_str().as_bytes(), value.as_bytes());
    }
    fields
}

/// The fields as HTTP/2 carries them: lower case, nothing that belongs to a connection (RFC 9113 §8.2.2).
fn map_of(fields: &Fields) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(fields.len());
    for line in fields.iter() {
        if matches!(line.name, FieldName::Connection | FieldName::TransferEncoding | FieldName::Upgrade) {
            continue;
        }
        let name = HeaderName::from_bytes(line.name_bytes);
        // What HTTP/1.1 let in, HTTP/2 can carry: both have the same tokens and forbid the same controls.
        if let (Ok(name), Ok(mut value)) = (name, HeaderValue::from_bytes(line.value)) {
            // RFC 7541 §7.1.3: no table of a connection that others share keeps a signature.
            value.set_sensitive(line.name == FieldName::Why412Report);
            map.append(name, value);
        }
    }
    map
}

/// Runs hyper's tasks on the thread that accepted the connection.
#[derive(Clone, Copy)]
pub(super) struct LocalExecutor;

impl<F> hyper::rt::Executor<F> for LocalExecutor
where
    F: Future<Output = ()> + 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
