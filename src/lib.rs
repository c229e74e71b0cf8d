//! why412: a streaming reverse proxy that explains every `412 Precondition Failed`.
//!
//! # The map
//!
//! A straight line of small steps moves the exchange ([`proxy`]); a pure library says what its headers mean
//! ([`analysis`]); one recorder remembers ([`recorder`]).
//!
//! ```text
//! main ─► cli ─► lifecycle ─┬─► proxy ──┐
//!                           └─► admin ──┼─► recorder ─► analysis ─► (std, http, bytes, httpdate)
//!                           diagnose ───┤
//!                                       └─► bypass, config, clock
//! ```
//!
//! `diagnose` is asked by `cli`, and runs the probes of an instance on a thread that `lifecycle` starts: what they learn goes
//! into [`recorder`], and no exchange waits for it.
//!
//! `http1` reads and frames heads and bodies for whoever meets them raw, `proxy` and `diagnose`; `tls` reads certificates
//! and keys for both. They know of neither.
//!
//! `demo` composes two instances by way of `lifecycle` and plays around them; nothing that serves knows of it.

pub mod admin;
pub mod analysis;
pub mod bypass;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod diagnose;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
#[expect(clippy::expect_used, reason = "a target panics where a law is broken")]
pub mod fuzzing;
mod http1;
pub mod lifecycle;
pub mod proxy;
pub mod recorder;
mod tls;
