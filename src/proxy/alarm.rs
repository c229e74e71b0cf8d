//! One timer per direction of a connection, set again and again without touching the timer wheel.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;

use crate::analysis::time::Time;
use crate::clock;

/// Says when a deadline has passed.
///
/// Moving the deadline is an assignment: the timer stays where it is, fires early, and is then set to what is left. So
/// a connection that is busy touches the timer wheel once per timeout instead of once per exchange.
#[derive(Default)]
pub(super) struct Alarm {
    sleep: Option<(Pin<Box<Sleep>>, Time)>,
}

impl Alarm {
    /// Ready once `deadline` has passed.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, deadline: Time) -> Poll<()> {
        let (sleep, set_for) =
            self.sleep.get_or_insert_with(|| (Box::pin(tokio::time::sleep_until(clock::instant(deadline))), deadline));
        loop {
            if *set_for > deadline {
                sleep.as_mut().reset(clock::instant(deadline));
                *set_for = deadline;
            }
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if *set_for >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(clock::instant(deadline));
            *set_for = deadline;
        }
    }

    /// Runs `operation` until it is done or `limit` has passed.
    pub(super) async fn within<T>(
        &mut self,
        limit: Duration,
        mut operation: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Option<T> {
        let mut deadline = None;
        std::future::poll_fn(|cx| {
            if let Poll::Ready(done) = operation(cx) {
                return Poll::Ready(Some(done));
            }
            // The clock is read only when there is something to wait for.
            let deadline = *deadline.get_or_insert_with(|| clock::now().plus(limit));
            self.poll(cx, deadline).map(|()| None)
        })
        .await
    }
}
