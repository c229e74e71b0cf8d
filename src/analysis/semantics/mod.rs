//! Field values as RFC 9110 and RFC 9111 define them, with the bytes that were sent kept beside what they mean.

pub mod caching;
pub mod conditions;
pub mod entity_tag;
pub mod fields;
pub mod http_date;
pub mod message;
pub mod precondition;
pub mod validators;
pub mod vendor;
