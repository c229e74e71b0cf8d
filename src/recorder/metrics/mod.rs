//! Every metric of the process. Labels are enums or configured names: nothing a client sends becomes one.

pub mod declared;
mod exposition;
mod pair;
mod probes;
mod process;
pub mod reference;
mod route;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

use crate::analysis::exchange::ExchangeId;
use crate::analysis::time::Time;
use crate::bypass::Active;
use declared::{Declaration, Kind};
pub use exposition::Format;
use exposition::{Exemplar, Exemplars};
pub(super) use pair::PairCounts;
use pair::PairSeen;
pub use probes::ProbeOutcome;
use process::ProcessMetrics;
pub use route::RouteSeries;

/// On which side of this instance a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// From a client.
    Client,
    /// To an upstream.
    Upstream,
}

impl Side {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
        }
    }
}

/// Why an upstream gave no whole answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// Its name could not be resolved.
    Resolve,
    /// Connecting failed or took too long.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// No connection was to be had within the limits.
    Exhausted,
    /// It closed a reused connection before the first byte of an answer: ours to account for, not the gateway's.
    ReusedClosed,
    /// It closed a new connection before a whole answer head.
    Closed,
    /// It took too long to answer.
    Timeout,
    /// What it sent is not HTTP.
    Malformed,
    /// The answer's body was cut short.
    BodyCut,
    /// Writing the request failed.
    Write,
    /// It gave a request of HTTP/2 back without having begun to work on it.
    Refused,
    /// It reset the stream of a request of HTTP/2 before an answer.
    Reset,
}

impl FailureReason {
    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Exhausted => "exhausted",
            Self::ReusedClosed => "reused_closed",
            Self::Closed => "closed",
            Self::Timeout => "timeout",
            Self::Malformed => "malformed",
            Self::BodyCut => "body_cut",
            Self::Write => "write",
            Self::Refused => "refused",
            Self::Reset => "reset",
        }
    }
}

/// Why a client's connection was closed before its first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionRefused {
    /// There are as many as there may be.
    Limit,
    /// There are as many of its address as there may be.
    AddressLimit,
    /// It had to begin with a PROXY header, and did not.
    ProxyProtocol,
    /// Its TLS handshake failed.
    Tls,
}

impl ConnectionRefused {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Limit, Self::AddressLimit, Self::ProxyProtocol, Self::Tls];

    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::AddressLimit => "address_limit",
            Self::ProxyProtocol => "proxy_protocol",
            Self::Tls => "tls",
        }
    }
}

/// What came of the other instance of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PairingOutcome {
    /// The answer brought the report of this exchange.
    Report,
    /// The answer brought no report.
    NoReport,
    /// The answer brought the report of an earlier exchange.
    FromStore,
    /// A mark or report that is not authentic, or not expected from there.
    Unauthentic,
}

impl PairingOutcome {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Report, Self::NoReport, Self::FromStore, Self::Unauthentic];

    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::NoReport => "no_report",
            Self::FromStore => "from_store",
            Self::Unauthentic => "unauthentic",
        }
    }
}

/// All series of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    families: Families,
    pair: PairSeen,
    process: ProcessMetrics,
    /// Guards the latest exchange of each series of 412s. Short: a 412 puts one entry, a scrape copies the map.
    exemplars: Mutex<Exemplars>,
    /// Guards the counters that are read from elsewhere while a scrape brings them up to date.
    scrape: Mutex<()>,
}

/// The families that exchanges and the planes count in. Cloning is cheap: they are shared.
#[derive(Clone, Debug)]
pub(super) struct Families {
    pub(super) requests: IntCounterVec,
    pub(super) conditional: IntCounterVec,
    pub(super) precondition_failed: IntCounterVec,
    pub(super) alterations: IntCounterVec,
    pub(super) hazards: IntCounterVec,
    pub(super) recovery: HistogramVec,
    pub(super) validator_age: HistogramVec,
    pub(super) repeated_failures: IntCounterVec,
    pub(super) upstream_duration: HistogramVec,
    pub(super) inspection: Histogram,
    pub(super) upstream_failures: IntCounterVec,
    upstream_healthy: IntGaugeVec,
    pub(super) bypass_requests: IntCounterVec,
    pub(super) probes: IntCounterVec,
    connections_client: IntGauge,
    connections_upstream: IntGauge,
    connections_refused: [IntCounter; 4],
    in_flight: IntGauge,
    ledger_resources: IntGauge,
    ledger_evictions: IntCounter,
    captures: IntGauge,
    captures_bytes: IntGauge,
    captures_evicted: IntCounter,
    captures_lost: IntCounter,
    informational_left_out: IntCounter,
    feed_dropped: IntCounter,
    pairing: [IntCounter; 4],
    bypass_active: IntGaugeVec,
    reloads: IntCounterVec,
    last_reload: IntGauge,
}

