//! Nothing that comes from the network, from either side, ends the process or lets one exchange disturb another.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

const REQUEST: &[u8] = b"PUT /orders/7?access_token=x HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v1\", W/\"v2\"\r\n\
    If-Unmodified-Since: Tue, 05 Mar 2024 10:00:00 GMT\r\nConnection: keep-alive, X\r\nCookie: a=1; b=\"2\r\n\
    Transfer-Encoding: chunked\r\nX-Goog-If-Generation-Match: 1\r\nAuthorization: Bearer a.b.c\r\n\r\n\
    5;ext=1\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n";
const ANSWER: &[u8] =
    b"HTTP/1.1 412 Precondition Failed\r\nETag: W/\"v2\"\r\nLast-Modified: Tue, 05 Mar 2024 10:00:00 GMT\r\n\
    Vary: Accept-Encoding\r\nContent-Encoding: gzip\r\nAge: 1\r\nCache-Status: x; hit\r\nVia: 1.1 varnish\r\n\
    Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nETag: \"t\"\r\n\r\n";

#[test]
fn mutated_requests_are_refused_or_passed_on_and_nothing_else() {
    let origin = Origin::always("HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nContent-Length: 0\r\n\r\n");
    let instance = Instance::before(origin.address());
    for seed in 0..400 {
        let mut client = instance.connect();
        let _ = client.try_send(mutated(REQUEST, seed));
        client.end();
        let _ = client.rest();
    }
    assert_unharmed(&instance);
}

#[test]
fn mutated_answers_are_a_502_or_passed_on_and_nothing_else() {
    let turn = AtomicUsize::new(0);
    let origin = Origin::serving(move |wire, _| {
        if wire.request().is_some() {
            let _ = wire.try_send(mutated(ANSWER, turn.fetch_add(1, Ordering::SeqCst) as u64));
        }
    });
    let instance = Instance::before(origin.address());
    for _ in 0..400 {
        let mut client = instance.connect();
        client.send(REQUEST);
        client.end();
        let _ = client.rest();
    }
    assert_unharmed(&instance);
}

#[test]
fn garbage_after_the_preface_of_http_2_harms_nobody() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let instance = Instance::before(origin.address());
    for seed in 0..100 {
        let frames =
            mutated(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x04\x01\x05\x00\x00\x00\x01\x82\x84\x86\x41", seed);
        let mut client = instance.connect();
        let _ = client.try_send([b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frames].concat());
        client.end();
        let _ = client.rest();
    }
    assert_unharmed(&instance);
}

#[test]
fn a_head_that_never_ends_is_given_up() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let instance = Instance::configured(&format!(
        "[upstream.api]\nurl = [\"http://{}\"]\n[[route]]\nname = \"all\"\npath = \"/{{*rest}}\"\nupstream = \"api\"\n\
         [timeouts]\nheader_read = \"300ms\"\nidle = \"300ms\"\nbody_idle = \"300ms\"\n",
        origin.address()
    ));
    let mut slow = instance.connect();
    slow.send("GET / HTTP/1.1\r\nHo");
    assert!(slow.rest().is_ok_and(|said| said.is_empty()), "a late head is closed without a word");
    let mut idle = instance.connect();
    assert!(idle.rest().is_ok_and(|said| said.is_empty()), "an idle connection is closed without a word");
    let mut stuck = instance.connect();
    stuck.send("PUT / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 100\r\n\r\nthe beginning");
    assert_eq!(stuck.answer_to("PUT").status(), 408);
}

#[track_caller]
fn assert_unharmed(instance: &Instance) {
    assert_eq!(instance.control("GET /livez").status(), 200);
    let said = instance.said();
    assert!(!said.contains("panic"), "{said}");
    crate::harness::eventually("the end of every exchange", || {
        (instance.metric("why412_exchanges_in_flight") == 0.0).then_some(())
    });
}

/// The bytes with a few of them changed, removed, doubled or cut off, the same for the same seed.
fn mutated(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move |below: usize| {
        // Xorshift: enough to reach every place.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    const SPECIAL: &[u8] = b"\r\n\0\"\\,;:= \t\xff\x80W/*-%#09aZ";
    let mut bytes = bytes.to_vec();
    for _ in 0..=next(3) {
        let at = next(bytes.len());
        match next(5) {
            0 => bytes[at] = SPECIAL[next(SPECIAL.len())],
            1 => bytes[at] = u8::try_from(next(256)).expect("below 256"),
            2 => {
                bytes.remove(at);
            }
            3 => bytes.insert(at, SPECIAL[next(SPECIAL.len())]),
            _ => bytes.truncate(at + 1),
        }
    }
    bytes
}
