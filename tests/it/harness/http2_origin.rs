//! An origin that speaks HTTP/2 with prior knowledge, whose answers a test writes, and which remembers what arrived.

use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use super::eventually;

/// An origin. It ends when dropped.
#[derive(Debug)]
pub(crate) struct Http2Origin {
    address: SocketAddr,
    log: Log,
    _running: oneshot::Sender<()>,
}

/// What arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    asked: Arc<Mutex<Vec<Asked>>>,
    connections: Arc<AtomicUsize>,
}

/// A request as it arrived, whole.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) head: Request<()>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Asked {
    /// The values under a name, in order.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        self.head.headers().get_all(name).iter().map(|value| value.to_str().expect("ASCII")).collect()
    }
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) request: Request<()>,
    pub(crate) body: RecvStream,
    pub(crate) respond: SendResponse<Bytes>,
    log: Log,
}

impl Stream {
    /// Reads the request to its end and writes it down.
    pub(crate) async fn read(&mut self) -> Result<Asked, h2::Error> {
        let body = read_all(&mut self.body).await?;
        let trailers = self.body.trailers().await?;
        let asked = Asked { head: self.request.clone(), body, trailers };
        self.log.asked.lock().unwrap().push(asked.clone());
        Ok(asked)
    }

    /// Writes the head of the request down.
    pub(crate) fn note(&self) {
        let asked = Asked { head: self.request.clone(), body: Vec::new(), trailers: None };
        self.log.asked.lock().unwrap().push(asked);
    }

    /// Answers with a head, and leaves the rest to the caller.
    pub(crate) fn head(&mut self, response: http::response::Builder) -> SendStream<Bytes> {
        self.respond.send_response(response.body(()).unwrap(), false).expect("the stream is open")
    }

    /// Answers whole.
    pub(crate) fn answer(&mut self, response: http::response::Builder, body: &str) {
        let mut stream = self.head(response);
        let _ = stream.send_data(Bytes::copy_from_slice(body.as_bytes()), true);
    }
}

/// Reads a body as it comes, and lets more come.
pub(crate) async fn read_all(body: &mut RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut all = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        all.extend_from_slice(&data);
    }
    Ok(all)
}

impl Http2Origin {
    /// Reads every request, and gives each the same answer.
    pub(crate) fn always(
        answer: impl Fn() -> http::response::Builder + Clone + Send + 'static,
        body: &'static str,
    ) -> Self {
        Self::serving(move |mut stream| {
            let answer = answer.clone();
            async move {
                if stream.read().await.is_ok() {
                    stream.answer(answer(), body);
                }
            }
        })
    }

    /// Lets `serve` have each stream.
    pub(crate) fn serving<F: Future<Output = ()> + 'static>(serve: impl Fn(Stream) -> F + Send + 'static) -> Self {
        Self::with(Builder::new(), serve)
    }

    /// The same with settings of its own.
    pub(crate) fn with<F: Future<Output = ()> + 'static>(
        builder: Builder,
        serve: impl Fn(Stream) -> F + Send + 'static,
    ) -> Self {
        let (bound, address) = mpsc::channel();
        let (running, ended) = oneshot::channel::<()>();
        let log = Log::default();
        let of_thread = log.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let serving = LocalSet::new();
            serving.spawn_local(async move {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
                bound.send(listener.local_addr().expect("bound")).expect("the test waits");
                let serve = Rc::new(serve);
                while let Ok((stream, _)) = listener.accept().await {
                    of_thread.connections.fetch_add(1, Ordering::SeqCst);
                    let (builder, serve, log) = (builder.clone(), Rc::clone(&serve), of_thread.clone());
                    tokio::task::spawn_local(async move {
                        let Ok(mut connection) = builder.handshake(stream).await else { return };
                        while let Some(Ok((request, respond))) = connection.accept().await {
                            let (parts, body) = request.into_parts();
                            let request = Request::from_parts(parts, ());
                            tokio::task::spawn_local(serve(Stream { request, body, respond, log: log.clone() }));
                        }
                    });
                }
            });
            // Whatever is under way ends with the test.
            runtime.block_on(serving.run_until(async { ended.await.unwrap_or_default() }));
        });
        Self { address: address.recv().expect("the thread has bound"), log, _running: running }
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }

    /// What has arrived so far.
    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.log.asked.lock().unwrap().clone()
    }

    /// The only request, once it has arrived.
    #[track_caller]
    pub(crate) fn only_request(&self) -> Asked {
        let requests = eventually("a request at the origin", || Some(self.requests()).filter(|all| !all.is_empty()));
        assert_eq!(requests.len(), 1, "{requests:#?}");
        requests.into_iter().next().unwrap()
    }
}

/// An answer with that status.
pub(crate) fn status(code: u16) -> http::response::Builder {
    Response::builder().status(code)
}
