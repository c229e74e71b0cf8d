//! Every metric, declared with its help. Labels are enums or configured names: nothing a client sends becomes one.

/// On which side of this instance a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// From a client.
    Client,
    /// To an upstream.
    Upstream,
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
}

/// All series of the process.
#[derive(Debug)]
pub struct Metrics {}

impl Metrics {
    /// A connection was accepted or made.
    pub fn connection_opened(&self, side: Side) {
        let _ = side;
    }

    /// A connection is gone.
    pub fn connection_closed(&self, side: Side) {
        let _ = side;
    }

    /// A request's head has been read.
    pub fn exchange_began(&self) {}

    /// The exchange is over, however it ended.
    pub fn exchange_ended(&self) {}

    /// An upstream, by its configured name, gave no whole answer.
    pub fn upstream_failed(&self, upstream: &str, reason: FailureReason) {
        let _ = (upstream, reason);
    }

    /// A head that could not be read was answered with `status` (400, 414, 431 …), and no exchange came of it.
    pub fn request_refused(&self, status: u16) {
        let _ = status;
    }

    /// The configuration was read again.
    pub fn config_reloaded(&self, well: bool) {
        let _ = well;
    }
}

/// The series of one route, resolved once.
#[derive(Debug)]
pub struct RouteSeries {
    number: u16,
}

impl RouteSeries {
    pub(super) const fn new(number: u16) -> Self {
        Self { number }
    }

    /// What [`Exchange::route`](crate::analysis::exchange::Exchange::route) is for this route.
    pub const fn number(&self) -> u16 {
        self.number
    }

    /// The upstream of this route gave no whole answer.
    pub fn upstream_failed(&self, reason: FailureReason) {
        let _ = reason;
    }
}
