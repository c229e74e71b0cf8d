//! A connection's two halves and its read buffer. It knows bytes, not HTTP.
//!
//! Everything here stays on one thread: halves share the connection without a lock.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_rustls::TlsStream;

/// The reading half of a connection.
pub(super) enum ReadHalf {
    /// Cleartext.
    Tcp(OwnedReadHalf),
    /// TLS, shared with the writing half.
    Tls(Rc<RefCell<TlsStream<TcpStream>>>),
}

/// The writing half of a connection.
pub(super) enum WriteHalf {
    /// Cleartext.
    Tcp(OwnedWriteHalf),
    /// TLS, shared with the reading half.
    Tls(Rc<RefCell<TlsStream<TcpStream>>>),
}

/// Splits a cleartext connection.
pub(super) fn split_tcp(stream: TcpStream) -> (ReadHalf, WriteHalf) {
    let (read, write) = stream.into_split();
    (ReadHalf::Tcp(read), WriteHalf::Tcp(write))
}

/// Splits a TLS connection.
pub(super) fn split_tls(stream: TlsStream<TcpStream>) -> (ReadHalf, WriteHalf) {
    let shared = Rc::new(RefCell::new(stream));
    (ReadHalf::Tls(Rc::clone(&shared)), WriteHalf::Tls(shared))
}

impl ReadHalf {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(half) => Pin::new(half).poll_read(cx, buffer),
            // The borrow ends with the poll; the other half never polls within it.
            Self::Tls(stream) => Pin::new(&mut *stream.borrow_mut()).poll_read(cx, buffer),
        }
    }

    /// Whether an idle connection is still open and silent, asked of the kernel and not of what the event loop has
    /// heard so far.
    pub(super) fn is_open_and_silent(&self) -> bool {
        let silent = |stream: &TcpStream| {
            let mut byte = [std::mem::MaybeUninit::uninit()];
            matches!(socket2::SockRef::from(stream).peek(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
        };
        match self {
            Self::Tcp(half) => silent(half.as_ref()),
            Self::Tls(stream) => silent(stream.borrow().get_ref().0),
        }
    }
}

impl WriteHalf {
    /// Writes once: how many bytes were taken.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(half) => Pin::new(half).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(&mut *stream.borrow_mut()).poll_write(cx, bytes),
        }
    }

    /// Whether it may have sent a part of what it did not say it took.
    pub(super) const fn holds_back(&self) -> bool {
        match self {
            Self::Tcp(_) => false,
            // A record may be on its way in part.
            Self::Tls(_) => true,
        }
    }

    /// Hands on what the half itself holds back.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        match self {
            // A TCP stream holds nothing back.
            Self::Tcp(_) => Ok(()),
            Self::Tls(stream) => std::future::poll_fn(|cx| Pin::new(&mut *stream.borrow_mut()).poll_flush(cx)).await,
        }
    }

    /// Ends the writing direction cleanly: FIN, after a TLS close_notify.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(half) => std::future::poll_fn(|cx| Pin::new(&mut *half).poll_shutdown(cx)).await,
            Self::Tls(stream) => std::future::poll_fn(|cx| Pin::new(&mut *stream.borrow_mut()).poll_shutdown(cx)).await,
        }
    }

    /// Makes the coming close a reset, so that the peer cannot take a cut message for a whole one.
    pub(super) fn reset_on_close(&mut self) {
        let reset = |stream: &TcpStream| {
            // A connection that is gone already cannot be reset; there is nobody left to mislead.
            let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
        };
        match self {
            Self::Tcp(half) => reset(half.as_ref()),
            Self::Tls(stream) => reset(stream.borrow().get_ref().0),
        }
    }

    /// Lets go of the connection without ending this direction in good order: a half that is merely dropped would send
    /// FIN, before the reset that was asked for.
    pub(super) fn abandon(self) {
        match self {
            Self::Tcp(half) => half.forget(),
            Self::Tls(stream) => drop(stream),
        }
    }
}

/// Both halves as one again, for a library that speaks the protocol itself; `ahead` was read before it took over.
pub(super) struct Whole {
    read: ReadHalf,
    write: WriteHalf,
    ahead: Vec<u8>,
}

impl Whole {
    /// The halves of one connection.
    pub(super) const fn new(read: ReadHalf, ahead: Vec<u8>, write: WriteHalf) -> Self {
        Self { read, write, ahead }
    }

    /// See [`ReadHalf::is_open_and_silent`].
    pub(super) fn is_open_and_silent(&self) -> bool {
        self.read.is_open_and_silent()
    }
}

