//! The configuration: the file as written, checked into values that cannot be wrong.
//!
//! [`load`] reads and checks; `file` knows TOML and lines, `values` single values, `check` what belongs together.

mod check;
mod defaults;
pub mod fault;
mod file;
pub mod reference;
mod routing;
mod secrets;
mod sections;
mod show;
#[cfg(test)]
mod tests;
pub mod values;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::analysis::exchange::{Role, RoutePolicy};

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use check::check_text;
pub use check::{Checked, load, reload};

/// A checked configuration. Every value is usable as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where clients connect.
    pub listen: Listen,
    /// The control plane.
    pub admin: Admin,
    /// By name; at least one.
    pub upstreams: Vec<Upstream>,
    /// In the order of the file; at least one. Which one fits is `proxy`'s business.
    pub routes: Vec<Route>,
    /// Where this instance stands.
    pub pairing: Pairing,
    /// How clients are told apart.
    pub client: Client,
    /// The bypass switch.
    pub bypass: Bypass,
    /// What is recorded and for how long.
    pub capture: Capture,
    /// What is remembered of resources.
    pub ledger: Ledger,
    /// Bounds of the data path.
    pub limits: Limits,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// The log.
    pub log: Log,
    /// Every file it was read from: its own and those it names.
    pub files: Vec<PathBuf>,
}

/// What the command line and the environment say; it goes before the file.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// In place of `listen.address`.
    pub listen: Option<SocketAddr>,
    /// In place of the `url` of the only upstream.
    pub upstream: Option<UpstreamUrl>,
    /// In place of the `direct` of the only upstream.
    pub direct: Option<UpstreamUrl>,
    /// In place of `admin.address`.
    pub admin: Option<SocketAddr>,
    /// In place of `pairing.role`.
    pub role: Option<Role>,
    /// In place of `pairing.secret_file`.
    pub secret_file: Option<PathBuf>,
}

/// Where clients connect.
#[derive(Clone, Debug, PartialEq)]
pub struct Listen {
    /// The address.
    pub address: SocketAddr,
    /// TLS towards clients.
    pub tls: Option<ListenTls>,
    /// From where connections begin with a PROXY protocol header, which then must be there.
    pub proxy_protocol: Vec<IpNet>,
}

/// TLS towards clients; PEM files, read again on reload.
#[derive(Clone, Debug, PartialEq)]
pub struct ListenTls {
    /// The certificate chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// Certificates that client certificates must come from; clients need one if it is given.
    pub client_ca: Option<PathBuf>,
}

/// The control plane.
#[derive(Clone, Debug, PartialEq)]
pub struct Admin {
    /// The address.
    pub address: SocketAddr,
    /// The bearer token; always there off loopback.
    pub token: Option<Secret>,
    /// A second address with /livez, /readyz and /metrics alone.
    pub telemetry: Option<SocketAddr>,
    /// Names the page may be opened under, beside `localhost`.
    pub hosts: Vec<String>,
}

/// A group of equal upstream addresses.
#[derive(Clone, Debug, PartialEq)]
pub struct Upstream {
    /// Its name.
    pub name: String,
    /// At least one.
    pub urls: Vec<UpstreamUrl>,
    /// Ways around the gateway, for bypass and probes; may be empty.
    pub direct: Vec<UpstreamUrl>,
    /// TLS towards it, used where a URL says `https`.
    pub tls: UpstreamTls,
    /// The Host to send instead of the client's.
    pub host: Option<String>,
    /// The versions of HTTP that are spoken to it.
    pub http: UpstreamHttp,
    /// What a client is given when the upstream closes without an answer.
    pub on_failure: OnUpstreamFailure,
    /// How its addresses are asked whether they are well; `None`: they are not.
    pub health: Option<Health>,
}

