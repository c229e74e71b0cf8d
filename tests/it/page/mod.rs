//! The page as people use it: in a real Chromium, against the real binary with real traffic.

mod browser;
mod bypass;
mod charts;
mod demo;
mod exchange;
mod files;
mod list;
mod load;
mod looks;
mod pair;
mod stories;
mod token;

use crate::harness::instance::Instance;
use crate::harness::wire::Wire;

/// Sends a write with a condition that does not hold, and leaves the connection open.
fn refused(wire: &mut Wire, path: &str, lines: &str) {
    let answer = wire.ask(format!("PUT {path} HTTP/1.1\r\nHost: api.test\r\n{lines}Content-Length: 0\r\n\r\n"));
    assert_eq!(answer.status(), 412, "{path}");
}

/// A 412 of a resource whose tag the client was never given.
fn one_412(instance: &Instance, path: &str) {
    refused(&mut instance.connect(), path, "If-Match: \"never-issued\"\r\n");
}
