//! Moving a request to the upstream and its answer to the client, at the same time and piece by piece: what one side
//! does not take, the other does not read.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use h2::Reason;

use super::alarm::Alarm;
use super::client::{ClientAnswer, ClientBody, Informed, poll_once};
use super::connection_fields::{self, forwarded_trailers};
use super::http1::body::{BodyFault, Piece};
use super::http1::head::HeadFault;
use super::http2::passed_on;
use super::observe::Pending;
use super::serve::head_reason;
use super::upstream::exchange::{Heard, Told};
use super::upstream::failure::UpstreamFailure;
use crate::analysis::semantics::message::ResponseHead;
use crate::analysis::time::Time;
use crate::clock;
use crate::config::Timeouts;
use crate::recorder::metrics::Metrics;

/// How far the request has come on its way to the upstream.
pub(super) struct Progress {
    state: Cell<Sending>,
    /// How it ended, if it ended before its exchange.
    ended: Cell<Option<SendingEnd>>,
    /// The origin has the word first (RFC 9110 §10.1.1).
    held: Cell<bool>,
}

/// See [`Progress`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    /// There is more to come.
    Running,
    /// All of it has been written.
    Done,
    /// The upstream takes no more of it. It may have answered all the same.
    Broken(io::ErrorKind),
    /// Nothing of it could be sent.
    Unsent,
}

impl Progress {
    /// Nothing was sent. A body that is `held` waits for the origin's word.
    pub(super) const fn new(held: bool) -> Self {
        Self { state: Cell::new(Sending::Running), ended: Cell::new(None), held: Cell::new(held) }
    }

    /// How far it has come.
    pub(super) const fn sending(&self) -> Sending {
        self.state.get()
    }

    /// Whether the body still waits for the origin's word.
    pub(super) const fn is_held(&self) -> bool {
        self.held.get()
    }

    /// Goes on with the sending, or says once more how it ended: it may end in the very step in which the answer begins.
    fn go_on(&self, sending: Pin<&mut impl Future<Output = SendingEnd>>, cx: &mut Context<'_>) -> Poll<SendingEnd> {
        if let Some(ended) = self.ended.get() {
            return Poll::Ready(ended);
        }
        let polled = sending.poll(cx);
        if let Poll::Ready(ended) = polled {
            self.ended.set(Some(ended));
        }
        polled
    }

    /// The origin has spoken: the body need not wait any longer.
    async fn release(&self) {
        self.held.set(false);
        // The sending was polled before this step, and waits for a word that has come.
        std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::Ready(())
        })
        .await;
    }
}

/// How the sending of a request ended before its exchange did.
#[derive(Clone, Copy, Debug)]
pub(super) enum SendingEnd {
    /// The client is gone, or its body was cut.
    ClientGone,
    /// The client's body cannot be read.
    Malformed,
    /// The client's body is larger than allowed.
    TooLarge,
    /// The client's body did not come within its time.
    TimedOut,
}

/// What a body may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyLimits {
    /// Bytes; any if `None`.
    pub(super) bytes: Option<u64>,
    /// How long it may bring nothing.
    pub(super) idle: Duration,
}

/// How long a client's body is held back for the origin's word on it.
const HELD_MOST: Duration = Duration::from_secs(1);

/// The request's way from the client to the upstream.
pub(super) struct Outgoing<'a, 'b> {
    /// What the client sends.
    pub(super) body: &'a mut ClientBody<'b>,
    /// For what the client takes too long with.
    pub(super) alarm: &'a mut Alarm,
    /// Where it goes; the head is sent or staged already.
    pub(super) told: Told<'a>,
    /// Tells the answer's way how far it has come.
    pub(super) progress: &'a Progress,
    /// Sees what passes.
    pub(super) pending: &'a Pending,
}

/// Sends the staged head and the client's body, then watches the client. Ends only where the exchange has to end with
/// it: what the upstream does shows in its answer.
pub(super) async fn send(mut outgoing: Outgoing<'_, '_>, limits: BodyLimits) -> SendingEnd {
    let sent = match send_all(&mut outgoing, limits).await {
        Ok(()) => Sending::Done,
        Err(Stopped::Upstream(_)) if outgoing.told.is_untouched() => Sending::Unsent,
        Err(Stopped::Upstream(error)) => Sending::Broken(error.kind()),
        Err(Stopped::Client(end)) => return end,
    };
    let Outgoing { body, progress, pending, .. } = outgoing;
    progress.state.set(sent);
    match sent {
        Sending::Done => {
            std::future::poll_fn(|cx| {
                let gone = body.poll_gone(cx);
                if body.has_hung_up() {
                    pending.client_hung_up();
                }
                gone
            })
            .await;
        }
        // Where in its body the client is, nobody knows; the upstream's answer decides.
        Sending::Broken(_) | Sending::Unsent | Sending::Running => std::future::pending().await,
    }
    SendingEnd::ClientGone
}

