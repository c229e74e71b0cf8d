//! The connections of the control plane: few, and none that takes its time may keep others out for long. The data plane
//! shares file descriptors and memory with it, so both are bounded.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tracing::debug;

/// What one listener bears.
#[derive(Clone, Copy)]
struct Bounds {
    /// Connections at once.
    connections: usize,
    /// From one answer to the end of the next request's head.
    head_time: Duration,
    /// Bytes of a request's head, or so: it is looked at between two reads.
    head_bytes: usize,
}

const BOUNDS: Bounds = Bounds { connections: 256, head_time: Duration::from_secs(30), head_bytes: 32 << 10 };

/// How long to leave accepting alone when it fails, as it does while file descriptors are used up.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stopping` turns true, then until what is in flight has been answered.
pub(super) async fn serve(listener: TcpListener, router: Router, stopping: watch::Receiver<bool>) {
    serve_within(BOUNDS, listener, router, stopping).await;
}

async fn serve_within(bounds: Bounds, listener: TcpListener, router: Router, mut stopping: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        match (accepted, Arc::clone(&places).try_acquire_owned()) {
            (Ok((stream, _)), Ok(place)) => {
                let (router, stopping) = (router.clone(), stopping.clone());
                connections.spawn(async move {
                    serve_connection(bounds, stream, router, stopping).await;
                    drop(place);
                });
            }
            // Too many: this one is closed.
            (Ok(_), Err(_)) => debug!("a connection to the control plane was closed, for there are too many"),
            (Err(fault), _) => {
                debug!(%fault, "the control plane cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve_connection(bounds: Bounds, stream: TcpStream, router: Router, mut stopping: watch::Receiver<bool>) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(bounds.head_time).max_buf_size(bounds.head_bytes);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    tokio::select! {
        // Whatever ends a connection, nobody is left to be told.
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net;

    use super::*;

    /// What a client that has sent `begun` and waits gets from a listener with these bounds.
    fn answer_to(begun: &[u8], bounds: Bounds) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        let serving = std::thread::spawn(move || {
            let router = Router::new().route("/", axum::routing::get(|| async { "here" }));
            runtime.block_on(serve_within(bounds, listener, router, stopping));
        });
        let mut client = net::TcpStream::connect(address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        client.write_all(begun).unwrap();
        let mut answer = Vec::new();
        // A reset is an end as well.
        let read = client.read_to_end(&mut answer);
        let late = read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!late, "the connection stays open");
        stop.send_replace(true);
        serving.join().unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn head(bytes: usize) -> Vec<u8> {
        let (begin, end) = ("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: ", "\r\n\r\n");
        [begin.as_bytes(), &vec![b'x'; bytes - begin.len() - end.len()], end.as_bytes()].concat()
    }

    #[test]
    fn a_head_that_does_not_end_is_not_waited_for() {
        let bounds = Bounds { head_time: Duration::from_millis(200), ..BOUNDS };
        let answer = answer_to(b"GET / HTTP/1.1\r\nHost: localhost\r\n", bounds);
        assert!(!answer.contains("here"), "{answer}");
        // Nor is one that does not begin.
        assert_eq!(answer_to(b"", bounds), "");
    }

    #[test]
    fn a_head_has_a_largest_size() {
        // The library looks at the size between two reads, and the last one may bring more than fits.
        let fits = answer_to(&head(BOUNDS.head_bytes - 1), BOUNDS);
        assert!(fits.starts_with("HTTP/1.1 200 "), "{fits}");
        let large = answer_to(&head(2 * BOUNDS.head_bytes), BOUNDS);
        assert!(large.starts_with("HTTP/1.1 431 "), "{large}");
    }
}
