//! The access log: a sample of the exchanges that make no record. Those that do have a line of their own.

use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use tracing::info;

use super::record::{id_text, resource_url};
use super::redact::Redaction;
use crate::analysis::exchange::{Exchange, ExchangeId, Outcome};

/// Which share of exchanges is logged, and nothing else: it costs one load where none is.
#[derive(Debug, Default)]
pub(super) struct AccessLog {
    /// Of 2^32.
    share: AtomicU64,
}

impl AccessLog {
    /// Takes a share from 0.0 to 1.0.
    pub(super) fn sample(&self, share: f64) {
        self.share.store((share.clamp(0.0, 1.0) * 2_f64.powi(32)) as u64, Ordering::Relaxed);
    }

    /// Writes a line if the exchange is part of the sample.
    pub(super) fn log(&self, exchange: &Exchange<'_>, route: &str, redaction: &ArcSwap<Redaction>) {
        let share = self.share.load(Ordering::Relaxed);
        if share > place(exchange.id) {
            line(exchange, route, &redaction.load());
        }
    }
}

/// Where an exchange stands between 0 and 2^32. Names of one thread follow one another, so their bits are spread first
/// (Fibonacci hashing); the same exchange is in or out of the sample wherever it is asked for.
const fn place(id: ExchangeId) -> u64 {
    (id.0 as u64 ^ (id.0 >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
}

fn line(exchange: &Exchange<'_>, route: &str, redaction: &Redaction) {
    let request = exchange.request;
    let url = resource_url(exchange.scheme, &request.authority, &request.target);
    let url = redaction.text(&url);
    let (id, method) = (id_text(exchange.id), request.method.as_str());
    let total_us = u64::try_from(exchange.ended.since(exchange.at).as_micros()).unwrap_or(u64::MAX);
    let (status, outcome) = match &exchange.outcome {
        Outcome::Answered(answer) if answer.complete => (Some(answer.head.status), "answered"),
        Outcome::Answered(answer) => (Some(answer.head.status), "cut"),
        Outcome::NoAnswer { .. } => (None, "no answer"),
        Outcome::ClientGone { .. } => (None, "client gone"),
        Outcome::Refused { status } => (Some(*status), "refused"),
    };
    info!(exchange = id, route, method, url = url.as_ref(), status, outcome, total_us, "exchange");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_names_that_follow_one_another_are_even() {
        let first = 0x018D_2F3A_0000_0000_1234_5678_9ABC_DEF0_u128;
        let tenth = (1_u64 << 32) / 10;
        let within = (0..10_000).filter(|next| place(ExchangeId(first + next)) < tenth).count();
        assert!((900..1_100).contains(&within), "{within}");
    }
}
