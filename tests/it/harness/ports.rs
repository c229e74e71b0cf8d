//! Ports for servers that must be told theirs before they start.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the range from which systems take the ports of outgoing connections, so that no client of another test gets
/// one between our look and the server's start.
const FIRST: u32 = 12_000;
const COUNT: u32 = 18_000;

/// An address on loopback at which nobody listens, and which no other caller in this process was given.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        // Processes begin at different places.
        let port = FIRST + (process::id().wrapping_mul(211).wrapping_add(step)) % COUNT;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port).expect("below 65536")));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port from {FIRST} to {}", FIRST + COUNT);
}
