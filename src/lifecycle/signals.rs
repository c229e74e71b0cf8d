//! Signals and ticks as one stream of events for the line that waits for the end.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// SIGXFSZ, of which the runtime has no name: a file may not grow any further.
const FILE_TOO_LARGE: i32 = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 31 } else { 25 };

/// What the waiting line has to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// SIGTERM or SIGINT.
    End,
    /// SIGHUP.
    Reload,
    /// SIGUSR2.
    HandOver,
    /// Time to look at the files.
    Look,
}

/// The stream.
#[derive(Debug)]
pub struct Events {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    hand_over: Signal,
    /// Nobody waits for it: because it is heard, a limit on the size of files costs records or log lines, not the process.
    _file_too_large: Signal,
    look: Interval,
}

impl Events {
    /// From now on the signals no longer end the process by themselves. Belongs within a runtime.
    ///
    /// # Errors
    ///
    /// The system refuses the handlers.
    pub fn begin() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            hand_over: signal(SignalKind::user_defined2())?,
            _file_too_large: signal(SignalKind::from_raw(FILE_TOO_LARGE))?,
            look: looks(),
        })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Event {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Event::End,
            _ = self.interrupt.recv() => Event::End,
            _ = self.hangup.recv() => Event::Reload,
            _ = self.hand_over.recv() => Event::HandOver,
            _ = self.look.tick() => Event::Look,
        }
    }

    /// The next signal to end.
    pub async fn end(&mut self) {
        while self.next().await != Event::End {}
    }
}

fn looks() -> Interval {
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}
