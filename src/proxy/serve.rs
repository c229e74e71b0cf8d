//! The life of an exchange, one line per step.

use std::pin::{Pin, pin};
use std::rc::Rc;

use h2::Reason;

use super::alarm::Alarm;
use super::answer::{self, OwnAnswer, Refusal};
use super::client::{ClientAnswer, ClientBody};
use super::connection_fields::{ConnectionOptions, forwarded_informational, forwarded_response};
use super::http1::framing::BodyLength;
use super::http1::head::HeadFault;
use super::observe::{self, Client, Pending};
use super::prepare::{self, Answered, Asked, Persistence, Prepared, Tunnel};
use super::snapshot::Taken;
use super::transfer::{self, Answering, BodyLimits, NoHead, Outgoing, Passed, Progress, Sending, SendingEnd};
use super::tunnel;
use super::upstream::exchange::{Begin, NotBegun, Sides};
use super::upstream::failure::UpstreamFailure;
use super::upstream::pool::{Lease, Safety};
use super::upstream::{self, Wanted};
use super::websocket;
use super::worker::Worker;
use crate::analysis::exchange::BypassApplied;
use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::semantics::message::{RequestHead, ResponseHead, Version};
use crate::config::OnUpstreamFailure;
use crate::recorder::metrics::FailureReason;

/// A request as its connection read it.
pub(super) struct Incoming<'a> {
    /// Its head.
    pub(super) head: RequestHead,
    /// How long its body is; `None` where its transfer coding is not known.
    pub(super) length: Option<BodyLength>,
    /// Its body.
    pub(super) body: ClientBody<'a>,
    /// For what the client takes too long with.
    pub(super) alarm: &'a mut Alarm,
}

/// What becomes of the client's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another request may come.
    Continue,
    /// It ends, after the client has had the time to read everything.
    Close,
    /// It ends at once.
    Abort,
    /// It ends at once: the client no longer wants the answer.
    Gone,
}

/// Carries one exchange from its request to its end.
pub(super) async fn serve(
    worker: &Worker,
    client: &Client,
    mut incoming: Incoming<'_>,
    mut answer: ClientAnswer<'_>,
) -> Next {
    let options = ConnectionOptions::of(&incoming.head.fields);
    // What follows a CONNECT may be meant for the tunnel, also where there is none: it is never read as a request.
    let ends = worker.is_draining() || incoming.head.method == http::Method::CONNECT;
    let persistence = Persistence::of(incoming.head.version, &options).unless(ends);
    let pending = observe::request(worker, client, worker.snapshot(), incoming.head);
    let mut line = Line { worker, pending: &pending, answer: &mut answer, persistence };

    let Some(taken) = pending.taken() else { return line.refuse(Refusal::NoRoute, &incoming.body).await };
    let most = pending.snapshot.config.limits.exchanges;
    let Some(_in_flight) = worker.begin_exchange(most) else { return line.refuse(Refusal::Busy, &incoming.body).await };
    let Some(length) = incoming.length else { return line.refuse(Refusal::TransferCoding, &incoming.body).await };
    if let Some(own) = answer::final_recipient(&pending.request) {
        return line.give(&own, &incoming.body).await;
    }
    let asked = Asked { worker, client, pending: &pending, options: &options, taken };
    let prepared = match prepare::request(asked, length) {
        Ok(prepared) => prepared,
        Err(refusal) => return line.refuse(refusal, &incoming.body).await,
    };
    let mut way = line.begin(prepared, taken);
    let lease = match line.upstream(&way).await {
        Ok(lease) => lease,
        Err(failure) => return line.fail(&failure, taken, &incoming.body).await,
    };
    line.exchange(lease, &mut incoming.body, incoming.alarm, &mut way).await
}

/// What every step of an exchange needs.
struct Line<'a, 'b> {
    worker: &'a Worker,
    pending: &'a Rc<Pending>,
    answer: &'a mut ClientAnswer<'b>,
    persistence: Persistence,
}

