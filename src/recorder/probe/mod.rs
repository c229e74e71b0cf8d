//! Probes as the recorder knows them: the data path says that one is wanted, whoever sends it says what it learned, and
//! the record of the refusal is amended.

mod amend;
mod record;

use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::store::{StoreError, Stored};
use super::{Recorder, metrics::ProbeOutcome};
use crate::analysis::exchange::{
    Answer, Comparison, Exchange, ExchangeId, FarSide, Outcome, RequestBody, Role, RoutePolicy,
};
use crate::analysis::principal::{Principal, ToldApartBy};
use crate::analysis::probing::{ProbeTarget, Probed};
use crate::analysis::semantics::fields::FieldLine;
use crate::analysis::semantics::message::{RequestHead, Version};
use crate::config::{Client, Route};
pub(super) use amend::amend;
pub use record::{ProbeAnswerRecord, ProbeRecord, target_of};

/// Probes that may wait to be sent.
const WAITING_MAX: usize = 64;

/// A probe that a route wants. It may hold credentials.
#[derive(Debug)]
pub struct Wanted {
    /// The refused exchange.
    pub exchange: ExchangeId,
    /// Its route.
    pub route: String,
    /// What to ask for.
    pub target: ProbeTarget,
    /// The URL holds a secret, and the route lets probes use none.
    pub is_secret: bool,
}

/// By what a probe is judged.
#[derive(Clone, Copy, Debug)]
pub struct ProbeSetting {
    /// Where this instance stands.
    pub role: Role,
    /// How the route compares.
    pub comparison: Comparison,
}

/// Why an operator's probe was not sent, or its record not amended.
#[derive(Debug, thiserror::Error)]
pub enum ProbeRefusal {
    /// There is no such record.
    #[error("there is no record of that exchange; it may have made room for others")]
    Unknown,
    /// The configuration has changed since.
    #[error(
        "the route {0:?} of this exchange is not configured any more, so it is not known where to ask; \
         configure it again, or ask the service itself with `why412 diagnose`"
    )]
    RouteGone(String),
    /// What the record holds is not enough to ask.
    #[error(
        "the record hides the secrets of this URL, and without them a probe would ask for another resource; \
         set probe and probe_credentials on the route to have probes sent while the secrets are known"
    )]
    Secret,
    /// The request was for no resource that can be read.
    #[error("the request was for no resource that can be read")]
    Unreadable,
    /// The limits of probes.
    #[error("as many probes are sent as probes_per_minute allows; try again in a while")]
    Limited,
    /// Too many at once.
    #[error("too many probes are under way; try again in a while")]
    Busy,
    /// The store does not answer.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// What waits to be sent: bounded, and whoever finds no room drops the probe.
#[derive(Debug)]
pub(super) struct Queue {
    sender: Sender<Wanted>,
    /// Guards the other end, taken once by whoever sends.
    receiver: Mutex<Option<Receiver<Wanted>>>,
}

impl Default for Queue {
    fn default() -> Self {
        let (sender, receiver) = channel(WAITING_MAX);
        Self { sender, receiver: Mutex::new(Some(receiver)) }
    }
}

impl Recorder {
    /// A 412 of a route that probes. Never fails, never waits.
    pub fn want_probe(&self, exchange: &Exchange<'_>, route: &Route, identity: &Client) {
        let redaction = self.redaction.load();
        let is_credential = |line: FieldLine<'_>| is_identity(line, identity) || redaction.is_credential(line);
        let allowed = route.probe_credentials;
        let Some(target) = ProbeTarget::of(exchange, is_credential, allowed) else { return };
        let url = super::record::resource_url(target.scheme, &target.authority, &target.target);
        let is_secret = !allowed && redaction.text(&url) != url;
        let wanted = Wanted { exchange: exchange.id, route: route.name.clone(), target, is_secret };
        if self.probes.sender.try_send(wanted).is_err() {
            self.metrics.probed(&route.name, ProbeOutcome::Dropped);
        }
    }

    /// What routes want probed; there is one taker.
    pub fn wanted_probes(&self) -> Option<Receiver<Wanted>> {
        self.probes.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The coding in which the tag that was sent had been given out, or of whatever was given out last.
    pub fn coding_of(&self, target: &ProbeTarget) -> Option<Vec<u8>> {
        let tag = target.tag.as_deref();
        let of_tag = self.shards.find(target.scheme, &target.authority, &target.target, |resource| {
            let mut given = resource.sightings.iter().rev().filter(|seen| seen.by.gives_out());
            let seen = given.clone().find(|seen| seen.etag.as_deref() == tag).or_else(|| given.next())?;
            seen.variant.coding.as_deref().map(<[u8]>::to_vec)
        });
        of_tag.flatten()
    }

    /// Takes what a probe learned: into the ledger, and into the record of the exchange, which is returned as it is
    /// then; `None` if it is not kept.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn probed(
        &self,
        exchange: ExchangeId,
        target: &ProbeTarget,
        probed: Probed,
        setting: ProbeSetting,
    ) -> Result<Option<Stored>, StoreError> {
        self.see(exchange, target, &probed, setting.role);
        self.store.probed(exchange, probed, setting.comparison).await
    }

    /// A probe of the outer instance has passed here: no exchange of a client, and no record.
    pub fn probe_passed(&self, exchange: &Exchange<'_>, route: &str) {
        self.shards.observe_probe(exchange);
        self.metrics.probed(route, ProbeOutcome::Passed);
    }

    /// What the path gave is remembered like what clients are given, but as given to nobody.
    fn see(&self, refused: ExchangeId, target: &ProbeTarget, probed: &Probed, role: Role) {
        let Ok(head) = &probed.through.head else { return };
        let request = RequestHead {
            method: probed.through.method.clone(),
            target: target.target.clone(),
            authority: target.authority.clone(),
            version: Version::Http11,
            fields: target.fields.clone(),
        };
        let answer = Answer { head, returned: &head.fields, body_prefix: &[], complete: true };
        self.shards.observe_probe(&Exchange {
            id: probed.mark.unwrap_or(refused),
            at: probed.through.at,
            ended: probed.through.at,
            upstream_time: std::time::Duration::ZERO,
            role,
            policy: &RoutePolicy::default(),
            route: u16::MAX,
            client: NOBODY,
            scheme: target.scheme,
            request: &request,
            forwarded: &request.fields,
            request_body: RequestBody::default(),
            outcome: Outcome::Answered(answer),
            bypass: None,
            upstream: None,
            far_side: FarSide { mark: None, report: probed.report.as_ref(), unauthentic: false },
        });
    }
}

/// Nothing is remembered as given to it.
const NOBODY: Principal = Principal { key: 0, by: ToldApartBy::Address };

/// The field by which clients are told apart names the client, whatever it is called.
fn is_identity(line: FieldLine<'_>, identity: &Client) -> bool {
    identity.field.as_deref().is_some_and(|name| line.name_bytes.eq_ignore_ascii_case(name.as_bytes()))
}
