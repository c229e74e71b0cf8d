//! The live feed as server-sent events (WHATWG HTML §9.2): every record as it becomes readable, resumable by the last
//! one that was seen.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

use super::Shared;
use super::problem::Problem;
use super::query::{Parameters, exchange_id};
use crate::analysis::exchange::ExchangeId;
use crate::recorder::feed::{Received, Subscription};
use crate::recorder::store::Query;

/// Between two signs of life, so that neither side nor anything between them takes the stream for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Records that are read at once for a reader that resumes.
const CATCH_UP: usize = 200;

/// A reader that takes nothing for so long is gone.
const STALLED: Duration = Duration::from_secs(60);

/// Pieces that wait for a reader before the feed begins to drop for it.
const WAITING_MAX: usize = 64;

/// Every newly recorded exchange, as server-sent events with the record as data.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "exchanges",
    params(("Last-Event-ID" = Option<String>, Header, description = "Go on behind this record")),
    responses(
        (status = 200, description = "server-sent events", content_type = "text/event-stream"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn events(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    let last = last_event_id(&headers)?;
    let permit = std::sync::Arc::clone(&shared.readers).try_acquire_owned();
    let permit = permit.map_err(|_| Problem::unavailable("there are too many readers of the feed already"))?;
    // Subscribed before the store is read, so that nothing falls between the two.
    let subscription = shared.recorder.subscribe();
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let stop = shared.stopping.clone();
    tokio::spawn(feed(shared, sender, subscription, last, stop, permit));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        // nginx would hold events back otherwise.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::new(Pieces(receiver))).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<ExchangeId>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    exchange_id(text).map(Some).map_err(|fault| Problem::bad_request(format!("Last-Event-ID: {fault}")))
}

/// Sends until the reader is gone or the control plane stops.
async fn feed(
    shared: Shared,
    to: mpsc::Sender<Bytes>,
    mut subscription: Subscription,
    last: Option<ExchangeId>,
    mut stop: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
) {
    let mut seen = 0;
    let begin = async {
        send(&to, "retry: 2000\n: connected\n\n".to_owned()).await?;
        if let Some(last) = last {
            seen = catch_up(&shared, &to, last).await?;
        }
        Some(())
    };
    let begun = tokio::select! {
        begun = begin => begun,
        _ = stop.changed() => None,
    };
    if begun.is_none() {
        return;
    }
    loop {
        let piece = tokio::select! {
            received = subscription.next() => match received {
                Received::Event(event) if event.amended || event.key > seen => event_text(&event.id, &event.json),
                // It was sent from the store.
                Received::Event(_) => continue,
                Received::Dropped(events) => format!(": {events} events were dropped\n\n"),
                Received::Ended => return,
            },
            () = tokio::time::sleep(HEARTBEAT) => ": heartbeat\n\n".to_owned(),
            _ = stop.changed() => return,
        };
        let sent = tokio::select! {
            sent = send(&to, piece) => sent,
            _ = stop.changed() => None,
        };
        if sent.is_none() {
            return;
        }
    }
}

/// `None` if the reader is gone, or takes nothing.
async fn send(to: &mpsc::Sender<Bytes>, piece: String) -> Option<()> {
    tokio::time::timeout(STALLED, to.send(Bytes::from(piece))).await.ok()?.ok()
}

/// Sends what became readable since `last`; the place of the last record sent, or `None` if the reader is gone.
async fn catch_up(shared: &Shared, to: &mpsc::Sender<Bytes>, last: ExchangeId) -> Option<i64> {
    let mut seen = 0;
    let mut after = last;
    loop {
        let query = Query { after: Some(after), limit: CATCH_UP, ..Query::default() };
        let page = shared.recorder.list(query).await.ok()?;
        for stored in &page.records {
            seen = stored.key;
            send(to, event_text(&stored.id, &stored.json)).await?;
        }
        let next = page.next.and_then(|next| exchange_id(&next).ok());
        match next {
            Some(next) => after = next,
            None => return Some(seen),
        }
    }
}

/// JSON has no line breaks outside of its strings, and within them they are escaped.
fn event_text(id: &str, json: &str) -> String {
    format!("id: {id}\ndata: {json}\n\n")
}

/// A body made of pieces as they come.
struct Pieces(mpsc::Receiver<Bytes>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.get_mut().0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
