//! What came of the other instance of a pair, beside what the counters of the exposition tell.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::analysis::time::Time;

/// How exactly the time of the last mark or report is kept: threads that share it need not write it each time.
const EXACTNESS: Duration = Duration::from_millis(100);

/// Marks and reports that came. Each is a relaxed atomic of its own: no number here decides about an exchange.
#[derive(Debug, Default)]
pub(super) struct PairSeen {
    /// Microseconds since the Unix epoch; 0 for never.
    last: AtomicU64,
    marks: AtomicU64,
    unmarked: AtomicU64,
}

/// What was counted of a pair since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::recorder) struct PairCounts {
    /// Answers that brought the report of their exchange; at an outer instance.
    pub(in crate::recorder) report: u64,
    /// Answers that brought none.
    pub(in crate::recorder) no_report: u64,
    /// Answers that brought the report of an earlier exchange.
    pub(in crate::recorder) from_store: u64,
    /// Marks and reports that are not authentic, or not expected from there.
    pub(in crate::recorder) unauthentic: u64,
    /// Requests that brought a mark; at an inner instance.
    pub(in crate::recorder) marks: u64,
    /// Requests that brought none.
    pub(in crate::recorder) unmarked: u64,
}

impl PairCounts {
    /// What came on top of an earlier count.
    pub(in crate::recorder) const fn since(self, earlier: Self) -> Self {
        Self {
            report: self.report.saturating_sub(earlier.report),
            no_report: self.no_report.saturating_sub(earlier.no_report),
            from_store: self.from_store.saturating_sub(earlier.from_store),
            unauthentic: self.unauthentic.saturating_sub(earlier.unauthentic),
            marks: self.marks.saturating_sub(earlier.marks),
            unmarked: self.unmarked.saturating_sub(earlier.unmarked),
        }
    }

    /// Marks or reports that could be read and believed.
    pub(in crate::recorder) const fn known(self) -> u64 {
        self.report + self.from_store + self.marks
    }

    /// Messages that could have brought one and did not.
    pub(in crate::recorder) const fn missing(self) -> u64 {
        self.no_report + self.unmarked
    }
}

impl PairSeen {
    pub(super) fn mark(&self, at: Time) {
        self.marks.fetch_add(1, Ordering::Relaxed);
        self.seen(at);
    }

    pub(super) fn no_mark(&self) {
        self.unmarked.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn seen(&self, at: Time) {
        let last = Time::from_unix_micros(self.last.load(Ordering::Relaxed));
        if at.since(last) >= EXACTNESS {
            self.last.store(at.unix_micros(), Ordering::Relaxed);
        }
    }

    pub(super) fn last(&self) -> Option<Time> {
        let micros = self.last.load(Ordering::Relaxed);
        (micros > 0).then(|| Time::from_unix_micros(micros))
    }

    /// Marks, and requests without.
    pub(super) fn marks(&self) -> (u64, u64) {
        (self.marks.load(Ordering::Relaxed), self.unmarked.load(Ordering::Relaxed))
    }
}
