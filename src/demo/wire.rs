//! HTTP/1.1 on loopback for those who play: one request per connection on the sending side, whole bodies on both. They are
//! small, and nobody but the play uses this.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The largest body that is taken in.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Connections that a server serves at once.
const CONNECTIONS_MAX: usize = 128;

/// A request and its answer together.
const EXCHANGE_TIME: Duration = Duration::from_secs(20);

/// There is no answer: the connection is closed instead.
#[derive(Debug, thiserror::Error)]
#[error("closed without an answer")]
pub(super) struct NoAnswer;

/// Sends a request on a connection of its own and takes in the whole answer. Dropped before that, it hangs up.
pub(super) async fn send(to: SocketAddr, request: Request<Bytes>, names: Names) -> io::Result<Response<Bytes>> {
    let exchange = async {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        let mut builder = hyper::client::conn::http1::Builder::new();
        match names {
            Names::AsTheyCame => builder.preserve_header_case(true),
            Names::Capitalised => builder.title_case_headers(true),
        };
        let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let mut connection = pin!(connection);
        let mut answer = pin!(async {
            let response = sender.send_request(request.map(Full::new)).await.map_err(io::Error::other)?;
            let (parts, body) = response.into_parts();
            Ok(Response::from_parts(parts, whole(body).await?))
        });
        let mut is_open = true;
        loop {
            tokio::select! {
                answered = &mut answer => return answered,
                // What has arrived before the end is still to be read.
                _ = &mut connection, if is_open => is_open = false,
            }
        }
    };
    tokio::time::timeout(EXCHANGE_TIME, exchange).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// How the names of fields are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// As whoever sent the message had written them.
    AsTheyCame,
    /// `If-Match`; hyper's way without a model.
    Capitalised,
}

/// Serves until it is dropped, and every connection with it.
pub(super) async fn serve<F, A>(listener: TcpListener, names: Names, answer: F)
where
    F: Fn(Request<Bytes>) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Response<Bytes>, NoAnswer>> + Send + 'static,
{
    let (answer, seats) = (Arc::new(answer), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(seat) = Arc::clone(&seats).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors: they come back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Only latency is lost otherwise.
        let _ = stream.set_nodelay(true);
        let answer = Arc::clone(&answer);
        connections.spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = Arc::clone(&answer);
                async move {
                    let (parts, body) = request.into_parts();
                    let body = whole(body).await.map_err(|_| NoAnswer)?;
                    answer(Request::from_parts(parts, body)).await.map(|response| response.map(Full::new))
                }
            });
            let mut builder = hyper::server::conn::http1::Builder::new();
            builder.timer(TokioTimer::new());
            match names {
                Names::AsTheyCame => builder.preserve_header_case(true),
                Names::Capitalised => builder.title_case_headers(true),
            };
            // Without connections kept open a close before the answer means one thing only.
            let _ = builder.keep_alive(false).serve_connection(TokioIo::new(stream), service).await;
            drop(seat);
        });
    }
}

async fn whole<B>(body: B) -> io::Result<Bytes>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let collected = Limited::new(body, BODY_BYTES_MAX).collect().await;
    collected.map(http_body_util::Collected::to_bytes).map_err(io::Error::other)
}

/// The first value of a field, as text.
pub(super) fn text<'a>(fields: &'a HeaderMap, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(|value| value.to_str().ok())
}
