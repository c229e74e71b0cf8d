//! Connections to upstreams that are idle between two requests, of one thread.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::analysis::time::Time;
use crate::clock;
use crate::proxy::alarm::Alarm;
use crate::proxy::http1::write::Writer;
use crate::proxy::io::Reader;
use crate::recorder::Recorder;
use crate::recorder::metrics::Side;

/// A connection to an upstream.
pub(in crate::proxy) struct Connection {
    /// What it says.
    pub(in crate::proxy) reader: Reader,
    /// What it is told.
    pub(in crate::proxy) writer: Writer,
    /// For what it takes too long with.
    pub(in crate::proxy) alarm: Alarm,
    /// It has carried an exchange before.
    pub(in crate::proxy) reused: bool,
    /// Counts it while it lasts.
    #[expect(dead_code, reason = "it is its drop that counts")]
    pub(super) counted: Counted,
}

/// Counts a connection to an upstream.
pub(super) struct Counted(Arc<Recorder>);

impl Counted {
    /// One more.
    pub(super) fn new(recorder: &Arc<Recorder>) -> Self {
        recorder.metrics().connection_opened(Side::Upstream);
        Self(Arc::clone(recorder))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.metrics().connection_closed(Side::Upstream);
    }
}

/// Whether repeating a request could do harm (RFC 9110 §9.2.1): decides how sure a connection must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) enum Safety {
    /// It only reads.
    Safe,
    /// It may change something.
    Unsafe,
}

/// The idle connections of one thread, by address and TLS identity.
#[derive(Default)]
pub(in crate::proxy) struct Pool {
    entries: RefCell<HashMap<(usize, SocketAddr), Rc<Entry>>>,
    sweeping: Cell<bool>,
}

/// What is known of one address.
#[derive(Default)]
pub(super) struct Entry {
    idle: RefCell<Vec<Idle>>,
    in_use: Cell<usize>,
    avoided_until: Cell<Time>,
}

struct Idle {
    connection: Connection,
    until: Time,
}

/// How long an address that could not be reached is tried last.
const AVOIDED: Duration = Duration::from_secs(5);
/// How often connections are looked at that nobody uses.
const SWEEP: Duration = Duration::from_secs(1);

impl Pool {
    /// The entry of an address.
    pub(super) fn entry(&self, identity: usize, address: SocketAddr) -> Rc<Entry> {
        Rc::clone(self.entries.borrow_mut().entry((identity, address)).or_default())
    }

    /// Whether closed and outdated connections must be looked for from now on; the caller then starts [`sweep`].
    fn begins_sweeping(&self) -> bool {
        !self.sweeping.replace(true)
    }

    /// Drops what is outdated or closed; whether anything is left to watch.
    fn sweep(&self, now: Time) -> bool {
        let mut entries = self.entries.borrow_mut();
        entries.retain(|_, entry| {
            entry.idle.borrow_mut().retain_mut(|idle| now < idle.until && idle.connection.reader.looks_open());
            !entry.idle.borrow().is_empty() || entry.in_use.get() > 0 || now < entry.avoided_until.get()
        });
        !entries.is_empty()
    }
}

/// Closes connections that outlive their idle time or that the upstream has closed, until the pool is empty.
async fn sweep(pool: Rc<Pool>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        if !pool.sweep(clock::now()) {
            pool.sweeping.set(false);
            return;
        }
    }
}

impl Entry {
    /// The order in which addresses are tried: those that failed lately last, then the least used.
    pub(super) fn burden(&self, now: Time) -> (bool, usize) {
        (now < self.avoided_until.get(), self.in_use.get())
    }

    /// It could not be reached.
    pub(super) fn avoid(&self, now: Time) {
        self.avoided_until.set(now.plus(AVOIDED));
    }

    /// A connection that can carry a request. A request that is not safe goes out only on one just read to be open.
    pub(super) fn take(&self, safety: Safety, now: Time) -> Option<Connection> {
        loop {
            // The one used last is the one most surely open.
            let mut idle = self.idle.borrow_mut().pop()?;
            let usable = now < idle.until
                && match safety {
                    Safety::Safe => idle.connection.reader.looks_open(),
                    Safety::Unsafe => idle.connection.reader.is_open_and_silent(),
                };
            if usable {
                idle.connection.reused = true;
                return Some(idle.connection);
            }
        }
    }
}

/// A connection in use. Dropped, the connection is closed.
pub(in crate::proxy) struct Lease {
    /// The connection.
    pub(in crate::proxy) connection: Connection,
    /// Where it goes.
    pub(in crate::proxy) address: SocketAddr,
    in_use: InUse,
}

struct InUse(Rc<Entry>);

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.in_use.set(self.0.in_use.get().saturating_sub(1));
    }
}

impl Lease {
    /// Counts the connection as in use.
    pub(super) fn new(connection: Connection, address: SocketAddr, entry: Rc<Entry>) -> Self {
        entry.in_use.set(entry.in_use.get() + 1);
        Self { connection, address, in_use: InUse(entry) }
    }

    /// Keeps the connection for another request, for at most `lasting`, beside at most `most` others.
    pub(in crate::proxy) fn keep(mut self, pool: &Rc<Pool>, lasting: Duration, most: usize, now: Time) {
        self.connection.reader.release();
        let entry = &self.in_use.0;
        let mut idle = entry.idle.borrow_mut();
        if idle.len() < most && !lasting.is_zero() {
            idle.push(Idle { connection: self.connection, until: now.plus(lasting) });
            if pool.begins_sweeping() {
                tokio::task::spawn_local(sweep(Rc::clone(pool)));
            }
        }
    }
}
