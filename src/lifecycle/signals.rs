//! Signals and ticks as one stream of events for the line that waits for the end.

use std::io;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What the waiting line has to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// SIGTERM or SIGINT.
    End,
    /// SIGHUP.
    Reload,
    /// Time to look at the files.
    Look,
}

/// The stream.
#[derive(Debug)]
pub struct Events {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
    look: Interval,
}

impl Events {
    /// From now on the signals no longer end the process by themselves. Belongs within a runtime.
    ///
    /// # Errors
    ///
    /// The system refuses the handlers.
    #[cfg(unix)]
    pub fn begin() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            look: looks(),
        })
    }

    /// From now on the signal no longer ends the process by itself. Belongs within a runtime.
    ///
    /// # Errors
    ///
    /// None here.
    #[cfg(not(unix))]
    pub fn begin() -> io::Result<Self> {
        Ok(Self { look: looks() })
    }

    /// The next one.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) -> Event {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Event::End,
            _ = self.interrupt.recv() => Event::End,
            _ = self.hangup.recv() => Event::Reload,
            _ = self.look.tick() => Event::Look,
        }
    }

    /// The next one.
    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) -> Event {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => Event::End,
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
