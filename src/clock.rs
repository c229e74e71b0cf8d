//! The only reader of the clock.
//!
//! The wall clock is read once, at start; from then on the monotonic clock is added to it. So times never run backwards
//! within a process, and two readings compare as they happened.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::analysis::time::Time;

/// The current time.
pub fn now() -> Time {
    let start = start();
    start.wall.plus(start.monotonic.elapsed())
}

/// The same point in time as the runtime's timers count it.
pub fn instant(time: Time) -> tokio::time::Instant {
    let start = start();
    tokio::time::Instant::from_std(start.monotonic + time.since(start.wall).max(Duration::ZERO))
}

/// Measures how long something takes, finer than [`Time`] tells.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since it began.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

struct Start {
    wall: Time,
    monotonic: Instant,
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
fn start() -> &'static Start {
    // Not shared state but a constant of the process: written once, at the first reading.
    static START: OnceLock<Start> = OnceLock::new();
    START.get_or_init(|| {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Start { wall: Time::from_unix_micros(wall.as_micros() as u64), monotonic: Instant::now() }
    })
}
