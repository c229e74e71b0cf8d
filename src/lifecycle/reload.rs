//! Taking over a changed configuration, whole or not at all.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::log::Log;
use super::phase::Phase;
use super::watch::{Fingerprint, Watch, fingerprint};
use super::{Source, warn};
use crate::config::{self, Config};
use crate::proxy::{Shared, Snapshot};
use crate::recorder::Recorder;

/// What makes somebody read the configuration again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Why {
    /// SIGHUP.
    Signal,
    /// `POST /-/reload`.
    Request,
    /// A file has changed.
    File,
}

impl Why {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Signal => "signal",
            Self::Request => "request",
            Self::File => "file",
        }
    }
}

/// Reads and takes over.
pub(super) struct Reloader {
    /// Where to read again; nowhere if the program has made the configuration itself.
    pub(super) source: Option<Source>,
    pub(super) config: Arc<ArcSwap<Config>>,
    pub(super) shared: Arc<Shared>,
    pub(super) recorder: Arc<Recorder>,
    pub(super) phase: Arc<Phase>,
    pub(super) log: Log,
    watched: Mutex<Watched>,
}

/// Guards that one reload is done at a time, and what the files held at the latest one. It is held for as long as a
/// reload takes; nobody on the data path waits for it.
struct Watched {
    files: Vec<PathBuf>,
    watch: Watch,
}

impl Reloader {
    /// For the configuration that `files` held when they had the content `loaded`.
    pub(super) fn new(parts: Parts, loaded: Fingerprint) -> Self {
        let Parts { source, config, shared, recorder, phase, log } = parts;
        let watched = Watched { files: config.load().files.clone(), watch: Watch::new(loaded) };
        Self { source, config, shared, recorder, phase, log, watched: Mutex::new(watched) }
    }

    /// Reads again if a file has changed.
    pub(super) fn look(&self) {
        let changed = {
            let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
            let now = fingerprint(&watched.files);
            watched.watch.look(now)
        };
        if changed {
            // Its faults are logged.
            let _ = self.reload(Why::File);
        }
    }

    /// Reads again and takes over, or changes nothing.
    pub(super) fn reload(&self, why: Why) -> Result<(), Vec<String>> {
        if self.phase.is_draining() {
            return Err(vec!["this instance is draining and takes over no configuration".to_owned()]);
        }
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        // Before reading: what is written while we read is another change.
        let before = fingerprint(&watched.files);
        let read = self.read();
        let files = match &read {
            Ok(taken) => taken.files.clone(),
            Err(refused) => refused.files.clone(),
        };
        let same_files = files == watched.files;
        let loaded = if same_files { before } else { fingerprint(&files) };
        watched.files = files;
        watched.watch.loaded(loaded);
        drop(watched);
        self.recorder.metrics().config_reloaded(read.is_ok());
        match read {
            Ok(_) => {
                tracing::info!(why = why.as_str(), "configuration reloaded");
                Ok(())
            }
            Err(refused) => {
                for fault in &refused.faults {
                    tracing::error!(why = why.as_str(), fault = fault.as_str(), "configuration not reloaded");
                }
                Err(refused.faults)
            }
        }
    }

    fn read(&self) -> Result<Arc<Config>, Refused> {
        let running = self.config.load_full();
        let Some(source) = &self.source else {
            let says = "this instance runs with a configuration of the program's own; there is no file to read again";
            return Err(Refused { faults: vec![says.to_owned()], files: running.files.clone() });
        };
        let checked = config::reload(source.file.as_deref(), &source.flags, &running);
        let checked = checked.map_err(|faults| Refused {
            faults: faults.faults.iter().map(ToString::to_string).collect(),
            files: faults.files,
        })?;
        let config = Arc::new(checked.config);
        let snapshot = Snapshot::build(&config, &self.recorder)
            .map_err(|faults| Refused { faults, files: config.files.clone() })?;
        warn(&checked.warnings);
        self.recorder.reconfigure(&config);
        self.log.set_level(&config.log.level);
        self.shared.take_over(snapshot);
        self.config.store(Arc::clone(&config));
        Ok(config)
    }
}

/// What a [`Reloader`] works on.
pub(super) struct Parts {
    /// Where to read again; nowhere if the program has made the configuration itself.
    pub(super) source: Option<Source>,
    pub(super) config: Arc<ArcSwap<Config>>,
    pub(super) shared: Arc<Shared>,
    pub(super) recorder: Arc<Recorder>,
    pub(super) phase: Arc<Phase>,
    pub(super) log: Log,
}

/// Why nothing was taken over, and the files that were read in vain.
struct Refused {
    faults: Vec<String>,
    files: Vec<PathBuf>,
}
