//! One instance from its sockets to its end: the order in which things start, and the order in which they stop.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::handover::{Handover, Inherited, Successor};
use super::log::Log;
use super::phase::Phase;
use super::reload::{Parts, Reloader, Why};
use super::signals::{Event, Events};
use super::watch::fingerprint;
use super::{Ended, RunError, Source, bind};
use crate::admin::{self, AdminContext, Hooks, Switchboard};
use crate::bypass::Switch;
use crate::config::{Config, Listen};
use crate::diagnose::probe;
use crate::proxy::{self, Shared, Snapshot};
use crate::recorder::Recorder;

/// How long the control plane may take to end what it is answering.
const ADMIN_STOPS_WITHIN: Duration = Duration::from_secs(1);

/// Runs until a signal ends it.
pub(super) fn run(source: Source, config: Config, mut inherited: Inherited, log: &Log) -> Result<Ended, RunError> {
    // The main thread waits for signals and looks at files; whoever carries exchanges has threads of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut events = {
        let _entered = runtime.enter();
        Events::begin()?
    };
    let sockets = Sockets::open_or_take(&config, &mut inherited)?;
    let handover = Handover::new(sockets.duplicates()?);
    let instance = Instance::start(Plan { source: Some(source), config, sockets, switchboard: None }, log)?;
    inherited.ready();
    let (reloader, recorder) = (Arc::clone(&instance.reloader), Arc::clone(&instance.recorder));
    let ended = runtime.block_on(serve(&mut events, instance, handover));
    reloader.phase.draining();
    recorder.close();
    tracing::info!("ended");
    ended
}

/// What an instance is started with.
pub struct Plan {
    /// Where the configuration is read again; nowhere if the program itself has made it.
    pub source: Option<Source>,
    /// The configuration.
    pub config: Config,
    /// Where it serves.
    pub sockets: Sockets,
    /// What `/api/v1/demo` shows and switches; there is no such thing otherwise.
    pub switchboard: Option<Arc<dyn Switchboard>>,
}

/// One instance at work. Several fit into one process; the log and the signals are the process's.
pub struct Instance {
    /// Where clients connect.
    pub listen: SocketAddr,
    /// Where the page and the admin API are.
    pub admin_address: SocketAddr,
    reloader: Arc<Reloader>,
    recorder: Arc<Recorder>,
    admin: admin::Running,
    proxy: proxy::Running,
    probes: probe::Running,
}

impl Instance {
    /// Starts the two planes on sockets that are open already.
    ///
    /// # Errors
    ///
    /// What the configuration names cannot be used, or the system refuses threads.
    pub fn start(plan: Plan, log: &Log) -> Result<Self, RunError> {
        let Plan { source, config, sockets, switchboard } = plan;
        let loaded = fingerprint(&config.files);
        let (listen, admin_address) = sockets.addresses()?;
        // Records name the port that clients connect to, also where the system has chosen it.
        let named = Config { listen: Listen { address: listen, ..config.listen.clone() }, ..config.clone() };
        let recorder = Recorder::start(&named)?;
        let config = Arc::new(config);
        let bypass = Arc::new(Switch::default());
        let snapshot = Snapshot::build(&config, &recorder).map_err(RunError::Unusable)?;
        let shared = Arc::new(Shared::new(snapshot, Arc::clone(&recorder), Arc::clone(&bypass)));
        let phase = Arc::new(Phase::default());
        let current = Arc::new(ArcSwap::new(Arc::clone(&config)));
        let parts = Parts {
            source,
            config: Arc::clone(&current),
            shared: Arc::clone(&shared),
            recorder: Arc::clone(&recorder),
            phase: Arc::clone(&phase),
            log: log.clone(),
        };
        let reloader = Arc::new(Reloader::new(parts, loaded));
        let probes = probe::start(&recorder, &current)?;
        let hooks = hooks(&reloader, &phase, probes.prober());
        let context =
            AdminContext { recorder: Arc::clone(&recorder), bypass, config: current, hooks, switchboard, listen };
        let admin = admin::start(sockets.admin, sockets.telemetry, context)?;
        let proxy = proxy::start(sockets.listen, shared)?;
        phase.ready();
        tracing::info!(
            listen = %listen,
            admin = %admin_address,
            role = config.pairing.role.as_str(),
            version = env!("CARGO_PKG_VERSION"),
            "ready"
        );
        Ok(Self { listen, admin_address, reloader, recorder, admin, proxy, probes })
    }

    /// Ends it: readiness first, then accepting, then what is in flight, for as long as `timeouts.drain` allows.
    pub fn end(self) {
        self.reloader.phase.draining();
        self.proxy.drain(self.reloader.config.load().timeouts.drain);
        self.proxy.wait();
        finish(self.admin, self.probes, &self.recorder);
    }
}

fn finish(admin: admin::Running, probes: probe::Running, recorder: &Recorder) {
    admin.stop(ADMIN_STOPS_WITHIN);
    probes.stop();
    recorder.close();
    tracing::info!("ended");
}

/// Every socket is open before anything is started: a taken port leaves nothing behind.
#[derive(Debug)]
pub struct Sockets {
    listen: TcpListener,
    admin: TcpListener,
    telemetry: Option<TcpListener>,
}

