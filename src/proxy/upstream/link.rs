//! An HTTP/2 connection to an upstream, shared by the exchanges of one thread: how many streams it has room for, whether
//! it is still there, and its end.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use h2::{Ping, PingPong};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use super::failure::UpstreamFailure;
use super::pool::{Counted, DialGuard};
use crate::analysis::time::Time;
use crate::clock;
use crate::config::Timeouts;
use crate::proxy::alarm::Alarm;
use crate::proxy::http1::head::HeadLimits;
use crate::proxy::http2::{SEND_BUFFER, STREAM_WINDOW, connection_window, section_bytes_max};
use crate::proxy::io::Whole;

/// The most streams of one connection, however many the upstream allows: each has its own room in the window.
const STREAMS_MOST: u32 = 100;

/// What the library takes for the upstream's limit of streams until it has said one: a number that nobody says.
const UNSAID: usize = 0x7fff_fff1;

/// An HTTP/2 connection. Dropped, it ends once its streams have.
pub(super) struct Link {
    requests: SendRequest<Bytes>,
    io: Rc<RefCell<Whole>>,
    state: Rc<LinkState>,
}

/// What its users and its driver know of a connection.
pub(super) struct LinkState {
    /// Streams that are open.
    streams: Cell<usize>,
    /// It has carried an exchange before.
    carried: Cell<bool>,
    /// The upstream's SETTINGS have come (RFC 9113 §3.4).
    settled: Cell<bool>,
    settling: Notify,
    /// It takes no more requests.
    ended: Cell<bool>,
    /// Something was heard since this was last looked at.
    heard: Cell<bool>,
    doubt: Cell<Doubt>,
    idle_since: Cell<Time>,
    /// How long it may be idle.
    lasting: Duration,
    driver: RefCell<Option<Waker>>,
    #[expect(dead_code, reason = "it is its drop that counts")]
    counted: Counted,
}

/// Whether a connection is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    /// Nothing speaks against it.
    None,
    /// It kept an exchange waiting.
    Asked,
    /// It was asked, and has not answered.
    Pinged,
}

/// What a connection needs to begin.
pub(super) struct Beginning<'a> {
    /// The bytes.
    pub(super) io: Whole,
    /// Counts it.
    pub(super) counted: Counted,
    /// Whoever waits for it.
    pub(super) dialling: Option<DialGuard>,
    /// How large the heads of answers may be.
    pub(super) limits: HeadLimits,
    /// How long things may take.
    pub(super) timeouts: &'a Timeouts,
}

impl Link {
    /// Begins to speak HTTP/2. Whoever waits for the connection goes on once the upstream has said how many streams it
    /// takes, or that it takes none.
    pub(super) async fn begin(beginning: Beginning<'_>) -> Result<Self, UpstreamFailure> {
        let Beginning { io, counted, dialling, limits, timeouts } = beginning;
        let io = Rc::new(RefCell::new(io));
        let state = Rc::new(LinkState {
            streams: Cell::new(0),
            carried: Cell::new(false),
            settled: Cell::new(false),
            settling: Notify::new(),
            ended: Cell::new(false),
            heard: Cell::new(false),
            doubt: Cell::new(Doubt::None),
            idle_since: Cell::new(clock::now()),
            lasting: timeouts.upstream_idle,
            driver: RefCell::default(),
            counted,
        });
        let listened = Listened { io: Rc::clone(&io), state: Rc::clone(&state) };
        let handshake = h2::client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(connection_window(STREAMS_MOST))
            .max_header_list_size(section_bytes_max(limits.bytes))
            .max_send_buffer_size(SEND_BUFFER)
            .initial_max_send_streams(UNSAID)
            .enable_push(false)
            .handshake(listened);
        let (requests, mut connection) = handshake.await.map_err(|_| UpstreamFailure::Closed { reused: false })?;
        let watch = Watch {
            pings: connection.ping_pong(),
            alarm: Alarm::default(),
            until: clock::now().plus(timeouts.upstream_ping),
            silence: timeouts.upstream_ping,
            patience: timeouts.connect,
        };
        tokio::task::spawn_local(drive(Rc::clone(&state), connection, watch, dialling));
        Ok(Self { requests, io, state })
    }

