//! The active procedure of `why412 diagnose` and of probes: asks a service itself, instead of waiting for its traffic.

pub mod wire;
