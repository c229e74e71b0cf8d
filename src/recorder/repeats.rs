//! Which alterations and read hazards are recorded in full: the first few of a kind per minute. The others are counted
//! on the last record of their kind, so that a compressor that alters every read neither slows the path nor drowns
//! the 412s.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::analysis::exchange::{Exchange, ExchangeId};
use crate::analysis::judgement::{Change, Direction, Judgement};
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::time::Time;

const WINDOW: Duration = Duration::from_secs(60);
const KINDS_MAX: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Repeats {
    per_minute: AtomicU32,
    /// Guards the count of each kind. Short: a few map operations for an exchange worth a record.
    counts: Mutex<Counts>,
    changed: AtomicBool,
}

#[derive(Debug, Default)]
struct Counts {
    kinds: HashMap<Kind, Window>,
    /// Counts of windows that are over and have not been told yet, by the record they belong on.
    settled: HashMap<ExchangeId, u64>,
}

/// What counts as the same thing happening again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Alteration { route: u16, on: Direction, field: FieldName, change: Change },
    Hazard { route: u16, hazard: &'static str },
}

#[derive(Debug)]
struct Window {
    began: Time,
    kept: u32,
    last: ExchangeId,
    repeated: u64,
    told: u64,
}

/// What is to become of an exchange that is worth a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It gets a record of its own.
    Recorded,
    /// It is counted on an earlier one.
    Counted,
}

impl Repeats {
    pub(super) fn limit(&self, per_minute: u32) {
        self.per_minute.store(per_minute, Ordering::Relaxed);
    }

    pub(super) fn admit(&self, exchange: &Exchange<'_>, judgement: &Judgement) -> Admission {
        let limit = self.per_minute.load(Ordering::Relaxed);
        let hazard_on_write = !judgement.hazards.is_empty() && may_write(exchange.request.method.as_str());
        if limit == 0 || judgement.diagnosis.is_some() || hazard_on_write {
            return Admission::Recorded;
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.make_room(exchange.ended);
        let of_exchange = kinds_of(exchange.route, judgement);
        let is_news = |kind: &Kind| {
            let window = counts.kinds.get(kind);
            window.is_none_or(|window| exchange.ended.since(window.began) >= WINDOW || window.kept < limit)
        };
        let admission = if of_exchange.iter().any(is_news) { Admission::Recorded } else { Admission::Counted };
        for kind in of_exchange {
            counts.note(kind, exchange, admission);
        }
        admission
    }

    /// Notes that counts have changed; true for whoever is first to note it since they were taken.
    pub(super) fn note_change(&self) -> bool {
        !self.changed.swap(true, Ordering::AcqRel)
    }

    /// The records whose count has changed since the last call, and the count.
    pub(super) fn take_changed(&self) -> Vec<(ExchangeId, u64)> {
        self.changed.store(false, Ordering::Release);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = std::mem::take(&mut counts.settled);
        for window in counts.kinds.values_mut().filter(|window| window.repeated > window.told) {
            window.told = window.repeated;
            raise(&mut changed, window.last, window.repeated);
        }
        changed.into_iter().collect()
    }
}

impl Counts {
    fn note(&mut self, kind: Kind, exchange: &Exchange<'_>, admission: Admission) {
        let fresh = Window { began: exchange.ended, kept: 0, last: exchange.id, repeated: 0, told: 0 };
        let window = self.kinds.entry(kind).or_insert(fresh);
        let is_over = exchange.ended.since(window.began) >= WINDOW;
        match admission {
            Admission::Recorded => {
                // What follows is counted on this one; what was counted on the one before stays there.
                if window.repeated > window.told {
                    raise(&mut self.settled, window.last, window.repeated);
                }
                let (began, kept) = if is_over { (exchange.ended, 0) } else { (window.began, window.kept) };
                *window = Window { began, kept: kept.saturating_add(1), last: exchange.id, repeated: 0, told: 0 };
            }
            Admission::Counted => window.repeated += 1,
        }
    }

