//! How each route is read and written, over all its resources: counted by every thread, without a lock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::analysis::exchange::Exchange;
use crate::analysis::judgement::Judgement;
use crate::analysis::memory::{Guard, RouteHabits, RouteNews};
use crate::analysis::principal::Principal;

/// The habits of one route. Read and written by all threads; a plain read loads one flag of them.
#[derive(Debug, Default)]
pub(super) struct Habits {
    conditional_writes: AtomicU64,
    unconditional_writes: AtomicU64,
    conditions_sent: AtomicBool,
    validators_shown: AtomicBool,
    weak_accepted: AtomicBool,
    lists_accepted: AtomicBool,
    writers: [OnceLock<Principal>; 2],
    never_returned_told: AtomicBool,
}

impl Habits {
    /// As they are. The numbers are not of one instant: a write that ends meanwhile may be in some of them.
    pub(super) fn now(&self) -> RouteHabits {
        RouteHabits {
            conditional_writes: self.conditional_writes.load(Ordering::Relaxed),
            unconditional_writes: self.unconditional_writes.load(Ordering::Relaxed),
            conditions_sent: self.conditions_sent.load(Ordering::Relaxed),
            validators_shown: self.validators_shown.load(Ordering::Relaxed),
            weak_accepted: self.weak_accepted.load(Ordering::Relaxed),
            lists_accepted: self.lists_accepted.load(Ordering::Relaxed),
            writers: self.writers.each_ref().map(|writer| writer.get().copied()),
            never_returned_told: self.never_returned_told.load(Ordering::Relaxed),
        }
    }

    /// Takes in what an exchange shows and what was told of it.
    pub(super) fn take(&self, exchange: &Exchange<'_>, judgement: &Judgement) {
        match RouteNews::of(exchange) {
            Some(RouteNews::ValidatorShown) => raise(&self.validators_shown),
            Some(RouteNews::ConditionSent) => raise(&self.conditions_sent),
            Some(RouteNews::Written { by, under }) => self.wrote(by, under),
            None => {}
        }
        let mut told = RouteHabits::default();
        told.told(judgement);
        if told.never_returned_told {
            raise(&self.never_returned_told);
        }
    }

    fn wrote(&self, by: Principal, under: Guard) {
        let [first, second] = &self.writers;
        if *first.get_or_init(|| by) != by {
            second.get_or_init(|| by);
        }
        match under {
            Guard::Condition { all_weak, is_list } => {
                self.conditional_writes.fetch_add(1, Ordering::Relaxed);
                raise(&self.conditions_sent);
                if all_weak {
                    raise(&self.weak_accepted);
                }
                if is_list {
                    raise(&self.lists_accepted);
                }
            }
            Guard::None => {
                self.unconditional_writes.fetch_add(1, Ordering::Relaxed);
            }
            Guard::NothingReplaced => {}
        }
    }
}

/// Threads that find it raised leave it in their caches.
fn raise(flag: &AtomicBool) {
    if !flag.load(Ordering::Relaxed) {
        flag.store(true, Ordering::Relaxed);
    }
}
