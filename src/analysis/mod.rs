//! What headers mean. Pure: no I/O, clock, lock, log, task or `async`; time is an argument.

pub mod alteration;
pub mod diagnosis;
pub mod digest;
pub mod exchange;
pub mod far_side;
pub mod judgement;
pub mod memory;
pub mod pairing;
pub mod principal;
pub mod probing;
pub mod resource;
pub mod semantics;
#[cfg(test)]
pub(crate) mod testing;
pub mod time;
