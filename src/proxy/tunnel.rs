//! A connection that has stopped being HTTP: bytes both ways, each direction ended on its own.

use std::cell::Cell;
use std::task::Poll;
use std::time::Duration;

use super::alarm::Alarm;
use super::client::{ClientAnswer, ClientBody};
use super::http1::write::Writer;
use super::io::{Filled, Reader};
use super::observe::Pending;
use super::serve::Next;
use super::upstream::pool::Connection;
use crate::analysis::time::Time;
use crate::clock;

/// How much is read at once, in bytes.
const BUFFER: usize = 16 * 1024;

/// Carries bytes both ways until both sides have ended, one fails, or nothing has passed for too long.
pub(super) async fn carry(
    pending: &Pending,
    body: &mut ClientBody<'_>,
    answer: &mut ClientAnswer<'_>,
    mut upstream: Connection,
) -> Next {
    // Tunnels are offered to HTTP/1 clients only.
    let (ClientBody::Http1 { reader, .. }, ClientAnswer::Http1 { writer, .. }) = (body, answer) else {
        return Next::Abort;
    };
    pending.complete();
    if writer.flush().await.is_err() {
        return Next::Abort;
    }
    let idle = pending.snapshot.config.timeouts.tunnel_idle;
    let mut alarm = Alarm::default();
    let activity = Activity { last: Cell::new(clock::now()), idle };
    let outwards = pass(reader, &mut upstream.writer, &mut alarm, &activity);
    let inwards = pass(&mut upstream.reader, writer, &mut upstream.alarm, &activity);
    // A direction that ends well leaves the other open; one that fails takes it along.
    let _ = tokio::try_join!(outwards, inwards);
    Next::Abort
}

struct Broken;

/// When something last passed, either way: a stream that goes one way only is not idle.
struct Activity {
    last: Cell<Time>,
    idle: Duration,
}

async fn pass(from: &mut Reader, to: &mut Writer, alarm: &mut Alarm, activity: &Activity) -> Result<(), Broken> {
    loop {
        while !from.buffered().is_empty() {
            let count = from.buffered().len();
            to.raw(from.buffered()).await.map_err(|_| Broken)?;
            from.consume(count);
        }
        let filled = std::future::poll_fn(|cx| {
            if let Poll::Ready(filled) = from.poll_fill(cx, BUFFER) {
                return Poll::Ready(Some(filled));
            }
            alarm.poll(cx, activity.last.get().plus(activity.idle)).map(|()| None)
        });
        match filled.await {
            Some(Ok(Filled::Some)) => activity.last.set(clock::now()),
            Some(Ok(Filled::End)) => {
                to.finish().await;
                return Ok(());
            }
            Some(Err(_)) | None => return Err(Broken),
        }
    }
}
