//! A client of HTTP/2 with prior knowledge.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, Request, Response};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// One connection.
#[derive(Debug)]
pub(crate) struct Http2 {
    runtime: Runtime,
    requests: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Response<()>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Answer {
    /// The status code.
    pub(crate) fn status(&self) -> u16 {
        self.head.status().as_u16()
    }

    /// The first value under a name.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.head.headers().get(name).map(|value| value.to_str().expect("ASCII"))
    }
}

/// A stream that carries bytes both ways.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) head: Response<()>,
    sending: h2::SendStream<Bytes>,
    receiving: h2::RecvStream,
    received: Vec<u8>,
}

/// A request whose body goes on.
#[derive(Debug)]
pub(crate) struct Upload {
    sending: h2::SendStream<Bytes>,
    _response: h2::client::ResponseFuture,
}

impl Tunnel {
    async fn more(&mut self) -> Option<Result<Bytes, h2::Error>> {
        let more = self.receiving.data().await;
        if let Some(Ok(bytes)) = &more {
            let _ = self.receiving.flow_control().release_capacity(bytes.len());
        }
        more
    }
}

impl Http2 {
    /// Connects.
    pub(crate) fn to(address: SocketAddr) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (requests, connection) = runtime.block_on(async {
            let stream = TcpStream::connect(address).await.expect("connecting");
            let (requests, connection) = h2::client::handshake(stream).await.expect("the preface is taken");
            (requests, tokio::spawn(connection))
        });
        Self { runtime, requests, connection }
    }

    /// Sends a request without a body.
    pub(crate) fn ask(&self, request: Request<()>) -> Result<Answer, h2::Error> {
        self.ask_all(vec![request]).remove(0)
    }

    /// Sends a request without a body, and collects the informational answers, too.
    pub(crate) fn ask_with_informational(&self, request: Request<()>) -> (Vec<Response<()>>, Answer) {
        self.runtime.block_on(async {
            let mut sender = self.requests.clone().ready().await.expect("the connection is open");
            let mut response = sender.send_request(request, true).expect("a request that can be sent").0;
            let mut early = Vec::new();
            let head = std::future::poll_fn(|cx| {
                while let Poll::Ready(Some(head)) = response.poll_informational(cx) {
                    early.push(head.expect("an informational answer"));
                }
                Pin::new(&mut response).poll(cx)
            });
            let head = head.await.expect("an answer");
            (early, whole(head).await.expect("a whole answer"))
        })
    }

    /// Sends requests without bodies, all before the first answer is read.
    pub(crate) fn ask_all(&self, requests: Vec<Request<()>>) -> Vec<Result<Answer, h2::Error>> {
        self.runtime.block_on(async {
            let mut pending = Vec::new();
            for request in requests {
                let mut sender = self.requests.clone().ready().await.expect("the connection is open");
                pending.push(sender.send_request(request, true).expect("a request that can be sent").0);
            }
            let mut answers = Vec::new();
            for response in pending {
                answers.push(match response.await {
                    Ok(response) => whole(response).await,
                    Err(fault) => Err(fault),
                });
            }
            answers
        })
    }

    /// Sends a request with a body and trailers.
    pub(crate) fn send(
        &self,
        request: Request<()>,
        body: &'static str,
        trailers: HeaderMap,
    ) -> Result<Answer, h2::Error> {
        self.runtime.block_on(async {
            let mut sender = self.requests.clone().ready().await?;
            let (response, mut stream) = sender.send_request(request, false)?;
            stream.send_data(Bytes::from_static(body.as_bytes()), false)?;
            stream.send_trailers(trailers)?;
            whole(response.await?).await
        })
    }

    /// Sends a request and reads the head of the answer alone; the body waits until the stream is dropped.
    pub(crate) fn head_of(&self, request: Request<()>) -> Response<h2::RecvStream> {
        self.runtime.block_on(async {
            let mut sender = self.requests.clone().ready().await.expect("the connection is open");
            sender.send_request(request, true).expect("a request that can be sent").0.await.expect("an answer")
        })
    }

    /// Asks for a tunnel, once the server has said that it has any.
    pub(crate) fn tunnel(&self, request: Request<()>) -> Result<Tunnel, h2::Error> {
        self.runtime.block_on(async {
            let mut sender = self.requests.clone().ready().await?;
            for _ in 0..1000 {
                if sender.is_extended_connect_protocol_enabled() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let (response, sending) = sender.send_request(request, false)?;
            let (parts, receiving) = response.await?.into_parts();
            Ok(Tunnel { head: Response::from_parts(parts, ()), sending, receiving, received: Vec::new() })
        })
    }

    /// Sends bytes into a tunnel, and ends the direction if they are the last.
    pub(crate) fn tell(&self, tunnel: &mut Tunnel, bytes: &[u8], last: bool) {
        self.runtime.block_on(async {
            tunnel.sending.send_data(Bytes::copy_from_slice(bytes), last).expect("the stream is open");
            tokio::task::yield_now().await;
        });
    }

    /// Reads exactly `count` bytes from a tunnel.
    pub(crate) fn exactly(&self, tunnel: &mut Tunnel, count: usize) -> Vec<u8> {
        self.runtime.block_on(async {
            while tunnel.received.len() < count {
                let more = tunnel.more().await.expect("more bytes").expect("a stream that is open");
                tunnel.received.extend_from_slice(&more);
            }
            tunnel.received.drain(..count).collect()
        })
    }

    /// Reads a tunnel to its end.
    pub(crate) fn rest(&self, tunnel: &mut Tunnel) -> Result<Vec<u8>, h2::Error> {
        self.runtime.block_on(async {
            while let Some(more) = tunnel.more().await {
                tunnel.received.extend_from_slice(&more?);
            }
            Ok(std::mem::take(&mut tunnel.received))
        })
    }

    /// Begins a request whose body goes on.
    pub(crate) fn upload(&self, request: Request<()>) -> Upload {
        self.runtime.block_on(async {
            let mut sender = self.requests.clone().ready().await.expect("the connection is open");
            let (response, mut sending) = sender.send_request(request, false).expect("a request that can be sent");
            sending.send_data(Bytes::from_static(b"some"), false).expect("the stream is open");
            tokio::task::yield_now().await;
            Upload { sending, _response: response }
        })
    }

    /// Resets the stream of a request.
    pub(crate) fn cancel(&self, mut upload: Upload) {
        self.runtime.block_on(async {
            upload.sending.send_reset(h2::Reason::CANCEL);
            tokio::task::yield_now().await;
        });
    }

    /// Whether the server ends the connection in good order.
    pub(crate) fn ends_well(self) -> bool {
        let Self { runtime, requests, connection } = self;
        drop(requests);
        runtime
            .block_on(async { tokio::time::timeout(super::PATIENCE, connection).await })
            .is_ok_and(|ended| ended.is_ok_and(|ended| ended.is_ok()))
    }
}

async fn whole(response: Response<h2::RecvStream>) -> Result<Answer, h2::Error> {
    let (parts, mut stream) = response.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    let trailers = stream.trailers().await?;
    Ok(Answer { head: Response::from_parts(parts, ()), body, trailers })
}
