//! A client's connection: TLS where configured, the version it speaks, and its requests one after the other.

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::futures::Notified;
use tokio_rustls::TlsAcceptor;

use super::alarm::Alarm;
use super::answer;
use super::client::{ClientAnswer, ClientBody};
use super::http1::body::Body;
use super::http1::framing::{self, BodyLength};
use super::http1::head::{self, HeadFault};
use super::http1::write::Writer;
use super::http2;
use super::io::{Filled, ReadHalf, Reader, Whole, WriteHalf, split_tcp, split_tls};
use super::observe::Client;
use super::serve::{Incoming, Next, serve};
use super::snapshot::Snapshot;
use super::worker::Worker;
use super::{Shared, forwarded, proxy_protocol};
use crate::analysis::exchange::Scheme;
use crate::analysis::semantics::fields::Fields;
use crate::analysis::semantics::message::RequestHead;
use crate::analysis::time::Time;
use crate::clock;
use crate::recorder::metrics::ConnectionRefused;

/// Carries a connection from its first byte to its last.
pub(super) async fn carry(worker: Rc<Worker>, mut stream: TcpStream, mut address: SocketAddr) {
    // A connection that is gone already shows when it is read.
    let _ = stream.set_nodelay(true);
    let snapshot = worker.snapshot();
    // What most connections do not need is on the heap, so that one that waits is small.
    if forwarded::contains(&snapshot.config.listen.proxy_protocol, address.ip()) {
        match Box::pin(spoken_for(&worker, &snapshot, &mut stream)).await {
            Ok(client) => address = client.unwrap_or(address),
            Err(()) => return,
        }
    }
    let most = snapshot.config.limits.connections_per_address;
    let place = most.map(|most| worker.addresses.enter(address.ip(), most));
    if matches!(place, Some(None)) {
        worker.shared.recorder.metrics().connection_refused(ConnectionRefused::AddressLimit);
        return turn_away(&stream, &worker.shared);
    }
    if let Some(acceptor) = snapshot.acceptor.clone() {
        return Box::pin(secured(worker, &snapshot, acceptor, stream, address)).await;
    }
    let client = Client { address, scheme: Scheme::Http, certificate_key: None };
    let (read, write) = split_tcp(stream);
    http1(worker, client, &snapshot, read, write).await;
}

/// The address that the balancer at the other end speaks for.
///
/// # Errors
/// The connection does not begin as it has to; it was counted, and must be closed.
async fn spoken_for(worker: &Worker, snapshot: &Snapshot, stream: &mut TcpStream) -> Result<Option<SocketAddr>, ()> {
    let reading = tokio::time::timeout(snapshot.config.timeouts.header_read, proxy_protocol::read(stream));
    let fault = match reading.await {
        Ok(Ok(client)) => return Ok(client),
        Ok(Err(fault)) => fault.to_string(),
        Err(_) => "the PROXY header did not come in time".to_owned(),
    };
    tracing::debug!(fault, "a connection is closed");
    worker.shared.recorder.metrics().connection_refused(ConnectionRefused::ProxyProtocol);
    Err(())
}

/// Closes a connection for which there is no room. Where it is not encrypted it is told so, as far as that takes no
/// waiting.
pub(super) fn turn_away(stream: &TcpStream, shared: &Shared) {
    const TURNED_AWAY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\
        Proxy-Status: why412; error=connection_limit_reached\r\nConnection: close\r\n\r\n";
    shared.recorder.metrics().request_refused(503);
    if shared.snapshot.load().acceptor.is_some() {
        return;
    }
    let socket = socket2::SockRef::from(stream);
    // Closing with something unread would be a reset, which can take the answer from the client.
    let mut request = [std::mem::MaybeUninit::uninit(); 4096];
    let _ = socket.recv(&mut request);
    let _ = socket.send(TURNED_AWAY);
}

async fn secured(
    worker: Rc<Worker>,
    snapshot: &Snapshot,
    acceptor: TlsAcceptor,
    stream: TcpStream,
    address: SocketAddr,
) {
    let handshake = tokio::time::timeout(snapshot.config.timeouts.header_read, acceptor.accept(stream)).await;
    let Ok(Ok(stream)) = handshake else {
        let metrics = worker.shared.recorder.metrics();
        metrics.connection_refused(ConnectionRefused::Tls);
        metrics.request_refused(400);
        return;
    };
    let certificate_key = certificate_key(stream.get_ref().1);
    let client = Client { address, scheme: Scheme::Https, certificate_key };
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let (read, write) = split_tls(stream.into());
    if http2 {
        http2::server::carry(worker, client, snapshot, Whole::new(read, Vec::new(), write)).await;
    } else {
        http1(worker, client, snapshot, read, write).await;
    }
}

