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

/// Connections to one listener at once.
const CONNECTIONS_MAX: usize = 256;

/// From one answer to the end of the next request's head.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 32 << 10;

/// How long to leave accepting alone when it fails, as it does while file descriptors are used up.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stopping` turns true, then until what is in flight has been answered.
pub(super) async fn serve(listener: TcpListener, router: Router, mut stopping: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
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
                    serve_connection(stream, router, stopping).await;
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

async fn serve_connection(stream: TcpStream, router: Router, mut stopping: watch::Receiver<bool>) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_BYTES_MAX);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    tokio::select! {
        // Whatever ends a connection, nobody is left to be told.
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
