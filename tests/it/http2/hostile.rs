//! What clients of HTTP/2 can send that another reader could take for something else, by the byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::configured;
use crate::harness::eventually;
use crate::harness::frames::{
    ACK, DATA, END_STREAM, GOAWAY, HEADERS, RST_STREAM, SETTINGS, begin, frame, headers, next_of,
};
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::wire::Wire;

const PROTOCOL_ERROR: u32 = 1;

const HEAD: [(&str, &[u8]); 4] =
    [(":method", b"GET"), (":scheme", b"http"), (":path", b"/"), (":authority", b"a.test")];

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// The stream or the connection ends with that code.
    Ended(u32),
    /// An answer of ours whose head is the whole; its first byte is an index of HPACK's static table.
    Answered(u8),
}

/// RFC 7541 Appendix A.
const OK: Fate = Fate::Answered(0x88);
const BAD_REQUEST: Fate = Fate::Answered(0x8c);

fn fate(instance: &Instance, lines: &[(&str, &[u8])], flags: u8, body: &[u8]) -> Fate {
    let mut client = Wire::to(instance.address());
    begin(&mut client);
    client.send(headers(flags, 1, lines));
    if !body.is_empty() {
        client.send(frame(DATA, END_STREAM, 1, body));
    }
    let ended = next_of(&mut client, &[HEADERS, RST_STREAM, GOAWAY]);
    if ended.kind == HEADERS { Fate::Answered(ended.payload[0]) } else { Fate::Ended(ended.code()) }
}

fn with<'a>(more: &[(&'a str, &'a [u8])]) -> Vec<(&'a str, &'a [u8])> {
    [&HEAD, more].concat()
}

fn without<'a>(name: &str, more: &[(&'a str, &'a [u8])]) -> Vec<(&'a str, &'a [u8])> {
    let mut lines: Vec<_> = HEAD.into_iter().filter(|line| line.0 != name).collect();
    lines.extend_from_slice(more);
    lines
}

#[test]
fn what_is_malformed_never_reaches_an_origin() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let instance = Instance::before(origin.address());
    let check = |lines: &[(&str, &[u8])], expected: Fate| {
        assert_eq!(fate(&instance, lines, END_STREAM, b""), expected, "{lines:?}");
    };
    let reset = |lines: &[(&str, &[u8])]| check(lines, Fate::Ended(PROTOCOL_ERROR));

    // RFC 9113 §8.2.1: names are lower case, values have no CR, LF or NUL.
    reset(&with(&[("If-Match", b"\"a\"")]));
    reset(&with(&[("x", b"a\r\nX-Smuggled: 1")]));
    reset(&with(&[("x", b"a\nb")]));
    reset(&with(&[("x", b"a\0b")]));
    reset(&with(&[("x y", b"1")]));
    reset(&with(&[("x:y", b"1")]));
    // §8.2.2: no fields of a connection.
    reset(&with(&[("connection", b"x")]));
    reset(&with(&[("transfer-encoding", b"chunked")]));
    reset(&with(&[("upgrade", b"websocket")]));
    reset(&with(&[("keep-alive", b"5")]));
    reset(&with(&[("proxy-connection", b"x")]));
    reset(&with(&[("te", b"gzip")]));
    // §8.3: pseudo-fields once, known, before the others, and all there.
    reset(&with(&[(":path", b"/b")]));
    reset(&with(&[(":unknown", b"x")]));
    reset(&with(&[(":status", b"200")]));
    reset(&with(&[("x", b"1"), (":authority", b"b")]));
    reset(&without(":method", &[]));
    reset(&without(":scheme", &[]));
    reset(&without(":path", &[(":path", b"")]));
    reset(&without(":path", &[(":path", b"no-slash")]));
    reset(&without(":path", &[(":path", b"/a b")]));
    reset(&without(":path", &[(":path", b"/a\r\nX: 1")]));
    reset(&without(":method", &[(":method", b"GET / HTTP/1.1\r\nX: 1")]));
    // §8.3.1: whom it is for is said once.
    check(&with(&[("host", b"b.test")]), BAD_REQUEST);
    check(&with(&[("host", b"a.test"), ("host", b"a.test")]), BAD_REQUEST);
    check(&without(":authority", &[]), BAD_REQUEST);
    check(&without(":authority", &[(":authority", b"user@a.test")]), BAD_REQUEST);
    // §8.1.1: a length is a number, said once.
    reset(&with(&[("content-length", b"1x")]));
    reset(&with(&[("content-length", b"1"), ("content-length", b"2")]));
    check(&with(&[("content-length", b"0"), ("content-length", b"0")]), BAD_REQUEST);
    assert_eq!(origin.requests(), []);
    check(&with(&[("host", b"A.test")]), OK);
    check(&without(":authority", &[("host", b"a.test")]), OK);
    assert_eq!(origin.requests().len(), 2);
}

#[test]
fn a_body_that_is_not_as_long_as_its_length_says_is_a_reset() {
    let origin = Origin::serving(|wire, log| {
        // The head may arrive; the request must never be whole.
        while let Some(request) = wire.request() {
            log.push(&request);
        }
    });
    let instance = Instance::before(origin.address());
    let mut put = without(":method", &[("content-length", b"5")]);
    put.insert(0, (":method", b"PUT"));

    for (body, flags) in [(&b"four"[..], 0), (b"sixsix", 0), (b"", END_STREAM)] {
        assert_eq!(fate(&instance, &put, flags, body), Fate::Ended(PROTOCOL_ERROR), "{body:?}");
    }

    assert_eq!(origin.requests(), []);
}

