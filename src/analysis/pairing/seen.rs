//! Which marks have come before. A mark is bound to no request, so one that comes again may be a gateway's repetition,
//! or somebody else's request with a mark that was got hold of.

use std::collections::{HashSet, VecDeque};

use crate::analysis::exchange::ExchangeId;

/// How many marks are remembered in one set.
const MARKS_MAX: usize = 2048;

/// Marks that have come. Bounded; the oldest are forgotten.
#[derive(Debug, Default)]
pub struct SeenMarks {
    marks: HashSet<ExchangeId>,
    order: VecDeque<ExchangeId>,
}

impl SeenMarks {
    /// Notes a mark; whether it had come before.
    pub fn note(&mut self, mark: ExchangeId) -> bool {
        if !self.marks.insert(mark) {
            return true;
        }
        self.order.push_back(mark);
        if self.order.len() > MARKS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.marks.remove(&oldest);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_once_and_the_oldest_are_forgotten() {
        let mut seen = SeenMarks::default();
        assert!(!seen.note(ExchangeId(1)));
        assert!(seen.note(ExchangeId(1)));
        for mark in 2..2 + MARKS_MAX as u128 {
            assert!(!seen.note(ExchangeId(mark)));
        }
        assert!(!seen.note(ExchangeId(1)), "forgotten");
        assert_eq!((seen.marks.len(), seen.order.len()), (MARKS_MAX, MARKS_MAX));
    }
}
