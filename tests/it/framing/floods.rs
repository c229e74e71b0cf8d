//! Floods of HTTP/2 frames, from raw sockets: memory stays bounded, and other clients do not notice.

use super::before;
use crate::harness::frames::{
    DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, begin, frame, headers, next_of,
};
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::wire::Wire;
use crate::harness::{PATIENCE, eventually};

const HEAD: [(&str, &[u8]); 4] = [(":method", b"GET"), (":scheme", b"http"), (":path", b"/"), (":authority", b"a")];
const MEGABYTE: u64 = 1024 * 1024;

fn origin() -> Origin {
    Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
}

fn connect(instance: &Instance) -> Wire {
    let mut client = Wire::to(instance.address());
    begin(&mut client);
    client
}

/// Sends what `next` makes, again and again, while nobody reads the answers; ends early where it is cut off.
#[track_caller]
fn flood(instance: &Instance, mut client: Wire, rounds: usize, mut next: impl FnMut(usize) -> Vec<u8>) -> usize {
    let before = instance.resident_bytes();
    let mut reader = client.clone_for_sending();
    let drain = std::thread::spawn(move || reader.rest().map(|said| said.len()));
    let mut sent = 0;
    while sent < rounds && client.try_send(next(sent)).is_ok() {
        sent += 1;
        if sent % 64 == 0 {
            let mut other = instance.connect().patient_for(PATIENCE / 10);
            assert_eq!(other.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").status(), 200);
        }
    }
    let grown = instance.resident_bytes().saturating_sub(before);
    assert!(grown < 24 * MEGABYTE, "{} MiB more after {sent} rounds", grown / MEGABYTE);
    client.end();
    drop(client);
    let _ = drain.join();
    assert_eq!(instance.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status(), 200);
    eventually("the end of every exchange", || (instance.metric("why412_exchanges_in_flight") == 0.0).then_some(()));
    assert!(!instance.said().contains("panic"), "{}", instance.said());
    sent
}

#[test]
fn rapid_resets_end_the_connection() {
    let origin = origin();
    let instance = before(&origin, "");
    let mut stream = 1;
    let sent = flood(&instance, connect(&instance), 1000, |_| {
        let mut burst = Vec::new();
        for _ in 0..50 {
            burst.extend(headers(END_STREAM, stream, &HEAD));
            burst.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
            stream += 2;
        }
        burst
    });
    assert!(sent < 1000, "all were taken");
}

#[test]
fn settings_and_pings_without_end_take_no_memory() {
    let origin = origin();
    let instance = before(&origin, "");
    let settings = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0xff, 0xff]).repeat(500);
    flood(&instance, connect(&instance), 200, |_| settings.clone());
    let pings = frame(PING, 0, 0, &[0; 8]).repeat(500);
    flood(&instance, connect(&instance), 200, |_| pings.clone());
}

#[test]
fn frames_that_carry_nothing_take_no_memory() {
    let origin = Origin::serving(|wire, _| {
        // A body is never read.
        if wire.try_head().is_ok_and(|head| head.method() == "GET") {
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        } else {
            let _ = wire.rest();
        }
    });
    let instance = before(&origin, "");
    let mut put = HEAD;
    put[0].1 = b"PUT";
    for empty in [frame(DATA, 0, 1, &[]), frame(DATA, 8, 1, &[0])] {
        let mut client = connect(&instance);
        client.send(headers(0, 1, &put));
        let many = empty.repeat(500);
        flood(&instance, client, 200, |_| many.clone());
    }
    // Empty CONTINUATION frames of a head that never ends.
    let mut client = connect(&instance);
    client.send(frame(HEADERS, 0, 1, &headers(0, 1, &HEAD)[9..]));
    let many = frame(9, 0, 1, &[]).repeat(500);
    let sent = flood(&instance, client, 1000, |_| many.clone());
    assert!(sent < 1000, "all were taken");
}

#[test]
fn a_small_head_that_unpacks_to_a_large_one_is_refused() {
    let origin = origin();
    let instance = before(&origin, "");
    // RFC 7541 §6.2.1: a literal that is indexed, of 4000 bytes, and then referred to, 60 bytes of which are 240 kB.
    let mut first = headers(0, 1, &HEAD)[9..].to_vec();
    first.extend([0x40, 1, b'x', 0x7f, 0xa1, 0x1e]);
    first.extend([b'y'; 4000]);
    let bomb = [&headers(0, 1, &HEAD)[9..], &[0x80 | 62; 4000]].concat();
    let mut client = connect(&instance);
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, &first));
    assert_eq!(next_of(&mut client, &[HEADERS, GOAWAY, RST_STREAM]).kind, HEADERS);
    let mut stream = 1;
    flood(&instance, client, 50, |_| {
        stream += 2;
        frame(HEADERS, END_HEADERS | END_STREAM, stream, &bomb)
    });
    let seen = origin.requests();
    assert!(seen.iter().all(|request| request.head.lines.len() < 10), "a bomb arrived");
}

#[test]
fn windows_that_stay_closed_hold_bounded_memory_and_nobody_else() {
    let origin = Origin::serving(|wire, _| {
        while let Ok(head) = wire.try_head() {
            if head.target() == "/large" {
                let _ = wire.try_send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
                while wire.try_send([b'x'; 64 * 1024]).is_ok() {}
                return;
            }
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let instance = before(&origin, "");
    let before = instance.resident_bytes();
    let mut client = Wire::to(instance.address());
    begin(&mut client);
    // RFC 9113 §6.5.2: SETTINGS_INITIAL_WINDOW_SIZE is zero.
    client.send(frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]));
    let mut head = HEAD;
    head[2].1 = b"/large";
    for stream in 0..100 {
        client.send(headers(END_STREAM, stream * 2 + 1, &head));
    }
    for _ in 0..100 {
        assert_eq!(next_of(&mut client, &[HEADERS, GOAWAY, RST_STREAM, DATA]).kind, HEADERS);
    }
    assert_eq!(instance.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status(), 200);
    let grown = instance.resident_bytes().saturating_sub(before);
    assert!(grown < 48 * MEGABYTE, "{} MiB for a hundred streams", grown / MEGABYTE);
    drop(client);
    eventually("the end of every exchange", || (instance.metric("why412_exchanges_in_flight") == 0.0).then_some(()));
}
