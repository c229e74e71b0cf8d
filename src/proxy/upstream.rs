//! A connection to an upstream for one request: an idle one where that is safe, else a new one; the address with the
//! fewest requests first, the next where it cannot be reached.

pub(super) mod endpoint;
pub(super) mod pool;

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use endpoint::Endpoint;
use pool::{Connection, Counted, Entry, Lease, Safety};

use super::alarm::Alarm;
use super::http1::head::HeadFault;
use super::http1::write::Writer;
use super::io::Reader;
use super::worker::Worker;
use crate::clock;
use crate::config::Timeouts;
use crate::recorder::metrics::FailureReason;

/// Why an upstream gave no answer head.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamFailure {
    /// Its name has no address.
    #[error("its name cannot be resolved: {0}")]
    Resolve(io::Error),
    /// It cannot be reached.
    #[error("it cannot be reached: {0}")]
    Connect(io::Error),
    /// Connecting took too long.
    #[error("connecting to it took too long")]
    ConnectTimeout,
    /// The TLS handshake failed.
    #[error("the TLS handshake failed: {0}")]
    Tls(io::Error),
    /// It is this instance.
    #[error("it is this instance itself")]
    Loop,
    /// It closed before the first byte of an answer.
    #[error("it closed the connection without an answer")]
    Closed {
        /// The connection had carried an exchange before: the close may have nothing to do with this request.
        reused: bool,
    },
    /// It closed within the head of an answer.
    #[error("it closed the connection within the head of its answer")]
    HeadCut,
    /// It took too long to answer.
    #[error("it took too long to answer")]
    HeadTimeout,
    /// It took the request too slowly.
    #[error("it took too long to read the request")]
    WriteTimeout,
    /// Its answer cannot be read.
    #[error("its answer cannot be read: {}", fault_text(*.0))]
    Malformed(HeadFault),
    /// It changed the protocol without being asked to.
    #[error("it changed the protocol without being asked to")]
    Switched,
}

const fn fault_text(fault: HeadFault) -> &'static str {
    match fault {
        HeadFault::Malformed(what) => what,
        HeadFault::TargetTooLong | HeadFault::TooLarge => "the head is too large",
        HeadFault::UnknownTransferCoding => "an unknown transfer coding",
    }
}

impl UpstreamFailure {
    /// The status of our answer (RFC 9110 §15.6.3, §15.6.5).
    pub(super) const fn status(&self) -> u16 {
        match self {
            Self::ConnectTimeout | Self::HeadTimeout | Self::WriteTimeout => 504,
            Self::Resolve(_)
            | Self::Connect(_)
            | Self::Tls(_)
            | Self::Loop
            | Self::Closed { .. }
            | Self::HeadCut
            | Self::Malformed(_)
            | Self::Switched => 502,
        }
    }

    /// The error type of RFC 9209 §2.3.
    pub(super) const fn error_type(&self) -> &'static str {
        match self {
            Self::Resolve(_) => "dns_error",
            Self::Connect(_) => "connection_refused",
            Self::ConnectTimeout => "connection_timeout",
            Self::Tls(_) => "tls_protocol_error",
            Self::Loop => "proxy_loop_detected",
            Self::Closed { .. } => "connection_terminated",
            Self::HeadCut => "http_response_incomplete",
            Self::HeadTimeout => "http_response_timeout",
            Self::WriteTimeout => "connection_write_timeout",
            Self::Malformed(HeadFault::TooLarge | HeadFault::TargetTooLong) => "http_response_header_section_size",
            Self::Malformed(HeadFault::UnknownTransferCoding) => "http_response_transfer_coding",
            Self::Malformed(HeadFault::Malformed(_)) => "http_protocol_error",
            Self::Switched => "http_upgrade_failed",
        }
    }

    /// Under which it is counted.
    pub(super) const fn reason(&self) -> FailureReason {
        match self {
            Self::Resolve(_) => FailureReason::Resolve,
            Self::Connect(_) | Self::ConnectTimeout | Self::Loop => FailureReason::Connect,
            Self::Tls(_) => FailureReason::Tls,
            Self::Closed { reused: true } => FailureReason::ReusedClosed,
            Self::Closed { reused: false } | Self::HeadCut => FailureReason::Closed,
            Self::HeadTimeout => FailureReason::Timeout,
            Self::WriteTimeout => FailureReason::Write,
            Self::Malformed(_) | Self::Switched => FailureReason::Malformed,
        }
    }
}

