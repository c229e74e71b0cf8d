//! Behaviour at the edges, through real sockets.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that meets the unexpected ends there; the lints' own exemption does not reach helpers"
)]

mod admin;
mod annotated;
mod architecture;
mod bypass;
mod cases;
mod catalogue;
mod command_line;
mod commands;
mod configuration;
mod connections;
mod demo;
mod dependencies;
mod deployment;
mod diagnose;
mod documents;
mod draining;
mod exports;
mod failures;
mod faults;
mod framing;
mod gateways;
mod handover;
mod harness;
mod health;
mod hostile;
mod http2;
mod load;
mod metrics;
mod page;
mod pairing;
mod probes;
mod readme;
mod reload;
mod soak;
mod store;
mod tls;
mod transparency;
mod webdav;
