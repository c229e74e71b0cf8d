//! The connections of one thread to upstreams: those of HTTP/1.1 that are idle between two requests, and those of HTTP/2,
//! which many exchanges share.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::exchange::Connection;
use super::failure::UpstreamFailure;
use super::link::{Link, Place};
use crate::analysis::time::Time;
use crate::clock;
use crate::proxy::alarm::Alarm;
use crate::proxy::http1::write::Writer;
use crate::proxy::io::Reader;
use crate::recorder::Recorder;
use crate::recorder::metrics::Side;

/// A connection of HTTP/1.1.
pub(in crate::proxy) struct Http1 {
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
    links: RefCell<Vec<Rc<Link>>>,
    /// Somebody is making a connection that others may share.
    dial: RefCell<Option<Rc<Dial>>>,
    /// What ALPN agreed on last was HTTP/1.1.
    agreed_on_http1: Cell<bool>,
}

struct Idle {
    connection: Http1,
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

    /// From now on, closed and outdated connections are looked for.
    fn begin_sweeping(self: &Rc<Self>) {
        if !self.sweeping.replace(true) {
            tokio::task::spawn_local(sweep(Rc::clone(self)));
        }
    }

    /// Keeps a connection of HTTP/2 for others to share.
    pub(super) fn share(self: &Rc<Self>, entry: &Entry, link: Link) {
        entry.links.borrow_mut().push(Rc::new(link));
        self.begin_sweeping();
    }

    /// Drops what is outdated or closed; whether anything is left to watch.
    fn sweep(&self, now: Time) -> bool {
        let mut entries = self.entries.borrow_mut();
        entries.retain(|_, entry| {
            entry.idle.borrow_mut().retain_mut(|idle| now < idle.until && idle.connection.reader.looks_open());
            entry.links.borrow_mut().retain(|link| !link.is_over(now));
            !entry.idle.borrow().is_empty()
                || !entry.links.borrow().is_empty()
                || entry.in_use.get() > 0
                || now < entry.avoided_until.get()
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
    pub(super) fn take(&self, safety: Safety, now: Time) -> Option<Http1> {
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

    /// A place for a stream on a connection of HTTP/2. A request that is not safe goes out only on one that is in use,
    /// or just read to be open.
    pub(super) async fn place(&self, safety: Safety) -> Option<Place> {
        let (mut link, mut place) = self.free()?;
        if !link.is_surely_open() {
            // What has arrived is read before we are asked again, be it a word of no weight or the end.
            drop(place);
            tokio::task::yield_now().await;
            (link, place) = self.free()?;
            if safety == Safety::Unsafe && !link.is_surely_open() {
                return None;
            }
        }
        Some(place)
    }

    fn free(&self) -> Option<(Rc<Link>, Place)> {
        self.links.borrow().iter().find_map(|link| Some((Rc::clone(link), link.place()?)))
    }

    /// Whether the upstream chose HTTP/1.1 when it had the choice.
    pub(super) const fn agreed_on_http1(&self) -> bool {
        self.agreed_on_http1.get()
    }

    /// See [`Entry::agreed_on_http1`].
    pub(super) fn agree(&self, on_http1: bool) {
        self.agreed_on_http1.set(on_http1);
    }

    /// The connection that somebody else is making.
    pub(super) fn dialled(&self) -> Option<Rc<Dial>> {
        self.dial.borrow().clone()
    }

    /// Others may wait for the connection that the caller makes now.
    pub(super) fn begin_dialling(self: &Rc<Self>) -> DialGuard {
        let dial = Rc::new(Dial::default());
        *self.dial.borrow_mut() = Some(Rc::clone(&dial));
        DialGuard { entry: Rc::clone(self), dial }
    }
}

/// A connection that is being made, until it is known how many exchanges it carries.
#[derive(Default)]
pub(super) struct Dial {
    over: Cell<bool>,
    failure: RefCell<Option<UpstreamFailure>>,
    changed: Notify,
}

impl Dial {
    /// Waits for the connection.
    ///
    /// # Errors
    /// Why it could not be made.
    pub(super) async fn wait(&self) -> Result<(), UpstreamFailure> {
        let changed = self.changed.notified();
        if !self.over.get() {
            changed.await;
        }
        self.failure.borrow().as_ref().map_or(Ok(()), |failure| Err(failure.again()))
    }
}

/// Held by who makes a connection. Dropped, whoever waits for it goes on.
pub(super) struct DialGuard {
    entry: Rc<Entry>,
    dial: Rc<Dial>,
}

impl DialGuard {
    /// It could not be made: those who wait have failed, too.
    pub(super) fn fail(self, failure: &UpstreamFailure) {
        *self.dial.failure.borrow_mut() = Some(failure.again());
    }
}

impl Drop for DialGuard {
    fn drop(&mut self) {
        let mut dial = self.entry.dial.borrow_mut();
        if dial.as_ref().is_some_and(|dial| Rc::ptr_eq(dial, &self.dial)) {
            *dial = None;
        }
        self.dial.over.set(true);
        self.dial.changed.notify_waiters();
    }
}

/// A connection in use. Dropped, the connection is closed; of HTTP/2, the stream is reset if it has not ended.
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

    /// Keeps the connection for another request, for at most `lasting`, beside at most `most` others. One of HTTP/2 is
    /// kept as it is.
    pub(in crate::proxy) fn keep(self, pool: &Rc<Pool>, lasting: Duration, most: usize, now: Time) {
        let Connection::Http1(mut connection) = self.connection else { return };
        connection.reader.release();
        let entry = &self.in_use.0;
        let mut idle = entry.idle.borrow_mut();
        if idle.len() < most && !lasting.is_zero() {
            idle.push(Idle { connection, until: now.plus(lasting) });
            pool.begin_sweeping();
        }
    }
}