enum Stopped {
    Upstream(io::Error),
    Client(SendingEnd),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Upstream(error)
    }
}

async fn send_all(outgoing: &mut Outgoing<'_, '_>, limits: BodyLimits) -> Result<(), Stopped> {
    let Outgoing { body, alarm, told, progress, pending } = outgoing;
    if progress.held.get() {
        told.flush().await?;
        alarm.within(HELD_MOST, |_| if progress.held.get() { Poll::Pending } else { Poll::Ready(()) }).await;
        progress.held.set(false);
    }
    let mut left = limits.bytes.unwrap_or(u64::MAX);
    loop {
        let piece = match poll_once(|cx| body.poll_piece(cx)).await {
            Poll::Ready(piece) => piece,
            Poll::Pending => {
                told.flush().await?;
                let piece = alarm.within(limits.idle, |cx| body.poll_piece(cx)).await;
                piece.ok_or(Stopped::Client(SendingEnd::TimedOut))?
            }
        };
        match piece.map_err(client_fault)? {
            Piece::Data(count) => {
                left = left.checked_sub(count as u64).ok_or(Stopped::Client(SendingEnd::TooLarge))?;
                let bytes = body.data(count);
                pending.body_passed(bytes);
                told.gather(bytes).await?;
                body.consume(count);
            }
            Piece::End(trailers) => {
                pending.body_ended();
                told.end(trailers.map(|trailers| forwarded_trailers(*trailers)).as_ref()).await?;
                return Ok(());
            }
        }
    }
}

fn client_fault(fault: BodyFault) -> Stopped {
    tracing::debug!(%fault, "a request's body stopped before its end");
    Stopped::Client(match fault {
        BodyFault::Cut | BodyFault::Reset(_) | BodyFault::Io(_) => SendingEnd::ClientGone,
        BodyFault::Late => SendingEnd::TimedOut,
        BodyFault::Malformed(_) => SendingEnd::Malformed,
    })
}

/// Takes a step on the answer's way while the request is still being sent.
///
/// # Errors
/// The sending ended, and the exchange with it.
pub(super) fn beside<T>(
    progress: &Progress,
    mut sending: Pin<&mut impl Future<Output = SendingEnd>>,
    mut step: Pin<&mut impl Future<Output = T>>,
) -> impl Future<Output = Result<T, SendingEnd>> {
    std::future::poll_fn(move |cx| {
        let ended = progress.go_on(sending.as_mut(), cx);
        // What the upstream has said counts, also when the client is gone.
        if let Poll::Ready(done) = step.as_mut().poll(cx) {
            return Poll::Ready(Ok(done));
        }
        ended.map(Err)
    })
}

/// Why there is no answer head.
#[derive(Debug)]
pub(super) enum NoHead {
    /// The upstream's fault.
    Upstream(UpstreamFailure),
    /// The client is gone.
    ClientGone,
}

/// The upstream's side of an exchange, for reading.
pub(super) struct Answering<'a> {
    /// What the upstream says.
    pub(super) heard: Heard<'a>,
    /// For what it takes too long with.
    pub(super) alarm: &'a mut Alarm,
    /// Where it is counted what a client cannot be given.
    pub(super) metrics: &'a Metrics,
}

/// The most informational answers before a final one: a hundred seconds of 102, ten times a second.
const INFORMATIONAL_MOST: usize = 1000;

/// Reads the head of the final answer, or of 101; passes other informational ones on.
///
/// # Errors
/// See [`NoHead`].
pub(super) async fn answer_head(
    from: &mut Answering<'_>,
    answer: &mut ClientAnswer<'_>,
    progress: &Progress,
    within: Duration,
) -> Result<ResponseHead, NoHead> {
    let mut passed_on = 0;
    loop {
        let head = next_head(from, answer, progress, within).await?;
        if !matches!(head.status, 100 | 102..=199) {
            return Ok(head);
        }
        if head.status == 100 {
            progress.release().await;
        }
        passed_on += 1;
        if passed_on > INFORMATIONAL_MOST {
            let fault = HeadFault::Malformed("it sends informational answers without end");
            return Err(NoHead::Upstream(UpstreamFailure::Malformed(fault)));
        }
        let forwarded = connection_fields::forwarded_informational(&head);
        let fields = forwarded.as_ref().unwrap_or(&head.fields);
        let informed = answer.informational(head.status, head_reason(&head), fields).await;
        if informed.map_err(|_| NoHead::ClientGone)? == Informed::LeftOut {
            from.metrics.informational_left_out();
        }
    }
}