/// What the ledger tells at a scrape.
#[derive(Clone, Copy, Debug, Default)]
pub struct LedgerSize {
    /// Resources that are remembered.
    pub resources: usize,
    /// What they occupy, about.
    pub bytes: usize,
    /// Resources that were forgotten since the start.
    pub evictions: u64,
}

impl Metrics {
    pub(super) fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let families = Families::register(&registry)?;
        let process = ProcessMetrics::register(&registry)?;
        let build = int_gauge_vec(&registry, &declared::BUILD_INFO)?;
        let revision = option_env!("WHY412_REVISION").unwrap_or("unknown");
        build.with_label_values(&[env!("CARGO_PKG_VERSION"), revision]).set(1);
        let pair = PairSeen::default();
        Ok(Self { registry, families, pair, process, exemplars: Mutex::default(), scrape: Mutex::new(()) })
    }

    /// A connection was accepted or made.
    pub fn connection_opened(&self, side: Side) {
        self.connections(side).inc();
    }

    /// What a configured address of an upstream answers to health checks.
    pub fn upstream_is(&self, upstream: &str, address: &str, healthy: bool) {
        self.families.upstream_healthy.with_label_values(&[upstream, address]).set(i64::from(healthy));
    }

    /// Other upstreams may be configured: those that are will be told of again.
    pub fn upstreams_change(&self) {
        self.families.upstream_healthy.reset();
    }

    /// A connection is gone.
    pub fn connection_closed(&self, side: Side) {
        self.connections(side).dec();
    }

    /// A client's connection was closed before its first request.
    pub fn connection_refused(&self, reason: ConnectionRefused) {
        if let Some(counter) = self.families.connections_refused.get(reason as usize) {
            counter.inc();
        }
    }

    /// A request's head has been read.
    pub fn exchange_began(&self) {
        self.families.in_flight.inc();
    }

    /// The exchange is over, however it ended.
    pub fn exchange_ended(&self) {
        self.families.in_flight.dec();
    }

    /// An upstream, by its configured name, gave no whole answer.
    pub fn upstream_failed(&self, upstream: &str, reason: FailureReason) {
        self.families.upstream_failures.with_label_values(&[upstream, reason.as_str()]).inc();
    }

    /// A probe was sent, or was not.
    pub fn probed(&self, route: &str, outcome: ProbeOutcome) {
        self.families.probes.with_label_values(&[route, outcome.as_str()]).inc();
    }

    /// A head that could not be read was answered with `status` (400, 414, 431 …), and no exchange came of it.
    pub fn request_refused(&self, status: u16) {
        let code = route::Code::of(status).as_str();
        self.families.requests.with_label_values(&["unmatched", "_OTHER", code]).inc();
    }

    /// A message came to an instance of a pair, or something that only such a message should carry.
    pub fn paired(&self, outcome: PairingOutcome) {
        if let Some(counter) = self.families.pairing.get(outcome as usize) {
            counter.inc();
        }
    }

    /// A report that could be read and believed came to an outer instance.
    pub fn report_came(&self, at: Time) {
        self.pair.seen(at);
    }

    /// A mark that could be read and believed came to an inner instance.
    pub fn mark_came(&self, at: Time) {
        self.pair.mark(at);
    }

    /// A request without a mark came to an inner instance.
    pub fn mark_missing(&self) {
        self.pair.no_mark();
    }

    /// The configuration was read again.
    pub fn config_reloaded(&self, well: bool) {
        self.families.reloads.with_label_values(&[if well { "applied" } else { "refused" }]).inc();
        self.families.last_reload.set(i64::from(well));
    }

    /// Everything, as a scrape wants it.
    pub fn render(&self, format: Format, ledger: LedgerSize, bypasses: &[Active]) -> String {
        let gathered = {
            let _scrape = self.scrape.lock().unwrap_or_else(PoisonError::into_inner);
            self.refresh(ledger, bypasses);
            self.registry.gather()
        };
        let exemplars = self.exemplars.lock().unwrap_or_else(PoisonError::into_inner).clone();
        exposition::render(&gathered, format, &exemplars)
    }

    /// What was counted of the pair.
    pub(super) fn pair_counts(&self) -> PairCounts {
        let of = |outcome: PairingOutcome| self.families.pairing.get(outcome as usize).map_or(0, IntCounter::get);
        let (marks, unmarked) = self.pair.marks();
        PairCounts {
            report: of(PairingOutcome::Report),
            no_report: of(PairingOutcome::NoReport),
            from_store: of(PairingOutcome::FromStore),
            unauthentic: of(PairingOutcome::Unauthentic),
            marks,
            unmarked,
        }
    }

    /// When the last mark or report came that could be read and believed, to a tenth of a second.
    pub(super) fn pair_last_seen(&self) -> Option<Time> {
        self.pair.last()
    }

    /// What there is of records: how many, their bytes, how many were lost and evicted since the start.
    pub(super) fn captures(&self) -> [u64; 4] {
        let of = |gauge: &IntGauge| u64::try_from(gauge.get()).unwrap_or_default();
        let families = &self.families;
        let (lost, evicted) = (families.captures_lost.get(), families.captures_evicted.get());
        [of(&families.captures), of(&families.captures_bytes), lost, evicted]
    }

    /// Events that slow readers of the feed have lost.
    pub(super) fn feed_dropped_so_far(&self) -> u64 {
        self.families.feed_dropped.get()
    }

    pub(super) const fn families(&self) -> &Families {
        &self.families
    }

    pub(super) fn inspected(&self, took: Duration) {
        self.families.inspection.observe(took.as_secs_f64());
    }

    pub(super) fn captures_are(&self, records: u64, bytes: u64) {
        self.families.captures.set(i64::try_from(records).unwrap_or(i64::MAX));
        self.families.captures_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    pub(super) fn captures_evicted(&self, records: u64) {
        self.families.captures_evicted.inc_by(records);
    }

    pub(super) fn captures_lost(&self, records: u64) {
        self.families.captures_lost.inc_by(records);
    }

    /// An informational answer could not be passed on to its client.
    pub fn informational_left_out(&self) {
        self.families.informational_left_out.inc();
    }

    pub(super) fn feed_dropped(&self, events: u64) {
        self.families.feed_dropped.inc_by(events);
    }

    /// The latest 412 of a series, for OpenMetrics.
    pub(super) fn exemplar(&self, series: [&str; 3], id: ExchangeId, at: Time) {
        let mut exemplars = self.exemplars.lock().unwrap_or_else(PoisonError::into_inner);
        let exemplar = Exemplar { id, at };
        exemplars.insert(series.map(str::to_owned), exemplar);
    }

    const fn connections(&self, side: Side) -> &IntGauge {
        match side {
            Side::Client => &self.families.connections_client,
            Side::Upstream => &self.families.connections_upstream,
        }
    }

    fn refresh(&self, ledger: LedgerSize, bypasses: &[Active]) {
        self.families.ledger_resources.set(i64::try_from(ledger.resources).unwrap_or(i64::MAX));
        let evictions = &self.families.ledger_evictions;
        evictions.inc_by(ledger.evictions.saturating_sub(evictions.get()));
        let of_all = bypasses.iter().filter(|bypass| bypass.route.is_none()).count();
        let of_routes = bypasses.len() - of_all;
        for (scope, count) in [("all", of_all), ("route", of_routes)] {
            self.families.bypass_active.with_label_values(&[scope]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.process.refresh();
    }
}

impl Families {
    fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let connections = int_gauge_vec(registry, &declared::CONNECTIONS)?;
        let refused = counter_vec(registry, &declared::CONNECTIONS_REFUSED)?;
        let pairing = counter_vec(registry, &declared::PAIRING)?;
        let last_reload = int_gauge(registry, &declared::LAST_RELOAD)?;
        // A process that runs has read its configuration and found it well.
        last_reload.set(1);
        let reloads = counter_vec(registry, &declared::RELOADS)?;
        for outcome in ["applied", "refused"] {
            reloads.with_label_values(&[outcome]);
        }
        Ok(Self {
            requests: counter_vec(registry, &declared::REQUESTS)?,
            conditional: counter_vec(registry, &declared::CONDITIONAL)?,
            precondition_failed: counter_vec(registry, &declared::PRECONDITION_FAILED)?,
            alterations: counter_vec(registry, &declared::ALTERATIONS)?,
            hazards: counter_vec(registry, &declared::HAZARDS)?,
            recovery: histogram_vec(registry, &declared::RECOVERY)?,
            validator_age: histogram_vec(registry, &declared::VALIDATOR_AGE)?,
            repeated_failures: counter_vec(registry, &declared::REPEATED_FAILURES)?,
            upstream_duration: histogram_vec(registry, &declared::UPSTREAM_DURATION)?,
            inspection: histogram(registry, &declared::INSPECTION)?,
            upstream_failures: counter_vec(registry, &declared::UPSTREAM_FAILURES)?,
            upstream_healthy: int_gauge_vec(registry, &declared::UPSTREAM_HEALTHY)?,
            bypass_requests: counter_vec(registry, &declared::BYPASS_REQUESTS)?,
            probes: counter_vec(registry, &declared::PROBES)?,
            connections_client: connections.with_label_values(&[Side::Client.as_str()]),
            connections_upstream: connections.with_label_values(&[Side::Upstream.as_str()]),
            connections_refused: ConnectionRefused::ALL.map(|reason| refused.with_label_values(&[reason.as_str()])),
            in_flight: int_gauge(registry, &declared::IN_FLIGHT)?,
            ledger_resources: int_gauge(registry, &declared::LEDGER_RESOURCES)?,
            ledger_evictions: counter(registry, &declared::LEDGER_EVICTIONS)?,
            captures: int_gauge(registry, &declared::CAPTURES)?,
            captures_bytes: int_gauge(registry, &declared::CAPTURES_BYTES)?,
            captures_evicted: counter(registry, &declared::CAPTURES_EVICTED)?,
            captures_lost: counter(registry, &declared::CAPTURES_LOST)?,
            informational_left_out: counter(registry, &declared::INFORMATIONAL_LEFT_OUT)?,
            feed_dropped: counter(registry, &declared::FEED_DROPPED)?,
            pairing: PairingOutcome::ALL.map(|outcome| pairing.with_label_values(&[outcome.as_str()])),
            bypass_active: int_gauge_vec(registry, &declared::BYPASS_ACTIVE)?,
            reloads,
            last_reload,
        })
    }
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> Result<C, prometheus::Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

fn counter(registry: &Registry, declared: &Declaration) -> Result<IntCounter, prometheus::Error> {
    registered(registry, IntCounter::new(declared.name, declared.help)?)
}

fn counter_vec(registry: &Registry, declared: &Declaration) -> Result<IntCounterVec, prometheus::Error> {
    registered(registry, IntCounterVec::new(Opts::new(declared.name, declared.help), declared.labels)?)
}

fn int_gauge(registry: &Registry, declared: &Declaration) -> Result<IntGauge, prometheus::Error> {
    registered(registry, IntGauge::new(declared.name, declared.help)?)
}

fn int_gauge_vec(registry: &Registry, declared: &Declaration) -> Result<IntGaugeVec, prometheus::Error> {
    registered(registry, IntGaugeVec::new(Opts::new(declared.name, declared.help), declared.labels)?)
}

fn histogram(registry: &Registry, declared: &Declaration) -> Result<Histogram, prometheus::Error> {
    registered(registry, Histogram::with_opts(histogram_opts(declared))?)
}

fn histogram_vec(registry: &Registry, declared: &Declaration) -> Result<HistogramVec, prometheus::Error> {
    registered(registry, HistogramVec::new(histogram_opts(declared), declared.labels)?)
}

fn histogram_opts(declared: &Declaration) -> HistogramOpts {
    let opts = HistogramOpts::new(declared.name, declared.help);
    match declared.kind {
        Kind::Histogram(buckets) => opts.buckets(buckets.to_vec()),
        Kind::Counter | Kind::Gauge => opts,
    }
}
