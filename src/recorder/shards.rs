//! The memory of the analysis, in shards, so that threads rarely wait for each other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use tracing::error;

use super::metrics::LedgerSize;
use super::record::id_text;
use crate::analysis::diagnosis::causes;
use crate::analysis::exchange::{Exchange, Scheme};
use crate::analysis::far_side;
use crate::analysis::judgement::{Confidence, Diagnosis, Finding, Judgement};
use crate::analysis::memory::{self, Elsewhere, Memory, MemoryLimits, Resource};
use crate::config::Ledger;

/// A few times as many as cores, so that two threads seldom want the same.
const SHARDS: usize = 32;

#[derive(Debug)]
pub(super) struct Shards {
    /// Each guards what is remembered of its share of the resources. Short: judging and remembering one exchange, with
    /// no input or output.
    shards: Vec<Mutex<Memory>>,
}

impl Shards {
    pub(super) fn new(ledger: &Ledger) -> Self {
        let share = |whole: usize| whole.div_ceil(SHARDS).max(1);
        let limits = MemoryLimits {
            resources: share(ledger.resources),
            sightings: ledger.sightings,
            bytes: share(ledger.bytes),
        };
        Self { shards: (0..SHARDS).map(|_| Mutex::new(Memory::new(limits))).collect() }
    }

    /// Judges an exchange and remembers it. A panic in the analysis costs its judgement, nothing else.
    pub(super) fn observe(&self, exchange: &Exchange<'_>) -> Judgement {
        // The memory holds data only: whatever a panic left half done is forgotten in its time.
        let judge = || {
            let judgement = self.learn_and_judge(exchange);
            self.observe_destination(exchange);
            judgement
        };
        match catch_unwind(AssertUnwindSafe(judge)) {
            Ok(judgement) => judgement,
            Err(_) => {
                error!(exchange = id_text(exchange.id), "the analysis of an exchange panicked; it stays unexplained");
                unexplained(exchange)
            }
        }
    }

    /// The cause of a 412, by what is remembered now; nothing is remembered of the exchange.
    pub(super) fn verdict(&self, exchange: &Exchange<'_>) -> Option<&'static str> {
        let ask =
            |memory: &mut Memory, exchange: &Exchange<'_>, elsewhere: &Elsewhere| memory.verdict(exchange, elsewhere);
        let judged = catch_unwind(AssertUnwindSafe(|| self.judge(exchange, ask)));
        judged.ok()?.diagnosis.map(|diagnosis| diagnosis.cause.id)
    }

    /// What a report says of other exchanges is learned before the exchange itself is judged.
    fn learn_and_judge(&self, exchange: &Exchange<'_>) -> Judgement {
        let outcomes = far_side::outcomes(exchange);
        let mut amendments = Vec::new();
        if !outcomes.is_empty() {
            for shard in &self.shards {
                let mut memory = shard.lock().unwrap_or_else(PoisonError::into_inner);
                amendments.extend(memory.learn(&outcomes, exchange.ended));
            }
        }
        let mut judgement = self.judge(exchange, Memory::observe);
        judgement.amendments.extend(amendments);
        judgement
    }

    fn judge(
        &self,
        exchange: &Exchange<'_>,
        ask: fn(&mut Memory, &Exchange<'_>, &Elsewhere) -> Judgement,
    ) -> Judgement {
        let mut elsewhere = Elsewhere::default();
        if Elsewhere::is_wanted(exchange) {
            for shard in &self.shards {
                shard.lock().unwrap_or_else(PoisonError::into_inner).elsewhere(exchange, &mut elsewhere);
            }
        }
        let index = memory::shard_hash(exchange) as usize % SHARDS;
        let Some(shard) = self.shards.get(index) else { return Judgement::default() };
        ask(&mut shard.lock().unwrap_or_else(PoisonError::into_inner), exchange, &elsewhere)
    }

    /// What a MOVE or COPY has written is another resource, perhaps of another shard.
    fn observe_destination(&self, exchange: &Exchange<'_>) {
        if let Some(hash) = memory::destination_hash(exchange)
            && let Some(shard) = self.shards.get(hash as usize % SHARDS)
        {
            shard.lock().unwrap_or_else(PoisonError::into_inner).observe_destination(exchange);
        }
    }

    /// Remembers what a probe shows.
    pub(super) fn observe_probe(&self, exchange: &Exchange<'_>) {
        let index = memory::shard_hash(exchange) as usize % SHARDS;
        let Some(shard) = self.shards.get(index) else { return };
        // Data only, as above: what a panic left half done is forgotten in its time.
        let observe = || shard.lock().unwrap_or_else(PoisonError::into_inner).observe_probe(exchange);
        if catch_unwind(AssertUnwindSafe(observe)).is_err() {
            error!(exchange = id_text(exchange.id), "the analysis of a probe panicked; it is not remembered");
        }
    }

    /// What `view` makes of a resource, whichever shard it is in: asked for by people, so that all may be asked.
    pub(super) fn find<T>(
        &self,
        scheme: Scheme,
        authority: &[u8],
        target: &[u8],
        view: impl Fn(&Resource) -> T,
    ) -> Option<T> {
        self.shards.iter().find_map(|shard| {
            let memory = shard.lock().unwrap_or_else(PoisonError::into_inner);
            memory.resource(scheme, authority, target).map(&view)
        })
    }

    pub(super) fn size(&self) -> LedgerSize {
        self.shards.iter().fold(LedgerSize::default(), |size, shard| {
            let memory = shard.lock().unwrap_or_else(PoisonError::into_inner);
            LedgerSize {
                resources: size.resources + memory.resources(),
                bytes: size.bytes + memory.bytes(),
                evictions: size.evictions + memory.evictions(),
            }
        })
    }
}

/// Every 412 has a cause, even where the analysis failed.
fn unexplained(exchange: &Exchange<'_>) -> Judgement {
    let entry = causes::CATALOGUE.iter().find(|cause| cause.id == "unexplained");
    let diagnosis = entry.filter(|_| exchange.status() == Some(412)).map(|cause| {
        let finding =
            Finding { confidence: Confidence::Possible, detail: None, party: None, evidence: vec![], fix: vec![] };
        Box::new(Diagnosis { cause, finding, others: vec![] })
    });
    Judgement { diagnosis, rules_failed: 1, ..Judgement::default() }
}