    fn make_room(&mut self, now: Time) {
        if self.settled.len() >= KINDS_MAX {
            self.settled.clear();
        }
        if self.kinds.len() < KINDS_MAX {
            return;
        }
        self.kinds.retain(|_, window| now.since(window.began) < WINDOW);
        if self.kinds.len() >= KINDS_MAX {
            self.kinds.clear();
        }
    }
}

/// One exchange can be the last of several kinds, and what repeats it repeats them all.
fn raise(counts: &mut HashMap<ExchangeId, u64>, exchange: ExchangeId, to: u64) {
    let count = counts.entry(exchange).or_default();
    *count = to.max(*count);
}

/// RFC 9110 §9.2.1, RFC 4918, RFC 3253 and RFC 5323: whether a method is for changing something.
pub(super) fn may_write(method: &str) -> bool {
    !matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PROPFIND" | "REPORT" | "SEARCH" | "QUERY")
}

fn kinds_of(route: u16, judgement: &Judgement) -> Vec<Kind> {
    let alterations = judgement.alterations.iter().map(|altered| Kind::Alteration {
        route,
        on: altered.on,
        field: altered.field,
        change: altered.change,
    });
    let hazards = judgement.hazards.iter().map(|found| Kind::Hazard { route, hazard: found.hazard.id });
    alterations.chain(hazards).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::judgement::{Alteration, KnownBy};
    use crate::recorder::testing::Sample;

    fn altered(field: FieldName) -> Judgement {
        let alteration = Alteration {
            on: Direction::Response,
            field,
            change: Change::Weakened,
            before: None,
            after: None,
            known_by: KnownBy::Ledger,
        };
        Judgement { alterations: vec![alteration], ..Judgement::default() }
    }

    fn admit(repeats: &Repeats, id: u128, second: u64, field: FieldName) -> Admission {
        let sample = Sample::get("/a");
        let mut exchange = sample.exchange();
        exchange.id = ExchangeId(id);
        exchange.ended = Time::from_unix_micros(second * 1_000_000);
        repeats.admit(&exchange, &altered(field))
    }

    #[test]
    fn the_first_of_a_kind_are_recorded_and_the_others_counted_on_the_last() {
        let repeats = Repeats::default();
        repeats.limit(2);
        let seen: Vec<_> = (1..=5).map(|id| admit(&repeats, id, 1, FieldName::ETag)).collect();
        assert_eq!(seen[..2], [Admission::Recorded; 2]);
        assert_eq!(seen[2..], [Admission::Counted; 3]);
        assert_eq!(admit(&repeats, 6, 1, FieldName::LastModified), Admission::Recorded, "another kind");
        assert_eq!(repeats.take_changed(), [(ExchangeId(2), 3)]);
        assert_eq!(repeats.take_changed(), [], "nothing new");
        assert_eq!(admit(&repeats, 7, 1, FieldName::ETag), Admission::Counted);
        assert_eq!(admit(&repeats, 8, 61, FieldName::ETag), Admission::Recorded, "the next minute");
        assert_eq!(repeats.take_changed(), [(ExchangeId(2), 4)], "what was counted before is not forgotten");
    }

    #[test]
    fn without_a_limit_everything_is_recorded() {
        let repeats = Repeats::default();
        repeats.limit(0);
        assert!((1..=50).all(|id| admit(&repeats, id, 1, FieldName::ETag) == Admission::Recorded));
    }

    #[test]
    fn kinds_are_bounded() {
        let mut counts = Counts::default();
        for route in 0..u16::try_from(KINDS_MAX).unwrap() {
            let window = Window { began: Time::default(), kept: 0, last: ExchangeId(1), repeated: 0, told: 0 };
            counts.kinds.insert(Kind::Hazard { route, hazard: "x" }, window);
        }
        counts.make_room(Time::default());
        assert!(counts.kinds.is_empty());
    }
}
