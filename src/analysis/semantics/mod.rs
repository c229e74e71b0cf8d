//! Field values as RFC 9110 and RFC 9111 define them, with the bytes that were sent kept beside what they mean.

pub mod fields;
pub mod message;
