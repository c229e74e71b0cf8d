//! Every hazard.

pub mod bypass_disobeyed;
mod common;
pub mod guessed_validator;
pub mod if_range_ignored;
pub mod malformed_validator;
pub mod missed_304;
pub mod near_412;
pub mod not_modified_mismatch;
pub mod precondition_dropped;
pub mod precondition_not_enforced;
pub mod precondition_rejected;
pub mod protection_given_up;
pub mod shared_strong_tag;
pub mod stale_response;
pub mod unguarded_write;
pub mod validator_never_returned;
pub mod validator_unstable;
pub mod weak_date_validator;
pub mod wrong_304;

use super::Hazard;

/// All hazards: damage to data first, waste last.
pub static CATALOGUE: &[&Hazard] = &[
    &precondition_dropped::HAZARD,
    &precondition_not_enforced::HAZARD,
    &unguarded_write::HAZARD,
    &protection_given_up::HAZARD,
    &missed_304::HAZARD,
    &wrong_304::HAZARD,
    &not_modified_mismatch::HAZARD,
    &shared_strong_tag::HAZARD,
    &if_range_ignored::HAZARD,
    &precondition_rejected::HAZARD,
    &near_412::HAZARD,
    &guessed_validator::HAZARD,
    &malformed_validator::HAZARD,
    &validator_unstable::HAZARD,
    &weak_date_validator::HAZARD,
    &stale_response::HAZARD,
    &validator_never_returned::HAZARD,
    &bypass_disobeyed::HAZARD,
];
