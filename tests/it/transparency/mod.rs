//! What the proxy does to a message: a short list, and nothing besides. Held against the wire, value by value.

mod bodies;
mod expectations;
mod http2;
mod requests;
mod responses;
mod upgrades;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::harness::instance::Instance;
use crate::harness::message::Message;
use crate::harness::origin::Origin;
use crate::harness::{eventually, within};

/// The request as the origin got it.
#[track_caller]
fn forwarded(request: impl AsRef<[u8]>) -> Message {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    Instance::before(origin.address()).ask(request);
    origin.only_request()
}

/// The answer as the client got it.
#[track_caller]
fn returned(answer: impl AsRef<[u8]>) -> Message {
    let answer = answer.as_ref().to_vec();
    let origin = Origin::answering(move |_| answer.clone());
    Instance::before(origin.address()).ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
}

/// Lines in the order of their names. The order within a name stays; across names it may change on the way.
fn by_name<L: AsRef<str>>(lines: &[L]) -> Vec<&str> {
    let mut lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
    lines.sort_by_key(|line| line.split(':').next().map(str::to_ascii_lowercase));
    lines
}

/// Where a counter comes to rest.
pub(crate) fn comes_to_rest(counter: &AtomicUsize) -> usize {
    let moment = Duration::from_millis(300);
    eventually("a counter at rest", || {
        let before = counter.load(Ordering::SeqCst);
        let moved = within(moment, || (counter.load(Ordering::SeqCst) != before).then_some(()));
        (before > 0 && moved.is_none()).then_some(before)
    })
}
