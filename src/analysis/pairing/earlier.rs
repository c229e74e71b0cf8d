//! What an inner instance remembers of writes whose answers may not have arrived, to repeat it on its next reports.
//!
//! Nobody acknowledges an answer. That a connection broke shows here; that a gateway threw an answer away and made one
//! of its own does not. So the outcome of every marked write is repeated, and those of which it is known that their
//! answer got lost come first.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::envelope::Authenticity;
use super::report::{EARLIER_MAX, EarlierWrite};
use crate::analysis::exchange::{Exchange, ExchangeId, Outcome, Role};
use crate::analysis::memory::is_write;
use crate::analysis::time::Time;

/// How long an outcome is repeated: whoever repeats a write has done so by then.
const LASTING: Duration = Duration::from_secs(60);

/// How often an outcome is repeated. A report may get lost as the answer did, so once is not enough.
const TIMES_MAX: u8 = 8;

/// Repetitions within this time count as one: what swallowed one answer of a burst may have swallowed all of it.
const APART: Duration = Duration::from_secs(1);

/// How many outcomes of one route are remembered.
const WRITES_MAX: usize = 64;

/// How many routes are remembered. As many as can be configured at first, and some that a reload left behind.
const ROUTES_MAX: usize = 512;

/// Outcomes of writes, by route: what takes another route may come from another outer instance.
#[derive(Debug, Default)]
pub struct EarlierWrites {
    routes: HashMap<u16, VecDeque<Remembered>>,
}

#[derive(Clone, Copy, Debug)]
struct Remembered {
    write: EarlierWrite,
    ended: Time,
    /// The answer was seen not to get through.
    lost: bool,
    times: u8,
    /// When the repetition was last counted.
    counted: Option<Time>,
}

impl Remembered {
    fn is_over(&self, now: Time) -> bool {
        self.times >= TIMES_MAX || now.since(self.ended) > LASTING
    }
}

impl EarlierWrites {
    /// Remembers an exchange, if it was a marked write that the origin answered.
    pub fn note(&mut self, exchange: &Exchange<'_>) {
        let Outcome::Answered(answer) = &exchange.outcome else { return };
        let Some((mark, authenticity)) = exchange.far_side.mark else { return };
        // Another request under a mark that came before need not be that of the exchange it names.
        if *authenticity == Authenticity::SignedBefore && !mark.fits(&exchange.request.fields) {
            return;
        }
        let write = EarlierWrite { marked: mark.exchange, status: answer.head.status };
        self.put(exchange.route, write, exchange.ended, !answer.complete);
    }

    /// Whether [`EarlierWrites::note`] would remember it; asked for without the lock.
    pub fn concerns(exchange: &Exchange<'_>) -> bool {
        exchange.role == Role::Inner
            && exchange.far_side.mark.is_some()
            && is_write(&exchange.request.method)
            && exchange.answer().is_some()
    }

    /// What to repeat on a report of that route, on the exchange of that mark: at most four, newest first.
    ///
    /// Outcomes of the same mark come first, for then the gateway has repeated the write and this very report proves
    /// it; then those whose answers are known to be lost; then those that were repeated least.
    pub fn repeat(&mut self, route: u16, marked: ExchangeId, now: Time) -> Vec<EarlierWrite> {
        let Some(writes) = self.routes.get_mut(&route) else { return Vec::new() };
        writes.retain(|one| !one.is_over(now));
        let mut order: Vec<&mut Remembered> = writes.iter_mut().collect();
        order.sort_by_key(|one| (one.write.marked != marked, !one.lost, one.times, std::cmp::Reverse(one.ended)));
        order.truncate(EARLIER_MAX);
        order.sort_by_key(|one| std::cmp::Reverse(one.ended));
        order.into_iter().map(|one| one.repeated(now)).collect()
    }

