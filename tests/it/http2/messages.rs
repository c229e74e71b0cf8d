//! What becomes of messages on their way to an upstream that speaks HTTP/2, and back.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};

use super::before;
use crate::harness::http2::Http2;
use crate::harness::http2_origin::{Http2Origin, status};

const GET: &str = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

#[test]
fn a_request_of_http_1_1_becomes_one_of_http_2() {
    let origin = Http2Origin::always(|| status(200).header("etag", "W/\"v1\""), "ok");
    let instance = before(origin.address(), "");

    let answer = instance.ask(
        b"PURGE /a%2Fb/../{x}|y?q=%zz&'{}' HTTP/1.1\r\nHOST: Shop.test:81\r\nIf-Match: \"v1\"\r\nX_Odd.Name: \xe9\r\n\
          if-match: \"v2\"\r\nCookie: a=1; b=2\r\nCookie: c=3\r\nConnection: x-private, TE\r\nX-Private: 1\r\n\
          TE: trailers, gzip\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nEmpty:\r\n\r\n",
    );

    assert_eq!(answer.head.start, "HTTP/1.1 200 OK");
    assert_eq!((answer.value("etag"), answer.text().as_str()), (Some("W/\"v1\""), "ok"));
    let arrived = origin.only_request();
    assert_eq!((arrived.head.method().as_str(), arrived.body.len()), ("PURGE", 0));
    assert_eq!(arrived.head.uri().to_string(), "http://Shop.test:81/a%2Fb/../{x}|y?q=%zz&'{}'");
    assert_eq!(arrived.values("if-match"), ["\"v1\"", "\"v2\""]);
    assert_eq!(arrived.head.headers()["x_odd.name"].as_bytes(), b"\xe9");
    assert_eq!(arrived.values("cookie"), ["a=1; b=2", "c=3"]);
    let mut names: Vec<_> = arrived.head.headers().keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["cookie", "empty", "if-match", "te", "x_odd.name"], "nothing of the connection goes on");
    assert_eq!(arrived.values("te"), ["trailers"]);
}

#[test]
fn bodies_and_trailers_go_both_ways_between_the_versions() {
    let origin = Http2Origin::serving(|mut stream| async move {
        let asked = stream.read().await.unwrap();
        let mut answer = stream.head(status(201).header("x-asked", asked.body.len()));
        answer.send_data(Bytes::from_static(b"world"), false).unwrap();
        answer.send_trailers(HeaderMap::from_iter([("x-sum".parse().unwrap(), "2".parse().unwrap())])).unwrap();
    });
    let instance = before(origin.address(), "");

    let answer = instance.ask(
        "POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n",
    );
    assert_eq!((answer.head.start.as_str(), answer.text().as_str()), ("HTTP/1.1 201 Created", "world"));
    assert_eq!((answer.value("x-asked"), answer.value("transfer-encoding")), (Some("5"), Some("chunked")));
    assert_eq!(answer.trailers, ["x-sum: 2"]);
    let arrived = origin.only_request();
    assert_eq!((arrived.body.as_slice(), arrived.values("content-length").len()), (&b"hello"[..], 0));
    assert_eq!(arrived.trailers.unwrap()["x-sum"], "1");

    let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), HeaderValue::from_static("1"))]);
    let put = Request::put("http://shop.test/").body(()).unwrap();
    let answer = Http2::to(instance.address()).send(put, "hello", trailers).unwrap();
    assert_eq!((answer.status(), answer.body.as_slice()), (201, &b"world"[..]));
    assert_eq!(answer.trailers.unwrap()["x-sum"], "2");
    assert_eq!(origin.requests()[1].trailers.as_ref().unwrap()["x-sum"], "1");
}

