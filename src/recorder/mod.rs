//! What is remembered. The data plane writes here, the control plane reads; they meet nowhere else.

pub mod metrics;

use std::sync::Arc;

use crate::analysis::exchange::Exchange;
use metrics::{Metrics, RouteSeries};

/// Remembers exchanges: judges them against the ledger, counts them, keeps those worth a record.
#[derive(Debug)]
pub struct Recorder {
    metrics: Metrics,
}

impl Recorder {
    /// The metrics, for what is counted outside of an exchange.
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Takes an exchange that has ended. Never fails, never waits.
    pub fn record(&self, exchange: &Exchange<'_>, route: &Arc<RouteSeries>) {
        let _ = (exchange, route);
    }
}
