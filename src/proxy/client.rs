//! The client's side of an exchange, in whichever version it speaks: a body to read, an answer to write.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Body as _;
use hyper::body::Incoming;

use super::http1::body::{Body, BodyFault, Piece};
use super::http1::framing::BodyLength;
use super::http1::write::Writer;
use super::http2::Http2Answer;
use super::io::Reader;
use crate::analysis::semantics::fields::Fields;
use crate::analysis::semantics::message::Version;

/// A request's body.
pub(super) enum ClientBody<'a> {
    /// From an HTTP/1 connection.
    Http1 {
        /// The connection's bytes.
        reader: &'a mut Reader,
        /// Where in the body we are.
        body: Body,
    },
    /// From an HTTP/2 stream.
    Http2 {
        /// The stream.
        body: Incoming,
        /// What was received and not consumed.
        chunk: Bytes,
        /// Its end was seen.
        done: bool,
    },
}

impl ClientBody<'_> {
    /// The next piece; see [`Body::poll_piece`].
    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, BodyFault>> {
        match self {
            Self::Http1 { reader, body } => body.poll_piece(reader, cx),
            Self::Http2 { body, chunk, done } => poll_frame(body, chunk, done, cx),
        }
    }

    /// The first `count` bytes of the current piece.
    pub(super) fn data(&self, count: usize) -> &[u8] {
        let bytes = match self {
            Self::Http1 { reader, .. } => reader.buffered(),
            Self::Http2 { chunk, .. } => chunk,
        };
        bytes.get(..count).unwrap_or_default()
    }

    /// Marks bytes as used.
    pub(super) fn consume(&mut self, count: usize) {
        match self {
            Self::Http1 { reader, body } => body.consume(reader, count),
            Self::Http2 { chunk, .. } => {
                let _ = chunk.split_to(count.min(chunk.len()));
            }
        }
    }

    /// Whether all of it has been read.
    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Http1 { body, .. } => body.is_done(),
            Self::Http2 { body, chunk, done } => *done || (chunk.is_empty() && body.is_end_stream()),
        }
    }

    /// Ready when the client is gone, as far as its connection shows it. A client that has merely ended its direction
    /// still waits for the answer.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Http1 { reader, .. } => {
                // What comes now is the next request; one buffer of it is enough.
                while !reader.ended() && reader.buffered().len() < PIPELINE_MAX {
                    if ready!(reader.poll_fill(cx, PIPELINE_MAX)).is_err() {
                        return Poll::Ready(());
                    }
                }
                Poll::Pending
            }
            // The answer's side learns it first.
            Self::Http2 { .. } => Poll::Pending,
        }
    }

    /// Whether the client has ended its direction of an HTTP/1 connection: it may be gone, or may only have nothing more
    /// to say.
    pub(super) const fn has_hung_up(&self) -> bool {
        match self {
            Self::Http1 { reader, .. } => reader.ended(),
            Self::Http2 { .. } => false,
        }
    }
}

/// How much of following requests is read ahead while an exchange is under way, in bytes.
const PIPELINE_MAX: usize = 4096;

fn poll_frame(
    body: &mut Incoming,
    chunk: &mut Bytes,
    done: &mut bool,
    cx: &mut Context<'_>,
) -> Poll<Result<Piece, BodyFault>> {
    loop {
        if !chunk.is_empty() {
            return Poll::Ready(Ok(Piece::Data(chunk.len())));
        }
        if *done {
            return Poll::Ready(Ok(Piece::End(None)));
        }
        let frame = match ready!(Pin::new(&mut *body).poll_frame(cx)) {
            None => {
                *done = true;
                continue;
            }
            Some(Err(_)) => return Poll::Ready(Err(BodyFault::Cut)),
            Some(Ok(frame)) => frame,
        };
        match frame.into_data() {
            Ok(data) => *chunk = data,
            Err(frame) => {
                *done = true;
                let trailers = frame.into_trailers().ok().map(|map| Box::new(super::http2::fields_of(&map)));
                return Poll::Ready(Ok(Piece::End(trailers)));
            }
        }
    }
}