    fn put(&mut self, route: u16, write: EarlierWrite, ended: Time, lost: bool) {
        if self.routes.len() >= ROUTES_MAX && !self.routes.contains_key(&route) {
            self.routes.retain(|_, writes| writes.back().is_some_and(|one| !one.is_over(ended)));
            if self.routes.len() >= ROUTES_MAX {
                return;
            }
        }
        let writes = self.routes.entry(route).or_default();
        let (mut write, mut lost) = (write, lost);
        if let Some(at) = writes.iter().position(|one| one.write.marked == write.marked) {
            // The gateway has sent it more than once. That it succeeded once is what matters of it.
            if let Some(known) = writes.remove(at).filter(|known| !known.is_over(ended)) {
                if succeeded(known.write.status) && !succeeded(write.status) {
                    write.status = known.write.status;
                }
                lost |= known.lost;
            }
        }
        if writes.len() >= WRITES_MAX {
            // The one that is known to be lost is worth more than one that most likely was not.
            let oldest = writes.iter().position(|one| !one.lost || one.is_over(ended)).unwrap_or(0);
            writes.remove(oldest);
        }
        writes.push_back(Remembered { write, ended, lost, times: 0, counted: None });
    }
}

const fn succeeded(status: u16) -> bool {
    matches!(status, 200..=299)
}

impl Remembered {
    fn repeated(&mut self, now: Time) -> EarlierWrite {
        if self.counted.is_none_or(|counted| now.since(counted) >= APART) {
            self.times += 1;
            self.counted = Some(now);
        }
        self.write
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Time = Time::from_unix_micros(1_000_000_000);

    fn at(seconds: u64) -> Time {
        BEGIN.plus(Duration::from_secs(seconds))
    }

    fn put(writes: &mut EarlierWrites, mark: u128, lost: bool, seconds: u64) {
        writes.put(1, EarlierWrite { marked: ExchangeId(mark), status: 204 }, at(seconds), lost);
    }

    fn marks(writes: &mut EarlierWrites, for_mark: u128, seconds: u64) -> Vec<u128> {
        writes.repeat(1, ExchangeId(for_mark), at(seconds)).iter().map(|write| write.marked.0).collect()
    }

    #[test]
    fn the_same_mark_comes_first_then_what_was_lost_then_what_was_repeated_least() {
        let mut writes = EarlierWrites::default();
        put(&mut writes, 1, false, 0);
        put(&mut writes, 2, true, 1);
        for mark in 3..=7 {
            put(&mut writes, mark, false, mark as u64);
        }
        assert_eq!(marks(&mut writes, 1, 8), [7, 6, 2, 1], "newest first");
        assert_eq!(marks(&mut writes, 9, 8), [5, 4, 3, 2]);
        assert_eq!(writes.repeat(2, ExchangeId(1), at(8)), [], "another route");
    }

    #[test]
    fn an_outcome_is_repeated_a_few_times_and_a_minute_long() {
        let mut writes = EarlierWrites::default();
        put(&mut writes, 1, false, 0);
        for _ in 0..20 {
            assert_eq!(marks(&mut writes, 9, 1), [1], "a burst counts as one repetition");
        }
        for seconds in 2..=8 {
            assert_eq!(marks(&mut writes, 9, seconds), [1], "after {seconds} s");
        }
        assert_eq!(marks(&mut writes, 9, 9), []);
        put(&mut writes, 2, true, 10);
        assert_eq!(marks(&mut writes, 9, 70), [2]);
        assert_eq!(marks(&mut writes, 9, 71), []);
    }

    #[test]
    fn a_write_that_arrives_more_than_once_is_told_once_by_its_success() {
        let mut writes = EarlierWrites::default();
        for (status, seconds) in [(412, 0), (204, 1), (412, 2), (503, 3)] {
            writes.put(1, EarlierWrite { marked: ExchangeId(1), status }, at(seconds), false);
        }
        let told = writes.repeat(1, ExchangeId(1), at(4));
        assert_eq!(told, [EarlierWrite { marked: ExchangeId(1), status: 204 }]);
    }

    #[test]
    fn memory_is_bounded_and_what_is_lost_stays() {
        let mut writes = EarlierWrites::default();
        put(&mut writes, 0, true, 0);
        for mark in 1..1000 {
            put(&mut writes, mark, false, 1);
        }
        assert_eq!(writes.routes[&1].len(), WRITES_MAX);
        assert!(marks(&mut writes, 9999, 2).contains(&0));
        for route in 0..2 * ROUTES_MAX as u16 {
            writes.put(route, EarlierWrite { marked: ExchangeId(1), status: 204 }, at(2), false);
        }
        assert!(writes.routes.len() <= ROUTES_MAX);
        writes.put(u16::MAX, EarlierWrite { marked: ExchangeId(1), status: 204 }, at(100), false);
        assert_eq!(writes.routes.len(), 1, "what is over makes room");
    }
}