#[test]
fn a_fragment_never_reaches_an_origin() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let instance = Instance::before(origin.address());

    // The library has cut it off before it can be refused, as HTTP/1.1's is.
    assert_eq!(fate(&instance, &without(":path", &[(":path", b"/a?b#c HTTP/1.1")]), END_STREAM, b""), OK);

    assert_eq!(origin.only_request().head.start, "GET /a?b HTTP/1.1");
}

#[test]
fn a_head_without_end_costs_no_more_than_its_limit() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let instance = Instance::before(origin.address());
    let mut client = Wire::to(instance.address());
    begin(&mut client);
    let line = headers(0, 1, &[("x", &[b'x'; 8000])])[9..].to_vec();
    client.send(frame(HEADERS, 0, 1, &headers(0, 1, &HEAD)[9..]));

    // CONTINUATION upon CONTINUATION, and never END_HEADERS.
    let sent = (0..10_000).take_while(|_| client.try_send(frame(9, 0, 1, &line)).is_ok()).count();

    assert!(sent < 10_000, "{sent} frames were taken");
    assert_eq!(instance.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status(), 200, "others are served");
}

#[test]
fn streams_that_are_opened_to_be_reset_end_their_connection() {
    const ENHANCE_YOUR_CALM: u32 = 11;
    const CANCEL: [u8; 4] = [0, 0, 0, 8];
    // It never answers.
    let origin = Origin::serving(|wire, _| drop(wire.rest()));
    let instance = Instance::before(origin.address());
    let mut client = Wire::to(instance.address());
    begin(&mut client);
    let mut sending = client.clone_for_sending();
    std::thread::spawn(move || {
        for number in 0..20_000 {
            let stream = number * 2 + 1;
            let reset = frame(RST_STREAM, 0, stream, &CANCEL);
            if sending.try_send([headers(END_STREAM, stream, &HEAD), reset].concat()).is_err() {
                return;
            }
        }
    });

    let goodbye = next_of(&mut client, &[GOAWAY]);

    assert_eq!(goodbye.code(), ENHANCE_YOUR_CALM);
    let last = u32::from_be_bytes(goodbye.payload[..4].try_into().unwrap());
    assert!(last < 2 * 20_000, "{last}");
    let ok = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(fate(&Instance::before(ok.address()), &HEAD, END_STREAM, b""), OK);
}

#[test]
fn one_stream_more_than_allowed_is_refused_and_the_others_go_on() {
    const REFUSED_STREAM: u32 = 7;
    let (begun, goes_on) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (counter, signal) = (Arc::clone(&begun), Arc::clone(&goes_on));
    let origin = Origin::serving(move |wire, _| {
        if wire.request().is_some() {
            counter.fetch_add(1, Ordering::SeqCst);
            eventually("the word to go on", || signal.load(Ordering::SeqCst).then_some(()));
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let instance = configured(&format!("url = \"http://{}\"", origin.address()), "[limits]\nstreams = 2\n");
    let mut client = Wire::to(instance.address());
    begin(&mut client);
    // The server's SETTINGS are acknowledged, so that they hold.
    next_of(&mut client, &[SETTINGS]);
    client.send(frame(SETTINGS, ACK, 0, &[]));

    client.send([headers(END_STREAM, 1, &HEAD), headers(END_STREAM, 3, &HEAD)].concat());
    eventually("both at the origin", || (begun.load(Ordering::SeqCst) == 2).then_some(()));
    client.send(headers(END_STREAM, 5, &HEAD));
    let refused = next_of(&mut client, &[RST_STREAM, HEADERS]);
    assert_eq!((refused.kind, refused.stream, refused.code()), (RST_STREAM, 5, REFUSED_STREAM));
    goes_on.store(true, Ordering::SeqCst);
    let mut answered = [next_of(&mut client, &[HEADERS]).stream, next_of(&mut client, &[HEADERS]).stream];
    answered.sort_unstable();

    assert_eq!(answered, [1, 3]);
    assert_eq!(begun.load(Ordering::SeqCst), 2);
}

#[test]
fn a_head_of_one_byte_too_many_is_a_431_and_counted() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let instance = configured(
        &format!("url = \"http://{}\"", origin.address()),
        "[limits]\nheader_bytes = \"1KiB\"\n\
        target_bytes = \"256B\"\n",
    );
    // `x: …` and its line end.
    let longest = [b'x'; 1024 - 5];
    assert_eq!(fate(&instance, &with(&[("x", &longest)]), END_STREAM, b""), OK);

    let mut client = Wire::to(instance.address());
    begin(&mut client);
    client.send(headers(END_STREAM, 1, &with(&[("x", &[b'x'; 1024 - 4])])));
    let refused = next_of(&mut client, &[HEADERS, RST_STREAM, GOAWAY]);

    // A literal status, its name from the static table.
    assert_eq!((refused.kind, refused.flags & END_STREAM), (HEADERS, END_STREAM));
    instance.assert_metric("why412_requests_total{code=\"4xx\",method=\"_OTHER\",route=\"unmatched\"}", 1.0);
    assert_eq!(origin.requests().len(), 1);
}

#[test]
fn an_idle_connection_is_told_goodbye_and_ended_even_if_the_client_does_not_hear_it() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let instance = configured(&format!("url = \"http://{}\"", origin.address()), "[timeouts]\nidle = \"100ms\"\n");
    let mut client = Wire::to(instance.address());
    begin(&mut client);
    client.send(headers(END_STREAM, 1, &HEAD));
    assert_eq!(next_of(&mut client, &[HEADERS]).payload[0], 0x88);

    let goodbye = next_of(&mut client, &[GOAWAY]);

    assert_eq!(goodbye.code(), 0);
    // It answers neither PING nor anything else.
    assert!(client.rest().is_ok());
    instance.assert_metric("why412_connections{side=\"client\"}", 0.0);
}
