//! One instance from its sockets to its end: the order in which things start, and the order in which they stop.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::log::Log;
use super::phase::Phase;
use super::reload::{Parts, Reloader, Why};
use super::signals::{Event, Events};
use super::watch::fingerprint;
use super::{Ended, RunError, Source, bind};
use crate::admin::{self, AdminContext, Hooks, Switchboard};
use crate::bypass::Switch;
use crate::config::Config;
use crate::diagnose::probe;
use crate::proxy::{self, Shared, Snapshot};
use crate::recorder::Recorder;

/// How long the control plane may take to end what it is answering.
const ADMIN_STOPS_WITHIN: Duration = Duration::from_secs(1);

/// Runs until a signal ends it.
pub(super) fn run(source: Source, config: Config, log: &Log) -> Result<Ended, RunError> {
    // The main thread waits for signals and looks at files; whoever carries exchanges has threads of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut events = {
        let _entered = runtime.enter();
        Events::begin()?
    };
    let sockets = Sockets::open(&config)?;
    let instance = Instance::start(Plan { source: Some(source), config, sockets, switchboard: None }, log)?;
    let Instance { reloader, recorder, admin, proxy, probes, .. } = instance;
    let ended = runtime.block_on(serve(&mut events, &reloader, proxy));
    finish(admin, probes, &recorder);
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
        let config = Arc::new(config);
        let recorder = Recorder::start(&config)?;
        let bypass = Arc::new(Switch::default());
        let snapshot = Snapshot::build(&config, &recorder).map_err(RunError::Unusable)?;
        let shared = Arc::new(Shared {
            snapshot: ArcSwap::from_pointee(snapshot),
            recorder: Arc::clone(&recorder),
            bypass: Arc::clone(&bypass),
        });
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
        let context = AdminContext { recorder: Arc::clone(&recorder), bypass, config: current, hooks, switchboard };
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
        let telemetry = config.admin.telemetry.map(|address| bind::listen("admin.telemetry", address));
        Ok(Self {
            listen: bind::listen("listen.address", config.listen.address)?,
            admin: bind::listen("admin.address", config.admin.address)?,
            telemetry: telemetry.transpose()?,
        })
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
async fn serve(events: &mut Events, reloader: &Arc<Reloader>, proxy: proxy::Running) -> Result<Ended, RunError> {
    loop {
        match events.next().await {
            Event::End => break,
            Event::Reload => drop(reloader.reload(Why::Signal)),
            Event::Look => reloader.look(),
        }
    }
    reloader.phase.draining();
    let timeouts = reloader.config.load().timeouts.clone();
    tracing::info!(delay = ?timeouts.drain_delay, deadline = ?timeouts.drain, "draining");
    let drained = async {
        // Whoever sends requests needs a moment to see that readiness is gone.
        tokio::time::sleep(timeouts.drain_delay).await;
        proxy.drain(timeouts.drain);
        waited(proxy).await
    };
    tokio::select! {
        drained = drained => drained.map(|()| Ended::Drained).map_err(RunError::System),
        () = events.end() => {
            tracing::warn!("a second signal: what is in flight is cut off");
            Ok(Ended::AtOnce)
        }
    }
}

/// Waits on a thread of its own, so that a second signal is heard meanwhile.
async fn waited(proxy: proxy::Running) -> io::Result<()> {
    let (done, wait) = tokio::sync::oneshot::channel();
    thread::Builder::new().name("drain".to_owned()).spawn(move || {
        proxy.wait();
        // Nobody listens after a second signal.
        let _ = done.send(());
    })?;
    wait.await.map_err(io::Error::other)
}
