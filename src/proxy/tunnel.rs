//! An exchange that has stopped being HTTP: bytes both ways, each direction ended on its own.

use std::cell::Cell;
use std::task::{Context, Poll};
use std::time::Duration;

use h2::Reason;

use super::alarm::Alarm;
use super::client::{ClientAnswer, ClientBody};
use super::http1::body::{BodyFault, Piece};
use super::observe::Pending;
use super::serve::Next;
use super::upstream::exchange::{Heard, Sides, Told};
use crate::analysis::time::Time;
use crate::clock;

/// Carries bytes both ways until both sides have ended, one fails, or nothing has passed for too long.
pub(super) async fn carry(
    pending: &Pending,
    client: &mut ClientBody<'_>,
    answer: &mut ClientAnswer<'_>,
    upstream: Sides<'_>,
) -> Next {
    pending.complete();
    if answer.flush().await.is_err() {
        return Next::Abort;
    }
    let Sides { mut told, mut heard, alarm: upstream_alarm } = upstream;
    client.begin_tunnel();
    answer.begin_tunnel();
    told.begin_tunnel();
    heard.begin_tunnel();
    let idle = pending.snapshot.config.timeouts.tunnel_idle;
    let mut alarm = Alarm::default();
    let activity = Activity { last: Cell::new(clock::now()), idle };
    let outwards = outwards(client, &mut told, &mut alarm, &activity);
    let inwards = inwards(&mut heard, answer, upstream_alarm, &activity);
    // A direction that ends well leaves the other open; one that fails takes it along.
    if tokio::try_join!(outwards, inwards).is_err() {
        // RFC 8441 §5 and RFC 9113 §8.5: what a reset is to TCP.
        let connect = pending.request.method == http::Method::CONNECT;
        answer.cut(if connect { Reason::CONNECT_ERROR } else { Reason::CANCEL }).await;
    }
    Next::Abort
}

struct Broken;

/// When something last passed, either way: a stream that goes one way only is not idle.
struct Activity {
    last: Cell<Time>,
    idle: Duration,
}

impl Activity {
    /// Waits for a piece, as long as something passes one way or the other.
    async fn piece(
        &self,
        alarm: &mut Alarm,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<Result<Piece, BodyFault>>,
    ) -> Result<Piece, Broken> {
        let piece = std::future::poll_fn(|cx| {
            if let Poll::Ready(piece) = poll(cx) {
                return Poll::Ready(Some(piece));
            }
            alarm.poll(cx, self.last.get().plus(self.idle)).map(|()| None)
        });
        match piece.await {
            Some(Ok(piece)) => {
                self.last.set(clock::now());
                Ok(piece)
            }
            Some(Err(_)) | None => Err(Broken),
        }
    }
}

async fn outwards(
    from: &mut ClientBody<'_>,
    to: &mut Told<'_>,
    alarm: &mut Alarm,
    activity: &Activity,
) -> Result<(), Broken> {
    loop {
        match activity.piece(alarm, |cx| from.poll_piece(cx)).await? {
            Piece::Data(count) => {
                to.gather(from.data(count)).await.map_err(|_| Broken)?;
                to.flush().await.map_err(|_| Broken)?;
                from.consume(count);
            }
            Piece::End(_) => {
                to.finish().await;
                return Ok(());
            }
        }
    }
}

async fn inwards(
    from: &mut Heard<'_>,
    to: &mut ClientAnswer<'_>,
    alarm: &mut Alarm,
    activity: &Activity,
) -> Result<(), Broken> {
    loop {
        match activity.piece(alarm, |cx| from.poll_piece(cx)).await? {
            Piece::Data(count) => {
                to.data(from.data(count)).await.map_err(|_| Broken)?;
                to.flush().await.map_err(|_| Broken)?;
                from.consume(count);
            }
            Piece::End(_) => {
                to.finish().await;
                return Ok(());
            }
        }
    }
}
