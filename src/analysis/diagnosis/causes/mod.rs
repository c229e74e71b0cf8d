//! Every cause, in the order of precedence: of those that fit equally well the first is the primary one.

pub mod client_derived_validator;
pub mod clock_skew;
pub mod concurrent_update;
pub mod create_conflict;
pub mod current_validator_refused;
pub mod date_precision;
pub mod etag_rewritten;
pub mod etag_stripped;
pub mod etag_suffixed;
pub mod etag_weakened;
pub mod gateway_answered;
pub mod list_unsupported;
pub mod malformed_origin_validator;
pub mod malformed_precondition;
pub mod missing_resource;
pub mod no_precondition;
pub mod node_disagreement;
pub mod outdated_date;
pub mod precondition_rewritten;
pub mod retry_after_applied;
pub mod stale_cache;
pub mod stale_validator;
pub mod strength_mismatch;
pub mod unexplained;
pub mod unstable_validator;
pub mod validator_disagreement;
pub mod vendor_precondition;
pub mod weak_etag_in_if_match;
pub mod wrong_target;

use super::Cause;

/// All causes, most specific first. The order decides who is accused:
///
/// - what was seen to be done on the way comes before what the client made of it;
/// - the repetition of one's own applied write comes before every conflict;
/// - a condition that could never hold comes before a version that has moved on;
/// - what the origin or a cache got wrong, where it was seen, comes before "out of date".
pub static CATALOGUE: &[&Cause] = &[
    &gateway_answered::CAUSE,
    &precondition_rewritten::CAUSE,
    &retry_after_applied::CAUSE,
    &etag_stripped::CAUSE,
    &etag_suffixed::CAUSE,
    &etag_weakened::CAUSE,
    &etag_rewritten::CAUSE,
    &create_conflict::CAUSE,
    &vendor_precondition::CAUSE,
    &no_precondition::CAUSE,
    &malformed_origin_validator::CAUSE,
    &malformed_precondition::CAUSE,
    &strength_mismatch::CAUSE,
    &weak_etag_in_if_match::CAUSE,
    &wrong_target::CAUSE,
    &client_derived_validator::CAUSE,
    &missing_resource::CAUSE,
    &list_unsupported::CAUSE,
    &node_disagreement::CAUSE,
    &unstable_validator::CAUSE,
    &validator_disagreement::CAUSE,
    &stale_cache::CAUSE,
    &stale_validator::CAUSE,
    &concurrent_update::CAUSE,
    &date_precision::CAUSE,
    &clock_skew::CAUSE,
    &outdated_date::CAUSE,
    &current_validator_refused::CAUSE,
    &unexplained::CAUSE,
];
