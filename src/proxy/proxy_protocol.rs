//! The header by which a balancer in front tells whose connection it passes on: the PROXY protocol, versions 1 and 2,
//! read to its last byte and no further. What follows it is for TLS or HTTP.

use std::io;
use std::net::{IpAddr, SocketAddr};

use ppp::{v1, v2};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// The longest header of version 1, its line end included (section 2.1 of the specification).
const V1_BYTES_MAX: usize = 107;

/// What both versions can be told apart by, and shorter than either.
const BEGINNING: usize = 12;

/// Version 2 begins with these many: signature, command, family and how many follow.
const V2_FIXED_BYTES: usize = 16;

/// What may follow the fixed part of version 2: addresses and what a balancer adds to them.
const V2_REST_BYTES_MAX: usize = 4096;

/// Why a connection does not begin with a header that can be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeaderFault {
    /// It ended, or could not be read.
    #[error("the connection ended within its PROXY header: {0}")]
    Io(#[from] io::Error),
    /// It is no header.
    #[error("the connection does not begin with a PROXY header")]
    Missing,
    /// It is one that cannot be read.
    #[error("the PROXY header cannot be read")]
    Malformed,
}

/// Reads the header. The address is the one the balancer speaks for; `None` where it speaks for itself (a health check)
/// or knows none.
///
/// # Errors
/// See [`HeaderFault`]; such a connection must be closed.
pub(super) async fn read(stream: &mut TcpStream) -> Result<Option<SocketAddr>, HeaderFault> {
    let mut header = vec![0; BEGINNING];
    stream.read_exact(&mut header).await?;
    if header == v2::PROTOCOL_PREFIX {
        let fixed = V2_FIXED_BYTES;
        header.resize(fixed, 0);
        stream.read_exact(header.get_mut(BEGINNING..).unwrap_or_default()).await?;
        let [.., high, low] = header.as_slice() else { return Err(HeaderFault::Malformed) };
        let rest = usize::from(u16::from_be_bytes([*high, *low]));
        if rest > V2_REST_BYTES_MAX {
            return Err(HeaderFault::Malformed);
        }
        header.resize(fixed + rest, 0);
        stream.read_exact(header.get_mut(fixed..).unwrap_or_default()).await?;
        return of_v2(&header);
    }
    if !header.starts_with(v1::PROTOCOL_PREFIX.as_bytes()) {
        return Err(HeaderFault::Missing);
    }
    // Looking ahead tells how much belongs to the line: what is behind it must stay where it is.
    let mut ahead = [0; V1_BYTES_MAX - BEGINNING];
    loop {
        let left = V1_BYTES_MAX - header.len();
        let seen = stream.peek(ahead.get_mut(..left).unwrap_or_default()).await?;
        let seen = ahead.get(..seen).unwrap_or_default();
        if seen.is_empty() {
            let ended =
                if left == 0 { HeaderFault::Malformed } else { HeaderFault::Io(io::ErrorKind::UnexpectedEof.into()) };
            return Err(ended);
        }
        let line_end = memchr::memchr(b'\n', seen);
        let (from, count) = (header.len(), line_end.map_or(seen.len(), |end| end + 1));
        header.resize(from + count, 0);
        stream.read_exact(header.get_mut(from..).unwrap_or_default()).await?;
        if line_end.is_some() {
            return of_v1(&header);
        }
    }
}

fn of_v1(header: &[u8]) -> Result<Option<SocketAddr>, HeaderFault> {
    let header = v1::Header::try_from(header).map_err(|_| HeaderFault::Malformed)?;
    Ok(match header.addresses {
        v1::Addresses::Tcp4(ip) => Some((ip.source_address, ip.source_port).into()),
        v1::Addresses::Tcp6(ip) => Some((ip.source_address, ip.source_port).into()),
        v1::Addresses::Unknown => None,
    })
}

fn of_v2(header: &[u8]) -> Result<Option<SocketAddr>, HeaderFault> {
    let header = v2::Header::try_from(header).map_err(|_| HeaderFault::Malformed)?;
    if header.command == v2::Command::Local {
        return Ok(None);
    }
    Ok(match header.addresses {
        v2::Addresses::IPv4(ip) => Some((IpAddr::V4(ip.source_address), ip.source_port).into()),
        v2::Addresses::IPv6(ip) => Some((IpAddr::V6(ip.source_address), ip.source_port).into()),
        v2::Addresses::Unix(_) | v2::Addresses::Unspecified => None,
    })
}