impl Sockets {
    /// Opens what the configuration says; with port 0 the system chooses.
    ///
    /// # Errors
    ///
    /// An address is taken, or is none of this host.
    pub fn open(config: &Config) -> Result<Self, RunError> {
        Self::open_or_take(config, &mut Inherited::default())
    }

    /// Takes what was inherited, and opens the rest.
    fn open_or_take(config: &Config, inherited: &mut Inherited) -> Result<Self, RunError> {
        let mut socket = |key, address| match inherited.listener(address) {
            Some(listener) => Ok(listener),
            None => bind::listen(key, address),
        };
        let telemetry = config.admin.telemetry.map(|address| socket("admin.telemetry", address)).transpose()?;
        let listen = socket("listen.address", config.listen.address)?;
        let admin = socket("admin.address", config.admin.address)?;
        match inherited.left() {
            Some(address) => Err(RunError::Unasked(address)),
            None => Ok(Self { listen, admin, telemetry }),
        }
    }

    /// The same sockets once more, for a successor.
    fn duplicates(&self) -> io::Result<Vec<TcpListener>> {
        [Some(&self.listen), Some(&self.admin), self.telemetry.as_ref()]
            .into_iter()
            .flatten()
            .map(TcpListener::try_clone)
            .collect()
    }

    /// Where clients and operators connect.
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.listen.local_addr()?, self.admin.local_addr()?))
    }
}

fn hooks(reloader: &Arc<Reloader>, phase: &Arc<Phase>, prober: probe::Prober) -> Hooks {
    let (reloader, phase) = (Arc::clone(reloader), Arc::clone(phase));
    Hooks {
        reload: Box::new(move || reloader.reload(Why::Request)),
        readiness: Box::new(move || phase.readiness()),
        probe: Box::new(move |exchange| prober.ask(exchange)),
    }
}

/// Waits for signals and changed files until the end, and ends as contract and clients want it: readiness first, then
/// accepting, then what is in flight.
async fn serve(events: &mut Events, instance: Instance, handover: Handover) -> Result<Ended, RunError> {
    let Instance { reloader, admin, proxy, probes, .. } = instance;
    let handed = watch(events, &reloader, &handover).await;
    reloader.phase.draining();
    // Nobody may wait at a socket that nobody serves any more.
    drop(handover);
    let timeouts = reloader.config.load().timeouts.clone();
    tracing::info!(delay = ?timeouts.drain_delay, deadline = ?timeouts.drain, "draining");
    // A successor is asked from now on; without one, readiness is told to the end.
    let admin = if handed { stopped(admin).await.map(|()| None)? } else { Some(admin) };
    let drained = async {
        if !handed {
            // Whoever sends requests needs a moment to see that readiness is gone.
            tokio::time::sleep(timeouts.drain_delay).await;
        }
        proxy.drain(timeouts.drain);
        apart("drain", move || proxy.wait()).await
    };
    let ended = tokio::select! {
        drained = drained => drained.map_err(RunError::System).map(|()| if handed { Ended::HandedOver } else { Ended::Drained }),
        () = events.end() => {
            tracing::warn!("a second signal: what is in flight is cut off");
            Ok(Ended::AtOnce)
        }
    };
    if let Some(admin) = admin {
        stopped(admin).await?;
    }
    apart("probes-stop", move || probes.stop()).await?;
    ended
}

/// Acts on signals and changed files until this instance has to end; whether a successor has its sockets then.
async fn watch(events: &mut Events, reloader: &Arc<Reloader>, handover: &Handover) -> bool {
    let mut successor: Option<Successor> = None;
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            ready = readiness(successor.as_mut()) => match ready {
                Ok(pid) => {
                    tracing::info!(pid, "handed over");
                    return true;
                }
                Err(error) => {
                    tracing::error!(%error, "the successor is not ready; this instance goes on");
                    successor = None;
                    continue;
                }
            },
        };
        match event {
            Event::End => return false,
            Event::Reload => drop(reloader.reload(Why::Signal)),
            Event::Look => reloader.look(),
            Event::HandOver if successor.is_some() => tracing::warn!("a successor is starting already"),
            Event::HandOver => match handover.begin() {
                Ok(begun) => successor = Some(begun),
                Err(error) => tracing::error!(%error, "no successor can be started; this instance goes on"),
            },
        }
    }
}

async fn readiness(successor: Option<&mut Successor>) -> io::Result<u32> {
    match successor {
        Some(successor) => successor.is_ready().await,
        None => std::future::pending().await,
    }
}

/// Ends the control plane.
async fn stopped(admin: admin::Running) -> io::Result<()> {
    apart("admin-stop", move || admin.stop(ADMIN_STOPS_WITHIN)).await
}

/// Waits on a thread of its own, so that a second signal is heard meanwhile.
async fn apart(name: &str, wait: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let (done, waited) = tokio::sync::oneshot::channel();
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        wait();
        // Nobody listens after a second signal.
        let _ = done.send(());
    })?;
    waited.await.map_err(io::Error::other)
}
