//! Every hazard.

use super::Hazard;

/// All hazards.
pub static CATALOGUE: &[&Hazard] = &[];
