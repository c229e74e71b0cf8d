//! The receiving direction of an HTTP/2 stream: a body piece by piece, its trailers, and how it ended.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;

use super::fields_of;
use crate::proxy::http1::body::{BodyFault, Piece};
use crate::proxy::http1::framing::BodyLength;

/// A body that is being received.
pub(in crate::proxy) struct Receiving {
    stream: RecvStream,
    /// What was received and not consumed. Only what was consumed may be sent again: the peer waits with us.
    chunk: Bytes,
    /// Bytes that are still announced, where a length was.
    left: Option<u64>,
    state: State,
}

/// The most lines of a trailer section, as in HTTP/1.1.
const TRAILERS_MAX: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Data,
    Trailers,
    Done,
}

impl Receiving {
    /// A body of any length.
    pub(in crate::proxy) const fn new(stream: RecvStream) -> Self {
        Self { stream, chunk: Bytes::new(), left: None, state: State::Data }
    }

    /// A body of that length. What is sent beside or short of it is a fault: the other side may frame by it.
    #[must_use]
    pub(in crate::proxy) const fn announced(mut self, length: BodyLength) -> Self {
        self.announce(length);
        self
    }

    /// See [`Receiving::announced`].
    pub(in crate::proxy) const fn announce(&mut self, length: BodyLength) {
        self.left = match length {
            BodyLength::Empty => Some(0),
            BodyLength::Known(length) => Some(length),
            BodyLength::Chunked | BodyLength::UntilClose => None,
        };
    }

    /// The next piece; see [`crate::proxy::http1::body::Body::poll_piece`].
    ///
    /// # Errors
    /// See [`BodyFault`].
    pub(in crate::proxy) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, BodyFault>> {
        loop {
            if !self.chunk.is_empty() {
                return Poll::Ready(Ok(Piece::Data(self.chunk.len())));
            }
            match self.state {
                State::Done => return Poll::Ready(Ok(Piece::End(None))),
                State::Data => match ready!(self.stream.poll_data(cx)) {
                    Some(Ok(data)) => self.received(data)?,
                    Some(Err(error)) => return Poll::Ready(Err(fault_of(&error))),
                    None if self.left.is_some_and(|left| left > 0) => return Poll::Ready(Err(BodyFault::Cut)),
                    None => self.state = State::Trailers,
                },
                State::Trailers => {
                    let trailers = ready!(self.stream.poll_trailers(cx)).map_err(|error| fault_of(&error))?;
                    self.state = State::Done;
                    let trailers = trailers.filter(|map| !map.is_empty());
                    if trailers.as_ref().is_some_and(|map| map.len() > TRAILERS_MAX) {
                        return Poll::Ready(Err(BodyFault::Malformed("the trailer section is too large")));
                    }
                    return Poll::Ready(Ok(Piece::End(trailers.map(|map| Box::new(fields_of(&map))))));
                }
            }
        }
    }

    /// The first `count` bytes of the current piece.
    pub(in crate::proxy) fn data(&self, count: usize) -> &[u8] {
        self.chunk.get(..count).unwrap_or_default()
    }

    /// Marks bytes as used, and lets the peer send as many more.
    pub(in crate::proxy) fn consume(&mut self, count: usize) {
        let used = self.chunk.split_to(count.min(self.chunk.len()));
        // A stream that is over has no window.
        let _ = self.stream.flow_control().release_capacity(used.len());
    }

    /// Whether all of it has been read.
    pub(in crate::proxy) fn is_done(&self) -> bool {
        self.state == State::Done || (self.chunk.is_empty() && self.stream.is_end_stream())
    }

    fn received(&mut self, data: Bytes) -> Result<(), BodyFault> {
        if let Some(left) = &mut self.left {
            *left = left
                .checked_sub(data.len() as u64)
                .ok_or(BodyFault::Malformed("the body is longer than its Content-Length says"))?;
        }
        self.chunk = data;
        Ok(())
    }
}

/// What a stream's error means for the body it was to bring.
fn fault_of(error: &h2::Error) -> BodyFault {
    match error.reason() {
        Some(reason) if error.is_reset() && error.is_remote() => BodyFault::Reset(reason),
        Some(_) if error.is_library() => BodyFault::Malformed("the peer breaks the rules of HTTP/2"),
        Some(_) | None => BodyFault::Cut,
    }
}
