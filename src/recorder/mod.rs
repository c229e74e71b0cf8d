//! What is remembered. The data plane writes here, the control plane reads; they meet nowhere else.

pub mod catalogue;
pub mod metrics;

use std::sync::Arc;

use crate::analysis::exchange::Exchange;
use crate::config::Config;
use metrics::{Metrics, RouteSeries};

/// Why a recorder cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// A metric could not be declared.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// A thread could not be started.
    #[error("the store's thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Remembers exchanges: judges them against the ledger, counts them, keeps those worth a record.
#[derive(Debug)]
pub struct Recorder {
    metrics: Metrics,
    principal_key: [u8; 16],
}

impl Recorder {
    /// Begins with nothing remembered but what the capture file holds.
    pub fn start(config: &Config) -> Result<Arc<Self>, RecorderError> {
        let _ = config;
        Ok(Arc::new(Self { metrics: Metrics {}, principal_key: [0; 16] }))
    }

    /// Takes over what a reload may change: redaction, the limit of repeats.
    pub fn reconfigure(&self, config: &Config) {
        let _ = config;
    }

    /// The series of a route, for as long as a configuration lasts. The same name gets the same number again.
    pub fn series(&self, route: &str, upstream: &str) -> Arc<RouteSeries> {
        let _ = (route, upstream);
        Arc::new(RouteSeries::new(0))
    }

    /// The metrics, for what is counted outside of an exchange.
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The key under which principals and bodies are hashed.
    pub const fn principal_key(&self) -> &[u8; 16] {
        &self.principal_key
    }

    /// Takes an exchange that has ended. Never fails, never waits.
    pub fn record(&self, exchange: &Exchange<'_>, route: &Arc<RouteSeries>) {
        let _ = (exchange, route);
    }

    /// Writes what is still queued and ends the store's thread; later records are lost.
    pub fn close(&self) {}
}
