//! What is seen of an exchange while it passes, and the guard that hands it to the recorder, however it ends.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::Method;

use super::connection_fields::copy;
use super::forwarded;
use super::pair::{self, Brought};
use super::snapshot::{Snapshot, Taken};
use super::worker::Worker;
use crate::analysis::digest::Digest;
use crate::analysis::exchange::{
    Answer, BypassApplied, Exchange, ExchangeId, FarSide, Outcome, RequestBody, Role, RoutePolicy, Scheme,
};
use crate::analysis::pairing::{Authenticity, EarlierWrite, Mark, Report};
use crate::analysis::principal::{Peer, Principal, principal_of};
use crate::analysis::semantics::fields::{FieldName, FieldSet, Fields};
use crate::analysis::semantics::message::{RequestHead, ResponseHead};
use crate::analysis::time::Time;
use crate::clock;
use crate::config::Probe;
use crate::recorder::Recorder;
use crate::recorder::metrics::{PairingOutcome, RouteSeries};

/// Who is at the client's end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// Its address.
    pub(super) address: SocketAddr,
    /// How it reached us.
    pub(super) scheme: Scheme,
    /// The public key of its certificate.
    pub(super) certificate_key: Option<Vec<u8>>,
}

/// The conditions of RFC 9110 §13.1, and the vendors' that stand in a field.
const CONDITIONS: FieldSet = FieldSet::of(&[
    FieldName::IfMatch,
    FieldName::IfNoneMatch,
    FieldName::IfModifiedSince,
    FieldName::IfUnmodifiedSince,
    FieldName::IfRange,
    FieldName::XGoogIfGenerationMatch,
    FieldName::XGoogIfMetagenerationMatch,
    FieldName::XGoogCopySourceIfGenerationMatch,
    FieldName::XAmzCopySourceIfMatch,
    FieldName::XAmzCopySourceIfNoneMatch,
    FieldName::XAmzCopySourceIfModifiedSince,
    FieldName::XAmzCopySourceIfUnmodifiedSince,
    FieldName::XMsLeaseId,
    FieldName::WebdavIf,
    FieldName::IfScheduleTagMatch,
    FieldName::Overwrite,
    FieldName::XIfUnmodifiedSince,
    FieldName::XIfModifiedSince,
    FieldName::OcIfDestinationMatch,
]);

/// How much of an answer's body is looked at, in bytes.
const BODY_PREFIX_BYTES_MAX: usize = 4096;

/// An exchange that is under way. Dropped, it is recorded as it stands then: a client that goes away drops it.
pub(super) struct Pending {
    /// Its name.
    pub(super) id: ExchangeId,
    /// When its head had been read.
    pub(super) at: Time,
    /// As it came.
    pub(super) request: RequestHead,
    /// The configuration it began with.
    pub(super) snapshot: Arc<Snapshot>,
    recorder: Arc<Recorder>,
    route: Option<usize>,
    client: Principal,
    scheme: Scheme,
    conditional_write: bool,
    mark: Option<Box<(Mark, Authenticity)>>,
    /// Borrowed for single steps only, never across an await.
    seen: RefCell<Seen>,
    recorded: Cell<bool>,
    hung_up: Cell<bool>,
}

/// What has been seen so far.
#[derive(Default)]
struct Seen {
    forwarded: Option<Fields>,
    bypass: Option<BypassApplied>,
    upstream: Option<SocketAddr>,
    announced: Option<u64>,
    digest: Option<Digest>,
    digest_whole: Option<u128>,
    sent: Option<Time>,
    upstream_time: Duration,
    report: Option<Box<(Report, Authenticity)>>,
    /// What came under the name of a mark or a report was none.
    unauthentic: bool,
    end: End,
}

/// How far it came.
#[derive(Default)]
enum End {
    /// No final answer has been seen.
    #[default]
    Waiting,
    /// The upstream's answer has begun.
    Answering {
        head: Box<ResponseHead>,
        returned: Option<Fields>,
        body_prefix: Vec<u8>,
        wants_prefix: bool,
        complete: bool,
    },
    NoAnswer(u16),
    Refused(u16),
}

