//! A point in time as plain data, so that nothing in `analysis` reads a clock.

use std::time::Duration;

/// A point in time: microseconds since the Unix epoch. Readings of one process never run backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The time that many microseconds after the Unix epoch.
    pub const fn from_unix_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn unix_micros(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, the resolution of an HTTP-date (RFC 9110 §5.6.7).
    pub const fn unix_seconds(self) -> i64 {
        (self.0 / 1_000_000) as i64
    }

    /// How long before `self` the time `earlier` was; zero if it was not.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// This time and `duration` later.
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_micros() as u64))
    }
}
