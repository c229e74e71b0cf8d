//! The access log: a line for a share of the exchanges that get no record. Written by the store's thread, because the
//! log may block and the data path must not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Method;
use tracing::info;

use super::metrics::RouteSeries;
use super::record::{client_text, id_text, resource_url};
use super::redact::Redaction;
use crate::analysis::exchange::{Exchange, ExchangeId, Outcome, Scheme};
use crate::analysis::principal::Principal;

/// Which exchanges get a line.
#[derive(Debug, Default)]
pub(super) struct Sampling {
    /// Out of 2^32.
    share: AtomicU64,
}

impl Sampling {
    /// Takes a share from 0 to 1.
    pub(super) fn set(&self, share: f64) {
        // A share beyond its bounds, or none at all, ends at the nearest bound.
        self.share.store((share.clamp(0.0, 1.0) * WHOLE) as u64, Ordering::Relaxed);
    }

    /// Whether this exchange is one of them: by its name, so that both instances of a pair pick alike.
    pub(super) fn picks(&self, id: ExchangeId) -> bool {
        let share = self.share.load(Ordering::Relaxed);
        share > 0 && mixed(id.0 as u64) >> 32 < share
    }
}

const WHOLE: f64 = 4_294_967_296.0;

/// Spreads names that follow each other (the finaliser of SplitMix64).
const fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// What a line is made of.
#[derive(Debug)]
pub(super) struct AccessLine {
    id: ExchangeId,
    route: Arc<str>,
    client: Principal,
    method: Method,
    scheme: Scheme,
    authority: Vec<u8>,
    target: Vec<u8>,
    outcome: &'static str,
    status: Option<u16>,
    total: Duration,
    upstream: Duration,
}

impl AccessLine {
    pub(super) fn of(exchange: &Exchange<'_>, route: &RouteSeries) -> Box<Self> {
        let (outcome, status) = match exchange.outcome {
            Outcome::Answered(answer) if answer.complete => ("answered", Some(answer.head.status)),
            Outcome::Answered(answer) => ("cut", Some(answer.head.status)),
            Outcome::NoAnswer { .. } => ("no-answer", None),
            Outcome::ClientGone { .. } => ("client-gone", None),
            Outcome::Refused { status } => ("refused", Some(status)),
        };
        Box::new(Self {
            id: exchange.id,
            route: Arc::clone(route.name()),
            client: exchange.client,
            method: exchange.request.method.clone(),
            scheme: exchange.scheme,
            authority: exchange.request.authority.clone(),
            target: exchange.request.target.clone(),
            outcome,
            status,
            total: exchange.ended.since(exchange.at),
            upstream: exchange.upstream_time,
        })
    }

    pub(super) fn log(&self, redaction: &Redaction) {
        let (exchange, client) = (id_text(self.id), client_text(self.client));
        let (route, method, outcome, status) = (&*self.route, self.method.as_str(), self.outcome, self.status);
        let url = resource_url(self.scheme, &self.authority, &self.target);
        let url = redaction.text(&url);
        let (total_us, upstream_us) = (self.total.as_micros() as u64, self.upstream.as_micros() as u64);
        info!(exchange, route, client, method, %url, outcome, status, total_us, upstream_us, "exchange");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(share: f64) -> usize {
        let sampling = Sampling::default();
        sampling.set(share);
        (0..10_000).filter(|id| sampling.picks(ExchangeId((1 << 100) + id))).count()
    }

    #[test]
    fn a_share_of_the_exchanges_is_picked() {
        assert_eq!(picked(0.0), 0);
        assert_eq!(picked(1.0), 10_000);
        assert!((400..600).contains(&picked(0.05)), "{}", picked(0.05));
        assert_eq!(picked(f64::NAN), 0);
        assert_eq!(picked(7.0), 10_000);
    }
}