/// How upstream addresses are asked whether they are well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// What is asked for, with its query.
    pub path: String,
    /// From one answer, or its absence, to the next request.
    pub interval: Duration,
    /// How long an answer may take, with all that comes before it.
    pub timeout: Duration,
    /// How many failures in a row make an address unhealthy; at least 1.
    pub unhealthy_after: usize,
    /// How many successes in a row make it healthy again; at least 1.
    pub healthy_after: usize,
}

/// Scheme, host and port of an upstream; it has no path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamUrl {
    /// Over TLS.
    pub https: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// `http://127.0.0.1:8080`
impl fmt::Display for UpstreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

/// TLS towards an upstream; PEM files, read again on reload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpstreamTls {
    /// Certificates to trust instead of the system's.
    pub ca: Option<PathBuf>,
    /// The name to ask for and to verify instead of the URL's.
    pub server_name: Option<String>,
    /// Our certificate chain and its key.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
}

/// The versions of HTTP that are spoken to an upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpstreamHttp {
    /// HTTP/1.1, which carries heads byte for byte.
    #[default]
    Http1,
    /// HTTP/2: by prior knowledge over cleartext, over TLS only where ALPN agrees on it.
    Http2,
    /// Over TLS what ALPN agrees on, over cleartext HTTP/1.1.
    Auto,
}

/// What a client is given when the upstream closes without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnUpstreamFailure {
    /// A 502.
    Respond,
    /// The same: the connection is closed, the stream reset.
    Mirror,
}

/// A route.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The metric label.
    pub name: String,
    /// The host it is for, in lower case and without port; any if `None`.
    pub host: Option<String>,
    /// The path template: `{name}` is one segment, `{*rest}` the remainder, which may be empty.
    pub path: String,
    /// Index into [`Config::upstreams`].
    pub upstream: usize,
    /// How its exchanges are judged.
    pub policy: RoutePolicy,
    /// Whether to ask for the current validators after a 412.
    pub probe: Probe,
    /// Credentials of the client may be used for probes.
    pub probe_credentials: bool,
    /// How many probes of the route are sent in a minute.
    pub probes_per_minute: u32,
    /// Proxy-Status with cause and id on 412 answers.
    pub annotate: bool,
    /// CONNECT is passed on, to the route's upstream.
    pub connect: bool,
    /// A bypass may remove the conditions, as a test.
    pub allow_precondition_removal: bool,
    /// Which forwarding fields are added to requests.
    pub forwarding: Forwarding,
}

/// Fields that tell the origin who is in front of it; all off by default, for an observer must not cure what it
/// observes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forwarding {
    /// Via (RFC 9110 §7.6.3), both ways.
    pub via: bool,
    /// Forwarded (RFC 7239).
    pub forwarded: bool,
    /// X-Forwarded-For, -Proto and -Host.
    pub x_forwarded: bool,
}

/// Asking for the current validators after a 412.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Probe {
    /// Never.
    #[default]
    Off,
    /// By HEAD: shows the origin's tag.
    Head,
    /// By GET: shows what clients are given.
    Get,
}

/// Where this instance stands, and what it shares with the other one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairing {
    /// Where.
    pub role: Role,
    /// The first signs, all verify.
    pub secrets: Vec<Secret>,
    /// When an inner instance reports.
    pub report: Report,
}

/// When an inner instance reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Report {
    /// On every response.
    #[default]
    Always,
    /// On responses to requests that an outer instance marked.
    Marked,
}

/// How clients are told apart, before the usual order of credentials.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Client {
    /// A request field whose value is the client, in lower case.
    pub field: Option<String>,
    /// A cookie whose value is the client.
    pub cookie: Option<String>,
    /// Proxies in front that are believed when they say for whom they ask.
    pub trusted: TrustedProxies,
}

/// Proxies in front that are believed when they say for whom they ask.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrustedProxies {
    /// Where they are; nobody is believed if it is empty.
    pub networks: Vec<IpNet>,
    /// In which field they say it. One alone: they pass on the other as a client wrote it.
    pub field: TrustedField,
}