#[test]
fn lengths_are_kept_where_they_are_said_and_clients_of_http_1_can_tell_the_end() {
    let origin = Http2Origin::serving(|mut stream| async move {
        let asked = stream.read().await.unwrap();
        let answer = match asked.head.uri().path() {
            "/known" => status(200).header("content-length", "2"),
            "/head" => status(200).header("content-length", "6000"),
            "/304" => status(304).header("etag", "\"v1\"").header("content-length", "6000"),
            "/204" => status(204),
            _ => status(412).header("etag", "\"v2\""),
        };
        match asked.head.uri().path() {
            "/known" => stream.answer(answer, "ok"),
            _ => drop(stream.respond.send_response(answer.body(()).unwrap(), true).unwrap()),
        }
    });
    let instance = before(origin.address(), "");
    let mut client = instance.connect();
    let mut ask = |method: &str, path: &str| client.ask(format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n"));

    let known = ask("GET", "/known");
    assert_eq!((known.value("content-length"), known.text().as_str()), (Some("2"), "ok"));
    assert_eq!(known.value("transfer-encoding"), None);
    assert_eq!(ask("HEAD", "/head").value("content-length"), Some("6000"));
    let confirmed = ask("GET", "/304");
    assert_eq!((confirmed.status(), confirmed.value("etag")), (304, Some("\"v1\"")));
    let empty = ask("DELETE", "/204");
    assert_eq!((empty.status(), empty.value("content-length"), empty.value("transfer-encoding")), (204, None, None));
    // A head that is the whole answer: without a length, an HTTP/1 client would wait for the end of the connection.
    let refused = ask("PUT", "/refused");
    assert_eq!(refused.head.start, "HTTP/1.1 412 Precondition Failed");
    assert_eq!((refused.value("content-length"), refused.value("etag")), (Some("0"), Some("\"v2\"")));
    assert_eq!(origin.connections(), 1);
}

#[test]
fn what_is_recorded_is_what_went() {
    let origin = Http2Origin::always(|| status(412).header("etag", "\"v2\""), "");
    let instance = before(origin.address(), "");

    instance
        .ask("PUT /a HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v1\"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");

    let record = instance.record_of_412("PUT");
    assert_eq!(record["response"]["version"], "HTTP/2");
    let forwarded = record["request"]["forwarded_headers"].to_string().to_ascii_lowercase();
    assert!(forwarded.contains("if-match") && !forwarded.contains("transfer-encoding"), "{forwarded}");
}

#[test]
fn every_informational_answer_passes_and_the_origin_decides_on_an_expectation() {
    let origin = Http2Origin::serving(|mut stream| async move {
        let hints = http::Response::builder().status(103).header("link", "</a.css>").body(()).unwrap();
        stream.respond.send_informational(hints).unwrap();
        if stream.request.headers().contains_key("expect") {
            let goes_on = http::Response::builder().status(100).body(()).unwrap();
            stream.respond.send_informational(goes_on).unwrap();
        }
        let asked = stream.read().await.unwrap();
        stream.answer(status(200).header("x-asked", asked.body.len()), "ok");
    });
    let instance = before(origin.address(), "");

    let hinted = instance.ask(GET);
    let early: Vec<_> = hinted.interim.iter().map(|head| (head.start.as_str(), head.value("link"))).collect();
    assert_eq!(early, [("HTTP/1.1 103 Early Hints", Some("</a.css>"))]);

    let mut client = instance.connect();
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    assert_eq!(client.head().status(), 103);
    assert_eq!(client.head().start, "HTTP/1.1 100 Continue");
    client.send("body");
    assert_eq!(client.answer_to("PUT").value("x-asked"), Some("4"));
}

#[test]
fn a_target_that_no_uri_can_have_is_refused_and_not_rewritten() {
    let origin = Http2Origin::always(|| status(200), "ok");
    let instance = before(origin.address(), "");

    let answer = instance.ask("GET /a<b HTTP/1.1\r\nHost: a\r\n\r\n");

    assert_eq!(answer.status(), 400);
    assert_eq!(answer.value("proxy-status"), Some("why412; error=http_request_error"));
    assert_eq!(origin.requests().len(), 0);
}

#[test]
fn requests_share_a_connection() {
    let origin = Http2Origin::always(|| status(200), "ok");
    let instance =
        super::configured(&format!("url = \"http://{}\"\nhttp = \"2\"", origin.address()), "[limits]\nthreads = 1\n");

    let client = Http2::to(instance.address());
    let requests = (0..50).map(|at| Request::get(format!("http://a/{at}")).body(()).unwrap()).collect();
    assert!(client.ask_all(requests).into_iter().all(|answer| answer.unwrap().status() == 200));

    assert_eq!((origin.requests().len(), origin.connections()), (50, 1));
}

#[test]
fn a_body_of_a_read_is_kept() {
    let origin = Http2Origin::always(|| status(200), "ok");
    let instance = before(origin.address(), "");

    instance.ask("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");

    assert_eq!(origin.only_request().body, b"hi");
}

#[test]
fn the_configured_host_is_the_authority() {
    let origin = Http2Origin::always(|| status(200), "ok");
    let instance = before(origin.address(), "host = \"origin.internal\"");

    assert_eq!(instance.ask("GET http://shop.test/a?b HTTP/1.1\r\nHost: shop.test\r\n\r\n").status(), 200);

    assert_eq!(origin.only_request().head.uri().to_string(), "http://origin.internal/a?b");
}
