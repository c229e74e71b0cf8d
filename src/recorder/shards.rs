//! The memory of the analysis, in shards, so that threads rarely wait for each other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use tracing::error;

use super::habits::Habits;
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

    /// Judges an exchange of a route with these habits and remembers it. A panic in the analysis costs its judgement,
    /// nothing else.
    pub(super) fn observe(&self, exchange: &Exchange<'_>, habits: &Habits) -> Judgement {
        // The memory holds data only: whatever a panic left half done is forgotten in its time.
        let judge = || {
            let judgement = self.learn_and_judge(exchange, habits);
            self.observe_destination(exchange);
            habits.take(exchange, &judgement);
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
    pub(super) fn verdict(&self, exchange: &Exchange<'_>, habits: &Habits) -> Option<&'static str> {
        let ask =
            |memory: &mut Memory, exchange: &Exchange<'_>, elsewhere: &Elsewhere| memory.verdict(exchange, elsewhere);
        let judged = catch_unwind(AssertUnwindSafe(|| self.judge(exchange, habits, ask)));
        judged.ok()?.diagnosis.map(|diagnosis| diagnosis.cause.id)
    }

    /// What a report says of other exchanges is learned before the exchange itself is judged.
    fn learn_and_judge(&self, exchange: &Exchange<'_>, habits: &Habits) -> Judgement {
        let outcomes = far_side::outcomes(exchange);
        let mut amendments = Vec::new();
        if !outcomes.is_empty() {
            for shard in &self.shards {
                let mut memory = shard.lock().unwrap_or_else(PoisonError::into_inner);
                amendments.extend(memory.learn(&outcomes, exchange.ended));
            }
        }
        let mut judgement = self.judge(exchange, habits, Memory::observe);
        judgement.amendments.extend(amendments);
        judgement
    }

    fn judge(
        &self,
        exchange: &Exchange<'_>,
        habits: &Habits,
        ask: fn(&mut Memory, &Exchange<'_>, &Elsewhere) -> Judgement,
    ) -> Judgement {
        let mut elsewhere = Elsewhere::default();
        if Elsewhere::needs_habits(exchange) {
            elsewhere.route = habits.now();
        }
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use http::Method;

    use super::*;
    use crate::analysis::principal::{Principal, ToldApartBy};
    use crate::recorder::testing::Sample;

    struct Route {
        shards: Shards,
        habits: Habits,
        used: HashSet<u64>,
    }

    impl Route {
        fn new() -> Self {
            Self { shards: Shards::new(&Ledger::default()), habits: Habits::default(), used: HashSet::new() }
        }

        /// The hazards of a request for the `at`th resource.
        fn asks(&mut self, who: u128, method: Method, at: u32, condition: &[(&str, &str)], status: u16) -> Vec<&str> {
            let sample = Sample::new(method, &format!("/orders/{at}"), condition, status, &[("ETag", "\"v\"")]);
            let client = Principal { key: who, by: ToldApartBy::BasicUser };
            let exchange = Exchange { client, ..sample.exchange() };
            self.used.insert(memory::shard_hash(&exchange) % SHARDS as u64);
            let judgement = self.shards.observe(&exchange, &self.habits);
            judgement.hazards.iter().map(|found| found.hazard.id).collect()
        }
    }

    const GUARDED: &[(&str, &str)] = &[("If-Match", "\"v\"")];

    #[test]
    fn writes_of_a_route_count_in_whichever_shard_their_resources_are() {
        let mut route = Route::new();
        for at in 0..10 {
            assert_eq!(route.asks(u128::from(at % 2), Method::PUT, at, GUARDED, 204), [""; 0]);
        }
        assert!(route.used.len() > 4, "{:?}", route.used);
        assert_eq!(route.asks(9, Method::PUT, 3, &[], 204), ["unguarded-write"]);
        // Its own again, and what nobody has written, are left alone.
        assert_eq!(route.asks(9, Method::PUT, 3, &[], 204), [""; 0]);
        assert_eq!(route.asks(9, Method::PUT, 77, &[], 204), [""; 0]);
    }

    #[test]
    fn nine_writes_or_one_writer_or_half_of_them_are_no_habit() {
        // How many guarded writes, by how many clients, beside how many unguarded ones to other resources.
        for (guarded, clients, unguarded) in [(9, 2, 0), (12, 1, 0), (6, 2, 6)] {
            let mut route = Route::new();
            (0..unguarded).for_each(|at| drop(route.asks(1, Method::PUT, 100 + at, &[], 204)));
            (0..guarded).for_each(|at| drop(route.asks(u128::from(at % clients), Method::PUT, at, GUARDED, 204)));
            assert_eq!(route.asks(9, Method::PUT, 3, &[], 204), [""; 0], "{guarded} {clients} {unguarded}");
        }
    }

    #[test]
    fn validators_that_never_come_back_are_told_once_of_a_route() {
        let mut route = Route::new();
        route.asks(1, Method::GET, 0, &[], 200);
        // Nineteen of one client, each of another resource, and then more by another client.
        for at in 0..19 {
            assert_eq!(route.asks(1, Method::PUT, at, &[], 204), [""; 0], "{at}");
        }
        assert_eq!(route.asks(1, Method::PUT, 20, &[], 204), [""; 0], "one client alone");
        assert_eq!(route.asks(2, Method::PUT, 21, &[], 204), [""; 0], "it is the first of the other");
        assert_eq!(route.asks(2, Method::PUT, 22, &[], 204), ["validator-never-returned"]);
        assert_eq!(route.asks(1, Method::PUT, 23, &[], 204), [""; 0], "told already");
        assert!(route.used.len() > 4, "{:?}", route.used);
    }

    #[test]
    fn a_condition_that_was_refused_has_come_back() {
        for status in [204, 412] {
            let mut route = Route::new();
            route.asks(1, Method::GET, 0, &[], 200);
            route.asks(1, Method::PUT, 50, GUARDED, status);
            for at in 0..30 {
                assert_eq!(route.asks(u128::from(at % 2), Method::PUT, at, &[], 204), [""; 0], "{status} {at}");
            }
        }
    }

    #[test]
    fn threads_lose_no_write() {
        let route = Route::new();
        std::thread::scope(|scope| {
            for who in 0..4_u128 {
                let route = &route;
                scope.spawn(move || {
                    for at in 0..100 {
                        let sample = Sample::new(Method::PUT, &format!("/{who}/{at}"), GUARDED, 204, &[]);
                        let client = Principal { key: who, by: ToldApartBy::BasicUser };
                        let exchange = Exchange { client, ..sample.exchange() };
                        route.shards.observe(&exchange, &route.habits);
                    }
                });
            }
        });
        let habits = route.habits.now();
        assert_eq!((habits.conditional_writes, habits.unconditional_writes), (400, 0));
        let [Some(first), Some(second)] = habits.writers else { panic!("{habits:?}") };
        assert_ne!(first, second);
    }
}