/// In which field trusted proxies say for whom they ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrustedField {
    /// The usual one.
    #[default]
    XForwardedFor,
    /// That of RFC 7239.
    Forwarded,
}

/// The bypass switch.
#[derive(Clone, Debug, PartialEq)]
pub struct Bypass {
    /// How long it lasts where nothing is said.
    pub default_duration: Duration,
    /// The longest that may be asked for.
    pub longest_duration: Duration,
    /// What `Why412-Bypass` must carry to bypass one request; without it the field does nothing.
    pub token: Option<Secret>,
    /// Bypassed traffic may take the `direct` addresses.
    pub direct_traffic: bool,
}

/// What is recorded and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Capture {
    /// Where; in memory if `None`.
    pub file: Option<PathBuf>,
    /// Records kept.
    pub records: u64,
    /// Bytes kept.
    pub bytes: u64,
    /// Names of fields, in lower case, that no record shows, beside the built-in ones.
    pub redacted_fields: Vec<String>,
    /// Names of query parameters, in lower case, that no URL shows, beside the built-in ones.
    pub redacted_parameters: Vec<String>,
    /// How many alterations and read hazards of one kind are recorded in full per minute; all if 0.
    pub repeats_per_minute: u32,
}

/// What is remembered of resources.
#[derive(Clone, Debug, PartialEq)]
pub struct Ledger {
    /// Resources.
    pub resources: usize,
    /// Sightings of each.
    pub sightings: usize,
    /// Bytes in all.
    pub bytes: usize,
}

/// Bounds of the data path.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of a head.
    pub header_bytes: usize,
    /// Field lines of a head; at most 512.
    pub header_count: usize,
    /// Bytes of a request target.
    pub target_bytes: usize,
    /// Bytes of a request body; any if `None`.
    pub body_bytes: Option<u64>,
    /// Client connections.
    pub connections: usize,
    /// Those of one client address, or of one IPv6 network of 64 bits; any if `None`.
    pub connections_per_address: Option<usize>,
    /// Exchanges in flight.
    pub exchanges: usize,
    /// Concurrent streams of one HTTP/2 connection.
    pub streams: u32,
    /// Idle connections kept to each upstream address, per thread.
    pub upstream_idle: usize,
    /// Threads that carry exchanges; one per core if `None`.
    pub threads: Option<usize>,
    /// Routes, because each has its own metric series.
    pub routes: usize,
    /// Probes that are sent in a minute, of all routes together.
    pub probes_per_minute: u32,
}

/// How long things may take.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeouts {
    /// From the first byte of a request to the end of its head.
    pub header_read: Duration,
    /// A body that brings nothing, either way.
    pub body_idle: Duration,
    /// A peer that takes nothing.
    pub write: Duration,
    /// Connecting to an upstream, TLS included.
    pub connect: Duration,
    /// From the request to the head of its answer.
    pub response_head: Duration,
    /// A client connection between two requests.
    pub idle: Duration,
    /// An upstream connection between two requests.
    pub upstream_idle: Duration,
    /// A tunnel (WebSocket) that carries nothing.
    pub tunnel_idle: Duration,
    /// How long an HTTP/2 connection to an upstream may say nothing, with exchanges under way, before it is asked
    /// whether it is still there.
    pub upstream_ping: Duration,
    /// What is in flight when draining begins.
    pub drain: Duration,
    /// Between the readiness turning 503 and the end of accepting.
    pub drain_delay: Duration,
}

/// The log.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// A `tracing` filter, such as `info` or `why412=debug`.
    pub level: String,
    /// The share of plain exchanges that is logged, 0.0 to 1.0. Recorded ones always are.
    pub access_sample: f64,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    #[default]
    Json,
    /// For people.
    Text,
}

/// A value that no output shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Hides `bytes`.
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The hidden bytes, for those who must use them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
