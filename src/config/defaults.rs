//! The value of every key that is not written.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::{
    Admin, Bypass, Capture, Client, Config, Forwarding, Ledger, Limits, Listen, Log, LogFormat, OnUpstreamFailure,
    Pairing, Probe, Route, Timeouts, Upstream, UpstreamHttp, UpstreamTls, UpstreamUrl,
};
use crate::analysis::exchange::{Role, RoutePolicy};

/// The name of the route, and of the upstream, that exist where none is configured.
pub(super) const DEFAULT_NAME: &str = "default";

/// The path of a route that says nothing else: all of them.
pub(super) const DEFAULT_PATH: &str = "/{*rest}";

impl Config {
    /// What `--upstream URL` alone means: one route, to that upstream, for everything.
    pub fn defaults_with_upstream(url: UpstreamUrl) -> Self {
        Self {
            listen: Listen::default(),
            admin: Admin::default(),
            upstreams: vec![Upstream::with_urls(DEFAULT_NAME.to_owned(), vec![url], Role::default())],
            routes: vec![Route::to_upstream(DEFAULT_NAME.to_owned(), 0)],
            pairing: Pairing::default(),
            client: Client::default(),
            bypass: Bypass::default(),
            capture: Capture::default(),
            ledger: Ledger::default(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            log: Log::default(),
            files: Vec::new(),
        }
    }
}

impl Upstream {
    /// An upstream of which nothing but its addresses is said.
    pub(super) fn with_urls(name: String, urls: Vec<UpstreamUrl>, role: Role) -> Self {
        Self {
            name,
            urls,
            direct: Vec::new(),
            tls: UpstreamTls::default(),
            host: None,
            http: UpstreamHttp::default(),
            on_failure: OnUpstreamFailure::of_role(role),
            health: None,
        }
    }
}

impl OnUpstreamFailure {
    /// An inner instance mirrors: a gateway that resends after a dead connection but not after a 502 must be seen
    /// doing it.
    pub(super) const fn of_role(role: Role) -> Self {
        match role {
            Role::Alone | Role::Outer => Self::Respond,
            Role::Inner => Self::Mirror,
        }
    }
}

impl Route {
    /// A route of which nothing but its upstream is said.
    pub(super) fn to_upstream(name: String, upstream: usize) -> Self {
        Self {
            name,
            host: None,
            path: DEFAULT_PATH.to_owned(),
            upstream,
            policy: RoutePolicy::default(),
            probe: Probe::default(),
            probe_credentials: false,
            probes_per_minute: 10,
            annotate: false,
            connect: false,
            allow_precondition_removal: false,
            forwarding: Forwarding::default(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self { address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8412)), tls: None, proxy_protocol: Vec::new() }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self { address: SocketAddr::from((Ipv4Addr::LOCALHOST, 4120)), token: None, telemetry: None, hosts: Vec::new() }
    }
}

impl Default for Bypass {
    fn default() -> Self {
        Self {
            default_duration: Duration::from_secs(15 * 60),
            longest_duration: Duration::from_secs(24 * 60 * 60),
            token: None,
            direct_traffic: false,
        }
    }
}

impl Default for Capture {
    fn default() -> Self {
        Self {
            file: None,
            records: 10_000,
            bytes: 64 << 20,
            redacted_fields: Vec::new(),
            redacted_parameters: Vec::new(),
            repeats_per_minute: 10,
        }
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self { resources: 100_000, sightings: 16, bytes: 64 << 20 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 64 << 10,
            header_count: 256,
            target_bytes: 16 << 10,
            body_bytes: None,
            connections: 10_000,
            connections_per_address: None,
            exchanges: 10_000,
            streams: 128,
            upstream_idle: 64,
            threads: None,
            routes: 200,
            probes_per_minute: 60,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            header_read: Duration::from_secs(10),
            body_idle: Duration::from_secs(60),
            write: Duration::from_secs(60),
            connect: Duration::from_secs(5),
            response_head: Duration::from_secs(60),
            idle: Duration::from_secs(75),
            upstream_idle: Duration::from_secs(3),
            // Servers of gRPC take offence at a second PING within five minutes of silence.
            upstream_ping: Duration::from_secs(5 * 60),
            tunnel_idle: Duration::from_secs(60 * 60),
            drain: Duration::from_secs(30),
            drain_delay: Duration::ZERO,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::default(), level: "info".to_owned(), access_sample: 0.0 }
    }
}