/// A request has come. From here on the exchange is recorded whatever happens.
pub(super) fn request(worker: &Worker, client: &Client, snapshot: Arc<Snapshot>, head: RequestHead) -> Rc<Pending> {
    let at = clock::now();
    let recorder = &worker.shared.recorder;
    let (mark, unauthentic) = match pair::mark_on(&head.fields, &snapshot) {
        Brought::Nothing => {
            if snapshot.config.pairing.role == Role::Inner {
                recorder.metrics().mark_missing();
            }
            (None, false)
        }
        Brought::Ours(mut mark) => {
            recorder.metrics().mark_came(at);
            if mark.1 == Authenticity::Signed && recorder.mark_came_before(mark.0.exchange) {
                mark.1 = Authenticity::SignedBefore;
            }
            (Some(mark), false)
        }
        Brought::NotOurs => {
            recorder.metrics().paired(PairingOutcome::Unauthentic);
            (None, true)
        }
    };
    let peer = Peer {
        address: forwarded::client_address(&snapshot.config.client.trusted, client.address.ip(), &head.fields),
        certificate_key: client.certificate_key.as_deref(),
        mark: mark.as_deref().and_then(|mark| pair::client_of(mark, &head.fields)),
    };
    let key = *recorder.principal_key();
    let principal = principal_of(&head.fields, &peer, &snapshot.client_policy, &key);
    let route = snapshot.take(&head);
    let policy = route.and_then(|route| snapshot.taken(route)).map(|taken| &taken.route.policy);
    let conditional_write = !is_read(&head.method) && is_conditional(&head.fields, policy);
    let seen = Seen { digest: conditional_write.then(|| Digest::new(&key)), unauthentic, ..Seen::default() };
    recorder.metrics().exchange_began();
    Rc::new(Pending {
        id: worker.exchange_id(at),
        at,
        request: head,
        recorder: Arc::clone(recorder),
        route,
        client: principal,
        scheme: client.scheme,
        conditional_write,
        mark,
        snapshot,
        seen: RefCell::new(seen),
        recorded: Cell::new(false),
        hung_up: Cell::new(false),
    })
}

/// Methods that read, by RFC 9110 §9.2.1 and the registrations of WebDAV and QUERY.
fn is_read(method: &Method) -> bool {
    method.is_safe() || matches!(method.as_str(), "PROPFIND" | "REPORT" | "SEARCH" | "QUERY")
}

fn is_conditional(fields: &Fields, policy: Option<&RoutePolicy>) -> bool {
    fields.present().intersects(CONDITIONS)
        || policy.is_some_and(|policy| {
            policy.preconditions.iter().any(|name| fields.all_named(name.as_bytes()).next().is_some())
        })
}

impl Pending {
    /// What it uses, if a route fits it.
    pub(super) fn taken(&self) -> Option<&Taken> {
        self.route.and_then(|route| self.snapshot.taken(route))
    }

    /// Its metrics.
    pub(super) fn series(&self) -> &Arc<RouteSeries> {
        self.taken().map_or_else(|| &self.snapshot.unmatched().series, |taken| &taken.series)
    }

    /// Who asked.
    pub(super) const fn client(&self) -> Principal {
        self.client
    }

    /// The mark that came with it, if it can be used.
    pub(super) fn mark(&self) -> Option<&Mark> {
        self.mark.as_deref().map(|(mark, _)| mark)
    }

    /// Whether it is a probe of the outer instance and no client's exchange. Only a read can be one.
    fn is_probe(&self) -> bool {
        self.mark().is_some_and(|mark| mark.probe) && matches!(self.request.method, Method::GET | Method::HEAD)
    }

    fn policy(&self) -> &RoutePolicy {
        self.taken().map_or_else(|| &self.snapshot.unmatched().policy, |taken| &taken.route.policy)
    }

    /// The request is ready to go on: with these fields, if not as they came; with a body of that announced length.
    pub(super) fn prepared(&self, forwarded: Option<Fields>, bypass: Option<BypassApplied>, announced: Option<u64>) {
        let mut seen = self.seen.borrow_mut();
        seen.forwarded = forwarded;
        seen.bypass = bypass;
        seen.announced = announced;
    }