/// Waits for a head. The time runs from the end of the request: before that, the client may be the slow one.
async fn next_head(
    from: &mut Answering<'_>,
    answer: &mut ClientAnswer<'_>,
    progress: &Progress,
    within: Duration,
) -> Result<ResponseHead, NoHead> {
    let mut deadline: Option<Time> = None;
    let Answering { heard, alarm, .. } = from;
    std::future::poll_fn(|cx| {
        // What such a connection still says is no answer to this request.
        if progress.sending() == Sending::Unsent && heard.is_reused() {
            return Poll::Ready(Err(NoHead::Upstream(UpstreamFailure::Unsent)));
        }
        if let Poll::Ready(head) = heard.poll_head(cx) {
            return Poll::Ready(head.map_err(NoHead::Upstream));
        }
        if answer.poll_gone(cx).is_ready() {
            return Poll::Ready(Err(NoHead::ClientGone));
        }
        match progress.sending() {
            Sending::Running => return Poll::Pending,
            Sending::Broken(io::ErrorKind::TimedOut) => {
                heard.doubt();
                return Poll::Ready(Err(NoHead::Upstream(UpstreamFailure::WriteTimeout)));
            }
            Sending::Broken(_) | Sending::Unsent | Sending::Done => {}
        }
        let deadline = *deadline.get_or_insert_with(|| clock::now().plus(within));
        alarm.poll(cx, deadline).map(|()| {
            heard.doubt();
            Err(NoHead::Upstream(UpstreamFailure::HeadTimeout))
        })
    })
    .await
}

/// How the passing on of an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// Well.
    Whole,
    /// The upstream stopped before the end.
    Cut,
    /// The client takes no more.
    ClientGone,
}

/// Passes the answer's body on to the client, whose head is staged already.
pub(super) async fn answer_body(
    from: &mut Answering<'_>,
    answer: &mut ClientAnswer<'_>,
    pending: &Pending,
    timeouts: &Timeouts,
) -> Passed {
    loop {
        let piece = match poll_once(|cx| from.heard.poll_piece(cx)).await {
            Poll::Ready(piece) => piece,
            Poll::Pending => {
                // What is there must not wait for what is not.
                if answer.flush().await.is_err() {
                    return Passed::ClientGone;
                }
                match wait(from, answer, timeouts.body_idle).await {
                    Ok(piece) => piece,
                    Err(passed) => return passed,
                }
            }
        };
        match piece {
            Ok(Piece::Data(count)) => {
                let bytes = from.heard.data(count);
                pending.answer_passed(bytes);
                if answer.data(bytes).await.is_err() {
                    return Passed::ClientGone;
                }
                from.heard.consume(count);
            }
            Ok(Piece::End(trailers)) => {
                pending.complete();
                let ended = answer.end(trailers.map(|trailers| forwarded_trailers(*trailers)).as_ref()).await;
                return if ended.is_ok() { Passed::Whole } else { Passed::ClientGone };
            }
            Err(fault) => {
                tracing::debug!(%fault, "an answer's body stopped before its end");
                let reason = match fault {
                    BodyFault::Reset(reason) if reason != Reason::REFUSED_STREAM => passed_on(reason),
                    BodyFault::Reset(_)
                    | BodyFault::Late
                    | BodyFault::Cut
                    | BodyFault::Malformed(_)
                    | BodyFault::Io(_) => Reason::INTERNAL_ERROR,
                };
                answer.cut(reason).await;
                return Passed::Cut;
            }
        }
    }
}

async fn wait(
    from: &mut Answering<'_>,
    answer: &mut ClientAnswer<'_>,
    idle: Duration,
) -> Result<Result<Piece, BodyFault>, Passed> {
    let Answering { heard, alarm, .. } = from;
    let piece = alarm.within(idle, |cx| {
        if let Poll::Ready(piece) = heard.poll_piece(cx) {
            return Poll::Ready(Ok(piece));
        }
        answer.poll_gone(cx).map(|()| Err(Passed::ClientGone))
    });
    match piece.await {
        Some(piece) => piece,
        None => {
            heard.doubt();
            Ok(Err(BodyFault::Late))
        }
    }
}

/// Sends the rest of a request whose answer has been passed on already, as long as both sides go along.
pub(super) async fn rest(mut sending: Pin<&mut impl Future<Output = SendingEnd>>, progress: &Progress) {
    std::future::poll_fn(|cx| {
        let ended = progress.go_on(sending.as_mut(), cx).is_ready();
        if ended || progress.sending() != Sending::Running { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
