//! Asking upstream addresses whether they are well, where that is configured. It happens on a thread of its own, on
//! connections of its own; exchanges only read what came of it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use http::Method;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::http1::body::Piece;
use super::http1::framing::BodyLength;
use super::prepare::Tunnel;
use super::snapshot::Snapshot;
use super::upstream::endpoint::Endpoint;
use super::upstream::exchange::{Begin, Heard, NotBegun, Sides};
use super::upstream::failure::UpstreamFailure;
use super::upstream::pool::Safety;
use super::upstream::{self, Wanted};
use super::worker::Worker;
use crate::analysis::semantics::fields::Fields;
use crate::analysis::semantics::message::{RequestHead, ResponseHead, Version};
use crate::config::Health;

/// Asks until `end` says that the data plane ends; begins anew with every configuration.
pub(super) async fn watch<T>(worker: Rc<Worker>, mut end: watch::Receiver<T>) {
    let mut changed = worker.shared.snapshot_changed();
    loop {
        changed.borrow_and_update();
        let snapshot = worker.snapshot();
        worker.shared.recorder.metrics().upstreams_change();
        // Dropped, its tasks end.
        let mut watched = JoinSet::new();
        for group in snapshot.groups() {
            for endpoint in group.endpoints.iter().filter(|_| group.health.is_some()) {
                let watch = Watch {
                    worker: Rc::clone(&worker),
                    snapshot: Arc::clone(&snapshot),
                    upstream: group.name.clone(),
                    host: group.host.clone(),
                    endpoint: Arc::clone(endpoint),
                    states: HashMap::new(),
                };
                let Some(health) = group.health.clone() else { continue };
                watched.spawn_local(watch.run(health));
            }
        }
        tokio::select! {
            _ = end.changed() => return,
            new = changed.changed() => if new.is_err() { return },
        }
    }
}

/// The watch over one configured address, which a name may make several.
struct Watch {
    worker: Rc<Worker>,
    snapshot: Arc<Snapshot>,
    upstream: String,
    host: Option<String>,
    endpoint: Arc<Endpoint>,
    states: HashMap<SocketAddr, State>,
}

/// What is thought of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    well: bool,
    /// How many answers in a row spoke against it.
    against: usize,
}

impl State {
    /// Takes an answer into account; whether that changes the opinion.
    const fn hear(&mut self, well: bool, health: &Health) -> bool {
        if well == self.well {
            self.against = 0;
            return false;
        }
        self.against += 1;
        let enough = if well { health.healthy_after } else { health.unhealthy_after };
        let changes = self.against >= enough;
        if changes {
            *self = Self { well, against: 0 };
        }
        changes
    }
}

impl Watch {
    async fn run(mut self, health: Health) {
        loop {
            self.look(&health).await;
            tokio::time::sleep(health.interval).await;
        }
    }

    /// Asks every address once, all at the same time.
    async fn look(&mut self, health: &Health) {
        let addresses = match self.endpoint.literal() {
            Some(address) => vec![address],
            // Without a name there is nobody to ask; what is known of old addresses stays.
            None => self.endpoint.addresses(health.timeout).await.unwrap_or_default(),
        };
        let mut asked = JoinSet::new();
        for address in addresses.iter().copied() {
            let question = Question {
                worker: Rc::clone(&self.worker),
                snapshot: Arc::clone(&self.snapshot),
                endpoint: Arc::clone(&self.endpoint),
                request: request(&health.path, self.host.as_deref(), &self.endpoint),
            };
            let within = health.timeout;
            asked.spawn_local(async move {
                let answer = tokio::time::timeout(within, question.ask(address)).await;
                (address, answer.unwrap_or_else(|_| Err("it took too long to answer".to_owned())))
            });
        }
        self.states.retain(|address, _| addresses.contains(address));
        while let Some(answer) = asked.join_next().await {
            if let Ok((address, answer)) = answer {
                self.hear(address, &answer, health);
            }
        }
        let down = self.states.iter().filter(|(_, state)| !state.well).map(|(address, _)| *address).collect();
        self.endpoint.are_down(down);
        let healthy = self.states.values().any(|state| state.well);
        self.worker.shared.recorder.metrics().upstream_is(&self.upstream, &self.endpoint.to_string(), healthy);
    }

