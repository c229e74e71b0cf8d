//! How the exchanges of a route usually go, as far as this shard has seen them.
//!
//! Each shard counts for itself: a rule that needs ten writes then needs them in one shard, which makes it later, never
//! wrong.

use std::net::SocketAddr;
use std::time::Duration;

use crate::analysis::exchange::Exchange;
use crate::analysis::principal::Principal;
use crate::analysis::time::Time;

/// Counts of one route.
#[derive(Clone, Debug, Default)]
pub struct RouteStats {
    /// Writes that succeeded under a condition.
    pub conditional_writes: u64,
    /// Writes that replaced or removed something without one, a vendor's included: creations and calls by POST overwrite
    /// nobody.
    pub unconditional_writes: u64,
    /// Answers to reads that carried a validator.
    pub validators_shown: u64,
    /// Requests that brought one back, in any condition.
    pub validators_returned: u64,
    /// Writes that succeeded with nothing but weak tags in If-Match.
    pub weak_accepted: u64,
    /// Writes that succeeded with a list of several tags in If-Match.
    pub lists_accepted: u64,
    /// The first two clients whose writes succeeded.
    pub writers: [Option<Principal>; 2],
    /// Which answers came with a report.
    pub reports: ReportHabit,
}

/// Which answers of a route came with the report of an inner instance, as an outer one has seen it.
#[derive(Clone, Debug, Default)]
pub struct ReportHabit {
    /// Answers that came with one.
    pub shown: u64,
    /// Reports that named the mark of their own exchange.
    pub marks_arrived: u64,
    /// Whether the clock of the inner instance agreed with ours when it last reported on an exchange of our own.
    clocks_agree: bool,
    /// By upstream address and class of the status, the latest few.
    by_class: Vec<ClassHabit>,
}

#[derive(Clone, Debug)]
struct ClassHabit {
    upstream: Option<SocketAddr>,
    class: u16,
    reported: Option<Time>,
    missing: Option<Time>,
}

/// How long a gap counts, and how long ago the last report may be.
const HABIT: Duration = Duration::from_secs(60);

/// How far two clocks may be apart that agree.
const CLOCKS_APART: Duration = Duration::from_secs(1);

/// Upstream addresses and classes that are told apart.
const CLASSES_MAX: usize = 32;

impl ReportHabit {
    /// Of a route that nothing was seen of.
    pub const NONE: Self = Self { shown: 0, marks_arrived: 0, clocks_agree: false, by_class: Vec::new() };

    /// Whether answers of the same class from the same upstream carried reports without a gap in the last minute.
    pub fn are_habit(&self, upstream: Option<SocketAddr>, status: u16, now: Time) -> bool {
        let lately = |at: Option<Time>| at.is_some_and(|at| now.since(at) <= HABIT);
        self.by_class
            .iter()
            .find(|habit| habit.upstream == upstream && habit.class == status / 100)
            .is_some_and(|habit| lately(habit.reported) && !lately(habit.missing))
    }

    /// Whether a time of the inner instance's clock can be compared with one of ours.
    pub const fn clocks_agree(&self) -> bool {
        self.clocks_agree
    }

    /// Adds what another shard has seen of the same route.
    pub(super) fn merge(&mut self, other: &Self) {
        self.shown += other.shown;
        self.marks_arrived += other.marks_arrived;
        self.clocks_agree |= other.clocks_agree;
        for seen in &other.by_class {
            let is_same = |known: &&mut ClassHabit| known.upstream == seen.upstream && known.class == seen.class;
            match self.by_class.iter_mut().find(is_same) {
                Some(known) => {
                    known.reported = known.reported.max(seen.reported);
                    known.missing = known.missing.max(seen.missing);
                }
                None => self.by_class.push(seen.clone()),
            }
        }
    }

    pub(super) fn note(&mut self, exchange: &Exchange<'_>, status: u16) {
        let report = exchange.far_side.report.map(|(report, _)| report);
        if self.shown == 0 && report.is_none() {
            return;
        }
        self.shown += u64::from(report.is_some());
        let own = report.filter(|report| report.marked == Some(exchange.id));
        self.marks_arrived += u64::from(own.is_some());
        if let Some(at) = own.and_then(|report| report.at) {
            // The origin answered while the exchange was under way.
            self.clocks_agree = at.plus(CLOCKS_APART) >= exchange.at && at <= exchange.ended.plus(CLOCKS_APART);
        }
        let (upstream, class) = (exchange.upstream, status / 100);
        let known = self.by_class.iter().position(|habit| habit.upstream == upstream && habit.class == class);
        let mut habit = match known {
            Some(at) => self.by_class.remove(at),
            None => ClassHabit { upstream, class, reported: None, missing: None },
        };
        let last = if report.is_some() { &mut habit.reported } else { &mut habit.missing };
        *last = Some(exchange.ended);
        if self.by_class.len() >= CLASSES_MAX {
            self.by_class.remove(0);
        }
        self.by_class.push(habit);
    }
}

impl RouteStats {
    /// Whether writes of two clients were seen.
    pub const fn has_two_writers(&self) -> bool {
        matches!(self.writers, [Some(_), Some(_)])
    }

    pub(super) fn wrote(&mut self, client: Principal) {
        let [first, second] = &mut self.writers;
        match first {
            None => *first = Some(client),
            Some(known) if *known == client => {}
            Some(_) => *second = second.or(Some(client)),
        }
    }
}
