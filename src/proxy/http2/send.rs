//! The sending direction of an HTTP/2 stream: a body as fast as the peer's window lets it, its end, or a reset.

use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, SendStream};

use super::map_of;
use crate::analysis::semantics::fields::Fields;
use crate::proxy::alarm::Alarm;

/// A body that is being sent. Dropped before its end, the stream is reset (CANCEL).
pub(in crate::proxy) struct Sending {
    stream: SendStream<Bytes>,
    alarm: Alarm,
    /// How long the peer may take nothing.
    stall: Duration,
    ended: bool,
}

impl Sending {
    /// The rest of a stream whose head has been sent; `ended` if the head was all of it.
    pub(in crate::proxy) fn new(stream: SendStream<Bytes>, stall: Duration, ended: bool) -> Self {
        Self { stream, alarm: Alarm::default(), stall, ended }
    }

    /// Sends a piece, when the stream has room for it.
    ///
    /// # Errors
    /// The stream is gone; `TimedOut` if the peer takes nothing for too long.
    pub(in crate::proxy) async fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Self { stream, alarm, stall, .. } = self;
        let mut rest = bytes;
        while !rest.is_empty() {
            stream.reserve_capacity(rest.len());
            let room = alarm.within(*stall, |cx| poll_room(stream, cx)).await;
            let room = room.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))?;
            let (now, later) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            stream.send_data(Bytes::copy_from_slice(now), false).map_err(gone)?;
            rest = later;
        }
        Ok(())
    }

    /// Ends the body well.
    ///
    /// # Errors
    /// The stream is gone.
    pub(in crate::proxy) fn end(&mut self, trailers: Option<&Fields>) -> io::Result<()> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        let ended = match trailers {
            Some(trailers) => self.stream.send_trailers(map_of(trailers)),
            None => self.stream.send_data(Bytes::new(), true),
        };
        ended.map_err(gone)
    }

    /// Resets the stream, so that what was sent so far cannot be taken for the whole.
    pub(in crate::proxy) fn reset(&mut self, reason: Reason) {
        self.stream.send_reset(reason);
    }

    /// Ready when the peer has reset the stream, or its connection is gone.
    pub(in crate::proxy) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_reset(cx).map(|_| ())
    }
}

/// How much may be sent now; never nothing.
fn poll_room(stream: &mut SendStream<Bytes>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    loop {
        let room = stream.capacity();
        if room > 0 {
            return Poll::Ready(Ok(room));
        }
        match ready!(stream.poll_capacity(cx)) {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Poll::Ready(Err(gone(error))),
            None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

fn gone(error: h2::Error) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, error)
}