/// Where the answer goes.
pub(super) enum ClientAnswer<'a> {
    /// To an HTTP/1 connection.
    Http1 {
        /// The connection's writing half.
        writer: &'a mut Writer,
        /// The client's version: HTTP/1.0 reads no chunks and no 1xx.
        version: Version,
    },
    /// To an HTTP/2 stream.
    Http2(Http2Answer),
}

/// What became of an informational response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Informed {
    /// The client was given it.
    Passed,
    /// It cannot be given to this client.
    LeftOut,
}

impl ClientAnswer<'_> {
    /// Passes an informational response on, where the client's version and our library can carry it.
    pub(super) async fn informational(&mut self, status: u16, reason: &[u8], fields: &Fields) -> io::Result<Informed> {
        match self {
            // RFC 9110 §15.2: never to an HTTP/1.0 client.
            Self::Http1 { version: Version::Http10, .. } => Ok(Informed::LeftOut),
            Self::Http1 { writer, .. } => {
                writer.stage_response(status, reason, fields, BodyLength::Empty);
                writer.flush().await?;
                Ok(Informed::Passed)
            }
            // hyper's HTTP/2 server sends 100 by itself when the body is wanted, and has no way to send another one.
            Self::Http2(_) if status == 100 => Ok(Informed::Passed),
            Self::Http2(_) => Ok(Informed::LeftOut),
        }
    }

    /// How a body of that length is sent to this client.
    pub(super) const fn length_for(&self, incoming: BodyLength) -> BodyLength {
        match (self, incoming) {
            (Self::Http1 { version: Version::Http10, .. }, BodyLength::Chunked | BodyLength::UntilClose) => {
                BodyLength::UntilClose
            }
            (Self::Http1 { .. }, BodyLength::Chunked | BodyLength::UntilClose) => BodyLength::Chunked,
            (Self::Http1 { .. }, BodyLength::Empty | BodyLength::Known(_)) => incoming,
            // HTTP/2 frames every body itself.
            (Self::Http2(_), BodyLength::Empty) => BodyLength::Empty,
            (Self::Http2(_), _) => BodyLength::UntilClose,
        }
    }

    /// The head of the answer. HTTP/1 keeps it until there is something to send with it or nothing to wait for.
    ///
    /// # Errors
    /// The client is gone.
    pub(super) fn head(&mut self, status: u16, reason: &[u8], fields: &Fields, length: BodyLength) -> io::Result<()> {
        match self {
            Self::Http1 { writer, .. } => {
                writer.stage_response(status, reason, fields, length);
                Ok(())
            }
            Self::Http2(answer) => answer.head(status, fields, length),
        }
    }

    /// Passes a piece of the body on.
    pub(super) async fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Http1 { writer, .. } => writer.gather(bytes).await,
            Self::Http2(answer) => answer.data(bytes).await,
        }
    }

    /// Sends what is staged, because nothing more is there yet.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Http1 { writer, .. } => writer.flush().await,
            Self::Http2(_) => Ok(()),
        }
    }

    /// Ends the answer well.
    pub(super) async fn end(&mut self, trailers: Option<&Fields>) -> io::Result<()> {
        match self {
            Self::Http1 { writer, .. } => writer.end(trailers).await,
            Self::Http2(answer) => answer.end(trailers).await,
        }
    }

    /// Makes sure that what was sent so far cannot be taken for the whole (RFC 9112 §8, RFC 9113 §8.1.1).
    pub(super) async fn cut(&mut self) {
        match self {
            Self::Http1 { writer, .. } => {
                // What was received in order is delivered; only the end is withheld.
                let _ = writer.flush().await;
                if writer.length() == BodyLength::UntilClose {
                    writer.reset_on_close();
                }
            }
            Self::Http2(answer) => answer.cut().await,
        }
    }

    /// Ready when the client no longer wants the answer.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Http1 { .. } => Poll::Pending,
            Self::Http2(answer) => answer.poll_gone(cx),
        }
    }

    /// Whether the client speaks HTTP/1.
    pub(super) const fn is_http1(&self) -> bool {
        matches!(self, Self::Http1 { .. })
    }
}

/// Polls once and gives what there is, so that a step can act on "nothing yet".
pub(super) fn poll_once<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> impl Future<Output = Poll<T>> {
    std::future::poll_fn(move |cx| Poll::Ready(poll(cx)))
}