/// A connection to one of `endpoints`.
///
/// # Errors
/// The failure of the last address that was tried.
pub(super) async fn lease(
    worker: &Worker,
    endpoints: &[Arc<Endpoint>],
    safety: Safety,
    timeouts: &Timeouts,
) -> Result<Lease, UpstreamFailure> {
    // The usual case: one address, known without asking.
    if let [endpoint] = endpoints
        && let Some(address) = endpoint.literal()
    {
        let entry = worker.pool.entry(endpoint.identity(), address);
        return to_address(worker, &Candidate { endpoint, address, entry }, safety, timeouts).await;
    }
    // On the heap like everything that is rare: an exchange under way stays small.
    Box::pin(lease_of_several(worker, endpoints, safety, timeouts)).await
}

async fn lease_of_several(
    worker: &Worker,
    endpoints: &[Arc<Endpoint>],
    safety: Safety,
    timeouts: &Timeouts,
) -> Result<Lease, UpstreamFailure> {
    let mut candidates = candidates(worker, endpoints).await?;
    let now = clock::now();
    // Equals take turns.
    let count = candidates.len().max(1);
    candidates.rotate_left(worker.turn() % count);
    candidates.sort_by_key(|candidate| candidate.entry.burden(now));
    let mut failure = UpstreamFailure::Connect(io::ErrorKind::NotFound.into());
    for candidate in &candidates {
        match to_address(worker, candidate, safety, timeouts).await {
            Ok(lease) => return Ok(lease),
            Err(failed) => {
                candidate.entry.avoid(clock::now());
                failure = failed;
            }
        }
    }
    // None could be reached: the names may mean other addresses by now.
    endpoints.iter().for_each(|endpoint| endpoint.forget());
    Err(failure)
}

struct Candidate<'a> {
    endpoint: &'a Arc<Endpoint>,
    address: SocketAddr,
    entry: Rc<Entry>,
}

async fn candidates<'a>(
    worker: &Worker,
    endpoints: &'a [Arc<Endpoint>],
) -> Result<Vec<Candidate<'a>>, UpstreamFailure> {
    let mut candidates = Vec::new();
    let mut failure = None;
    for endpoint in endpoints {
        let addresses = match endpoint.literal() {
            Some(address) => Ok(vec![address]),
            None => endpoint.addresses().await,
        };
        match addresses {
            Ok(addresses) => candidates.extend(addresses.into_iter().map(|address| Candidate {
                endpoint,
                address,
                entry: worker.pool.entry(endpoint.identity(), address),
            })),
            Err(failed) => failure = Some(failed),
        }
    }
    match failure {
        Some(failure) if candidates.is_empty() => Err(failure),
        Some(_) | None => Ok(candidates),
    }
}

async fn to_address(
    worker: &Worker,
    candidate: &Candidate<'_>,
    safety: Safety,
    timeouts: &Timeouts,
) -> Result<Lease, UpstreamFailure> {
    let Candidate { endpoint, address, entry } = candidate;
    let address = *address;
    if let Some(connection) = entry.take(safety, clock::now()) {
        return Ok(Lease::new(connection, address, Rc::clone(entry)));
    }
    if worker.is_own_listener(address) {
        return Err(UpstreamFailure::Loop);
    }
    let connected = Box::pin(tokio::time::timeout(timeouts.connect, endpoint.connect(address))).await;
    let (read, write) = connected.map_err(|_| UpstreamFailure::ConnectTimeout)??;
    let connection = Connection {
        reader: Reader::new(read, Rc::clone(&worker.read_buffers)),
        writer: Writer::new(write, timeouts.write, Rc::clone(&worker.write_buffers)),
        alarm: Alarm::default(),
        reused: false,
        counted: Counted::new(&worker.shared.recorder),
    };
    Ok(Lease::new(connection, address, Rc::clone(entry)))
}
