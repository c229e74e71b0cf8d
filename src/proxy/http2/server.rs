//! A client's HTTP/2 connection: its streams, each an exchange of its own; and the answer on a stream.

use std::cell::Cell;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::{Request, Response, StatusCode};
use tokio::sync::futures::Notified;

use super::receive::Receiving;
use super::request::{self, Head};
use super::send::Sending;
use super::{SEND_BUFFER, STREAM_WINDOW, connection_window, map_of, section_bytes_max};
use crate::analysis::semantics::fields::Fields;
use crate::analysis::time::Time;
use crate::clock;
use crate::proxy::alarm::Alarm;
use crate::proxy::client::{ClientAnswer, ClientBody};
use crate::proxy::http1::framing::{self, BodyLength};
use crate::proxy::io::Whole;
use crate::proxy::observe::Client;
use crate::proxy::serve::{Incoming, Next, serve};
use crate::proxy::snapshot::Snapshot;
use crate::proxy::websocket;
use crate::proxy::worker::Worker;

/// Carries a connection whose client speaks HTTP/2 from its preface on.
pub(in crate::proxy) async fn carry(worker: Rc<Worker>, client: Client, snapshot: &Snapshot, io: Whole) {
    let limits = &snapshot.config.limits;
    let mut builder = h2::server::Builder::new();
    builder
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(connection_window(limits.streams))
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(section_bytes_max(limits.header_bytes))
        .max_send_buffer_size(SEND_BUFFER)
        // RFC 8441 §3.
        .enable_connect_protocol();
    let preface = tokio::time::timeout(snapshot.config.timeouts.header_read, builder.handshake(io)).await;
    let connection = match preface {
        Ok(Ok(connection)) => connection,
        // A client that is gone, or that speaks something else.
        Ok(Err(_)) => return,
        Err(_) => return worker.shared.recorder.metrics().request_refused(408),
    };
    let streams = Rc::new(Streams {
        open: Cell::new(0),
        opened: Cell::new(0),
        premature: Cell::new(0),
        last_closed: Cell::new(clock::now()),
    });
    let mut accepting = pin!(accept(Rc::clone(&worker), Rc::new(client), Rc::clone(&streams), connection));
    let mut drained = pin!(worker.drain.notified());
    let mut leaving = Leaving { idle: snapshot.config.timeouts.idle, since: None, alarm: Alarm::default() };
    std::future::poll_fn(|cx| {
        let leave = leaving.poll(cx, &worker, drained.as_mut(), &streams);
        match leave {
            Leave::No => {}
            Leave::Now => {
                accepting.as_mut().get_mut().connection.graceful_shutdown();
                // From here on, another alarm is set.
                cx.waker().wake_by_ref();
            }
            Leave::AtOnce => return Poll::Ready(()),
        }
        accepting.as_mut().poll(cx)
    })
    .await;
}

/// The streams of a connection.
struct Streams {
    open: Cell<usize>,
    /// All that were opened.
    opened: Cell<usize>,
    /// Those whose client left before it could have wanted their answers.
    premature: Cell<usize>,
    last_closed: Cell<Time>,
}

/// A stream that its client leaves so soon was opened to be left: the work for it costs, the reset costs nothing.
const PREMATURE: Duration = Duration::from_secs(1);
/// How many streams a connection may have opened before it is looked at how many were.
const PREMATURE_FROM: usize = 500;

impl Streams {
    /// Whether most of the streams were opened only to be reset.
    const fn are_abused(&self) -> bool {
        self.opened.get() >= PREMATURE_FROM && self.premature.get() * 2 >= self.opened.get()
    }
}

/// Counts a stream while it lasts.
struct OpenStream(Rc<Streams>);

impl OpenStream {
    fn new(streams: &Rc<Streams>) -> Self {
        streams.open.set(streams.open.get() + 1);
        streams.opened.set(streams.opened.get() + 1);
        Self(Rc::clone(streams))
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get().saturating_sub(1));
        self.0.last_closed.set(clock::now());
    }
}

/// When the connection says goodbye (RFC 9113 §6.8).
struct Leaving {
    idle: Duration,
    since: Option<Time>,
    alarm: Alarm,
}

/// What is to be done about it.
enum Leave {
    No,
    Now,
    AtOnce,
}

/// How long a client that was told goodbye and has no stream may keep the connection open.
const GOODBYE: Duration = Duration::from_secs(5);

impl Leaving {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        worker: &Worker,
        drained: Pin<&mut Notified<'_>>,
        streams: &Streams,
    ) -> Leave {
        let (unused, last) = (streams.open.get() == 0, streams.last_closed.get());
        let Some(since) = self.since else {
            let idle = unused && self.alarm.poll(cx, last.plus(self.idle)).is_ready();
            if worker.is_draining() || drained.poll(cx).is_ready() || idle {
                self.since = Some(clock::now());
                return Leave::Now;
            }
            return Leave::No;
        };
        let over = unused && self.alarm.poll(cx, last.max(since).plus(GOODBYE)).is_ready();
        if over { Leave::AtOnce } else { Leave::No }
    }
}

/// Drives the connection, and starts an exchange for each stream.
struct Accepting {
    worker: Rc<Worker>,
    client: Rc<Client>,
    streams: Rc<Streams>,
    connection: Connection<Whole, Bytes>,
    /// It is being ended; what else comes is not looked at.
    abused: bool,
}

const fn accept(
    worker: Rc<Worker>,
    client: Rc<Client>,
    streams: Rc<Streams>,
    connection: Connection<Whole, Bytes>,
) -> Accepting {
    Accepting { worker, client, streams, connection, abused: false }
}

