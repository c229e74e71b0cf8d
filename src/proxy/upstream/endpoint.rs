//! One configured upstream address: its name resolved, a new connection made.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fmt, io};

use arc_swap::ArcSwap;
use tokio::net::TcpStream;

use super::failure::UpstreamFailure::{self, NoHttp2, Tls};
use crate::analysis::time::Time;
use crate::clock;
use crate::config::UpstreamHttp;
use crate::proxy::io::{ReadHalf, Whole, WriteHalf, split_tcp, split_tls};
use crate::proxy::tls::{HTTP2, UpstreamTlsClient};

/// A host and port, and how to speak to it.
#[derive(Debug)]
pub(in crate::proxy) struct Endpoint {
    host: String,
    port: u16,
    tls: Option<UpstreamTlsClient>,
    http: UpstreamHttp,
    /// The address itself, where the host is one: nothing to resolve.
    literal: Option<SocketAddr>,
    resolved: ArcSwap<Resolved>,
    /// Somebody is asking again.
    refreshing: AtomicBool,
    /// The addresses that were asked and are not well. Usually none.
    down: ArcSwap<Vec<SocketAddr>>,
}

/// `api.example:8080`
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[derive(Debug, Default)]
struct Resolved {
    addresses: Vec<SocketAddr>,
    at: Time,
    /// None of them could be reached.
    doubtful: bool,
}

/// How long an answer of the resolver is used without asking again.
const RESOLVED_FRESH: Duration = Duration::from_secs(10);

