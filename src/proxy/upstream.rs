//! A connection to an upstream for one request: an idle one where that is safe, or a stream of one that is shared, else a
//! new one; the address with the fewest requests first, the next where it cannot be reached.

pub(super) mod endpoint;
pub(super) mod exchange;
pub(super) mod failure;
mod link;
pub(super) mod pool;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use endpoint::{Connected, Endpoint};
use exchange::Connection;
use failure::UpstreamFailure;
use link::{Beginning, Link};
use pool::{Counted, Entry, Http1, Lease, Safety};
use stream::Stream;

use super::alarm::Alarm;
use super::http1::head::HeadLimits;
use super::http1::write::Writer;
use super::io::{ReadHalf, Reader, WriteHalf};
use super::prepare::Tunnel;
use super::worker::Worker;
use crate::clock;
use crate::config::Timeouts;

/// What a connection is wanted for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// How sure it has to be.
    pub(super) safety: Safety,
    /// Whether the request asks for the end of HTTP.
    pub(super) tunnel: Tunnel,
    /// A connection of HTTP/1.1 that has carried an exchange before will not do.
    pub(super) anew: bool,
    /// How large the heads of answers may be.
    pub(super) limits: HeadLimits,
    /// How long things may take.
    pub(super) timeouts: &'a Timeouts,
}

/// A connection to one of `endpoints`.
///
/// # Errors
/// The failure of the last address that was tried.
pub(super) async fn lease(
    worker: &Worker,
    endpoints: &[Arc<Endpoint>],
    wanted: Wanted<'_>,
) -> Result<Lease, UpstreamFailure> {
    // The usual case: one address, known without asking.
    if let [endpoint] = endpoints
        && let Some(address) = endpoint.literal()
    {
        let entry = worker.pool.entry(endpoint.identity(), address);
        return to_address(worker, &Candidate { endpoint, address, entry }, wanted).await;
    }
    // On the heap like everything that is rare: an exchange under way stays small.
    Box::pin(lease_of_several(worker, endpoints, wanted)).await
}

/// A connection to that address of an endpoint and to no other.
///
/// # Errors
/// It cannot be had.
pub(super) async fn lease_at(
    worker: &Worker,
    endpoint: &Arc<Endpoint>,
    address: SocketAddr,
    wanted: Wanted<'_>,
) -> Result<Lease, UpstreamFailure> {
    let entry = worker.pool.entry(endpoint.identity(), address);
    to_address(worker, &Candidate { endpoint, address, entry }, wanted).await
}