impl Future for Accepting {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            // Whatever went wrong on the connection, each exchange learns from its own stream.
            let Some(Ok((request, respond))) = std::task::ready!(self.connection.poll_accept(cx)) else {
                return Poll::Ready(());
            };
            if self.abused {
                continue;
            }
            if self.streams.are_abused() {
                self.abused = true;
                tracing::warn!(client = %self.client.address, "a connection ended whose streams are opened to be reset");
                self.worker.shared.recorder.metrics().request_refused(429);
                // RFC 9113 §10.5. The connection ends with this, and every stream of it.
                self.connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                continue;
            }
            let (worker, client) = (Rc::clone(&self.worker), Rc::clone(&self.client));
            tokio::task::spawn_local(exchange(worker, client, request, respond, OpenStream::new(&self.streams)));
        }
    }
}

async fn exchange(
    worker: Rc<Worker>,
    client: Rc<Client>,
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
    stream: OpenStream,
) {
    let opened = clock::now();
    let (parts, body) = request.into_parts();
    let snapshot = worker.snapshot();
    let mut answer =
        Http2Answer { state: State::Head(respond), extended: false, stall: snapshot.config.timeouts.write };
    let read = request::head_of(&parts, snapshot.head_limits)
        .and_then(|head| framing::of_request(&head.head.fields, head.head.version).map(|length| (head, length)));
    let (Head { head, extended }, announced) = match read {
        Ok(read) => read,
        Err(fault) => {
            let status = fault.status();
            tracing::debug!(status, ?fault, "a request head cannot be passed on");
            worker.shared.recorder.metrics().request_refused(status);
            // A client that is gone needs no answer.
            let _ = answer.head(status, &Fields::default(), BodyLength::Empty);
            return;
        }
    };
    answer.extended = extended;
    // What follows a CONNECT is no body of it (RFC 9113 §8.5).
    let tunnel = extended || parts.method == http::Method::CONNECT;
    let length = match announced {
        BodyLength::Empty if !tunnel && !body.is_end_stream() => BodyLength::Chunked,
        BodyLength::Empty | BodyLength::Known(_) | BodyLength::Chunked | BodyLength::UntilClose => announced,
    };
    let received = if tunnel { BodyLength::Chunked } else { length };
    let body = ClientBody::Http2 { body: Receiving::new(body).announced(received), withheld: tunnel };
    let mut alarm = Alarm::default();
    let incoming = Incoming { head, length: Some(length), body, alarm: &mut alarm };
    let next = serve(&worker, &client, incoming, ClientAnswer::Http2(answer)).await;
    if next == Next::Gone && clock::now().since(opened) < PREMATURE {
        stream.0.premature.set(stream.0.premature.get() + 1);
    }
}

/// The answer to one HTTP/2 request.
pub(in crate::proxy) struct Http2Answer {
    state: State,
    /// What is answered came as extended CONNECT: it is told 200 where HTTP/1.1 says 101 (RFC 8441 §5).
    extended: bool,
    /// How long the client may take nothing.
    stall: Duration,
}

enum State {
    Head(SendResponse<Bytes>),
    Body(Sending),
}

impl Http2Answer {
    /// Whether what is answered came as extended CONNECT.
    pub(in crate::proxy) const fn is_extended(&self) -> bool {
        self.extended
    }

    /// Sends an informational head.
    ///
    /// # Errors
    /// The stream is gone.
    pub(in crate::proxy) fn informational(&mut self, status: u16, fields: &Fields) -> io::Result<()> {
        let response = response(status, fields)?;
        match &mut self.state {
            State::Head(respond) => respond.send_informational(response).map_err(gone),
            State::Body(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Sends the head.
    ///
    /// # Errors
    /// The stream is gone.
    pub(in crate::proxy) fn head(&mut self, status: u16, fields: &Fields, length: BodyLength) -> io::Result<()> {
        let switches = self.extended && status == 101;
        let mut response = response(if switches { 200 } else { status }, fields)?;
        if switches && let Ok(name) = http::HeaderName::from_bytes(websocket::ACCEPT) {
            response.headers_mut().remove(name);
        }
        let ended = length == BodyLength::Empty;
        let State::Head(respond) = &mut self.state else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let stream = respond.send_response(response, ended).map_err(gone)?;
        self.state = State::Body(Sending::new(stream, self.stall, ended));
        Ok(())
    }

    /// Sends a piece of the body, when the stream has room for it.
    ///
    /// # Errors
    /// The stream is gone.
    pub(in crate::proxy) async fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.state {
            State::Body(sending) => sending.data(bytes).await,
            State::Head(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Ends the stream well.
    ///
    /// # Errors
    /// The stream is gone.
    pub(in crate::proxy) fn end(&mut self, trailers: Option<&Fields>) -> io::Result<()> {
        match &mut self.state {
            State::Body(sending) => sending.end(trailers),
            State::Head(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Resets the stream.
    pub(in crate::proxy) fn cut(&mut self, reason: Reason) {
        match &mut self.state {
            State::Head(respond) => respond.send_reset(reason),
            State::Body(sending) => sending.reset(reason),
        }
    }

    /// Ready when the stream is gone.
    pub(in crate::proxy) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.state {
            State::Head(respond) => respond.poll_reset(cx).map(|_| ()),
            State::Body(sending) => sending.poll_gone(cx),
        }
    }
}

fn response(status: u16, fields: &Fields) -> io::Result<Response<()>> {
    let mut response = Response::new(());
    // HTTP/2 knows three digits, as HTTP/1.1 does.
    *response.status_mut() = StatusCode::from_u16(status).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    *response.headers_mut() = map_of(fields);
    Ok(response)
}

fn gone(error: h2::Error) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, error)
}