impl Endpoint {
    /// Nothing is resolved yet.
    pub(in crate::proxy) fn new(host: &str, port: u16, tls: Option<UpstreamTlsClient>, http: UpstreamHttp) -> Self {
        let literal = host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, port));
        Self {
            host: host.to_owned(),
            port,
            tls,
            http,
            literal,
            resolved: ArcSwap::default(),
            refreshing: AtomicBool::new(false),
            down: ArcSwap::default(),
        }
    }

    /// Tells connections apart that must not be mixed: those of different TLS configurations. A connection holds its
    /// configuration, so an identity is not given away again while a connection has it.
    pub(super) fn identity(&self) -> usize {
        self.tls.as_ref().map_or(0, |tls| Arc::as_ptr(&tls.config).addr())
    }

    /// What `Host` says of it.
    pub(in crate::proxy) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.tls.is_some() { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    /// Whether a connection to it may speak HTTP/2.
    pub(in crate::proxy) const fn may_speak_http2(&self) -> bool {
        match self.http {
            UpstreamHttp::Http1 => false,
            UpstreamHttp::Http2 => true,
            // Nothing agrees on a version over cleartext.
            UpstreamHttp::Auto => self.tls.is_some(),
        }
    }

    /// Whether a connection to it may speak HTTP/1.1.
    pub(super) const fn may_speak_http1(&self) -> bool {
        match self.http {
            UpstreamHttp::Http1 | UpstreamHttp::Auto => true,
            UpstreamHttp::Http2 => false,
        }
    }

    /// Whether it is spoken to over TLS.
    pub(super) const fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// The address that the host itself is.
    pub(in crate::proxy) const fn literal(&self) -> Option<SocketAddr> {
        self.literal
    }

    /// Whether connecting here without asking any name server would reach `listener`.
    pub(in crate::proxy) fn is_literally(&self, listener: SocketAddr) -> bool {
        self.literal.is_some_and(|address| reaches(address, listener))
    }

    /// Its addresses; asks the resolver where nothing is known yet or none of what is known could be reached, and in the
    /// background where what is known is old. A name that stops resolving keeps the addresses it had.
    pub(in crate::proxy) async fn addresses(
        self: &Arc<Self>,
        within: Duration,
    ) -> Result<Vec<SocketAddr>, UpstreamFailure> {
        let known = self.resolved.load_full();
        if known.addresses.is_empty() || known.doubtful {
            // A resolver may be silent for much longer than anybody should have to wait.
            let resolved = tokio::time::timeout(within, self.resolve()).await;
            let resolved = resolved.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            return match resolved {
                Err(_) if known.doubtful => Ok(known.addresses.clone()),
                resolved => resolved.map_err(UpstreamFailure::Resolve),
            };
        }
        if clock::now().since(known.at) > RESOLVED_FRESH && !self.refreshing.swap(true, Ordering::AcqRel) {
            let endpoint = Arc::clone(self);
            tokio::task::spawn_local(async move {
                // A resolver that is away leaves us with what was known.
                let _ = endpoint.resolve().await;
                endpoint.refreshing.store(false, Ordering::Release);
            });
        }
        Ok(known.addresses.clone())
    }

    /// None of what was resolved could be reached: the resolver is asked before it is tried again.
    pub(super) fn doubt(&self) {
        let known = self.resolved.load();
        let (addresses, at) = (known.addresses.clone(), known.at);
        self.resolved.store(Arc::new(Resolved { doubtful: !addresses.is_empty(), addresses, at }));
    }

    /// Takes over what `before` knew of the same host and port.
    pub(in crate::proxy) fn inherit(&self, before: &Self) {
        if self.host == before.host && self.port == before.port {
            self.resolved.store(before.resolved.load_full());
            self.down.store(before.down.load_full());
        }
    }

    /// Whether that address was asked and is not well.
    pub(in crate::proxy) fn is_down(&self, address: SocketAddr) -> bool {
        self.down.load().contains(&address)
    }

    /// These addresses were asked and are not well; all others may be used.
    pub(in crate::proxy) fn are_down(&self, addresses: Vec<SocketAddr>) {
        if **self.down.load() != addresses {
            self.down.store(Arc::new(addresses));
        }
    }

    async fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        // The resolver blocks; the runtime asks it on a thread of its own.
        let mut addresses: Vec<_> = tokio::net::lookup_host((self.host.as_str(), self.port)).await?.collect();
        let mut seen = Vec::new();
        addresses.retain(|address| {
            !seen.contains(address) && {
                seen.push(*address);
                true
            }
        });
        if addresses.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.resolved.store(Arc::new(Resolved { addresses: addresses.clone(), at: clock::now(), doubtful: false }));
        Ok(addresses)
    }

    /// A new connection to one of its addresses.
    pub(super) async fn connect(&self, address: SocketAddr) -> Result<Connected, UpstreamFailure> {
        let stream = tcp(address).await?;
        let Some(tls) = &self.tls else {
            let (read, write) = split_tcp(stream);
            return Ok(if self.may_speak_http2() {
                Connected::Http2(Whole::new(read, Vec::new(), write))
            } else {
                Connected::Http1(read, write)
            });
        };
        let stream = tls.connector().connect(tls.name.clone(), stream).await;
        let stream = stream.map_err(|error| if self.refuses_http2(&error) { NoHttp2 } else { Tls(error) })?;
        let agreed = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
        let (read, write) = split_tls(stream.into());
        match self.http {
            UpstreamHttp::Http2 | UpstreamHttp::Auto if agreed => {
                Ok(Connected::Http2(Whole::new(read, Vec::new(), write)))
            }
            UpstreamHttp::Http1 | UpstreamHttp::Auto => Ok(Connected::Http1(read, write)),
            UpstreamHttp::Http2 => Err(NoHttp2),
        }
    }

    /// A new connection that speaks HTTP/1.1, also where HTTP/2 could be had.
    pub(super) async fn connect_http1(&self, address: SocketAddr) -> Result<(ReadHalf, WriteHalf), UpstreamFailure> {
        let stream = tcp(address).await?;
        let Some(tls) = &self.tls else { return Ok(split_tcp(stream)) };
        let connector = if self.may_speak_http2() { tls.connector_http1() } else { tls.connector() };
        let stream = connector.connect(tls.name.clone(), stream).await.map_err(Tls)?;
        Ok(split_tls(stream.into()))
    }

    /// RFC 7301 §3.2: how a server says that it speaks none of the protocols it was offered.
    fn refuses_http2(&self, error: &io::Error) -> bool {
        let refusal = rustls::Error::AlertReceived(rustls::AlertDescription::NoApplicationProtocol);
        !self.may_speak_http1()
            && error
                .get_ref()
                .and_then(|error| error.downcast_ref::<rustls::Error>())
                .is_some_and(|error| *error == refusal)
    }
}

