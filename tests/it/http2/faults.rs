//! What an upstream that speaks HTTP/2 can do wrong, and what a client is given then.

use bytes::Bytes;
use h2::Reason;
use http::Request;

use super::{before, configured};
use crate::harness::http2::Http2;
use crate::harness::http2_origin::{Http2Origin, status};
use crate::harness::origin::Origin;

const GET: &str = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";
const PUT: &str = "PUT / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 2\r\n\r\nhi";

fn get() -> Request<()> {
    Request::get("http://shop.test/").body(()).unwrap()
}

/// An origin that resets every stream, after `sent` bytes of an answer.
fn resetting(reason: Reason, sent: Option<&'static str>) -> Http2Origin {
    Http2Origin::serving(move |mut stream| async move {
        let _ = stream.read().await;
        match sent {
            None => stream.respond.send_reset(reason),
            Some(sent) => {
                let mut body = stream.head(status(200));
                body.send_data(Bytes::from_static(sent.as_bytes()), false).unwrap();
                // What was sent goes out before the stream is reset.
                tokio::task::yield_now().await;
                body.send_reset(reason);
            }
        }
    })
}

#[test]
fn a_reset_before_the_answer_is_a_502() {
    let origin = resetting(Reason::INTERNAL_ERROR, None);
    let instance = before(origin.address(), "");

    let answer = instance.ask(GET);

    assert_eq!(answer.status(), 502);
    assert_eq!(answer.value("proxy-status"), Some("why412; error=connection_terminated"));
    assert_eq!(origin.requests().len(), 1, "it may have been applied");
    instance.assert_metric("why412_upstream_failures_total{reason=\"reset\",upstream=\"api\"}", 1.0);
}

#[test]
fn a_refused_read_goes_out_once_more_and_a_write_never() {
    let origin = resetting(Reason::REFUSED_STREAM, None);
    let instance = before(origin.address(), "");

    assert_eq!(instance.ask(GET).status(), 502);
    assert_eq!(origin.requests().len(), 2);
    assert_eq!(instance.ask(PUT).status(), 502);
    assert_eq!(origin.requests().len(), 3);
    let with_body = "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
    assert_eq!(instance.ask(with_body).status(), 502);
    assert_eq!(origin.requests().len(), 4);
}

#[test]
fn a_reset_within_the_answer_is_never_a_clean_end() {
    for (reason, expected) in [
        (Reason::CANCEL, Reason::CANCEL),
        (Reason::ENHANCE_YOUR_CALM, Reason::ENHANCE_YOUR_CALM),
        (Reason::NO_ERROR, Reason::INTERNAL_ERROR),
        (Reason::REFUSED_STREAM, Reason::INTERNAL_ERROR),
        (Reason::FLOW_CONTROL_ERROR, Reason::INTERNAL_ERROR),
    ] {
        let origin = resetting(reason, Some("half"));
        let instance = before(origin.address(), "");

        let answer = Http2::to(instance.address()).ask(get());
        assert_eq!(answer.err().and_then(|error| error.reason()), Some(expected), "{reason:?}");
        let mut client = instance.connect();
        client.send(GET);
        assert!(client.try_answer_to("GET").is_err(), "{reason:?}");
    }
}

#[test]
fn a_whole_answer_stands_even_if_the_rest_of_the_request_is_not_wanted() {
    let origin = Http2Origin::serving(|mut stream| async move {
        stream.answer(status(413), "no");
        tokio::task::yield_now().await;
        // RFC 9113 §8.1: asks the client to send no more.
        stream.respond.send_reset(Reason::NO_ERROR);
    });
    let instance = before(origin.address(), "");

    let mut client = instance.connect();
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nsome");
    let answer = client.answer_to("PUT");

    assert_eq!((answer.status(), answer.text().as_str()), (413, "no"));
}

#[test]
fn a_failure_is_mirrored_where_that_is_wanted() {
    let origin = resetting(Reason::CANCEL, None);
    let instance = before(origin.address(), "on_upstream_failure = \"mirror\"");

    let answer = Http2::to(instance.address()).ask(get());
    assert_eq!(answer.err().and_then(|error| error.reason()), Some(Reason::CANCEL));
    let mut client = instance.connect();
    client.send(GET);
    assert!(client.try_head().is_err());
}

#[test]
fn an_upstream_of_http_1_is_a_502_that_says_so() {
    let origin = Origin::always("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    let instance = before(origin.address(), "");

    let answer = instance.ask(GET);

    assert_eq!((answer.status(), answer.json()["detail"].as_str()), (502, Some("The upstream does not speak HTTP/2.")));
}

#[test]
fn a_connection_that_the_origin_closes_is_replaced() {
    let origin = Http2Origin::always(|| status(200), "ok");
    let instance = configured(
        &format!("url = \"http://{}\"\nhttp = \"2\"", origin.address()),
        "[timeouts]\nupstream_idle = \"1ms\"\n",
    );

    for _ in 0..3 {
        assert_eq!(instance.ask(GET).status(), 200);
        crate::harness::eventually("an idle connection closed", || {
            (instance.metric("why412_connections{side=\"upstream\"}") == 0.0).then_some(())
        });
    }

    assert_eq!(origin.connections(), 3);
}

#[test]
fn heads_and_trailers_beyond_their_limits_are_faults_of_the_upstream() {
    let origin = Http2Origin::serving(|mut stream| async move {
        stream.read().await.unwrap();
        let many = |count: usize| (0..count).map(|at| (format!("x-{at}").parse().unwrap(), "1".parse().unwrap()));
        match stream.request.uri().path() {
            "/large" => stream.answer(status(200).header("x-large", "x".repeat(4200)), "ok"),
            "/many" => {
                let mut response = status(200).body(()).unwrap();
                response.headers_mut().extend(many(9));
                let _ = stream.respond.send_response(response, true);
            }
            path => {
                let count = if path == "/trailers" { 65 } else { 64 };
                let mut body = stream.head(status(200));
                let _ = body.send_trailers(many(count).collect());
            }
        }
    });
    let instance = configured(
        &format!("url = \"http://{}\"\nhttp = \"2\"", origin.address()),
        "[limits]\nheader_bytes = \"4KiB\"\ntarget_bytes = \"256B\"\nheader_count = 8\n",
    );
    let ask = |path: &str| {
        let mut client = instance.connect();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        client.try_answer_to("GET")
    };

    for path in ["/large", "/many"] {
        let answer = ask(path).unwrap();
        let error = answer.value("proxy-status").map(str::to_owned);
        assert_eq!((answer.status(), error.as_deref()), (502, Some(TOO_LARGE)), "{path}");
    }
    assert!(ask("/trailers").is_err(), "never a clean end");
    assert_eq!(ask("/").unwrap().trailers.len(), 64);
}

const TOO_LARGE: &str = "why412; error=http_response_header_section_size";