    fn hear(&mut self, address: SocketAddr, answer: &Result<(), String>, health: &Health) {
        let well = !self.endpoint.is_down(address);
        let state = self.states.entry(address).or_insert(State { well, against: 0 });
        if !state.hear(answer.is_ok(), health) {
            return;
        }
        let (upstream, endpoint) = (self.upstream.as_str(), &self.endpoint);
        match answer {
            Ok(()) => tracing::info!(upstream, %endpoint, %address, "an upstream address is healthy again"),
            Err(why) => tracing::warn!(
                upstream, %endpoint, %address, why,
                "an upstream address is unhealthy: it is tried last"
            ),
        }
    }
}

fn request(path: &str, host: Option<&str>, endpoint: &Endpoint) -> RequestHead {
    let authority = host.map_or_else(|| endpoint.authority(), str::to_owned);
    let mut fields = Fields::with_capacity(128, 3);
    fields.push(b"Host", authority.as_bytes());
    fields.push(b"User-Agent", concat!("why412/", env!("CARGO_PKG_VERSION"), " (health)").as_bytes());
    if !endpoint.may_speak_http2() {
        fields.push(b"Connection", b"close");
    }
    RequestHead {
        method: Method::GET,
        target: path.as_bytes().to_vec(),
        authority: authority.into_bytes(),
        version: Version::Http11,
        fields,
    }
}

/// One request to one address.
struct Question {
    worker: Rc<Worker>,
    snapshot: Arc<Snapshot>,
    endpoint: Arc<Endpoint>,
    request: RequestHead,
}

impl Question {
    /// Well is what answers with 2xx or 3xx.
    async fn ask(self, address: SocketAddr) -> Result<(), String> {
        let limits = self.snapshot.head_limits;
        let timeouts = &self.snapshot.config.timeouts;
        let (safety, tunnel) = (Safety::Safe, Tunnel::None);
        let wanted = Wanted { safety, tunnel, anew: true, limits, timeouts };
        let lease = upstream::lease_at(&self.worker, &self.endpoint, address, wanted).await;
        let mut lease = lease.map_err(|failure| failure.to_string())?;
        let (request, fields) = (&self.request, &self.request.fields);
        let begun = lease.connection.begin(&Begin { request, fields, length: BodyLength::Empty, tunnel });
        begun.map_err(|fault| match fault {
            NotBegun::Target => "HTTP/2 cannot carry the path".to_owned(),
            NotBegun::Upstream(failure) => failure.to_string(),
        })?;
        let Sides { mut told, mut heard, .. } = lease.connection.sides(limits, tunnel);
        told.end(None).await.map_err(|error| error.to_string())?;
        let head = final_head(&mut heard).await.map_err(|failure| failure.to_string())?;
        if !(200..400).contains(&head.status) {
            return Err(format!("it answered with {}", head.status));
        }
        // An answer that is read to its end ends well for the other side, too.
        if heard.begin_body(request, &head).is_ok() {
            while let Ok(Piece::Data(count)) = std::future::poll_fn(|cx| heard.poll_piece(cx)).await {
                heard.consume(count);
            }
        }
        Ok(())
    }
}

async fn final_head(heard: &mut Heard<'_>) -> Result<ResponseHead, UpstreamFailure> {
    loop {
        let head = std::future::poll_fn(|cx| heard.poll_head(cx)).await?;
        if !matches!(head.status, 100 | 102..=199) {
            return Ok(head);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_opinion_changes_after_as_many_answers_in_a_row_as_configured() {
        let health = Health {
            path: "/".to_owned(),
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            unhealthy_after: 3,
            healthy_after: 2,
        };
        let mut state = State { well: true, against: 0 };
        let heard = [false, false, true, false, false, false, true, false, true, true];
        let thought = heard.map(|well| {
            let changes = state.hear(well, &health);
            (changes, state.well)
        });
        let (stays, ill) = ((false, true), (false, false));
        assert_eq!(thought, [stays, stays, stays, stays, stays, (true, false), ill, ill, ill, (true, true)]);
    }
}
