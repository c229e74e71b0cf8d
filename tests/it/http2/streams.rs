//! Streams of one connection to an upstream: how many there are, how they wait, and how they and their connection end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::server::Builder;
use http::Request;
use tokio::sync::Notify;

use super::configured;
use crate::harness::frames::{self, ACK, HEADERS, PING, RST_STREAM, accept, goaway, next, next_of};
use crate::harness::http2::Http2;
use crate::harness::http2_origin::{Http2Origin, status};
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::{eventually, within};

const GET: &str = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

const CANCEL: u32 = 8;

/// One thread, so that every exchange meets the same connections.
fn single(origin: std::net::SocketAddr, more: &str) -> Instance {
    configured(&format!("url = \"http://{origin}\"\nhttp = \"2\""), &format!("[limits]\nthreads = 1\n{more}"))
}

fn gets(count: usize) -> Vec<Request<()>> {
    (0..count).map(|at| Request::get(format!("http://a/{at}")).body(()).unwrap()).collect()
}

#[test]
fn the_upstream_s_limit_of_streams_holds_and_more_connections_are_made() {
    let open = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now, seen) = (Arc::clone(&open), Arc::clone(&most));
    let mut builder = Builder::new();
    builder.max_concurrent_streams(4);
    let origin = Http2Origin::with(builder, move |mut stream| {
        let (now, seen) = (Arc::clone(&now), Arc::clone(&seen));
        async move {
            seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            stream.read().await.unwrap();
            // Every request is there before the first is answered.
            while now.load(Ordering::SeqCst) < 20 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            stream.answer(status(200), "ok");
        }
    });
    let instance = single(origin.address(), "");

    let answers = Http2::to(instance.address()).ask_all(gets(20));

    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == 200));
    assert_eq!((origin.connections(), most.load(Ordering::SeqCst)), (5, 20));
}

#[test]
fn a_client_that_reads_nothing_holds_the_origin_back_and_nobody_else() {
    const SIZE: usize = 64 * 1024 * 1024;
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let origin = Http2Origin::serving(move |mut stream| {
        let counter = Arc::clone(&counter);
        async move {
            stream.read().await.unwrap();
            if stream.request.uri().path() != "/large" {
                return stream.answer(status(200), "ok");
            }
            let mut body = stream.head(status(200));
            while counter.load(Ordering::SeqCst) < SIZE {
                body.reserve_capacity(64 * 1024);
                let Some(Ok(room)) = std::future::poll_fn(|cx| body.poll_capacity(cx)).await else { return };
                if body.send_data(vec![b'x'; room].into(), false).is_err() {
                    return;
                }
                counter.fetch_add(room, Ordering::SeqCst);
            }
        }
    });
    let instance = single(origin.address(), "");

    let mut unread: Vec<_> = (0..3).map(|_| instance.connect()).collect();
    unread.iter_mut().for_each(|client| client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n"));
    let before = instance.resident_bytes();
    let stalled_at = super::comes_to_rest(&sent);
    let answers = Http2::to(instance.address()).ask_all(gets(50));

    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == 200));
    assert!(stalled_at < SIZE / 2, "{stalled_at} bytes were taken from the origin that nobody had asked for");
    assert!(instance.resident_bytes() < before + 16 * 1024 * 1024, "it is kept by nobody");
    assert_eq!(origin.connections(), 1);
}

#[test]
fn an_origin_that_reads_nothing_holds_the_client_back() {
    const SIZE: usize = 64 * 1024 * 1024;
    let origin = Http2Origin::serving(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    });
    let instance = single(origin.address(), "");
    let sent = Arc::new(AtomicUsize::new(0));
    let mut client = instance.connect();
    client.send(format!("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n"));
    let counter = Arc::clone(&sent);
    let mut sending = client.clone_for_sending();
    std::thread::spawn(move || {
        let piece = vec![b'x'; 64 * 1024];
        while sending.try_send(&piece).is_ok() {
            counter.fetch_add(piece.len(), Ordering::SeqCst);
        }
    });

    let stalled_at = super::comes_to_rest(&sent);

    assert!(stalled_at < SIZE / 2, "{stalled_at} bytes were taken from the client that nobody had read");
}

#[test]
fn a_client_that_leaves_cancels_its_stream_and_no_other() {
    let asked = Arc::new(AtomicBool::new(false));
    let arrived = Arc::clone(&asked);
    let origin = Origin::serving(move |wire, _| {
        accept(wire);
        let asked = next_of(wire, &[HEADERS]);
        arrived.store(true, Ordering::SeqCst);
        let reset = next_of(wire, &[RST_STREAM]);
        assert_eq!((reset.stream, reset.code()), (asked.stream, CANCEL));
        let asked = next_of(wire, &[HEADERS]);
        wire.send(frames::ok(asked.stream));
        let _ = wire.rest();
    });
    let instance = single(origin.address(), "");

    let client = Http2::to(instance.address());
    let upload = client.upload(Request::put("http://a/").body(()).unwrap());
    eventually("the request at the origin", || asked.load(Ordering::SeqCst).then_some(()));
    client.cancel(upload);

    assert_eq!(instance.ask(GET).status(), 200);
}

