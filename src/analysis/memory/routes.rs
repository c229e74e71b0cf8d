//! How the exchanges of a route usually go.
//!
//! The resources of a route are in all shards, and its clients write all of them: whoever holds the shards keeps one
//! [`RouteHabits`] for each route and gives it to whichever shard judges ([`super::Elsewhere`]). Which answers come with
//! a report is counted in each shard and put together when a verdict turns on it, which is rare.

use std::net::SocketAddr;
use std::time::Duration;

use crate::analysis::diagnosis::hazards::validator_never_returned;
use crate::analysis::exchange::Exchange;
use crate::analysis::judgement::Judgement;
use crate::analysis::principal::Principal;
use crate::analysis::semantics::conditions::{Conditions, tags_of};
use crate::analysis::semantics::validators::Validators;
use crate::analysis::semantics::vendor;
use crate::analysis::time::Time;

use super::seen;

/// How a route is read and written, over all its resources.
#[derive(Clone, Copy, Debug, Default)]
pub struct RouteHabits {
    /// Writes that succeeded under a condition.
    pub conditional_writes: u64,
    /// Writes that replaced or removed something without one, a vendor's included: creations and calls by POST overwrite
    /// nobody.
    pub unconditional_writes: u64,
    /// A write carried a condition, whatever became of it.
    pub conditions_sent: bool,
    /// An answer to a read carried a validator.
    pub validators_shown: bool,
    /// A write succeeded with nothing but weak tags in If-Match.
    pub weak_accepted: bool,
    /// A write succeeded with a list of several tags in If-Match.
    pub lists_accepted: bool,
    /// The first two clients whose writes succeeded.
    pub writers: [Option<Principal>; 2],
    /// It was told already that validators never come back here.
    pub never_returned_told: bool,
}

/// What one exchange shows of the habits of its route.
#[derive(Clone, Copy, Debug)]
pub enum RouteNews {
    /// An answer to a read carried a validator.
    ValidatorShown,
    /// A write with a condition did not succeed.
    ConditionSent,
    /// A write succeeded.
    Written {
        /// Whose it was.
        by: Principal,
        /// Under which condition.
        under: Guard,
    },
}

/// Under which condition a write succeeded.
#[derive(Clone, Copy, Debug)]
pub enum Guard {
    /// Under one.
    Condition {
        /// Nothing but weak tags in If-Match.
        all_weak: bool,
        /// Several tags in If-Match.
        is_list: bool,
    },
    /// Under none, and it replaced or removed something.
    None,
    /// Under none, and it need not have replaced anything.
    NothingReplaced,
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

impl RouteHabits {
    /// Whether writes of two clients were seen.
    pub const fn has_two_writers(&self) -> bool {
        matches!(self.writers, [Some(_), Some(_)])
    }

    /// Takes in what an exchange shows.
    pub fn take(&mut self, news: RouteNews) {
        match news {
            RouteNews::ValidatorShown => self.validators_shown = true,
            RouteNews::ConditionSent => self.conditions_sent = true,
            RouteNews::Written { by, under } => {
                self.wrote(by);
                match under {
                    Guard::Condition { all_weak, is_list } => {
                        self.conditional_writes += 1;
                        self.conditions_sent = true;
                        self.weak_accepted |= all_weak;
                        self.lists_accepted |= is_list;
                    }
                    Guard::None => self.unconditional_writes += 1,
                    Guard::NothingReplaced => {}
                }
            }
        }
    }

    /// Takes in what was told of the route.
    pub fn told(&mut self, judgement: &Judgement) {
        self.never_returned_told |= validator_never_returned::is_told(judgement);
    }

    fn wrote(&mut self, client: Principal) {
        let [first, second] = &mut self.writers;
        match first {
            None => *first = Some(client),
            Some(known) if *known == client => {}
            Some(_) => *second = second.or(Some(client)),
        }
    }
}

impl RouteNews {
    /// What an exchange shows; mostly nothing new.
    pub fn of(exchange: &Exchange<'_>) -> Option<Self> {
        let answer = exchange.answer();
        let succeeded = answer.filter(|answer| matches!(answer.head.status, 200..=299));
        if !seen::is_write(&exchange.request.method) {
            let shown = succeeded.is_some_and(|answer| Validators::any(&answer.head.fields));
            return shown.then_some(Self::ValidatorShown);
        }
        let is_conditional = is_conditional(exchange);
        let Some(answer) = succeeded else { return is_conditional.then_some(Self::ConditionSent) };
        let under = if is_conditional {
            let conditions = Conditions::of(exchange.forwarded);
            let tags = tags_of(&conditions.if_match);
            let all_weak = !tags.is_empty() && tags.iter().all(|tag| tag.weak);
            Guard::Condition { all_weak, is_list: tags.len() > 1 }
        } else if exchange.request.method != http::Method::POST && answer.head.status != 201 {
            Guard::None
        } else {
            Guard::NothingReplaced
        };
        Some(Self::Written { by: exchange.client, under })
    }
}

fn is_conditional(exchange: &Exchange<'_>) -> bool {
    let vendor = || vendor::of(exchange.forwarded, &exchange.request.target, &exchange.policy.preconditions);
    Conditions::any(exchange.forwarded) || !vendor().is_empty()
}
