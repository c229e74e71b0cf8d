//! Bodies stream both ways, at the pace of who reads them, and end as they ended.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{comes_to_rest, forwarded, returned};
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

const MEGABYTE: usize = 1024 * 1024;

#[test]
fn a_body_of_get_arrives() {
    let chunked = forwarded(
        "GET /search HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\n\r\n",
    );
    let counted = forwarded("GET /search HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 5\r\n\r\nhello");

    assert_eq!((chunked.text().as_str(), counted.text().as_str()), ("hello", "hello"));
    assert_eq!((chunked.value("Content-Length"), counted.value("Transfer-Encoding")), (None, None));
}

#[test]
fn trailers_arrive_on_both_sides() {
    let request = forwarded(
        "PUT / HTTP/1.1\r\nHost: shop.test\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-sum:  two \r\n\r\n",
    );
    assert_eq!(request.trailers, ["X-Sum: 1", "x-sum: two"]);
    assert_eq!(request.value("Trailer"), Some("X-Sum"));

    let answer = returned(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: ETag\r\n\r\n3\r\nabc\r\n0\r\nETag: \"late\"\r\n\r\n",
    );
    assert_eq!((answer.text().as_str(), answer.trailers.as_slice()), ("abc", ["ETag: \"late\"".to_owned()].as_slice()));
}

#[test]
fn chunks_win_over_a_length_in_an_answer() {
    let answer =
        returned("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");

    assert_eq!((answer.text().as_str(), answer.value("Content-Length")), ("hello", None));
}

#[test]
fn an_answer_that_ends_with_its_connection_arrives_whole() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
    let instance = Instance::before(origin.address());

    let mut client = instance.connect();
    let first = client.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    let second = client.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    let old = instance.ask("GET / HTTP/1.0\r\nHost: shop.test\r\n\r\n");

    assert_eq!([first.text(), second.text(), old.text()], ["hello"; 3]);
    assert_eq!(old.value("Transfer-Encoding"), None);
}

