//! The log, on standard error. A thread of its own writes: a terminal or pipe that takes nothing costs lines, never
//! exchanges, and the lines that were lost are counted.

use std::any::Any;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::{Layer, Registry, fmt};

use crate::config::{self, LogFormat};

/// Lines that may wait to be written.
const WAITING_MAX: usize = 8192;

/// How long the end waits for the last lines.
const FLUSH_WITHIN: Duration = Duration::from_secs(1);

/// The log of the process.
#[derive(Clone, Debug)]
pub struct Log {
    filter: Handle<EnvFilter, Registry>,
    lines: Lines,
}

/// Begins the log of the process, and sends panics to it.
pub fn start(config: &config::Log) -> Log {
    let (filter, handle) = reload::Layer::new(filter(&config.level));
    let lines = Lines::start();
    let layer = fmt::layer().with_writer(lines.clone());
    let layer: Box<dyn Layer<_> + Send + Sync> = match config.format {
        LogFormat::Json => Box::new(layer.json().flatten_event(true)),
        LogFormat::Text => Box::new(layer.with_ansi(colour())),
    };
    // A second start in one process (tests) keeps the first one's log.
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
    let last = lines.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let says = said_by(panic.payload());
        tracing::error!(at, says, "panic");
        // The end of the main thread is the end of the process, and of the thread that writes.
        if thread::current().name() == Some("main") {
            last.flush();
        }
    }));
    Log { filter: handle, lines }
}

fn said_by(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

impl Log {
    /// Takes over another level.
    pub(super) fn set_level(&self, level: &str) {
        // Only the end of the process ends the layer.
        let _ = self.filter.reload(filter(level));
    }

    /// Waits for what has been said to be written.
    pub fn flush(&self) {
        self.lines.flush();
    }
}

/// The level was checked with the configuration; `info` stands in for one that nobody checked.
fn filter(level: &str) -> EnvFilter {
    EnvFilter::builder().parse(level).unwrap_or_else(|_| EnvFilter::new("info"))
}

fn colour() -> bool {
    use std::io::IsTerminal as _;

    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

enum Said {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

#[derive(Clone, Debug)]
struct Lines {
    waiting: SyncSender<Said>,
    lost: Arc<AtomicU64>,
}

impl Lines {
    fn start() -> Self {
        let (waiting, said) = sync_channel(WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&lost);
        // Without a thread to write them, lines are lost, and nothing else.
        let _ = thread::Builder::new().name("log".to_owned()).spawn(move || write(&said, &counter));
        Self { waiting, lost }
    }

    fn flush(&self) {
        let (written, wait) = sync_channel(1);
        // `send` waits if the queue is full; at the end that is as it should be, but not for ever.
        let waiting = self.waiting.clone();
        let _ = thread::Builder::new().spawn(move || waiting.send(Said::Flush(written)));
        let _ = wait.recv_timeout(FLUSH_WITHIN);
    }
}

fn write(said: &Receiver<Said>, lost: &AtomicU64) {
    while let Ok(said) = said.recv() {
        let mut stderr = io::stderr().lock();
        match said {
            Said::Line(line) => {
                let missing = lost.swap(0, Ordering::Relaxed);
                if missing > 0 {
                    let _ =
                        writeln!(stderr, "{{\"level\":\"WARN\",\"message\":\"log lines lost\",\"lost\":{missing}}}");
                }
                // There is nobody to tell that the log cannot be written.
                let _ = stderr.write_all(&line);
            }
            Said::Flush(done) => {
                let _ = stderr.flush();
                let _ = done.try_send(());
            }
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Self::Writer {
        Line { lines: self.clone(), bytes: Vec::new() }
    }
}

/// One line in the making; it is handed over when it is dropped.
struct Line {
    lines: Lines,
    bytes: Vec<u8>,
}

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let line = Said::Line(std::mem::take(&mut self.bytes));
        match self.lines.waiting.try_send(line) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.lines.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