#[test]
fn after_a_goodbye_reads_that_were_not_taken_go_elsewhere_and_what_was_taken_ends() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    let origin = Origin::serving(move |wire, _| {
        accept(wire);
        if counter.fetch_add(1, Ordering::SeqCst) > 0 {
            let asked = next_of(wire, &[HEADERS]);
            wire.send(frames::ok(asked.stream));
            let _ = wire.rest();
            return;
        }
        let taken = next_of(wire, &[HEADERS]);
        let left = next_of(wire, &[HEADERS]);
        wire.send(goaway(taken.stream, 0));
        wire.send(frames::ok(taken.stream));
        assert!(left.stream > taken.stream);
        let _ = wire.rest();
    });
    let instance = single(origin.address(), "");

    let answers = Http2::to(instance.address()).ask_all(gets(2));

    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == 200));
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[test]
fn a_write_that_was_not_taken_is_a_502_and_never_repeated() {
    let origin = Origin::serving(move |wire, log| {
        accept(wire);
        while let Ok(frame) = next(wire) {
            if frame.kind == HEADERS {
                log.note("PUT");
                wire.send(goaway(0, 0));
            }
        }
    });
    let instance = single(origin.address(), "");

    let answer = instance.ask("PUT / HTTP/1.1\r\nHost: a\r\nIf-Match: \"v1\"\r\nContent-Length: 0\r\n\r\n");

    assert_eq!((answer.status(), origin.requests().len()), (502, 1));
    assert_eq!(answer.json()["detail"], "The upstream did not take the request.");
}

#[test]
fn a_connection_that_has_gone_silent_is_asked_and_given_up() {
    let pings = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&pings);
    let origin = Origin::serving(move |wire, _| {
        accept(wire);
        // It takes everything and says nothing.
        while let Ok(frame) = next(wire) {
            counter.fetch_add(usize::from(frame.kind == PING && frame.flags & ACK == 0), Ordering::SeqCst);
        }
    });
    let instance = single(
        origin.address(),
        "[timeouts]\nupstream_ping = \"100ms\"\nconnect = \"200ms\"\nresponse_head = \"30s\"\n",
    );

    let answer = instance.ask(GET);

    assert_eq!((answer.status(), pings.load(Ordering::SeqCst)), (502, 1));
    instance.assert_metric("why412_connections{side=\"upstream\"}", 0.0);
}

#[test]
fn a_connection_that_answers_is_kept_however_long_the_exchange_takes() {
    let origin = Origin::serving(move |wire, _| {
        accept(wire);
        let asked = next_of(wire, &[HEADERS]);
        for _ in 0..3 {
            let ping = next_of(wire, &[PING]);
            wire.send(frames::frame(PING, ACK, 0, &ping.payload));
        }
        wire.send(frames::ok(asked.stream));
        let _ = wire.rest();
    });
    let instance = single(origin.address(), "[timeouts]\nupstream_ping = \"50ms\"\nconnect = \"5s\"\n");

    assert_eq!(instance.ask(GET).status(), 200);
}

#[test]
fn an_exchange_that_waits_for_too_long_is_a_504_and_its_connection_is_asked() {
    let origin = Http2Origin::serving(|mut stream| async move {
        stream.read().await.unwrap();
        if stream.request.uri().path() == "/slow" {
            std::future::pending::<()>().await;
        }
        stream.answer(status(200), "ok");
    });
    let instance = single(origin.address(), "[timeouts]\nresponse_head = \"100ms\"\n");

    assert_eq!(instance.ask("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").status(), 504);
    assert_eq!(instance.ask(GET).status(), 200);
    // It answered the question, and goes on to carry others.
    let again = within(Duration::from_secs(5), || {
        assert_eq!(instance.ask(GET).status(), 200);
        (origin.connections() <= 2).then_some(())
    });
    assert!(again.is_some());
}

#[test]
fn draining_ends_streams_well() {
    let goes_on = Arc::new(Notify::new());
    let signal = Arc::clone(&goes_on);
    let origin = Http2Origin::serving(move |mut stream| {
        let goes_on = Arc::clone(&goes_on);
        async move {
            stream.read().await.unwrap();
            let mut body = stream.head(status(200));
            body.send_data(Bytes::from_static(b"first "), false).unwrap();
            goes_on.notified().await;
            body.send_data(Bytes::from_static(b"last"), true).unwrap();
        }
    });
    let mut instance = single(origin.address(), "");
    let mut client = instance.connect();
    client.send(GET);
    assert_eq!(client.head().status(), 200);

    instance.signal("TERM");
    eventually("draining", || (instance.control("GET /readyz").status() == 503).then_some(()));
    signal.notify_one();

    assert_eq!(client.rest().unwrap(), b"6\r\nfirst \r\n4\r\nlast\r\n0\r\n\r\n");
    assert!(instance.ended().success());
}
