//! The names, labels and helps of all metrics, once; registration and `docs/metrics.md` are made of them.

/// How a metric behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Observations in buckets with these upper bounds.
    Histogram(&'static [f64]),
}

/// One metric.
#[derive(Debug)]
pub struct Declaration {
    /// Its name.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it counts, for the exposition and the reference.
    pub help: &'static str,
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Declaration {
    Declaration { name, kind: Kind::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Declaration {
    Declaration { name, kind: Kind::Gauge, labels, help }
}

const fn histogram(
    name: &'static str,
    buckets: &'static [f64],
    labels: &'static [&'static str],
    help: &'static str,
) -> Declaration {
    Declaration { name, kind: Kind::Histogram(buckets), labels, help }
}

/// From a retry at once to somebody who comes back the next day.
const PATIENCE: &[f64] = &[0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 43_200.0, 86_400.0, 604_800.0];
const ANSWERS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
const MICROSECONDS: &[f64] =
    &[1e-6, 2e-6, 5e-6, 10e-6, 20e-6, 50e-6, 100e-6, 200e-6, 500e-6, 1_000e-6, 2_000e-6, 5_000e-6];

pub(super) const REQUESTS: Declaration = counter(
    "why412_requests_total",
    &["route", "method", "code"],
    "Exchanges, by what the client was answered. The code is exact for 304, 409, 412, 416 and 428, else its class; \
     `5xx` also where the upstream gave no answer, `none` where the client left before there was one. The method is \
     `_OTHER` where it is none that is registered. Heads that could not be read count on the route `unmatched`.",
);
pub(super) const CONDITIONAL: Declaration = counter(
    "why412_conditional_requests_total",
    &["route", "field"],
    "Requests that carried the condition, standard or of a vendor. One with two conditions counts on both.",
);
pub(super) const PRECONDITION_FAILED_LABELS: [&str; 3] = ["route", "cause", "confidence"];
pub(super) const PRECONDITION_FAILED: Declaration = counter(
    "why412_precondition_failed_total",
    &PRECONDITION_FAILED_LABELS,
    "Answers with 412, by the cause that was found at the end of the exchange. In OpenMetrics the latest one is an \
     exemplar with its exchange_id.",
);
pub(super) const ALTERATIONS: Declaration = counter(
    "why412_alterations_total",
    &["route", "on", "field", "change"],
    "Conditions and validators that left one side and arrived different, or not at all, on the other.",
);
pub(super) const HAZARDS: Declaration =
    counter("why412_hazards_total", &["route", "hazard"], "Damage or waste that no 412 shows, by its kind.");
pub(super) const RECOVERY: Declaration = histogram(
    "why412_recovery_seconds",
    PATIENCE,
    &["route"],
    "From a client's 412 to its next success on the same resource.",
);
pub(super) const VALIDATOR_AGE: Declaration = histogram(
    "why412_validator_age_seconds",
    PATIENCE,
    &["route"],
    "How long before its 412 a refused validator had been handed out.",
);
pub(super) const REPEATED_FAILURES: Declaration = counter(
    "why412_repeated_failures_total",
    &["route"],
    "Requests that sent a condition again, by the same client, after it had been answered with 412.",
);
pub(super) const UPSTREAM_DURATION: Declaration = histogram(
    "why412_upstream_request_duration_seconds",
    ANSWERS,
    &["route"],
    "From sending a request to the head of its answer.",
);
pub(super) const INSPECTION: Declaration = histogram(
    "why412_inspection_duration_seconds",
    MICROSECONDS,
    &[],
    "What counting, judging and copying one exchange took when it had ended.",
);
pub(super) const UPSTREAM_FAILURES: Declaration = counter(
    "why412_upstream_failures_total",
    &["upstream", "reason"],
    "Requests to which an upstream gave no whole answer. The reason `reused_closed` is a connection that turned out \
     to be dead when it was used again; it says nothing about the gateway.",
);
pub(super) const UPSTREAM_HEALTHY: Declaration = gauge(
    "why412_upstream_healthy",
    &["upstream", "address"],
    "1 while a configured address answers its health checks, of a name while any of its addresses does, else 0. Only where \
     `health` is configured.",
);
pub(super) const CONNECTIONS: Declaration =
    gauge("why412_connections", &["side"], "Open connections from clients and to upstreams.");
pub(super) const CONNECTIONS_REFUSED: Declaration = counter(
    "why412_connections_refused_total",
    &["reason"],
    "Connections of clients that were closed before their first request: `limit`, there were as many as \
     `limits.connections` allows; `address_limit`, as many of its address; `proxy_protocol`, the PROXY header that it must \
     begin with was missing or unreadable; `tls`, its handshake failed.",
);
pub(super) const IN_FLIGHT: Declaration = gauge("why412_exchanges_in_flight", &[], "Exchanges that have not ended.");
pub(super) const LEDGER_RESOURCES: Declaration =
    gauge("why412_ledger_resources", &[], "Resources of which validators or writes are remembered.");
pub(super) const LEDGER_EVICTIONS: Declaration =
    counter("why412_ledger_evictions_total", &[], "Resources that were forgotten to make room for others.");
pub(super) const CAPTURES: Declaration = gauge("why412_captures", &[], "Recorded exchanges that can be read.");
pub(super) const CAPTURES_BYTES: Declaration = gauge("why412_captures_bytes", &[], "What they occupy.");
pub(super) const CAPTURES_EVICTED: Declaration =
    counter("why412_captures_evicted_total", &[], "Records that were deleted to make room for others.");
pub(super) const CAPTURES_LOST: Declaration = counter(
    "why412_captures_lost_total",
    &[],
    "Records that could not be kept, because the store was behind or its file could not be written. The exchanges \
     themselves went on, and every other metric counts them.",
);
pub(super) const INFORMATIONAL_LEFT_OUT: Declaration = counter(
    "why412_informational_left_out_total",
    &[],
    "Informational answers (1xx) of upstreams that clients were not given, because they came by HTTP/1.0, which has none.",
);
pub(super) const FEED_DROPPED: Declaration =
    counter("why412_feed_dropped_total", &[], "Events that a slow reader of the feed did not get.");
pub(super) const PAIRING: Declaration = counter(
    "why412_pairing_total",
    &["outcome"],
    "At an outer instance, answers by what they brought from the inner one: the `report` of their exchange, `no_report`, \
     or that of an earlier exchange, `from_store`. `unauthentic` at any instance: a mark or report that cannot be read, \
     does not verify, or has no business there.",
);
pub(super) const PROBES: Declaration = counter(
    "why412_probes_total",
    &["route", "outcome"],
    "Probes of current validators after a 412: `answered`; `failed`, where the path gave no answer; `withheld`, because \
     the URL holds a secret that probes may not use; `limited` by probes_per_minute; `dropped`, because too many were \
     waiting or under way. At an inner instance also `passed`: a probe of the outer one, which is no exchange.",
);
pub(super) const BYPASS_ACTIVE: Declaration =
    gauge("why412_bypass_active", &["scope"], "Bypasses at work: for `all` routes, or for one `route` each.");
pub(super) const BYPASS_REQUESTS: Declaration =
    counter("why412_bypass_requests_total", &["route"], "Requests that went out under a bypass.");
pub(super) const RELOADS: Declaration = counter(
    "why412_config_reloads_total",
    &["outcome"],
    "How often the configuration was read again: `applied`, or `refused` because of its faults.",
);
pub(super) const LAST_RELOAD: Declaration = gauge(
    "why412_config_last_reload_successful",
    &[],
    "1 if the configuration was well when it was last read, else 0.",
);
pub(super) const BUILD_INFO: Declaration =
    gauge("why412_build_info", &["version", "revision"], "Always 1; its labels say what is running.");
pub(super) const PROCESS_CPU: Declaration =
    counter("process_cpu_seconds_total", &[], "Processor time spent, user and system.");
pub(super) const PROCESS_OPEN_FDS: Declaration = gauge("process_open_fds", &[], "Open file descriptors.");
pub(super) const PROCESS_MAX_FDS: Declaration = gauge("process_max_fds", &[], "File descriptors that may be open.");
pub(super) const PROCESS_RESIDENT: Declaration = gauge("process_resident_memory_bytes", &[], "Resident memory.");
pub(super) const PROCESS_VIRTUAL: Declaration = gauge("process_virtual_memory_bytes", &[], "Virtual memory.");
pub(super) const PROCESS_THREADS: Declaration = gauge("process_threads", &[], "Threads.");
pub(super) const PROCESS_START: Declaration =
    gauge("process_start_time_seconds", &[], "When the process began, in seconds since the Unix epoch.");

/// Every metric, in the order of the reference.
pub static ALL: &[&Declaration] = &[
    &REQUESTS,
    &CONDITIONAL,
    &PRECONDITION_FAILED,
    &ALTERATIONS,
    &HAZARDS,
    &RECOVERY,
    &VALIDATOR_AGE,
    &REPEATED_FAILURES,
    &UPSTREAM_DURATION,
    &INSPECTION,
    &UPSTREAM_FAILURES,
    &UPSTREAM_HEALTHY,
    &CONNECTIONS,
    &CONNECTIONS_REFUSED,
    &IN_FLIGHT,
    &LEDGER_RESOURCES,
    &LEDGER_EVICTIONS,
    &CAPTURES,
    &CAPTURES_BYTES,
    &CAPTURES_EVICTED,
    &CAPTURES_LOST,
    &INFORMATIONAL_LEFT_OUT,
    &FEED_DROPPED,
    &PAIRING,
    &PROBES,
    &BYPASS_ACTIVE,
    &BYPASS_REQUESTS,
    &RELOADS,
    &LAST_RELOAD,
    &BUILD_INFO,
    &PROCESS_CPU,
    &PROCESS_OPEN_FDS,
    &PROCESS_MAX_FDS,
    &PROCESS_RESIDENT,
    &PROCESS_VIRTUAL,
    &PROCESS_THREADS,
    &PROCESS_START,
];