async fn lease_of_several(
    worker: &Worker,
    endpoints: &[Arc<Endpoint>],
    wanted: Wanted<'_>,
) -> Result<Lease, UpstreamFailure> {
    let mut candidates = candidates(worker, endpoints, wanted).await?;
    let now = clock::now();
    // Equals take turns.
    let count = candidates.len().max(1);
    candidates.rotate_left(worker.turn() % count);
    // Those that are down come last, and are tried all the same where there are no others.
    candidates.sort_by_key(|candidate| (candidate.endpoint.is_down(candidate.address), candidate.entry.burden(now)));
    let mut failure = UpstreamFailure::Connect(io::ErrorKind::NotFound.into());
    for candidate in &candidates {
        match to_address(worker, candidate, wanted).await {
            Ok(lease) => return Ok(lease),
            Err(failed) => {
                candidate.entry.avoid(clock::now());
                failure = failed;
            }
        }
    }
    // None could be reached: the names may mean other addresses by now.
    endpoints.iter().for_each(|endpoint| endpoint.doubt());
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
    wanted: Wanted<'_>,
) -> Result<Vec<Candidate<'a>>, UpstreamFailure> {
    let mut candidates = Vec::new();
    let mut failure = None;
    for endpoint in endpoints {
        let addresses = match endpoint.literal() {
            Some(address) => Ok(vec![address]),
            None => endpoint.addresses(wanted.timeouts.connect).await,
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

async fn to_address(worker: &Worker, candidate: &Candidate<'_>, wanted: Wanted<'_>) -> Result<Lease, UpstreamFailure> {
    let Candidate { endpoint, address, entry } = candidate;
    if endpoint.may_speak_http2() {
        // On the heap, so that an exchange of HTTP/1.1 stays small.
        return Box::pin(shared(worker, candidate, wanted)).await;
    }
    if !wanted.anew
        && let Some(connection) = entry.take(wanted.safety, clock::now())
    {
        return Ok(Lease::new(Connection::Http1(connection), *address, Rc::clone(entry)));
    }
    let connected = endpoint.connect_http1(*address);
    let (read, write) = Box::pin(dialled(worker, *address, wanted.timeouts, connected)).await?;
    Ok(http1(worker, candidate, wanted, read, write))
}

/// A new connection to that address, if it is another's and made in time.
async fn dialled<T>(
    worker: &Worker,
    address: SocketAddr,
    timeouts: &Timeouts,
    connecting: impl Future<Output = Result<T, UpstreamFailure>>,
) -> Result<T, UpstreamFailure> {
    if worker.is_own_listener(address) {
        return Err(UpstreamFailure::Loop);
    }
    tokio::time::timeout(timeouts.connect, connecting).await.map_err(|_| UpstreamFailure::ConnectTimeout)?
}

fn http1(worker: &Worker, candidate: &Candidate<'_>, wanted: Wanted<'_>, read: ReadHalf, write: WriteHalf) -> Lease {
    let connection = Http1 {
        reader: Reader::new(read, Rc::clone(&worker.read_buffers)),
        writer: Writer::new(write, wanted.timeouts.write, Rc::clone(&worker.write_buffers)),
        alarm: Alarm::default(),
        reused: false,
        counted: Counted::new(&worker.shared.recorder),
    };
    Lease::new(Connection::Http1(connection), candidate.address, Rc::clone(&candidate.entry))
}

/// A stream of a connection that others share, or whatever ALPN agrees on.
async fn shared(worker: &Worker, candidate: &Candidate<'_>, wanted: Wanted<'_>) -> Result<Lease, UpstreamFailure> {
    let Candidate { endpoint, entry, .. } = candidate;
    loop {
        if let Some(place) = entry.place(wanted.safety).await {
            let stream = Stream::new(place, endpoint.is_secure(), wanted);
            return suitable(worker, candidate, wanted, stream).await;
        }
        if !wanted.anew
            && entry.agreed_on_http1()
            && let Some(connection) = entry.take(wanted.safety, clock::now())
        {
            return Ok(Lease::new(Connection::Http1(connection), candidate.address, Rc::clone(entry)));
        }
        // Connections of HTTP/1.1 are nobody else's: there is nothing to wait for.
        let Some(dial) = entry.dialled().filter(|_| !entry.agreed_on_http1()) else { break };
        let waited = tokio::time::timeout(wanted.timeouts.connect, dial.wait()).await;
        waited.map_err(|_| UpstreamFailure::ConnectTimeout)??;
    }
    let dialling = entry.begin_dialling();
    let connecting = dialled(worker, candidate.address, wanted.timeouts, endpoint.connect(candidate.address));
    let io = match connecting.await {
        Ok(Connected::Http2(io)) => io,
        Ok(Connected::Http1(read, write)) => {
            entry.agree(true);
            return Ok(http1(worker, candidate, wanted, read, write));
        }
        Err(failure) => {
            dialling.fail(&failure);
            return Err(failure);
        }
    };
    entry.agree(false);
    let beginning = Beginning {
        io,
        counted: Counted::new(&worker.shared.recorder),
        dialling: Some(dialling),
        limits: wanted.limits,
        timeouts: wanted.timeouts,
    };
    let link = Link::begin(beginning).await?;
    // The first place is for who made the connection.
    let place = link.place().ok_or(UpstreamFailure::Closed { reused: false })?;
    worker.pool.share(entry, link);
    let stream = Stream::new(place, endpoint.is_secure(), wanted);
    suitable(worker, candidate, wanted, stream).await
}

/// That stream; or a connection of HTTP/1.1 where an Upgrade is asked for that HTTP/2 there does not offer, and ALPN lets
/// us choose.
async fn suitable(
    worker: &Worker,
    candidate: &Candidate<'_>,
    wanted: Wanted<'_>,
    mut stream: Stream,
) -> Result<Lease, UpstreamFailure> {
    let Candidate { endpoint, address, entry } = candidate;
    if wanted.tunnel == Tunnel::Upgrade {
        let offered = tokio::time::timeout(wanted.timeouts.connect, stream.offers_tunnels()).await;
        let offered = offered.map_err(|_| UpstreamFailure::ConnectTimeout)?;
        if !offered && endpoint.may_speak_http1() {
            let connecting = endpoint.connect_http1(*address);
            let (read, write) = dialled(worker, *address, wanted.timeouts, connecting).await?;
            return Ok(http1(worker, candidate, wanted, read, write));
        }
        stream.tunnels = offered;
    }
    Ok(Lease::new(Connection::Http2(Box::new(stream)), *address, Rc::clone(entry)))
}
