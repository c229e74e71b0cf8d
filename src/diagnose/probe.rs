//! Sends probes: after a 412 the current validators of its resource are asked for, through the path and around it, and
//! handed to the recorder. On a thread of its own: no exchange waits for any of it.

mod ask;
mod limit;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use arc_swap::ArcSwap;
use http::Method;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::analysis::exchange::ExchangeId;
use crate::analysis::probing::{ProbeAnswer, ProbeTarget, Probed, ProbedBy};
use crate::clock;
use crate::config::{Config, Probe, Route, Upstream};
use crate::recorder::Recorder;
use crate::recorder::metrics::ProbeOutcome;
use crate::recorder::probe::{ProbeRefusal, ProbeSetting, Wanted, target_of};
use crate::recorder::record::Record;
use crate::recorder::redact::Redaction;
use crate::recorder::store::{StoreError, Stored};
use ask::{Trusts, ask};
use limit::{Admission, Admitted, Refused};

/// Operators' probes that may wait to be looked at.
const ASKED_MAX: usize = 64;

/// What an operator's probe comes to: the amended record.
pub type Outcome = Result<Stored, ProbeRefusal>;

/// A thread that sends probes.
#[derive(Debug)]
pub struct Running {
    asked: mpsc::Sender<Asked>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// How operators ask for a probe.
#[derive(Clone, Debug)]
pub struct Prober(mpsc::Sender<Asked>);

#[derive(Debug)]
struct Asked {
    exchange: ExchangeId,
    answer: oneshot::Sender<Outcome>,
}

/// Sends what routes want and what operators ask for, by the configuration of the moment.
///
/// # Errors
/// The system refuses a thread.
pub fn start(recorder: &Arc<Recorder>, config: &Arc<ArcSwap<Config>>) -> io::Result<Running> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (asked, waiting) = mpsc::channel(ASKED_MAX);
    let (stop, stopped) = oneshot::channel();
    let sender = Arc::new(Sender {
        recorder: Arc::clone(recorder),
        config: Arc::clone(config),
        admission: Mutex::default(),
        trusts: Trusts::default(),
    });
    let work = move || runtime.block_on(run(sender, waiting, stopped));
    let thread = thread::Builder::new().name("why412-probes".to_owned()).spawn(work)?;
    Ok(Running { asked, stop, thread })
}

impl Running {
    /// For who serves operators.
    pub fn prober(&self) -> Prober {
        Prober(self.asked.clone())
    }

    /// Ends it; probes under way are given up.
    pub fn stop(self) {
        // Gone already if the thread panicked.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

impl Prober {
    /// Asks for a probe of a recorded exchange. The answer comes when it is over.
    pub fn ask(&self, exchange: ExchangeId) -> oneshot::Receiver<Outcome> {
        let (answer, outcome) = oneshot::channel();
        if let Err(refused) = self.0.try_send(Asked { exchange, answer }) {
            // Whoever asked holds the other end.
            let _ = refused.into_inner().answer.send(Err(ProbeRefusal::Busy));
        }
        outcome
    }
}

async fn run(sender: Arc<Sender>, mut asked: mpsc::Receiver<Asked>, mut stopped: oneshot::Receiver<()>) {
    let Some(mut wanted) = sender.recorder.wanted_probes() else { return };
    // What is in it is bounded: by what is admitted, and by the connections of operators.
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            Some(_) = under_way.join_next() => {}
            Some(wanted) = wanted.recv() => {
                if let Some(admitted) = sender.admit_wanted(&wanted) {
                    let sender = Arc::clone(&sender);
                    under_way.spawn(async move { sender.send_wanted(wanted, admitted).await });
                }
            }
            Some(Asked { exchange, answer }) = asked.recv() => {
                let sender = Arc::clone(&sender);
                under_way.spawn(async move {
                    // Whoever asked may be gone.
                    let _ = answer.send(sender.send_asked(exchange).await);
                });
            }
        }
    }
}

struct Sender {
    recorder: Arc<Recorder>,
    config: Arc<ArcSwap<Config>>,
    /// Guards the counts of what was sent and is under way. Short: one entry is looked at.
    admission: Mutex<Admission>,
    trusts: Trusts,
}

