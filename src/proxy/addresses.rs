//! How many connections each client address has open, where that is limited.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts open connections by address. It holds only addresses that have one open, and so never more than there are
/// connections.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    /// Guards the counts. Short: one is changed, when a connection begins or ends, and only where a limit is configured.
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl Addresses {
    /// Takes a place for a connection from `address`, unless it has `most` open.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr, most: usize) -> Option<Place> {
        let key = key_of(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(key).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { addresses: Arc::clone(self), key })
    }
}

/// A connection's place; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    addresses: Arc<Addresses>,
    key: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.addresses.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

/// One client can take any address of its IPv6 network, which is at least a /64 (RFC 6177): they count as one.
fn key_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_connection_is_gone() {
        let addresses = Arc::new(Addresses::default());
        let here: IpAddr = "192.0.2.1".parse().unwrap();
        let first = addresses.enter(here, 2).unwrap();
        let second = addresses.enter("::ffff:192.0.2.1".parse().unwrap(), 2).unwrap();
        assert!(addresses.enter(here, 2).is_none(), "the same address, however it is written");
        assert!(addresses.enter("192.0.2.2".parse().unwrap(), 2).is_some());
        drop(first);
        let third = addresses.enter(here, 2);
        assert!(third.is_some());
        drop((second, third));
        assert!(addresses.open.lock().unwrap().is_empty(), "nothing is kept of addresses without connections");
    }

    #[test]
    fn a_network_of_version_6_counts_as_one() {
        let addresses = Arc::new(Addresses::default());
        let _place = addresses.enter("2001:db8::1".parse().unwrap(), 1).unwrap();
        assert!(addresses.enter("2001:db8::ffff:2".parse().unwrap(), 1).is_none());
        assert!(addresses.enter("2001:db8:0:1::1".parse().unwrap(), 1).is_some());
    }
}
