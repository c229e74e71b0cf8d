//! `why412 demo`: an origin, a gateway with the habits of real ones, a pair of instances around it, and clients that run
//! into real 412s, all in one process on loopback. Everything between them is ordinary HTTP; the two instances are what
//! `why412 run` would start.

mod gateway;
mod origin;
mod play;
pub mod stories;
mod wire;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::admin::Switchboard;
use crate::analysis::exchange::{Comparison, Role, RoutePolicy};
use crate::config::{Config, LogFormat, OnUpstreamFailure, Pairing, Route, Secret, Upstream, UpstreamUrl};
use crate::lifecycle::{self, Events, Instance, Plan, RunError, Sockets};
use gateway::Gateway;
use origin::{Node, Origin};
use stories::Story;

/// Where the demo is to be found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Where clients connect; the usual address, or a free one if that is taken, where nothing is said.
    pub listen: Option<SocketAddr>,
    /// Where the page of the outer instance is; likewise.
    pub admin: Option<SocketAddr>,
    /// Ends by itself after this time.
    pub lasting: Option<Duration>,
}

/// Where everything is.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// Where clients connect: the outer instance.
    pub listen: SocketAddr,
    /// The page and the API of the outer instance.
    pub outer: SocketAddr,
    /// The page and the API of the inner instance.
    pub inner: SocketAddr,
    /// The gateway between them.
    pub gateway: SocketAddr,
    /// The origin.
    pub origin: SocketAddr,
}

/// Starts everything, says where it is, and plays until a signal or the end of its time.
///
/// # Errors
///
/// An address that was asked for is taken, or the system refuses what every process needs.
pub fn run(options: &Options, started: impl FnOnce(&Addresses) -> io::Result<()>) -> Result<(), RunError> {
    let stories = stories::all().map_err(|fault| RunError::System(io::Error::other(fault)))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut events = Events::begin()?;
        let stage = Stage::build(options, stories).await?;
        started(&stage.addresses)?;
        match options.lasting {
            Some(lasting) => drop(tokio::time::timeout(lasting, events.end()).await),
            None => events.end().await,
        }
        stage.end();
        Ok(())
    })
}

/// Everything at work.
struct Stage {
    addresses: Addresses,
    /// Origin, gateway and clients; they end when this is dropped.
    players: JoinSet<()>,
    outer: Instance,
    inner: Instance,
    log: lifecycle::Log,
}

impl Stage {
    async fn build(options: &Options, stories: Vec<Story>) -> Result<Self, RunError> {
        let [north, south, gateway_listener] = [free().await?, free().await?, free().await?];
        let nodes = [north.local_addr()?, south.local_addr()?];
        let gateway_address = gateway_listener.local_addr()?;
        let secret = secret()?;
        let inner_config = configuration(Role::Inner, &nodes, &secret);
        let outer_config = configuration(Role::Outer, &[gateway_address], &secret);
        let log = lifecycle::start_log(&outer_config.log);
        let inner = {
            let sockets = Sockets::open(&inner_config)?;
            Instance::start(Plan { source: None, config: inner_config, sockets, switchboard: None }, &log)?
        };
        let gateway = Arc::new(Gateway::new(inner.listen, &stories));
        let outer = {
            let (config, sockets) = at_the_usual_address(outer_config, options)?;
            let switchboard: Arc<dyn Switchboard> = Arc::clone(&gateway) as Arc<dyn Switchboard>;
            Instance::start(Plan { source: None, config, sockets, switchboard: Some(switchboard) }, &log)?
        };
        let addresses = Addresses {
            listen: outer.listen,
            outer: outer.admin_address,
            inner: inner.admin_address,
            gateway: gateway_address,
            origin: north.local_addr()?,
        };
        let mut players = JoinSet::new();
        let origin = Arc::new(Origin::default());
        for (listener, node) in [(north, Node::North), (south, Node::South)] {
            let origin = Arc::clone(&origin);
            let answer = move |request| Arc::clone(&origin).answer(request, node);
            players.spawn(wire::serve(listener, wire::Names::Capitalised, answer));
        }
        let pass = move |request| Arc::clone(&gateway).pass(request);
        players.spawn(wire::serve(gateway_listener, wire::Names::AsTheyCame, pass));
        players.spawn(play::play(stories, outer.listen));
        Ok(Self { addresses, players, outer, inner, log })
    }