/// The public key of the client's certificate, if it showed one.
fn certificate_key(connection: &rustls::ServerConnection) -> Option<Vec<u8>> {
    let certificate = connection.peer_certificates()?.first()?;
    let parsed = rustls::server::ParsedCertificate::try_from(certificate).ok()?;
    Some(parsed.subject_public_key_info().to_vec())
}

/// What waiting for a request brought.
enum Read {
    /// A request.
    Head(RequestHead),
    /// The preface of HTTP/2 (RFC 9113 §3.3).
    Http2,
    /// Nothing more is to come, or not in time.
    End,
    /// A head that cannot be read.
    Fault(HeadFault),
}

async fn http1(worker: Rc<Worker>, client: Client, snapshot: &Snapshot, read: ReadHalf, write: WriteHalf) {
    let mut reader = Reader::new(read, Rc::clone(&worker.read_buffers));
    let mut writer = Writer::new(write, snapshot.config.timeouts.write, Rc::clone(&worker.write_buffers));
    let mut alarm = Alarm::default();
    let mut drained = pin!(worker.drain.notified());
    loop {
        let snapshot = worker.snapshot();
        let head = match read_head(&worker, &snapshot, &mut reader, &mut alarm, drained.as_mut()).await {
            Read::Head(head) => head,
            Read::Http2 => {
                let (read, ahead) = reader.into_parts();
                let whole = Whole::new(read, ahead, writer.into_half());
                return Box::pin(http2::server::carry(Rc::clone(&worker), client, &snapshot, whole)).await;
            }
            Read::End => return,
            Read::Fault(fault) => return refuse(&worker, &mut reader, &mut writer, fault).await,
        };
        let length = match framing::of_request(&head.fields, head.version) {
            Ok(length) => Some(length),
            Err(HeadFault::UnknownTransferCoding) => None,
            Err(fault) => return refuse(&worker, &mut reader, &mut writer, fault).await,
        };
        // A body whose end nobody can tell is never at its end: the connection cannot go on behind it.
        let body = Body::new(length.unwrap_or(BodyLength::UntilClose), snapshot.head_limits);
        let version = head.version;
        let incoming =
            Incoming { head, length, body: ClientBody::Http1 { reader: &mut reader, body }, alarm: &mut alarm };
        let answer = ClientAnswer::Http1 { writer: &mut writer, version };
        match Box::pin(serve(&worker, &client, incoming, answer)).await {
            Next::Continue => {}
            Next::Close => return linger(&mut reader, &mut writer).await,
            Next::Abort | Next::Gone => return writer.into_half().abandon(),
        }
    }
}

/// Waits for a request and reads its head.
async fn read_head(
    worker: &Worker,
    snapshot: &Snapshot,
    reader: &mut Reader,
    alarm: &mut Alarm,
    mut drained: Pin<&mut Notified<'_>>,
) -> Read {
    let timeouts = &snapshot.config.timeouts;
    let limits = snapshot.head_limits;
    let mut waiting = Waiting::default();
    let mut looked_at = 0;
    reader.release();
    loop {
        let buffered = reader.buffered();
        if is_worth_a_look(buffered, looked_at, limits.bytes) {
            looked_at = buffered.len();
            match preface(reader.buffered()) {
                Preface::Whole => return Read::Http2,
                Preface::Part => {}
                Preface::Other => match head::parse_request(reader.buffered(), limits) {
                    Ok(Some((head, length))) => {
                        reader.consume(length);
                        return Read::Head(head);
                    }
                    Ok(None) => {}
                    Err(fault) => return Read::Fault(fault),
                },
            }
        }
        let idle = reader.buffered().is_empty();
        let within = if idle { timeouts.idle } else { timeouts.header_read };
        let filled = std::future::poll_fn(|cx| {
            if let Poll::Ready(filled) = reader.poll_fill(cx, limits.bytes) {
                return Poll::Ready(if matches!(filled, Ok(Filled::Some)) { Waited::Filled } else { Waited::Ended });
            }
            // What has arrived is still answered, also where the event loop has not heard of it yet.
            let drains = idle && (worker.is_draining() || drained.as_mut().poll(cx).is_ready());
            if drains && reader.is_open_and_silent() {
                return waiting.poll_parting(alarm, cx).map(|()| Waited::Ended);
            }
            waiting.poll_late(alarm, cx, idle, within).map(|()| if idle { Waited::Ended } else { Waited::Late })
        });
        match filled.await {
            Waited::Filled => {}
            Waited::Ended => return Read::End,
            Waited::Late => {
                worker.shared.recorder.metrics().request_refused(408);
                return Read::End;
            }
        }
    }
}

