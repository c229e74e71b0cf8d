//! The client's side of an exchange, in whichever version it speaks: a body to read, an answer to write.

use std::future::Future;
use std::io;
use std::task::{Context, Poll, ready};

use h2::Reason;

use super::http1::body::{Body, BodyFault, Piece};
use super::http1::framing::BodyLength;
use super::http1::write::Writer;
use super::http2::receive::Receiving;
use super::http2::server::Http2Answer;
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
        body: Receiving,
        /// It is for the tunnel that is asked for, and no body of the request.
        withheld: bool,
    },
}

impl ClientBody<'_> {
    /// The next piece; see [`Body::poll_piece`].
    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, BodyFault>> {
        match self {
            Self::Http1 { reader, body } => body.poll_piece(reader, cx),
            Self::Http2 { withheld: true, .. } => Poll::Ready(Ok(Piece::End(None))),
            Self::Http2 { body, withheld: false } => body.poll_piece(cx),
        }
    }

    /// The first `count` bytes of the current piece.
    pub(super) fn data(&self, count: usize) -> &[u8] {
        match self {
            Self::Http1 { reader, .. } => reader.buffered().get(..count).unwrap_or_default(),
            Self::Http2 { body, .. } => body.data(count),
        }
    }

    /// Marks bytes as used.
    pub(super) fn consume(&mut self, count: usize) {
        match self {
            Self::Http1 { reader, body } => body.consume(&mut **reader, count),
            Self::Http2 { body, .. } => body.consume(count),
        }
    }

    /// Whether all of it has been read.
    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Http1 { body, .. } => body.is_done(),
            Self::Http2 { body, withheld } => *withheld || body.is_done(),
        }
    }

    /// What follows is no body but the bytes of a tunnel.
    pub(super) fn begin_tunnel(&mut self) {
        match self {
            Self::Http1 { body, .. } => body.unbound(),
            Self::Http2 { withheld, .. } => *withheld = false,
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
    /// Passes an informational response on, where the client's version has any.
    pub(super) async fn informational(&mut self, status: u16, reason: &[u8], fields: &Fields) -> io::Result<Informed> {
        match self {
            // RFC 9110 §15.2: never to an HTTP/1.0 client.
            Self::Http1 { version: Version::Http10, .. } => Ok(Informed::LeftOut),
            Self::Http1 { writer, .. } => {
                writer.stage_response(status, reason, fields, BodyLength::Empty);
                writer.flush().await?;
                Ok(Informed::Passed)
            }
            Self::Http2(answer) => answer.informational(status, fields).map(|()| Informed::Passed),
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
            Self::Http2(answer) => answer.end(trailers),
        }
    }

    /// Makes sure that what was sent so far cannot be taken for the whole (RFC 9112 §8, RFC 9113 §8.1.1). HTTP/2 says
    /// `reason` of it.
    pub(super) async fn cut(&mut self, reason: Reason) {
        match self {
            Self::Http1 { writer, .. } => {
                // What was received in order is delivered; only the end is withheld.
                let _ = writer.flush().await;
                if writer.length() == BodyLength::UntilClose {
                    writer.reset_on_close();
                }
            }
            Self::Http2(answer) => answer.cut(reason),
        }
    }

    /// Ready when the client no longer wants the answer.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Http1 { .. } => Poll::Pending,
            Self::Http2(answer) => answer.poll_gone(cx),
        }
    }

    /// Whether what is answered came as extended CONNECT, which no 2xx may answer but by changing the protocol.
    pub(super) const fn is_extended(&self) -> bool {
        match self {
            Self::Http1 { .. } => false,
            Self::Http2(answer) => answer.is_extended(),
        }
    }

    /// What follows is no body but the bytes of a tunnel.
    pub(super) const fn begin_tunnel(&mut self) {
        match self {
            Self::Http1 { writer, .. } => writer.unbound(),
            // A stream carries its bytes unframed.
            Self::Http2(_) => {}
        }
    }

    /// Ends the writing direction of a tunnel, in which nothing is staged.
    pub(super) async fn finish(&mut self) {
        match self {
            Self::Http1 { writer, .. } => writer.finish().await,
            // A stream that is gone needs no goodbye.
            Self::Http2(answer) => drop(answer.end(None)),
        }
    }
}

/// Polls once and gives what there is, so that a step can act on "nothing yet".
pub(super) fn poll_once<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> impl Future<Output = Poll<T>> {
    std::future::poll_fn(move |cx| Poll::Ready(poll(cx)))
}
