//! The only reader of the clock.
//!
//! The wall clock is read once, at start; from then on the monotonic clock is added to it. So times never run backwards
//! within a process, and two readings compare as they happened.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::analysis::time::Time;

/// The current time.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn now() -> Time {
    // Not shared state but a constant of the process: written once, at the first reading.
    static START: OnceLock<(Instant, u64)> = OnceLock::new();
    let (start, wall) = START.get_or_init(|| {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (Instant::now(), wall.as_micros() as u64)
    });
    Time::from_unix_micros(wall.saturating_add(start.elapsed().as_micros() as u64))
}