impl AsyncRead for Whole {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return self.read.poll_read(cx, buffer);
        }
        let count = self.ahead.len().min(buffer.remaining());
        let taken: Vec<u8> = self.ahead.drain(..count).collect();
        buffer.put_slice(&taken);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Whole {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.write {
            WriteHalf::Tcp(half) => Pin::new(half).poll_write_vectored(cx, slices),
            WriteHalf::Tls(stream) => Pin::new(&mut *stream.borrow_mut()).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.write {
            WriteHalf::Tcp(_) => Poll::Ready(Ok(())),
            WriteHalf::Tls(stream) => Pin::new(&mut *stream.borrow_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.write {
            WriteHalf::Tcp(half) => Pin::new(half).poll_shutdown(cx),
            WriteHalf::Tls(stream) => Pin::new(&mut *stream.borrow_mut()).poll_shutdown(cx),
        }
    }
}

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filled {
    /// More bytes.
    Some,
    /// The peer sends no more.
    End,
}

/// Buffers that nobody needs right now, of one thread. A connection holds one only while there are bytes in it, so
/// connections that wait cost none.
#[derive(Default)]
pub(super) struct Buffers {
    /// Borrowed for a push or a pop only.
    spare: RefCell<Vec<Vec<u8>>>,
}

impl Buffers {
    /// How many are kept.
    const SPARE_MOST: usize = 64;
    /// The largest that is kept, in bytes of capacity.
    const KEPT_MOST: usize = 32 * 1024;

    /// A buffer, with the length and content it was given back with.
    pub(super) fn take(&self) -> Vec<u8> {
        self.spare.borrow_mut().pop().unwrap_or_default()
    }

    /// Gives a buffer back.
    pub(super) fn give(&self, buffer: Vec<u8>) {
        let mut spare = self.spare.borrow_mut();
        if spare.len() < Self::SPARE_MOST && (1..=Self::KEPT_MOST).contains(&buffer.capacity()) {
            spare.push(buffer);
        }
    }
}

/// A reading half with the bytes read but not yet consumed.
pub(super) struct Reader {
    half: ReadHalf,
    buffers: Rc<Buffers>,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// The peer's end was seen.
    ended: bool,
}

impl Reader {
    /// The buffer's size for heads and small bodies.
    const SMALL: usize = 8 * 1024;
    /// The buffer's size once a body turns out to be long: fewer system calls per byte.
    const LARGE: usize = 128 * 1024;

    /// A reader that has read nothing.
    pub(super) const fn new(half: ReadHalf, buffers: Rc<Buffers>) -> Self {
        Self { half, buffers, bytes: Vec::new(), start: 0, end: 0, ended: false }
    }

    /// The bytes read and not consumed.
    pub(super) fn buffered(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Forgets the first `count` buffered bytes.
    pub(super) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Reads once, growing the buffer up to `most` bytes if it is full. A full buffer that may not grow reports `Some`
    /// at once: the caller then finds its message too large.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<Filled>> {
        self.make_room(most);
        let Some(room) = self.bytes.get_mut(self.end..) else { return Poll::Ready(Ok(Filled::Some)) };
        if room.is_empty() {
            return Poll::Ready(Ok(Filled::Some));
        }
        let mut buffer = ReadBuf::new(room);
        let read = self.half.poll_read(cx, &mut buffer);
        let count = buffer.filled().len();
        // A large buffer is kept while its body lasts.
        if read.is_pending() && self.bytes.len() < Self::LARGE {
            self.release();
        }
        ready!(read)?;
        self.end += count;
        self.ended |= count == 0;
        Poll::Ready(Ok(if count == 0 { Filled::End } else { Filled::Some }))
    }

    /// Whether the peer has closed its direction.
    pub(super) const fn ended(&self) -> bool {
        self.ended
    }

    /// Makes the buffer large, for a body that is long.
    pub(super) fn expect_much(&mut self) {
        if self.bytes.len() < Self::LARGE {
            self.bytes.resize(Self::LARGE, 0);
        }
    }

    /// Whether nothing has been heard of the peer's end or of unasked bytes so far; no system call unless the event
    /// loop has heard something.
    pub(super) fn looks_open(&mut self) -> bool {
        let mut nobody = Context::from_waker(Waker::noop());
        !self.ended && self.start == self.end && self.poll_fill(&mut nobody, Self::SMALL).is_pending()
    }

    /// The half and what was read ahead of its next reader.
    pub(super) fn into_parts(self) -> (ReadHalf, Vec<u8>) {
        let ahead = self.buffered().to_vec();
        (self.half, ahead)
    }

    /// See [`ReadHalf::is_open_and_silent`]; buffered bytes are not silence.
    pub(super) fn is_open_and_silent(&self) -> bool {
        !self.ended && self.start == self.end && self.half.is_open_and_silent()
    }

    /// Lets go of the buffer while there is nothing in it.
    pub(super) fn release(&mut self) {
        if self.start == self.end {
            self.buffers.give(std::mem::take(&mut self.bytes));
        }
    }

    fn make_room(&mut self, most: usize) {
        if self.bytes.is_empty() {
            self.bytes = self.buffers.take();
            if self.bytes.len() < Self::SMALL {
                self.bytes.resize(Self::SMALL, 0);
            }
        }
        if self.end == self.bytes.len() && self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.bytes.len() && self.bytes.len() < most {
            let longer = (self.bytes.len() * 2).min(most);
            self.bytes.resize(longer, 0);
        }
    }
}
