//! What is being waited for, shown on standard error after a second of waiting and gone without a trace afterwards.

use std::io::{self, Write as _};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Shorter waits are no waits.
const PATIENCE: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(125);
const STEPS_PER_SECOND: usize = 8;
const FRAMES: [char; 8] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧'];

/// Shows that something is going on until it is dropped.
#[derive(Debug)]
#[must_use = "it is shown as long as it lives"]
pub(super) struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    pub(super) const fn silent() -> Self {
        Self(None)
    }

    pub(super) fn shown(doing: String) -> Self {
        let (alive, ended) = channel::<()>();
        let show = move || {
            if ended.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            for step in STEPS_PER_SECOND.. {
                let frame = FRAMES.get(step % FRAMES.len()).copied().unwrap_or_default();
                line(&format!("{frame} {doing} … {} s", step / STEPS_PER_SECOND));
                if ended.recv_timeout(STEP) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
            line("");
        };
        // Without a thread nothing is shown, and everything works.
        Self(thread::Builder::new().name("why412-progress".to_owned()).spawn(show).ok().map(|thread| (alive, thread)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((alive, thread)) = self.0.take() {
            drop(alive);
            // What is written next must not be wiped away with the line.
            let _ = thread.join();
        }
    }
}

/// Puts `text` in the place of the current line (ECMA-48 EL). That it cannot be shown is nobody's failure.
fn line(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "\r\u{1b}[2K{text}");
    let _ = stderr.flush();
}
