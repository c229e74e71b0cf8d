//! What one thread of the data plane owns: its pool of upstream connections, its exchange ids, its part of draining.
//! An exchange never changes threads.

use std::cell::Cell;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::Shared;
use super::addresses::Addresses;
use super::io::Buffers;
use super::snapshot::Snapshot;
use super::upstream::endpoint::reaches;
use super::upstream::pool::Pool;
use crate::analysis::exchange::ExchangeId;
use crate::analysis::time::Time;

/// What is counted over all threads.
#[derive(Debug, Default)]
pub(super) struct AllThreads {
    /// Exchanges in flight.
    in_flight: Arc<AtomicUsize>,
    /// Open connections by client address.
    addresses: Arc<Addresses>,
}

/// One thread.
pub(super) struct Worker {
    /// What all threads share.
    pub(super) shared: Arc<Shared>,
    /// Idle connections to upstreams.
    pub(super) pool: Rc<Pool>,
    /// For what is read, and for what is written.
    pub(super) read_buffers: Rc<Buffers>,
    /// See `read_buffers`.
    pub(super) write_buffers: Rc<Buffers>,
    /// Open connections by client address, of all threads.
    pub(super) addresses: Arc<Addresses>,
    /// Wakes whoever waits for something that will not come once draining began.
    pub(super) drain: Notify,
    draining: Cell<bool>,
    listener: SocketAddr,
    /// Exchanges in flight, of all threads.
    in_flight: Arc<AtomicUsize>,
    turn: Cell<usize>,
    last_id: Cell<u128>,
}

impl Worker {
    /// A thread that has done nothing yet.
    pub(super) fn new(shared: Arc<Shared>, listener: SocketAddr, all: &AllThreads) -> Self {
        Self {
            shared,
            addresses: Arc::clone(&all.addresses),
            pool: Rc::default(),
            read_buffers: Rc::default(),
            write_buffers: Rc::default(),
            drain: Notify::new(),
            draining: Cell::new(false),
            listener,
            in_flight: Arc::clone(&all.in_flight),
            turn: Cell::new(0),
            last_id: Cell::new(random()),
        }
    }

    /// The configuration as it is now.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    /// Whether a connection to `address` would come back to us: to the data plane or to the control plane.
    pub(super) fn is_own_listener(&self, address: SocketAddr) -> bool {
        let admin = &self.shared.snapshot.load().config.admin;
        let others = [Some(admin.address), admin.telemetry];
        reaches(address, self.listener) || others.into_iter().flatten().any(|listener| reaches(address, listener))
    }

    /// Another number each time, for taking turns.
    pub(super) fn turn(&self) -> usize {
        self.turn.replace(self.turn.get().wrapping_add(1))
    }

    /// Connections end after the exchange they carry.
    pub(super) fn begin_draining(&self) {
        self.draining.set(true);
        self.drain.notify_waiters();
    }

    /// Whether [`Worker::begin_draining`] was called.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Counts an exchange in flight, unless there are `most` of them.
    pub(super) fn begin_exchange(&self, most: usize) -> Option<InFlight> {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let in_flight = InFlight(Arc::clone(&self.in_flight));
        (before < most).then_some(in_flight)
    }

    /// The name of a new exchange: a ULID, 48 bits of milliseconds before 80 bits that were random once for this thread
    /// and have been counted up since.
    pub(super) fn exchange_id(&self, now: Time) -> ExchangeId {
        const RANDOM_BITS: u32 = 80;
        let last = self.last_id.get().wrapping_add(1);
        self.last_id.set(last);
        let milliseconds = u128::from(now.unix_micros() / 1000);
        let random = last & ((1 << RANDOM_BITS) - 1);
        ExchangeId((milliseconds << RANDOM_BITS) | random)
    }
}

/// Counts an exchange while it lasts.
pub(super) struct InFlight(Arc<AtomicUsize>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The keys of a hash map are the randomness that the standard library has to offer; ids need to differ, not to be
/// secret. The uppermost of the 80 bits stays clear, so that counting up cannot run over.
fn random() -> u128 {
    let half = || u128::from(RandomState::new().build_hasher().finish());
    ((half() << 64) | half()) & ((1 << 79) - 1)
}