    fn end(self) {
        let Self { players, outer, inner, log, .. } = self;
        // Nobody is left who could wait for an answer.
        drop(players);
        outer.end();
        inner.end();
        log.flush();
    }
}

async fn free() -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
}

/// Bytes of the secret that the pair shares for as long as the demo runs.
const SECRET_BYTES: usize = 32;

fn secret() -> io::Result<Secret> {
    let mut bytes = vec![0; SECRET_BYTES];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(Secret::new(bytes))
}

/// Where nothing was asked for, a taken address is no reason to fail: any other will do.
fn at_the_usual_address(mut config: Config, options: &Options) -> Result<(Config, Sockets), RunError> {
    let usual = (config.listen.address, config.admin.address);
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let candidates = [(usual.0, usual.1), (usual.0, anywhere), (anywhere, usual.1), (anywhere, anywhere)];
    let mut refused = None;
    for (listen, admin) in candidates {
        config.listen.address = options.listen.unwrap_or(listen);
        config.admin.address = options.admin.unwrap_or(admin);
        match Sockets::open(&config) {
            Ok(sockets) => return Ok((config, sockets)),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| RunError::System(io::ErrorKind::AddrInUse.into())))
}

/// Routes of the service, by name; the path of each is its name and everything below.
const ROUTES: [&str; 15] = [
    "orders",
    "documents",
    "notes",
    "calendar",
    "files",
    "people",
    "ledger",
    "wiki",
    "reports",
    "catalog",
    "settings",
    "patients",
    "bucket",
    "telemetry",
    "legacy",
];

/// The one route whose requests two nodes of the origin take in turns.
const TWO_NODES: &str = "pages";

/// The one route where If-Match with weak tags is by design.
const COMPARED_WEAKLY: &str = "patients";

/// What an operator would write into the file of such an instance.
fn configuration(role: Role, upstreams: &[SocketAddr], secret: &Secret) -> Config {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let url = |address: &SocketAddr| UpstreamUrl { https: false, host: address.ip().to_string(), port: address.port() };
    let first = url(upstreams.first().unwrap_or(&anywhere));
    let mut config = Config::defaults_with_upstream(first);
    if role == Role::Inner {
        (config.listen.address, config.admin.address) = (anywhere, anywhere);
        for upstream in &mut config.upstreams {
            upstream.on_failure = OnUpstreamFailure::Mirror;
        }
    }
    for usual in config.upstreams.clone() {
        let urls = upstreams.iter().map(url).collect();
        config.upstreams.push(Upstream { name: TWO_NODES.to_owned(), urls, ..usual });
    }
    // What the routes of the service do not cover stays with the one that everything else is.
    for usual in config.routes.clone() {
        let named = ROUTES.into_iter().map(|name| (name, 0)).chain([(TWO_NODES, 1)]);
        config.routes.splice(0..0, named.map(|(name, upstream)| route(name, upstream, &usual)));
    }
    config.pairing = Pairing { role, secrets: vec![secret.clone()], ..Pairing::default() };
    config.limits.threads = Some(1);
    config.timeouts.drain = DRAIN;
    (config.log.format, config.log.level) = (LogFormat::Text, "error".to_owned());
    config
}

/// What is in flight at the end are the demo's own requests, and nobody waits for them.
const DRAIN: Duration = Duration::from_millis(300);

fn route(name: &str, upstream: usize, usual: &Route) -> Route {
    let comparison = if name == COMPARED_WEAKLY { Comparison::Weak } else { Comparison::default() };
    Route {
        name: name.to_owned(),
        path: format!("/{name}/{{*rest}}"),
        upstream,
        policy: RoutePolicy { comparison, ..RoutePolicy::default() },
        ..usual.clone()
    }
}
