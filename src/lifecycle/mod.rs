//! Composition: start, phase, reload, signals, logs. It puts the planes together and ends them in order; it knows
//! nothing of HTTP.

mod bind;
mod handover;
mod instance;
mod log;
mod phase;
mod reload;
mod signals;
mod watch;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::fault::{Fault, Faults};
use crate::config::{self, Checked, Flags};
use crate::proxy::Snapshot;
use crate::recorder::{Recorder, RecorderError};

pub use handover::Inherited;
pub use instance::{Instance, Plan, Sockets};
pub use log::{Log, start as start_log};
pub use signals::Events;

/// Where the configuration comes from; asked again at every reload.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// What goes before it.
    pub flags: Flags,
    /// Variables of the environment that look like ours and are not.
    pub unknown_variables: Vec<String>,
}

/// Why an instance did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration has faults.
    #[error("{0}")]
    Configuration(#[from] Faults),
    /// The configuration is well written, and what it names cannot be used.
    #[error("{}", .0.join("\n"))]
    Unusable(Vec<String>),
    /// An address cannot be listened at.
    #[error("{key} {address}: {error}")]
    Bind {
        /// The key of the configuration.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// A socket that was inherited is at an address that is not configured.
    #[error(
        "a listening socket was inherited at {0}, and nothing is configured there; write listen.address = \"{0}\", or \
         admin.address, or take it out of the socket unit"
    )]
    Unasked(SocketAddr),
    /// Nothing can be remembered.
    #[error("recorder: {0}")]
    Recorder(#[from] RecorderError),
    /// The system refuses what every process needs.
    #[error("{0}")]
    System(#[from] io::Error),
}

/// How an instance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything in flight was finished, or its time was up.
    Drained,
    /// A second signal ended it at once.
    AtOnce,
    /// A successor has the sockets; what was in flight was finished, or its time was up.
    HandedOver,
}

/// Reads the configuration, starts an instance, and stays until it ends.
///
/// # Errors
///
/// Whatever keeps it from starting.
pub fn run(source: Source) -> Result<Ended, RunError> {
    let inherited = Inherited::take()?;
    let Checked { config, warnings } = config::load(source.file.as_deref(), &source.flags)?;
    let log = log::start(&config.log);
    for name in &source.unknown_variables {
        tracing::warn!(variable = name.as_str(), "unknown environment variable; it is ignored");
    }
    warn(&warnings);
    let ended = instance::run(source, config, inherited, &log);
    log.flush();
    ended
}

/// Reads the configuration and makes of it what the data path would use, without opening an address or a capture file.
///
/// # Errors
///
/// Every fault.
pub fn check(source: &Source) -> Result<Checked, Faults> {
    let checked = config::load(source.file.as_deref(), &source.flags)?;
    let mut config = checked.config.clone();
    config.capture.file = None;
    let config = Arc::new(config);
    let built = Recorder::start(&config).map_err(|error| vec![error.to_string()]).and_then(|recorder| {
        let built = Snapshot::build(&config, &recorder).map(drop);
        recorder.close();
        built
    });
    match built {
        Ok(()) => Ok(checked),
        Err(unusable) => Err(Faults {
            faults: unusable.iter().map(|said| unusable_fault(source, said)).collect(),
            warnings: checked.warnings,
            files: checked.config.files,
        }),
    }
}

/// What cannot be used names the file or upstream by itself, and says what to do behind the last semicolon.
fn unusable_fault(source: &Source, said: &str) -> Fault {
    let (fault, remedy) = said.rsplit_once("; ").unwrap_or((said, "see what it names"));
    Fault {
        file: source.file.clone(),
        line: None,
        key: "configuration".to_owned(),
        fault: fault.to_owned(),
        remedy: remedy.to_owned(),
    }
}

fn warn(warnings: &[Fault]) {
    for warning in warnings {
        tracing::warn!(warning = %warning, "configuration");
    }
}
