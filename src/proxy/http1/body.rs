//! Reading a body from a connection's buffer, piece by piece, without copying it.

use std::io;
use std::task::{Context, Poll, ready};

use crate::analysis::semantics::fields::Fields;
use crate::http1::chunk::{CHUNK_LINE_MAX, chunk_size};
use crate::http1::framing::BodyLength;
use crate::http1::head::{self, HeadFault, HeadLimits};
use crate::proxy::io::{Filled, Reader};

/// What can be had of a body now.
#[derive(Debug)]
pub(in crate::proxy) enum Piece {
    /// That many bytes stand at the front of the reader's buffer; [`Body::consume`] them.
    Data(usize),
    /// The body has ended, well, with these trailers.
    End(Option<Box<Fields>>),
}

/// Why a body did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(in crate::proxy) enum BodyFault {
    /// The peer stopped before the end it had announced.
    #[error("the peer stopped before the end it had announced")]
    Cut,
    /// The chunked coding cannot be read.
    #[error("{0}")]
    Malformed(&'static str),
    /// The peer has reset the stream.
    #[error("the peer has reset the stream: {0}")]
    Reset(h2::Reason),
    /// Nothing came for too long.
    #[error("nothing came for too long")]
    Late,
    /// The connection's error.
    #[error("{0}")]
    Io(io::Error),
}

/// A body that is being read.
#[derive(Debug)]
pub(in crate::proxy) struct Body {
    state: State,
    limits: HeadLimits,
    /// Bytes of content consumed.
    consumed: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Known(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailers,
    UntilClose,
    Done,
}

/// Where the bytes of a body stand: a connection's buffer, or a slice in the hands of a fuzzer.
pub(in crate::proxy) trait Source {
    /// The bytes that have come and are not consumed.
    fn buffered(&self) -> &[u8];
    /// Forgets the first `count` of them.
    fn consume(&mut self, count: usize);
    /// Much more is to come.
    fn expect_much(&mut self);
}

impl Source for Reader {
    fn buffered(&self) -> &[u8] {
        Self::buffered(self)
    }

    fn consume(&mut self, count: usize) {
        Self::consume(self, count);
    }

    fn expect_much(&mut self) {
        Self::expect_much(self);
    }
}

/// A body longer than this is worth a large buffer, in bytes.
const LONG_BODY: u64 = 64 * 1024;

impl Body {
    /// A body of that length; `limits` hold for its trailers.
    pub(in crate::proxy) const fn new(length: BodyLength, limits: HeadLimits) -> Self {
        let state = match length {
            BodyLength::Empty | BodyLength::Known(0) => State::Done,
            BodyLength::Known(left) => State::Known(left),
            BodyLength::Chunked => State::ChunkSize,
            BodyLength::UntilClose => State::UntilClose,
        };
        Self { state, limits, consumed: 0 }
    }

    /// What follows is of any length: the connection has become a tunnel.
    pub(in crate::proxy) const fn unbound(&mut self) {
        self.state = State::UntilClose;
    }

    /// Whether all of it has been read.
    pub(in crate::proxy) const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// The next piece.
    ///
    /// # Errors
    /// See [`BodyFault`]; the body cannot be read on after one.
    pub(in crate::proxy) fn poll_piece(
        &mut self,
        reader: &mut Reader,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Piece, BodyFault>> {
        loop {
            match self.step(reader) {
                Ok(Some(piece)) => return Poll::Ready(Ok(piece)),
                Ok(None) => {}
                Err(fault) => return Poll::Ready(Err(fault)),
            }
            match ready!(reader.poll_fill(cx, self.limits.bytes.max(CHUNK_LINE_MAX))) {
                Ok(Filled::Some) => {}
                Ok(Filled::End) if matches!(self.state, State::UntilClose) => {
                    self.state = State::Done;
                    return Poll::Ready(Ok(Piece::End(None)));
                }
                Ok(Filled::End) => return Poll::Ready(Err(BodyFault::Cut)),
                Err(error) => return Poll::Ready(Err(BodyFault::Io(error))),
            }
        }
    }

    /// Marks bytes of a [`Piece::Data`] as used.
    pub(in crate::proxy) fn consume(&mut self, reader: &mut impl Source, count: usize) {
        reader.consume(count);
        let used = count as u64;
        self.consumed = self.consumed.saturating_add(used);
        self.state = match self.state {
            State::Known(left) if left == used => State::Done,
            State::Known(left) => State::Known(left.saturating_sub(used)),
            State::Chunk(left) if left == used => State::ChunkEnd,
            State::Chunk(left) => State::Chunk(left.saturating_sub(used)),
            State::ChunkSize | State::ChunkEnd | State::Trailers | State::UntilClose | State::Done => self.state,
        };
    }

    /// A piece from what is buffered, or `None` if more must be read.
    pub(in crate::proxy) fn step(&mut self, reader: &mut impl Source) -> Result<Option<Piece>, BodyFault> {
        loop {
            let buffered = reader.buffered();
            match self.state {
                State::Done => return Ok(Some(Piece::End(None))),
                State::UntilClose | State::Known(_) | State::Chunk(_) if buffered.is_empty() => {
                    let announced = matches!(self.state, State::Known(left) | State::Chunk(left) if left > LONG_BODY);
                    if announced || self.consumed > LONG_BODY {
                        reader.expect_much();
                    }
                    return Ok(None);
                }
                State::UntilClose => return Ok(Some(Piece::Data(buffered.len()))),
                State::Known(left) | State::Chunk(left) => {
                    let count = usize::try_from(left).unwrap_or(usize::MAX).min(buffered.len());
                    return Ok(Some(Piece::Data(count)));
                }
                State::ChunkEnd => match buffered {
                    [b'\r', b'\n', ..] => {
                        reader.consume(2);
                        self.state = State::ChunkSize;
                    }
                    [] | [b'\r'] => return Ok(None),
                    _ => return Err(BodyFault::Malformed("a chunk is longer than its size says")),
                },
                State::ChunkSize => {
                    let Some((size, length)) = chunk_size(buffered).map_err(BodyFault::Malformed)? else {
                        return Ok(None);
                    };
                    reader.consume(length);
                    self.state = if size == 0 { State::Trailers } else { State::Chunk(size) };
                }
                State::Trailers => {
                    let Some((trailers, length)) =
                        head::parse_trailers(buffered, self.limits).map_err(trailer_fault)?
                    else {
                        return Ok(None);
                    };
                    reader.consume(length);
                    self.state = State::Done;
                    return Ok(Some(Piece::End((!trailers.is_empty()).then(|| Box::new(trailers)))));
                }
            }
        }
    }
}

fn trailer_fault(fault: HeadFault) -> BodyFault {
    match fault {
        HeadFault::Malformed(what) => BodyFault::Malformed(what),
        HeadFault::TooLarge | HeadFault::TargetTooLong | HeadFault::UnknownTransferCoding => {
            BodyFault::Malformed("the trailer section is too large")
        }
    }
}
