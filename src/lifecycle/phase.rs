//! In which phase of its life an instance is: what readiness says.

use std::sync::atomic::{AtomicU8, Ordering};

/// Starting, ready, draining; never backwards.
#[derive(Debug, Default)]
pub(super) struct Phase(AtomicU8);

const READY: u8 = 1;
const DRAINING: u8 = 2;

impl Phase {
    /// Everything is started.
    pub(super) fn ready(&self) {
        self.0.fetch_max(READY, Ordering::SeqCst);
    }

    /// The end has begun.
    pub(super) fn draining(&self) {
        self.0.fetch_max(DRAINING, Ordering::SeqCst);
    }

    /// Whether the end has begun.
    pub(super) fn is_draining(&self) -> bool {
        self.0.load(Ordering::SeqCst) >= DRAINING
    }

    /// For `GET /readyz`.
    pub(super) fn readiness(&self) -> Result<(), String> {
        match self.0.load(Ordering::SeqCst) {
            0 => Err("starting".to_owned()),
            READY => Ok(()),
            // A number and not an enum of ours; whatever is higher is the end.
            _ => Err("draining".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_goes_backwards() {
        let phase = Phase::default();
        assert_eq!(phase.readiness(), Err("starting".to_owned()));
        phase.ready();
        assert_eq!(phase.readiness(), Ok(()));
        phase.draining();
        phase.ready();
        assert_eq!(phase.readiness(), Err("draining".to_owned()));
        assert!(phase.is_draining());
    }
}
