//! Every cause, in the order of precedence: the first that fits best is the primary one.

use super::Cause;

/// All causes, most specific first.
pub static CATALOGUE: &[&Cause] = &[];
