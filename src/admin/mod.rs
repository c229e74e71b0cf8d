//! The control plane: the admin API and its guard.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::bypass::Switch;
use crate::config::Config;
use crate::recorder::Recorder;

/// Reads the configuration again; the faults if that cannot be.
pub type Reload = Box<dyn Fn() -> Result<(), Vec<String>> + Send + Sync>;

/// Whether this instance is ready; the reason if not.
pub type Readiness = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What the control plane asks of the lifecycle.
pub struct Hooks {
    /// For `POST /-/reload`.
    pub reload: Reload,
    /// For `GET /readyz`.
    pub readiness: Readiness,
}

/// What the control plane shows and switches.
pub struct AdminContext {
    /// What is remembered.
    pub recorder: Arc<Recorder>,
    /// The bypass switch.
    pub bypass: Arc<Switch>,
    /// The running configuration.
    pub config: Arc<ArcSwap<Config>>,
    /// The lifecycle.
    pub hooks: Hooks,
}

/// A control plane at work, on a thread of its own.
#[derive(Debug)]
pub struct Running {}

impl Running {
    /// Stops accepting, ends the feeds, waits for what is in flight no longer than `within`.
    pub fn stop(self, within: Duration) {
        let _ = within;
    }
}

/// Serves the admin API on `listener`, and /livez, /readyz and /metrics alone on `telemetry`.
pub fn start(listener: TcpListener, telemetry: Option<TcpListener>, context: AdminContext) -> io::Result<Running> {
    let _ = (listener, telemetry, context);
    Ok(Running {})
}