    /// The request goes on by HTTP/2, which has no fields for the connection (RFC 9113 §8.2.2).
    pub(super) fn goes_by_http2(&self) {
        const OF_HTTP1: FieldSet =
            FieldSet::of(&[FieldName::Connection, FieldName::TransferEncoding, FieldName::Upgrade]);
        let mut seen = self.seen.borrow_mut();
        let fields = seen.forwarded.as_ref().unwrap_or(&self.request.fields);
        if fields.present().intersects(OF_HTTP1) {
            copy(&self.request.fields, &mut seen.forwarded).retain(|line| !OF_HTTP1.contains(line.name));
        }
    }

    /// Runs `read` with the fields as they go on.
    pub(super) fn with_forwarded<T>(&self, read: impl FnOnce(&Fields) -> T) -> T {
        let seen = self.seen.borrow();
        read(seen.forwarded.as_ref().unwrap_or(&self.request.fields))
    }

    /// The request is being sent to that address: from now on it may be applied.
    pub(super) fn sent_to(&self, address: SocketAddr) {
        let mut seen = self.seen.borrow_mut();
        seen.upstream = Some(address);
        seen.sent = Some(clock::now());
    }

    /// A piece of the request's body passed.
    pub(super) fn body_passed(&self, bytes: &[u8]) {
        if self.conditional_write
            && let Some(digest) = &mut self.seen.borrow_mut().digest
        {
            digest.update(bytes);
        }
    }

    /// The request's body has passed to its end.
    pub(super) fn body_ended(&self) {
        if self.conditional_write {
            let mut seen = self.seen.borrow_mut();
            seen.digest_whole = seen.digest.take().map(Digest::finish);
        }
    }

    /// The upstream's final answer has begun, and goes to the client with these fields, if not as they came.
    pub(super) fn answered(&self, head: ResponseHead, returned: Option<Fields>) {
        let wants_prefix = self.conditional_write && is_text(&head.fields);
        let mut seen = self.seen.borrow_mut();
        seen.upstream_time = seen.sent.map_or(Duration::ZERO, |sent| clock::now().since(sent));
        seen.end =
            End::Answering { head: Box::new(head), returned, body_prefix: Vec::new(), wants_prefix, complete: false };
    }

    /// Runs `read` with the answer's head and the fields the client is given.
    pub(super) fn with_answer<T>(&self, read: impl FnOnce(&ResponseHead, &Fields) -> T) -> Option<T> {
        match &self.seen.borrow().end {
            End::Answering { head, returned, .. } => Some(read(head, returned.as_ref().unwrap_or(&head.fields))),
            End::Waiting | End::NoAnswer(_) | End::Refused(_) => None,
        }
    }

    /// The final answer has come with these fields. At an outer instance, they bring what the inner one says of the
    /// exchange.
    pub(super) fn reported(&self, fields: &Fields) {
        let mut seen = self.seen.borrow_mut();
        // Around the gateway there may be no inner instance.
        if self.snapshot.config.pairing.role != Role::Outer || seen.bypass.is_some_and(|bypass| bypass.direct) {
            return;
        }
        let outcome = match pair::report_on(fields, &self.snapshot) {
            Brought::Nothing => PairingOutcome::NoReport,
            Brought::Ours(report) => {
                self.recorder.metrics().report_came(clock::now());
                let outcome = pair::outcome_of(&report.0, self.id, fields);
                seen.report = Some(report);
                outcome
            }
            Brought::NotOurs => {
                seen.unauthentic = true;
                PairingOutcome::Unauthentic
            }
        };
        self.recorder.metrics().paired(outcome);
    }