impl Sender {
    fn admit(&self, config: &Config, route: &Route) -> Result<Admitted, Refused> {
        let mut admission = self.admission.lock().unwrap_or_else(PoisonError::into_inner);
        let admitted = admission.admit(config, route, clock::now());
        if let Err(refused) = &admitted {
            let outcome = match refused {
                Refused::Limited => ProbeOutcome::Limited,
                Refused::Busy => ProbeOutcome::Dropped,
            };
            self.recorder.metrics().probed(&route.name, outcome);
        }
        admitted
    }

    fn admit_wanted(&self, wanted: &Wanted) -> Option<Admitted> {
        let config = self.config.load();
        let route = config.routes.iter().find(|route| route.name == wanted.route && route.probe != Probe::Off);
        // Switched off, or gone, since it was wanted.
        self.admit(&config, route?).ok()
    }

    async fn send_wanted(&self, wanted: Wanted, _admitted: Admitted) {
        let config = self.config.load_full();
        let Some(route) = config.routes.iter().find(|route| route.name == wanted.route) else { return };
        let probed = if wanted.is_secret {
            self.recorder.metrics().probed(&route.name, ProbeOutcome::Withheld);
            withheld(&wanted.target, method_of(route.probe))
        } else {
            let Some(probed) = self.probe(&config, route, &wanted.target, ProbedBy::Route).await else { return };
            probed
        };
        if let Err(fault) = self.recorder.probed(wanted.exchange, &wanted.target, probed, setting(&config, route)).await
        {
            tracing::debug!(%fault, "a record could not be amended by what a probe learned");
        }
    }

    async fn send_asked(&self, exchange: ExchangeId) -> Outcome {
        let stored = self.recorder.one(exchange).await?.ok_or(ProbeRefusal::Unknown)?;
        let record: Record =
            serde_json::from_str(&stored.json).map_err(|fault| StoreError::Failed(fault.to_string()))?;
        let config = self.config.load_full();
        let route = config.routes.iter().find(|route| route.name == record.route);
        let route = route.ok_or_else(|| ProbeRefusal::RouteGone(record.route.clone()))?;
        let target = target_of(&record, &Redaction::new(&config.capture))?;
        let _admitted = self.admit(&config, route).map_err(|refused| match refused {
            Refused::Limited => ProbeRefusal::Limited,
            Refused::Busy => ProbeRefusal::Busy,
        })?;
        let probed = self.probe(&config, route, &target, ProbedBy::Operator).await;
        let probed = probed.ok_or_else(|| ProbeRefusal::RouteGone(record.route.clone()))?;
        let amended = self.recorder.probed(exchange, &target, probed, setting(&config, route)).await?;
        amended.ok_or(ProbeRefusal::Unknown)
    }

    async fn probe(&self, config: &Arc<Config>, route: &Route, target: &ProbeTarget, by: ProbedBy) -> Option<Probed> {
        let upstream: &Upstream = config.upstreams.get(route.upstream)?;
        let method = method_of(route.probe);
        let mut target = target.clone();
        // Whoever reads in another way than it writes is given what it read: ask for that.
        let known = method == Method::GET && !target.accepts_coding();
        if let Some(coding) = Some(&target).filter(|_| known).and_then(|target| self.recorder.coding_of(target)) {
            target.fields.push(b"Accept-Encoding", &coding);
        }
        let trust = self.trusts.of(config, route.upstream, upstream);
        let probed = ask(config, upstream, (method, &target), (by, trust)).await;
        let outcome = if probed.through.head.is_ok() { ProbeOutcome::Answered } else { ProbeOutcome::Failed };
        self.recorder.metrics().probed(&route.name, outcome);
        Some(probed)
    }
}

const fn setting(config: &Config, route: &Route) -> ProbeSetting {
    ProbeSetting { role: config.pairing.role, comparison: route.policy.comparison }
}

/// An operator who asks where the route does not wants to see what clients are given.
const fn method_of(probe: Probe) -> Method {
    match probe {
        Probe::Head => Method::HEAD,
        Probe::Get | Probe::Off => Method::GET,
    }
}

/// What is learned where nothing may be asked.
fn withheld(target: &ProbeTarget, method: Method) -> Probed {
    let says = "not asked: the URL holds a secret, and probe_credentials = true is not set on the route";
    let at = clock::now();
    let url = [target.scheme.as_str().as_bytes(), b"://", &target.authority, &target.target].concat();
    let url = url.iter().map(|byte| char::from(*byte)).collect();
    Probed {
        by: ProbedBy::Route,
        at,
        through: ProbeAnswer { method, url, at, head: Err(says.to_owned()) },
        direct: None,
        credentials: target.credentials,
        mark: None,
        report: None,
    }
}
