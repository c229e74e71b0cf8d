//! What headers mean. Pure: no I/O, clock, lock, log, task or `async`; time is an argument.

pub mod semantics;
pub mod time;