    /// What this instance makes of a 412, as far as it can be said before the answer has passed.
    pub(super) fn verdict(&self, head: &ResponseHead, returned: &Fields) -> Option<&'static str> {
        let seen = self.seen.borrow();
        let answer = Answer { head, returned, body_prefix: &[], complete: true };
        self.recorder.verdict(&self.exchange(&seen, Outcome::Answered(answer)), self.series())
    }

    /// Outcomes of writes that the outer instance may not have learned.
    pub(super) fn earlier_writes(&self, marked: ExchangeId) -> Vec<EarlierWrite> {
        self.recorder.earlier_writes(self.series().number(), marked, clock::now())
    }

    /// A field of ours came from who has no business with it, and was removed.
    pub(super) fn intruded(&self) {
        self.recorder.metrics().paired(PairingOutcome::Unauthentic);
    }

    /// A piece of the answer's body passed.
    pub(super) fn answer_passed(&self, bytes: &[u8]) {
        if !self.conditional_write {
            return;
        }
        if let End::Answering { body_prefix, wants_prefix: true, .. } = &mut self.seen.borrow_mut().end {
            let room = BODY_PREFIX_BYTES_MAX - body_prefix.len();
            body_prefix.extend(bytes.iter().take(room));
        }
    }

    /// The client has ended its direction of the connection.
    pub(super) fn client_hung_up(&self) {
        self.hung_up.set(true);
    }

    /// The answer has come to its end. Recorded now, before the client can act on what it was given. A client that has
    /// hung up most likely does not read it any more: a write whose answer may be lost is what a repetition is told by.
    pub(super) fn complete(&self) {
        if let End::Answering { complete, .. } = &mut self.seen.borrow_mut().end {
            *complete = !self.hung_up.get();
        }
        self.record();
    }

    /// The upstream gave no answer head; the client is told so with that status.
    pub(super) fn no_answer(&self, status: u16) {
        self.seen.borrow_mut().end = End::NoAnswer(status);
        self.record();
    }

    /// This instance answers by itself, with that status, and nothing was sent on.
    pub(super) fn refused(&self, status: u16) {
        self.seen.borrow_mut().end = End::Refused(status);
        self.record();
    }

    fn record(&self) {
        if self.recorded.replace(true) {
            return;
        }
        self.recorder.metrics().exchange_ended();
        // Only a panic within a step leaves it borrowed; then there is nothing to rely on.
        let Ok(seen) = self.seen.try_borrow() else { return };
        let sent = seen.sent.is_some();
        let outcome = match &seen.end {
            End::Waiting => Outcome::ClientGone { sent },
            End::NoAnswer(status) => Outcome::NoAnswer { sent, status: *status },
            End::Refused(status) => Outcome::Refused { status: *status },
            End::Answering { head, returned, body_prefix, complete, .. } => Outcome::Answered(Answer {
                head,
                returned: returned.as_ref().unwrap_or(&head.fields),
                body_prefix,
                complete: *complete,
            }),
        };
        let exchange = self.exchange(&seen, outcome);
        if self.is_probe() {
            self.recorder.probe_passed(&exchange, self.series().name());
            return;
        }
        self.recorder.record(&exchange, self.series());
        if exchange.status() == Some(412)
            && let Some(taken) = self.taken().filter(|taken| taken.route.probe != Probe::Off)
        {
            self.recorder.want_probe(&exchange, &taken.route, &self.snapshot.config.client);
        }
    }

    /// The exchange as it stands, with that outcome.
    fn exchange<'a>(&'a self, seen: &'a Seen, outcome: Outcome<'a>) -> Exchange<'a> {
        Exchange {
            id: self.id,
            at: self.at,
            ended: clock::now(),
            upstream_time: seen.upstream_time,
            role: self.snapshot.config.pairing.role,
            policy: self.policy(),
            route: self.series().number(),
            client: self.client,
            scheme: self.scheme,
            request: &self.request,
            forwarded: seen.forwarded.as_ref().unwrap_or(&self.request.fields),
            request_body: RequestBody { digest: seen.digest_whole, announced: seen.announced },
            outcome,
            bypass: seen.bypass,
            upstream: seen.upstream,
            far_side: FarSide {
                mark: self.mark.as_deref(),
                report: seen.report.as_deref(),
                unauthentic: seen.unauthentic,
            },
        }
    }
}

/// Whoever was awaiting the rest is gone, or could not have it.
impl Drop for Pending {
    fn drop(&mut self) {
        self.record();
    }
}

/// XML and JSON, and what is made of them (RFC 6839 `+xml`, `+json`).
fn is_text(fields: &Fields) -> bool {
    let media_type = fields.first(FieldName::ContentType).unwrap_or_default();
    let media_type = media_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let ends = |suffix: &[u8]| {
        media_type.len() >= suffix.len()
            && media_type.get(media_type.len() - suffix.len()..).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
    };
    ends(b"/xml") || ends(b"+xml") || ends(b"/json") || ends(b"+json")
}