#[test]
fn an_answer_is_passed_on_while_it_is_made() {
    let (go_on, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let origin = Origin::serving(move |wire, _| {
        wire.head();
        wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for piece in ["3\r\none\r\n", "3\r\ntwo\r\n", "0\r\n\r\n"] {
            gate.lock().unwrap().recv().unwrap();
            wire.send(piece);
        }
    });
    let instance = Instance::before(origin.address());

    let mut client = instance.connect();
    client.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    // The head comes before there is any body.
    assert_eq!(client.head().status(), 200);
    go_on.send(()).unwrap();
    assert_eq!(client.exactly(8).unwrap(), b"3\r\none\r\n");
    go_on.send(()).unwrap();
    assert_eq!(client.exactly(8).unwrap(), b"3\r\ntwo\r\n");
    go_on.send(()).unwrap();
    assert_eq!(client.exactly(5).unwrap(), b"0\r\n\r\n");
}

#[test]
fn a_request_is_passed_on_while_it_is_made() {
    let (tell, seen) = mpsc::channel();
    let tell = Mutex::new(tell);
    let origin = Origin::serving(move |wire, _| {
        wire.head();
        for _ in 0..2 {
            tell.lock().unwrap().send(wire.exactly(3).unwrap()).unwrap();
        }
        wire.send("HTTP/1.1 204 No Content\r\n\r\n");
    });
    let instance = Instance::before(origin.address());

    let mut client = instance.connect();
    client.send("PUT / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 6\r\n\r\none");
    assert_eq!(seen.recv_timeout(Duration::from_secs(5)).unwrap(), b"one");
    client.send("two");
    assert_eq!(seen.recv_timeout(Duration::from_secs(5)).unwrap(), b"two");
    assert_eq!(client.answer_to("PUT").status(), 204);
}

#[test]
fn an_answer_before_the_end_of_the_request_arrives() {
    let origin = Origin::serving(|wire, _| {
        wire.head();
        wire.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\nConnection: close\r\n\r\ntoo much");
        wire.end();
        let _ = wire.rest();
    });
    let instance = Instance::before(origin.address());

    let mut client = instance.connect();
    client.send("PUT / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 1000000\r\n\r\nthe beginning");
    let answer = client.answer_to("PUT");

    assert_eq!((answer.status(), answer.text().as_str()), (413, "too much"));
}

#[test]
fn an_answer_cut_short_is_never_a_clean_end() {
    let cut = [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf",
    ];
    for answer in cut {
        let origin = Origin::serving(move |wire, _| {
            wire.head();
            wire.send(answer);
        });
        let instance = Instance::before(origin.address());
        for version in ["1.1", "1.0"] {
            let mut client = instance.connect();
            client.send(format!("GET / HTTP/{version}\r\nHost: shop.test\r\n\r\n"));
            let got = client.try_answer_to("GET");
            assert!(got.is_err(), "HTTP/{version} of {answer:?} looks whole: {got:?}");
        }
    }
}

#[test]
fn a_request_cut_short_is_never_a_clean_end_for_the_origin() {
    let (tell, seen) = mpsc::channel();
    let tell = Mutex::new(tell);
    let origin = Origin::serving(move |wire, _| {
        let whole = wire.request().is_some();
        tell.lock().unwrap().send(whole).unwrap();
    });
    let instance = Instance::before(origin.address());

    for framing in ["Content-Length: 100\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
        let mut client = instance.connect();
        client.send(format!("PUT / HTTP/1.1\r\nHost: shop.test\r\n{framing}"));
        drop(client);
        // A request whose end never came may not have been begun at all.
        assert_ne!(seen.recv_timeout(Duration::from_secs(2)), Ok(true), "{framing:?}");
    }
}

#[test]
fn a_large_answer_takes_no_memory_and_waits_for_a_slow_reader() {
    const SIZE: usize = 128 * MEGABYTE;
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let origin = Origin::serving(move |wire, _| {
        wire.head();
        wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n"));
        let piece = vec![b'x'; 64 * 1024];
        while counter.load(Ordering::SeqCst) < SIZE && wire.try_send(&piece).is_ok() {
            counter.fetch_add(piece.len(), Ordering::SeqCst);
        }
    });
    let instance = Instance::before(origin.address());
    let before = instance.resident_bytes();

    let mut client = instance.connect();
    client.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    assert_eq!(client.head().status(), 200);
    let stalled_at = comes_to_rest(&sent);
    let mut received = 0;
    let mut highest = instance.resident_bytes();
    while received < SIZE {
        received += client.exactly(MEGABYTE).unwrap().len();
        if received % (32 * MEGABYTE) == 0 {
            highest = highest.max(instance.resident_bytes());
        }
    }

    assert!(stalled_at < SIZE / 2, "{stalled_at} bytes were taken from the origin that nobody had asked for");
    let grown = highest.saturating_sub(before) as usize;
    assert!(grown < 16 * MEGABYTE, "{grown} bytes more for one body");
}

#[test]
fn a_large_request_takes_no_memory_and_waits_for_a_slow_origin() {
    const SIZE: usize = 64 * MEGABYTE;
    let (go_on, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let origin = Origin::serving(move |wire, _| {
        wire.head();
        gate.lock().unwrap().recv().unwrap();
        let mut taken = 0;
        while taken < SIZE {
            taken += wire.exactly(MEGABYTE).unwrap().len();
        }
        wire.send("HTTP/1.1 204 No Content\r\n\r\n");
    });
    let instance = Instance::before(origin.address());
    let before = instance.resident_bytes();
    let sent = Arc::new(AtomicUsize::new(0));

    let mut client = instance.connect();
    client.send(format!("PUT / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: {SIZE}\r\n\r\n"));
    let mut sender = client.clone_for_sending();
    let counter = Arc::clone(&sent);
    let sending = std::thread::spawn(move || {
        let piece = vec![b'x'; 64 * 1024];
        while counter.load(Ordering::SeqCst) < SIZE && sender.try_send(&piece).is_ok() {
            counter.fetch_add(piece.len(), Ordering::SeqCst);
        }
    });
    let stalled_at = comes_to_rest(&sent);
    let stalled_memory = instance.resident_bytes();
    go_on.send(()).unwrap();
    sending.join().unwrap();
    let answer = client.answer_to("PUT");

    assert_eq!(answer.status(), 204);
    assert!(stalled_at < SIZE / 2, "{stalled_at} bytes were taken from the client that nobody had asked for");
    let grown = stalled_memory.max(instance.resident_bytes()).saturating_sub(before) as usize;
    assert!(grown < 16 * MEGABYTE, "{grown} bytes more for one body");
}
