//! Limits, each met and crossed by one.

use std::time::Duration;

use super::{before, counted};
use crate::harness::eventually;
use crate::harness::frames::{DATA, END_STREAM, HEADERS, RST_STREAM, SETTINGS, begin, frame, headers, next_of};
use crate::harness::origin::Origin;
use crate::harness::wire::Wire;

fn origin() -> Origin {
    Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
}

fn head_of(length: usize) -> String {
    let beginning = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: ";
    format!("{beginning}{}\r\n\r\n", "x".repeat(length - beginning.len() - 4))
}

#[test]
fn heads_up_to_their_limits_pass_and_longer_ones_do_not() {
    let origin = origin();
    let instance = before(&origin, "[limits]\nheader_bytes = \"4KiB\"\nheader_count = 20\ntarget_bytes = \"1KiB\"\n");
    let lines = |count: usize| {
        format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n", "X: 1\r\n".repeat(count - 2))
    };
    let target =
        |length: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "x".repeat(length - 1));
    for (request, status) in [
        (head_of(4096), 200),
        (head_of(4097), 431),
        (lines(20), 200),
        (lines(21), 431),
        (target(1024), 200),
        (target(1025), 414),
    ] {
        for pieces in [1, 7] {
            let mut client = instance.connect();
            for piece in request.as_bytes().chunks(request.len().div_ceil(pieces)) {
                let _ = client.try_send(piece);
            }
            let answer = client.answer_to("GET");
            assert_eq!(answer.status(), status, "{} bytes in {pieces}: {:.60}", request.len(), request);
            assert!(client.rest().is_ok_and(|rest| rest.is_empty()));
        }
    }
    assert_eq!(counted(&instance, "4xx"), 6.0);
    assert_eq!(origin.requests().len(), 6);
}

#[test]
fn bodies_up_to_their_limit_pass_and_longer_ones_do_not() {
    let origin = Origin::answering(|request| match request.body.len() {
        0..=10 => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        _ => "HTTP/1.1 500 Too much\r\nContent-Length: 0\r\n\r\n",
    });
    let instance = before(&origin, "[limits]\nbody_bytes = \"10B\"\n");
    let put = |rest: &str| instance.ask(format!("PUT / HTTP/1.1\r\nHost: a\r\n{rest}")).status();
    assert_eq!(put("Content-Length: 10\r\n\r\n0123456789"), 200);
    assert_eq!(put("Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"), 200);
    assert_eq!(put("Content-Length: 11\r\n\r\n0123456789x"), 413);
    assert_eq!(put("Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n6\r\n56789x\r\n0\r\n\r\n"), 413);
    assert_eq!(counted(&instance, "4xx"), 2.0);
    assert_eq!(origin.requests().len(), 2, "none that is too long is ever whole");
}

#[test]
fn one_stream_too_many_is_refused_and_the_others_are_served() {
    let origin = Origin::serving(|wire, _| {
        let _ = wire.try_head();
        let _ = wire.rest();
    });
    let instance = before(&origin, "[limits]\nstreams = 3\n");
    let mut client = Wire::to(instance.address());
    begin(&mut client);
    let settings = next_of(&mut client, &[SETTINGS]);
    // RFC 9113 §6.5.2: SETTINGS_MAX_CONCURRENT_STREAMS.
    assert!(settings.payload.chunks(6).any(|setting| setting == [0, 3, 0, 0, 0, 3]), "{settings:?}");
    let head: [(&str, &[u8]); 4] = [(":method", b"GET"), (":scheme", b"http"), (":path", b"/"), (":authority", b"a")];
    for stream in [1, 3, 5, 7] {
        client.send(headers(END_STREAM, stream, &head));
    }
    let refused = next_of(&mut client, &[RST_STREAM, HEADERS]);
    // RFC 9113 §8.7: REFUSED_STREAM may be sent again.
    assert_eq!((refused.kind, refused.stream, refused.code()), (RST_STREAM, 7, 7));
    eventually("three in flight", || (instance.metric("why412_exchanges_in_flight") == 3.0).then_some(()));
}

const SHORT: &str = "[timeouts]\nheader_read = \"400ms\"\nbody_idle = \"400ms\"\nwrite = \"400ms\"\nidle = \"400ms\"\n";

#[test]
fn slow_clients_are_ended_and_hold_nobody_up() {
    let origin = origin();
    let instance = before(&origin, SHORT);
    let mut slow: Vec<_> = (0..100).map(|_| instance.connect()).collect();
    for (number, client) in slow.iter_mut().enumerate() {
        client.send(match number % 3 {
            0 => "GET / HTTP/1.1\r\nHost: a\r\nX: ",
            1 => "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1",
            _ => "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n9",
        });
    }
    assert_eq!(instance.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status(), 200, "others are served");
    for (number, mut client) in slow.into_iter().enumerate() {
        let end = client.rest().map(|said| crate::harness::latin1(&said)).unwrap();
        let expected = if number % 3 == 0 { end.is_empty() } else { end.starts_with("HTTP/1.1 408 ") };
        assert!(expected, "{number}: {end}");
    }
    // Heads that came too late are told nothing, and counted all the same.
    assert_eq!(counted(&instance, "4xx"), 100.0);
}

#[test]
fn a_head_that_trickles_in_is_late_all_the_same() {
    let origin = origin();
    let instance = before(&origin, SHORT);
    let mut client = instance.connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n");
    // A byte now and then does not buy more time.
    let trickle = std::iter::repeat_with(|| {
        let taken = client.try_send("X").is_ok();
        std::thread::sleep(Duration::from_millis(20));
        taken
    });
    assert!(trickle.take(500).any(|taken| !taken), "it is closed");
    assert_eq!(counted(&instance, "4xx"), 1.0);
}

#[test]
fn a_client_that_takes_nothing_is_given_up() {
    let origin = Origin::serving(|wire, _| {
        if wire.try_head().is_ok() {
            let piece = vec![b'x'; 64 * 1024];
            let _ = wire.try_send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
            while wire.try_send(&piece).is_ok() {}
        }
    });
    let instance = before(&origin, SHORT);
    let mut one = instance.connect();
    one.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut two = Wire::to(instance.address());
    begin(&mut two);
    let head: [(&str, &[u8]); 4] = [(":method", b"GET"), (":scheme", b"http"), (":path", b"/"), (":authority", b"a")];
    two.send(headers(END_STREAM, 1, &head));
    assert_eq!(one.head().status(), 200);
    assert_eq!(next_of(&mut two, &[HEADERS]).stream, 1);
    eventually("the end of both exchanges", || (instance.metric("why412_exchanges_in_flight") == 0.0).then_some(()));
    // The stream was reset; what else was on its way is of no matter.
    loop {
        let next = next_of(&mut two, &[DATA, RST_STREAM]);
        if next.kind == RST_STREAM {
            break;
        }
        two.send(frame(8, 0, 0, &65_535_u32.to_be_bytes()));
    }
}