/// Whether to read a head from its beginning again. A large one that comes byte by byte would cost the square of its
/// length: it is looked at when it has grown by an eighth, may have ended, or has reached its limit.
fn is_worth_a_look(buffered: &[u8], looked_at: usize, limit: usize) -> bool {
    const SMALL: usize = 4096;
    let grown = buffered.len().saturating_sub(looked_at);
    let ended = |bytes: &[u8]| bytes.windows(2).any(|pair| pair == b"\n\r" || pair == b"\n\n");
    grown > 0
        && (buffered.len() <= SMALL
            || grown >= buffered.len() / 8
            || buffered.len() >= limit
            || buffered.get(looked_at.saturating_sub(3)..).is_some_and(ended))
}

enum Waited {
    Filled,
    Ended,
    /// A head that had begun did not come to its end in time: closed without an answer, and counted.
    Late,
}

/// The deadlines of one head: for its first byte, then for all of it.
#[derive(Default)]
struct Waiting {
    first_byte: Option<Time>,
    whole: Option<Time>,
    parting: Option<Time>,
}

/// How long a silent connection is kept once draining has begun: a request may be on its way already, and a client that
/// sends one after the other learns by `Connection: close` in its answer, which no request can be lost by
/// (RFC 9112 §9.5).
const PARTING: Duration = Duration::from_millis(200);

impl Waiting {
    fn poll_parting(&mut self, alarm: &mut Alarm, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = *self.parting.get_or_insert_with(|| clock::now().plus(PARTING));
        alarm.poll(cx, deadline)
    }

    fn poll_late(&mut self, alarm: &mut Alarm, cx: &mut Context<'_>, idle: bool, within: Duration) -> Poll<()> {
        let deadline = if idle { &mut self.first_byte } else { &mut self.whole };
        let deadline = *deadline.get_or_insert_with(|| clock::now().plus(within));
        alarm.poll(cx, deadline)
    }
}

enum Preface {
    Whole,
    Part,
    Other,
}

/// RFC 9113 §3.4: what a client that knows beforehand sends first.
fn preface(bytes: &[u8]) -> Preface {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    if bytes.starts_with(PREFACE) {
        Preface::Whole
    } else if PREFACE.starts_with(bytes) {
        Preface::Part
    } else {
        Preface::Other
    }
}

/// Answers a head that cannot be read, and ends the connection: where the next message begins, nobody knows.
async fn refuse(worker: &Worker, reader: &mut Reader, writer: &mut Writer, fault: HeadFault) {
    let status = fault.status();
    worker.shared.recorder.metrics().request_refused(status);
    tracing::debug!(status, ?fault, "a request head cannot be read");
    let fields: Fields = [("Content-Length", "0"), ("Connection", "close")].into_iter().collect();
    writer.stage_response(status, answer::reason(status).as_bytes(), &fields, BodyLength::Empty);
    if writer.flush().await.is_ok() {
        linger(reader, writer).await;
    }
}

/// How long a client may go on sending after the last answer, so that a reset does not take that answer from it
/// (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_secs(2);

async fn linger(reader: &mut Reader, writer: &mut Writer) {
    writer.finish().await;
    let discard = async {
        loop {
            let count = reader.buffered().len();
            reader.consume(count);
            let filled = std::future::poll_fn(|cx| reader.poll_fill(cx, 16 * 1024)).await;
            if !matches!(filled, Ok(Filled::Some)) {
                return;
            }
        }
    };
    // Late or not, the connection ends.
    let _ = tokio::time::timeout(LINGER, discard).await;
}
