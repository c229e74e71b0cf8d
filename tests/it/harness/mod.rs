//! What the tests are written with: a client and an origin that send and show bytes exactly, an instance of the real
//! binary, and real gateways. Nothing here sleeps for a fixed time; what takes a while is asked for until it is there.

pub(crate) mod command;
pub(crate) mod frames;
pub(crate) mod gateway;
pub(crate) mod http2;
pub(crate) mod http2_origin;
pub(crate) mod instance;
pub(crate) mod message;
pub(crate) mod origin;
pub(crate) mod ports;
pub(crate) mod relay;
pub(crate) mod terminal;
pub(crate) mod versioned;
pub(crate) mod wire;

use std::thread;
use std::time::Duration;

/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again and again until there is an answer.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, ask).unwrap_or_else(|| panic!("{what}: not within {PATIENCE:?}"))
}

/// Asks again and again until there is an answer or the time has passed.
pub(crate) fn within<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    const PAUSE: Duration = Duration::from_millis(5);
    let tries = limit.as_millis() / PAUSE.as_millis();
    for _ in 0..=tries {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        thread::sleep(PAUSE);
    }
    None
}

/// Bytes as text, one character per byte, so that nothing is lost and comparisons stay readable.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
