//! The data plane: the straight line that moves an exchange.

mod addresses;
mod alarm;
mod answer;
mod client;
mod connection;
mod connection_fields;
mod forwarded;
#[cfg(any(test, feature = "fuzzing"))]
#[expect(clippy::expect_used, clippy::panic, reason = "a target panics where a law is broken")]
pub(crate) mod fuzzing;
mod health;
mod http1;
mod http2;
mod io;
mod listener;
mod observe;
mod pair;
mod prepare;
mod proxy_protocol;
mod routes;
mod serve;
mod snapshot;
mod tls;
mod transfer;
mod tunnel;
mod upstream;
mod websocket;
mod worker;

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

pub use listener::{Running, start};
pub use snapshot::Snapshot;

use crate::bypass::Switch;
use crate::recorder::Recorder;

/// What the threads of the data plane share, and what the control plane changes under them.
#[derive(Debug)]
pub struct Shared {
    /// The configuration as it is now.
    snapshot: ArcSwap<Snapshot>,
    /// Says when it is another one.
    changed: watch::Sender<()>,
    /// What is remembered.
    recorder: Arc<Recorder>,
    /// The bypass switch.
    bypass: Arc<Switch>,
}

impl Shared {
    /// For a data plane that begins with this configuration.
    pub fn new(snapshot: Snapshot, recorder: Arc<Recorder>, bypass: Arc<Switch>) -> Self {
        Self { snapshot: ArcSwap::from_pointee(snapshot), changed: watch::Sender::new(()), recorder, bypass }
    }

    /// From now on, exchanges begin with another configuration. What is known of upstream addresses that stay is kept.
    pub fn take_over(&self, snapshot: Snapshot) {
        snapshot.inherit(&self.snapshot.load());
        self.snapshot.store(Arc::new(snapshot));
        self.changed.send_replace(());
    }

    /// Hears of [`Shared::take_over`].
    fn snapshot_changed(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}

#[cfg(test)]
mod tests;
