//! Clients that speak HTTP/2 with prior knowledge, in front of an origin that speaks HTTP/1.1.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{HeaderMap, HeaderValue, Request};

use super::{by_name, comes_to_rest};
use crate::harness::http2::Http2;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(format!("http://shop.test{path}"))
}

#[test]
fn a_request_becomes_one_of_http_1_1() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nETag: W/\"v1\"\r\nContent-Length: 2\r\n\r\nok");
    let instance = Instance::before(origin.address());

    let asked = request("GET", "/a%2Fb/../c?q=%zz&")
        .header("if-none-match", "\"v1\", W/\"v2\"")
        .header("if-none-match", "malformed")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("obs-text", HeaderValue::from_bytes(b"caf\xe9").unwrap())
        .header("te", "trailers")
        .header("why412-pair", "x");
    let answer = Http2::to(instance.address()).ask(asked.body(()).unwrap()).unwrap();

    assert_eq!(
        (answer.status(), answer.value("etag"), answer.body.as_slice()),
        (200, Some("W/\"v1\""), b"ok".as_slice())
    );
    let arrived = origin.only_request();
    assert_eq!(arrived.head.start, "GET /a%2Fb/../c?q=%zz& HTTP/1.1");
    assert_eq!(arrived.head.values("Host"), ["shop.test"]);
    assert_eq!(arrived.head.values("TE"), ["trailers"]);
    let lower: Vec<String> = arrived
        .head
        .lines_without(&["Host", "TE", "Connection"])
        .into_iter()
        .map(|line| line.split_once(':').map(|(name, value)| format!("{}:{value}", name.to_ascii_lowercase())).unwrap())
        .collect();
    assert_eq!(
        by_name(&lower),
        [
            // RFC 9113 §8.2.3: crumbs are joined.
            "cookie: a=1; b=2",
            "if-none-match: \"v1\", W/\"v2\"",
            "if-none-match: malformed",
            "obs-text: caf\u{e9}",
        ]
    );
}

#[test]
fn bodies_and_trailers_go_both_ways() {
    let origin = Origin::always(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: x-private\r\nX-Private: 1\r\n\r\n\
         5\r\nworld\r\n0\r\nX-Sum: 2\r\n\r\n",
    );
    let instance = Instance::before(origin.address());

    let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), HeaderValue::from_static("1"))]);
    let put = request("PUT", "/").body(()).unwrap();
    let answer = Http2::to(instance.address()).send(put, "hello", trailers).unwrap();

    assert_eq!(answer.body, b"world");
    assert_eq!(answer.trailers.unwrap()["x-sum"], "2");
    let named: Vec<&str> = answer.head.headers().keys().map(http::HeaderName::as_str).collect();
    assert_eq!(named, [""; 0], "neither connection fields nor any of ours");
    let arrived = origin.only_request();
    assert_eq!(arrived.text(), "hello");
    assert_eq!(arrived.trailers.iter().map(|line| line.to_ascii_lowercase()).collect::<Vec<_>>(), ["x-sum: 1"]);
}

#[test]
fn bodiless_answers_end_their_streams() {
    let origin = Origin::answering(|request| match (request.head.method(), request.head.target()) {
        ("HEAD", _) => "HTTP/1.1 200 OK\r\nContent-Length: 6000\r\nETag: \"v1\"\r\n\r\n",
        (_, "/304") => "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n",
        (_, "/412") => "HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nContent-Length: 0\r\n\r\n",
        _ => "HTTP/1.1 204 No Content\r\n\r\n",
    });
    let instance = Instance::before(origin.address());
    let client = Http2::to(instance.address());
    let ask = |method: &str, path: &str| client.ask(request(method, path).body(()).unwrap()).unwrap();

    let head = ask("HEAD", "/");
    assert_eq!((head.status(), head.value("content-length"), head.body.len()), (200, Some("6000"), 0));
    assert_eq!(
        (ask("GET", "/304").status(), ask("GET", "/304").value("etag").map(str::to_owned)),
        (304, Some("\"v1\"".into()))
    );
    assert_eq!(ask("PUT", "/412").status(), 412);
    assert_eq!(ask("PUT", "/").status(), 204);
}

#[test]
fn streams_of_one_connection_run_beside_each_other() {
    let origin = Origin::answering(|request| {
        let target = request.head.target();
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{target}", target.len())
    });
    let instance = Instance::before(origin.address());

    let requests = (0..50).map(|number| request("GET", &format!("/{number}")).body(()).unwrap()).collect();
    let answers = Http2::to(instance.address()).ask_all(requests);

    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap().body, format!("/{number}").into_bytes());
    }
}

#[test]
fn an_answer_cut_short_is_a_reset() {
    for cut in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let origin = Origin::serving(move |wire, _| {
            wire.head();
            wire.send(cut);
        });
        let instance = Instance::before(origin.address());

        let answer = Http2::to(instance.address()).ask(request("GET", "/").body(()).unwrap());

        assert!(answer.as_ref().is_err_and(h2::Error::is_reset), "{answer:?}");
    }
}

#[test]
fn a_stream_that_nobody_reads_holds_its_origin_back() {
    const SIZE: usize = 64 * 1024 * 1024;
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
    let client = Http2::to(instance.address());

    let unread = client.head_of(request("GET", "/large").body(()).unwrap());
    let stalled_at = comes_to_rest(&sent);

    assert_eq!(unread.status(), 200);
    assert!(stalled_at < SIZE / 2, "{stalled_at} bytes were taken from the origin that nobody had asked for");
}

#[test]
fn informational_answers_come_before_the_final_one() {
    let origin = Origin::always(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
    let instance = Instance::before(origin.address());

    let (early, answer) = Http2::to(instance.address()).ask_with_informational(request("GET", "/").body(()).unwrap());

    assert_eq!((answer.status(), answer.value("link"), answer.body.as_slice()), (200, None, b"ok".as_slice()));
    let early: Vec<_> =
        early.iter().map(|head| (head.status().as_u16(), head.headers()["link"].to_str().unwrap())).collect();
    assert_eq!(early, [(103, "</a.css>")]);
}

#[test]
fn the_limits_of_heads_hold_for_http_2_as_well() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let instance = Instance::before(origin.address());
    let client = Http2::to(instance.address());
    let status = |request: http::request::Builder| client.ask(request.body(()).unwrap()).unwrap().status();

    assert_eq!(status(request("GET", &format!("/{}", "x".repeat(17 * 1024)))), 414);
    let many = (0..300).fold(request("GET", "/"), |request, number| request.header(format!("x-{number}"), "1"));
    assert_eq!(status(many), 431);
    assert_eq!(status(Request::builder().uri("http://user@shop.test/")), 400);
    assert_eq!(origin.requests().len(), 0, "nothing of it has reached the origin");
}
