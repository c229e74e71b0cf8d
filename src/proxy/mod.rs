//! The data plane: the straight line that moves an exchange.

mod addresses;
mod alarm;
mod answer;
mod client;
mod connection;
mod connection_fields;
mod forwarded;
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

pub use listener::{Running, start};
pub use snapshot::Snapshot;

use crate::bypass::Switch;
use crate::recorder::Recorder;

/// What the threads of the data plane share, and what the control plane changes under them.
#[derive(Debug)]
pub struct Shared {
    /// The configuration as it is now.
    pub snapshot: ArcSwap<Snapshot>,
    /// What is remembered.
    pub recorder: Arc<Recorder>,
    /// The bypass switch.
    pub bypass: Arc<Switch>,
}

#[cfg(test)]
mod tests;