/// What of a prepared request the later steps need.
struct Way<'a> {
    taken: &'a Taken,
    length: BodyLength,
    tunnel: Tunnel,
    expects: bool,
    bypass: Option<BypassApplied>,
    /// How often it has gone out before.
    repeats: usize,
    /// A connection that has carried an exchange before will not do.
    anew: bool,
}

/// How far an exchange came.
enum Reached {
    /// The upstream's answer was passed on; what the upstream's connection is good for.
    Answered { passed: Passed, persistence: Persistence, upstream_stays: bool },
    /// No answer head came.
    Failed(UpstreamFailure),
    /// The client is gone.
    ClientGone,
    /// The request's body had to be refused before an answer came.
    Refused(Refusal),
    /// The request's body failed after the answer had begun.
    Broken,
    /// The connection speaks another protocol from here on.
    Tunnel,
}

impl Line<'_, '_> {
    /// What is sent on is settled.
    fn begin<'t>(&self, prepared: Prepared, taken: &'t Taken) -> Way<'t> {
        let announced = match prepared.length {
            BodyLength::Known(length) => Some(length),
            BodyLength::Empty | BodyLength::Chunked | BodyLength::UntilClose => None,
        };
        self.pending.prepared(prepared.forwarded, prepared.bypass, announced);
        Way {
            taken,
            length: prepared.length,
            tunnel: prepared.tunnel,
            expects: prepared.expects,
            bypass: prepared.bypass,
            repeats: 0,
            anew: false,
        }
    }

    /// A connection to the upstream.
    async fn upstream(&self, way: &Way<'_>) -> Result<Lease, UpstreamFailure> {
        let direct = way.bypass.is_some_and(|bypass| bypass.direct);
        let endpoints = if direct { &way.taken.upstream.direct } else { &way.taken.upstream.endpoints };
        let safety = if self.pending.request.method.is_safe() { Safety::Safe } else { Safety::Unsafe };
        let snapshot = &self.pending.snapshot;
        let (limits, timeouts) = (snapshot.head_limits, &snapshot.config.timeouts);
        let wanted = Wanted { safety, tunnel: way.tunnel, anew: way.anew, limits, timeouts };
        upstream::lease(self.worker, endpoints, wanted).await
    }

    /// Sends the head, or stages it until there is something to send with it.
    fn begin_request(&self, lease: &mut Lease, way: &Way<'_>) -> Result<(), NotBegun> {
        self.pending.with_forwarded(|fields| {
            let Way { length, tunnel, .. } = *way;
            lease.connection.begin(&Begin { request: &self.pending.request, fields, length, tunnel })
        })?;
        self.pending.sent_to(lease.address);
        if lease.connection.is_http2() {
            self.pending.goes_by_http2();
        }
        Ok(())
    }

    /// The exchange proper: the request out, the answer back.
    async fn exchange(
        &mut self,
        mut lease: Lease,
        body: &mut ClientBody<'_>,
        alarm: &mut Alarm,
        way: &mut Way<'_>,
    ) -> Next {
        if way.tunnel == Tunnel::Upgrade && !lease.connection.takes_upgrades() {
            if self.answer.is_extended() {
                return self.fail(&UpstreamFailure::NotSwitched, way.taken, body).await;
            }
            // RFC 9110 §7.8: an Upgrade may be ignored; then the request is an ordinary one.
            way.tunnel = Tunnel::None;
        }
        match self.begin_request(&mut lease, way) {
            Ok(()) => {}
            Err(NotBegun::Target) => return self.refuse(Refusal::Target, body).await,
            Err(NotBegun::Upstream(failure)) => return self.failed(failure, body, alarm, way).await,
        }
        let config = &self.pending.snapshot.config;
        let progress = Progress::new(way.expects);
        let limits = BodyLimits { bytes: config.limits.body_bytes, idle: config.timeouts.body_idle };
        let reached = {
            let Sides { told, heard, alarm: upstream_alarm } =
                lease.connection.sides(self.pending.snapshot.head_limits, way.tunnel);
            let metrics = self.worker.shared.recorder.metrics();
            let mut from = Answering { heard, alarm: upstream_alarm, metrics };
            let outgoing = Outgoing { body, alarm, told, progress: &progress, pending: self.pending };
            self.answer(pin!(transfer::send(outgoing, limits)), &mut from, &progress, way).await
        };
        match reached {
            Reached::Answered { passed, persistence, upstream_stays } => {
                let stays = upstream_stays && progress.sending() == Sending::Done;
                self.passed(lease, passed, stays, way.taken);
                self.after(passed, persistence, body)
            }
            Reached::Failed(failure) => {
                drop(lease);
                self.failed(failure, body, alarm, way).await
            }
            Reached::ClientGone => Next::Gone,
            Reached::Refused(refusal) => self.refuse_late(refusal, body).await,
            Reached::Broken => {
                self.answer.cut(Reason::INTERNAL_ERROR).await;
                Next::Abort
            }
            Reached::Tunnel => {
                let upstream = lease.connection.sides(self.pending.snapshot.head_limits, way.tunnel);
                Box::pin(tunnel::carry(self.pending, body, self.answer, upstream)).await
            }
        }
    }

    /// No answer head came. A read goes out once more that the upstream gave back without having begun to work on it, or
    /// of which nothing could be sent (RFC 9110 §9.2.2, RFC 9113 §8.7); nothing else is ever repeated.
    async fn failed(
        &mut self,
        failure: UpstreamFailure,
        body: &mut ClientBody<'_>,
        alarm: &mut Alarm,
        way: &mut Way<'_>,
    ) -> Next {
        let repeatable = way.repeats < failure.repeats_most()
            && self.pending.request.method.is_safe()
            && way.length == BodyLength::Empty
            && way.tunnel == Tunnel::None;
        if !repeatable {
            return self.fail(&failure, way.taken, body).await;
        }
        way.taken.series.upstream_failed(failure.reason());
        way.repeats += 1;
        way.anew |= matches!(failure, UpstreamFailure::Unsent);
        match Box::pin(self.upstream(way)).await {
            Ok(lease) => Box::pin(self.exchange(lease, body, alarm, way)).await,
            Err(failure) => self.fail(&failure, way.taken, body).await,
        }
    }

    /// The answer's way, beside the request's.
    async fn answer(
        &mut self,
        mut sending: Pin<&mut impl Future<Output = SendingEnd>>,
        from: &mut Answering<'_>,
        progress: &Progress,
        way: &Way<'_>,
    ) -> Reached {
        let timeouts = &self.pending.snapshot.config.timeouts;
        let reading = transfer::answer_head(from, self.answer, progress, timeouts.response_head);
        let head = match transfer::beside(progress, sending.as_mut(), pin!(reading)).await {
            Ok(Ok(head)) => head,
            Ok(Err(NoHead::Upstream(failure))) => return Reached::Failed(failure),
            Ok(Err(NoHead::ClientGone)) | Err(SendingEnd::ClientGone) => return Reached::ClientGone,
            Err(SendingEnd::Malformed) => return Reached::Refused(Refusal::BodyMalformed),
            Err(SendingEnd::TooLarge) => return Reached::Refused(Refusal::BodyTooLarge),
            Err(SendingEnd::TimedOut) => return Reached::Refused(Refusal::BodyTimeout),
        };
        if let Some(reached) = self.switched(&head, way) {
            return reached;
        }
        let length = match from.heard.begin_body(&self.pending.request, &head) {
            Ok(length) => length,
            Err(fault) => return Reached::Failed(UpstreamFailure::Malformed(fault)),
        };
        let upstream_stays = upstream_stays(&head, length);
        // A client that was not told to send its body may send it or not; what comes next on its connection is unclear.
        let persistence = self.persistence.unless(self.worker.is_draining() || progress.is_held());
        let persistence = match self.answered(head, length, way, persistence) {
            Ok(persistence) => persistence,
            Err(gone) => return gone,
        };
        let passing = transfer::answer_body(from, self.answer, self.pending, timeouts);
        let passed = match transfer::beside(progress, sending.as_mut(), pin!(passing)).await {
            Ok(passed) => passed,
            Err(SendingEnd::ClientGone) => return Reached::ClientGone,
            Err(SendingEnd::Malformed | SendingEnd::TooLarge | SendingEnd::TimedOut) => return Reached::Broken,
        };
        // An answer that came early does not end the request: whoever sent it may still want to read all of it.
        if passed == Passed::Whole && progress.sending() == Sending::Running && !progress.is_held() {
            transfer::rest(sending, progress).await;
        }
        Reached::Answered { passed, persistence, upstream_stays }
    }

    /// 101, and 2xx to CONNECT: where it was asked for, the end of HTTP on this connection.
    fn switched(&mut self, head: &ResponseHead, way: &Way<'_>) -> Option<Reached> {
        let switches = match way.tunnel {
            Tunnel::None => false,
            Tunnel::Upgrade => head.status == 101,
            Tunnel::Connect => (200..300).contains(&head.status),
        };
        let extended = self.answer.is_extended();
        if !switches {
            return match head.status {
                101 => Some(Reached::Failed(UpstreamFailure::Switched)),
                // RFC 8441 §5: to this client, every 2xx says that the tunnel is there.
                200..300 if extended => Some(Reached::Failed(UpstreamFailure::NotSwitched)),
                _ => None,
            };
        }
        // The key is ours, so it is we who are owed the proof that it was understood.
        let request = &self.pending.request.fields;
        let keyed = extended && request.all_named(websocket::KEY).next().is_some();
        if keyed && !websocket::accepts(request, &head.fields) {
            let fault = HeadFault::Malformed("Sec-WebSocket-Accept does not fit the key");
            return Some(Reached::Failed(UpstreamFailure::Malformed(fault)));
        }
        let returned = if head.status == 101 {
            forwarded_informational(head)
        } else {
            forwarded_response(head.status, &head.fields, &ConnectionOptions::of(&head.fields))
        };
        self.pending.answered(head.clone(), returned);
        let staged = self.pending.with_answer(|head, fields| {
            self.answer.head(head.status, head_reason(head), fields, BodyLength::UntilClose)
        });
        Some(if matches!(staged, Some(Ok(()))) { Reached::Tunnel } else { Reached::ClientGone })
    }

    /// The final answer's head is observed and staged.
    fn answered(
        &mut self,
        head: ResponseHead,
        incoming: BodyLength,
        way: &Way<'_>,
        persistence: Persistence,
    ) -> Result<Persistence, Reached> {
        self.pending.reported(&head.fields);
        let Way { taken, bypass, .. } = *way;
        let answered = Answered { pending: self.pending, taken, bypass, head: &head, incoming, persistence };
        let prepared = prepare::answer(answered);
        self.pending.answered(head, prepared.returned);
        let staged = self
            .pending
            .with_answer(|head, fields| self.answer.head(head.status, head_reason(head), fields, prepared.length));
        match staged {
            Some(Ok(())) => Ok(prepared.persistence),
            Some(Err(_)) | None => Err(Reached::ClientGone),
        }
    }

    /// What becomes of the upstream's connection.
    fn passed(&self, lease: Lease, passed: Passed, stays: bool, taken: &Taken) {
        if passed == Passed::Cut {
            taken.series.upstream_failed(FailureReason::BodyCut);
        }
        if !(stays && passed == Passed::Whole) {
            return;
        }
        let config = &self.pending.snapshot.config;
        let most = config.timeouts.upstream_idle;
        let lasting = self.pending.with_answer(|head, _| prepare::keep_alive(&head.fields, most)).unwrap_or(most);
        lease.keep(&self.worker.pool, lasting, config.limits.upstream_idle, crate::clock::now());
    }

    fn after(&self, passed: Passed, persistence: Persistence, body: &ClientBody<'_>) -> Next {
        match (passed, persistence) {
            (Passed::Whole, Persistence::Stays) if body.is_done() => Next::Continue,
            (Passed::Whole, Persistence::Stays | Persistence::Ends) => Next::Close,
            (Passed::Cut, _) => Next::Abort,
            (Passed::ClientGone, _) => Next::Gone,
        }
    }

    /// The upstream gave no answer: the client is told, or shown the same.
    async fn fail(&mut self, failure: &UpstreamFailure, taken: &Taken, body: &ClientBody<'_>) -> Next {
        taken.series.upstream_failed(failure.reason());
        if matches!(failure, UpstreamFailure::Closed { reused: true } | UpstreamFailure::Unsent) {
            tracing::debug!(route = %taken.route.name, %failure, "no answer from the upstream");
        } else {
            tracing::warn!(route = %taken.route.name, %failure, "no answer from the upstream");
        }
        self.pending.no_answer(failure.status());
        let mirrored = match taken.upstream.on_failure {
            OnUpstreamFailure::Respond => None,
            OnUpstreamFailure::Mirror => failure.mirrored(),
        };
        if let Some(reason) = mirrored {
            self.answer.cut(reason).await;
            return Next::Abort;
        }
        Box::pin(self.say(&OwnAnswer::from(failure), body)).await
    }

    /// Nothing was sent on.
    async fn refuse(&mut self, refusal: Refusal, body: &ClientBody<'_>) -> Next {
        self.give(&OwnAnswer::from(refusal), body).await
    }

    /// An answer of our own to a request that was not sent on.
    async fn give(&mut self, own: &OwnAnswer, body: &ClientBody<'_>) -> Next {
        self.pending.refused(own.status);
        Box::pin(self.say(own, body)).await
    }

    /// The request had been sent on in part when its body had to be refused: the upstream may have acted on it.
    async fn refuse_late(&mut self, refusal: Refusal, body: &ClientBody<'_>) -> Next {
        self.pending.no_answer(refusal.status());
        Box::pin(self.say(&OwnAnswer::from(refusal), body)).await
    }

    async fn say(&mut self, own: &OwnAnswer, body: &ClientBody<'_>) -> Next {
        let version = self.pending.request.version;
        let persistence = self.persistence.unless(!body.is_done() && version != Version::Http2);
        let mut fields: Fields = own.fields.clone();
        if let Some(option) = persistence.option(version) {
            fields.push(b"Connection", option);
        }
        let head_only = self.pending.request.method == http::Method::HEAD || own.body.is_empty();
        let length = if head_only { BodyLength::Empty } else { BodyLength::Known(own.body.len() as u64) };
        let reason = answer::reason(own.status);
        let mut said = self.answer.head(own.status, reason.as_bytes(), &fields, length);
        if said.is_ok() && !head_only {
            said = self.answer.data(&own.body).await;
        }
        if said.is_ok() {
            said = self.answer.end(None).await;
        }
        match (said, persistence) {
            (Ok(()), Persistence::Stays) => Next::Continue,
            (Ok(()), Persistence::Ends) => Next::Close,
            (Err(_), _) => Next::Abort,
        }
    }
}

/// Whether the upstream's connection can carry another request (RFC 9112 §9.3).
fn upstream_stays(head: &ResponseHead, length: BodyLength) -> bool {
    let options = ConnectionOptions::of(&head.fields);
    // RFC 9112 §6.3: who says both may mean the other.
    let doubtful = length == BodyLength::Chunked && head.fields.contains(FieldName::ContentLength);
    !doubtful && length != BodyLength::UntilClose && Persistence::of(head.version, &options) == Persistence::Stays
}

/// The reason phrase for clients of HTTP/1: HTTP/2 has none, and some of them do not expect an empty one.
pub(super) fn head_reason(head: &ResponseHead) -> &[u8] {
    match head.version {
        Version::Http10 | Version::Http11 => &head.reason,
        Version::Http2 => answer::reason(head.status).as_bytes(),
    }
}