/// A connection, by the version of HTTP that it speaks.
pub(super) enum Connected {
    /// HTTP/1.1
    Http1(ReadHalf, WriteHalf),
    /// HTTP/2
    Http2(Whole),
}

async fn tcp(address: SocketAddr) -> Result<TcpStream, UpstreamFailure> {
    let stream = TcpStream::connect(address).await.map_err(UpstreamFailure::Connect)?;
    stream.set_nodelay(true).map_err(UpstreamFailure::Connect)?;
    Ok(stream)
}

/// Whether a connection to `address` would be accepted by `listener`.
pub(in crate::proxy) fn reaches(address: SocketAddr, listener: SocketAddr) -> bool {
    if address.port() != listener.port() {
        return false;
    }
    let (to, at) = (address.ip().to_canonical(), listener.ip().to_canonical());
    // Connecting to the unspecified address reaches this host.
    let here = to.is_unspecified() || to.is_loopback() || is_of_this_host(to);
    to == at || (at.is_unspecified() && here) || (to.is_unspecified() && at.is_loopback())
}

/// Only an address of this host can be bound.
fn is_of_this_host(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, listener: &str, expected: bool) {
        assert_eq!(reaches(address.parse().unwrap(), listener.parse().unwrap()), expected, "{address} {listener}");
    }

    #[test]
    fn a_listener_of_our_own_is_recognised() {
        check("127.0.0.1:80", "127.0.0.1:80", true);
        check("127.0.0.1:80", "127.0.0.1:81", false);
        check("127.0.0.1:80", "0.0.0.0:80", true);
        check("127.0.0.2:80", "127.0.0.1:80", false);
        check("[::ffff:127.0.0.1]:80", "127.0.0.1:80", true);
        check("0.0.0.0:80", "127.0.0.1:80", true);
        check("203.0.113.7:80", "0.0.0.0:80", false);
    }

    #[test]
    fn the_usual_port_is_left_out_of_the_authority() {
        assert_eq!(Endpoint::new("api.example", 80, None, UpstreamHttp::Http1).authority(), "api.example");
        assert_eq!(Endpoint::new("::1", 8080, None, UpstreamHttp::Http1).authority(), "[::1]:8080");
    }

    #[test]
    fn a_name_that_stops_resolving_keeps_its_addresses() {
        // RFC 6761 §6.4: it never has any.
        let endpoint = || Arc::new(Endpoint::new("gone.invalid", 80, None, UpstreamHttp::Http1));
        let (before, after) = (endpoint(), endpoint());
        let known: Vec<SocketAddr> = vec!["192.0.2.1:80".parse().unwrap(), "[2001:db8::1]:80".parse().unwrap()];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let addresses = |endpoint: &Arc<Endpoint>| runtime.block_on(endpoint.addresses(Duration::from_secs(10))).ok();

        assert_eq!(addresses(&before), None);
        before.doubt();
        assert_eq!(addresses(&before), None, "there is nothing to keep");
        let resolved = Resolved { addresses: known.clone(), at: clock::now(), doubtful: false };
        before.resolved.store(Arc::new(resolved));
        before.doubt();
        assert_eq!(addresses(&before), Some(known.clone()), "asked in vain");
        before.are_down(known.clone());
        after.inherit(&before);
        assert_eq!(addresses(&after), Some(known.clone()));
        assert!(after.is_down(known[1]));
    }
}