    /// A place for one more stream, if there is one now.
    pub(super) fn place(&self) -> Option<Place> {
        let state = &self.state;
        // RFC 9113 §3.4: one request may go before the SETTINGS are there; how many others, only they say.
        let most =
            if state.settled.get() { self.requests.current_max_send_streams().min(STREAMS_MOST as usize) } else { 1 };
        if state.ended.get() || state.doubt.get() != Doubt::None || state.streams.get() >= most {
            return None;
        }
        let mut requests = self.requests.clone();
        match requests.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => Some(Place { requests, open: OpenStream::new(state) }),
            Poll::Ready(Err(_)) => {
                // RFC 9113 §6.8: it has said goodbye; what is under way goes on.
                state.ended.set(true);
                None
            }
            Poll::Pending => None,
        }
    }

    /// Whether it is in use, or has just been read to be open. Its driver may not have heard yet what has arrived.
    pub(super) fn is_surely_open(&self) -> bool {
        self.state.streams.get() > 0 || self.io.borrow().is_open_and_silent()
    }

    /// Whether it is of no more use.
    pub(super) fn is_over(&self, now: Time) -> bool {
        let idle = self.state.streams.get() == 0 && now >= self.state.idle_since.get().plus(self.state.lasting);
        self.state.ended.get() || idle
    }
}

/// A place for a stream.
pub(super) struct Place {
    /// Sends the request.
    pub(super) requests: SendRequest<Bytes>,
    /// Keeps the place.
    pub(super) open: OpenStream,
}

/// Counts a stream while it lasts.
pub(super) struct OpenStream {
    state: Rc<LinkState>,
    /// The connection had carried an exchange before.
    pub(super) reused: bool,
}

impl OpenStream {
    fn new(state: &Rc<LinkState>) -> Self {
        state.streams.set(state.streams.get() + 1);
        Self { state: Rc::clone(state), reused: state.carried.replace(true) }
    }

    /// Whether the upstream has shown that it speaks HTTP/2.
    pub(super) fn is_settled(&self) -> bool {
        self.state.settled.get()
    }

    /// Waits until the upstream has said what it offers.
    pub(super) async fn settled(&self) {
        let settling = self.state.settling.notified();
        if !self.state.settled.get() && !self.state.ended.get() {
            settling.await;
        }
    }

    /// The connection has kept an exchange waiting for too long: is it still there?
    pub(super) fn doubt(&self) {
        if self.state.doubt.get() == Doubt::None {
            self.state.doubt.set(Doubt::Asked);
            if let Some(driver) = self.state.driver.borrow_mut().take() {
                driver.wake();
            }
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.state.streams.set(self.state.streams.get().saturating_sub(1));
        self.state.idle_since.set(clock::now());
    }
}

/// Moves the connection's bytes until it ends.
async fn drive(
    state: Rc<LinkState>,
    mut connection: Connection<Listened, Bytes>,
    mut watch: Watch,
    mut dialling: Option<DialGuard>,
) {
    std::future::poll_fn(|cx| {
        if Pin::new(&mut connection).poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if !state.settled.get() && connection.max_concurrent_send_streams() != UNSAID {
            state.settled.set(true);
            state.settling.notify_waiters();
            dialling = None;
        }
        *state.driver.borrow_mut() = Some(cx.waker().clone());
        watch.poll(cx, &state)
    })
    .await;
    state.ended.set(true);
    state.settling.notify_waiters();
}

/// Notices when the other end is no longer there: a connection without a word looks the same as one that is dead.
struct Watch {
    pings: Option<PingPong>,
    alarm: Alarm,
    until: Time,
    /// How long it may be silent.
    silence: Duration,
    /// How long it may take to answer.
    patience: Duration,
}

impl Watch {
    /// Ready when the connection has to be given up.
    fn poll(&mut self, cx: &mut Context<'_>, state: &LinkState) -> Poll<()> {
        let Some(pings) = &mut self.pings else { return Poll::Pending };
        loop {
            match state.doubt.get() {
                Doubt::None => {
                    std::task::ready!(self.alarm.poll(cx, self.until));
                    self.until = clock::now().plus(self.silence);
                    if !state.heard.replace(false) && state.streams.get() > 0 {
                        state.doubt.set(Doubt::Asked);
                    }
                }
                Doubt::Asked => {
                    state.heard.set(false);
                    // Where one is on its way already, that one will do.
                    let _ = pings.send_ping(Ping::opaque());
                    // The connection sends it when it is polled next.
                    cx.waker().wake_by_ref();
                    self.until = clock::now().plus(self.patience);
                    state.doubt.set(Doubt::Pinged);
                }
                Doubt::Pinged => {
                    let _ = pings.poll_pong(cx);
                    if !state.heard.replace(false) {
                        return self.alarm.poll(cx, self.until);
                    }
                    self.until = clock::now().plus(self.silence);
                    state.doubt.set(Doubt::None);
                }
            }
        }
    }
}

/// A connection whose every sign of life is noted.
struct Listened {
    io: Rc<RefCell<Whole>>,
    state: Rc<LinkState>,
}

impl AsyncRead for Listened {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut *self.io.borrow_mut()).poll_read(cx, buffer);
        if read.is_ready() {
            self.state.heard.set(true);
        }
        read
    }
}

impl AsyncWrite for Listened {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.io.borrow_mut()).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.io.borrow_mut()).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.io.borrow_mut()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.io.borrow_mut()).poll_shutdown(cx)
    }
}
