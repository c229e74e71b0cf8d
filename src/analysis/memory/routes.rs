//! How the exchanges of a route usually go, as far as this shard has seen them.
//!
//! Each shard counts for itself: a rule that needs ten writes then needs them in one shard, which makes it later, never
//! wrong.

use crate::analysis::principal::Principal;

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
