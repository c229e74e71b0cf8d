//! Bad requests, and upstreams that are not there, are slow, or fall silent after they have acted.

use std::net::TcpListener;

use crate::harness::instance::Instance;
use crate::harness::message::Message;
use crate::harness::origin::Origin;
use crate::harness::ports::free_address;

/// One upstream, one route, and what else a test wants of the file.
fn configured(origin: &Origin, upstream: &str, rest: &str) -> Instance {
    Instance::configured(&format!(
        "[upstream.api]\nurl = [\"http://{}\"]\n{upstream}\n[[route]]\nname = \"orders\"\npath = \"/orders/{{*rest}}\"\n\
         upstream = \"api\"\n{rest}\n",
        origin.address()
    ))
}

#[track_caller]
fn assert_problem(answer: &Message, status: u16) {
    assert_eq!(answer.status(), status, "{answer:?}");
    assert_eq!(answer.value("Content-Type"), Some("application/problem+json"));
    let proxy_status = answer.value("Proxy-Status").expect("RFC 9209");
    assert!(proxy_status.starts_with("why412; error="), "{proxy_status}");
    assert_eq!(answer.json()["status"], status);
}

#[test]
fn heads_that_cannot_be_read_are_refused_and_never_sent_on() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let instance = Instance::before(origin.address());
    let long = "x".repeat(70_000);
    let table = [
        ("no HTTP at all\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\nHost: a\n\n".to_owned(), 400),
        ("GET /#fragment HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nNUL: \0\r\n\r\n".to_owned(), 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\n".to_owned(), 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx".to_owned(), 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx".to_owned(), 400),
        (
            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
            400,
        ),
        ("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n".to_owned(), 400),
        ("PUT / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(), 400),
        (format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), 414),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: 1\r\n".repeat(600)), 431),
    ];
    for (number, (request, status)) in table.into_iter().enumerate() {
        let mut client = instance.connect();
        let _ = client.try_send(&request);
        let shown: String = request.chars().take(80).collect();
        let answer = client.try_answer_to("GET").unwrap_or_else(|fault| panic!("{number} {shown:?}: {fault}"));
        assert_eq!(answer.status(), status, "{number}: {shown:?}");
        assert!(client.rest().is_ok_and(|rest| rest.is_empty()), "{shown:?}: the connection ends");
    }
    assert_eq!(origin.requests(), []);
    let text = instance.control("GET /metrics").text();
    let counted: f64 = text
        .lines()
        .filter(|line| line.starts_with("why412_requests_total{") && line.contains("code=\"4xx\""))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum();
    assert!(counted >= 18.0, "refusals are counted:\n{text}");
}

#[test]
fn a_target_outside_of_every_route_is_not_found() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let instance = configured(&origin, "", "");

    let answer = instance.ask("GET /elsewhere HTTP/1.1\r\nHost: shop.test\r\n\r\n");

    assert_problem(&answer, 404);
    instance.assert_metric("why412_requests_total{code=\"4xx\",method=\"GET\",route=\"unmatched\"}", 1.0);
}

#[test]
fn malformed_conditions_are_the_origins_to_judge() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let instance = Instance::before(origin.address());
    let conditions = [
        "If-Match: v1",
        "If-Match: ",
        "If-Match: \"open",
        "If-Match: &quot;v1&quot;",
        "If-None-Match: undefined",
        "If-Unmodified-Since: soon",
        "If-Modified-Since: 2024-03-05T10:00:00Z",
        "If-Range: *",
    ];
    for condition in conditions {
        let answer =
            instance.ask(format!("PUT / HTTP/1.1\r\nHost: shop.test\r\n{condition}\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(answer.status(), 200, "{condition}");
        let arrived = origin.requests().pop().unwrap();
        assert!(arrived.head.lines.iter().any(|line| line == condition), "{condition}: {arrived:?}");
    }
}

#[test]
fn an_upstream_that_is_not_there_is_a_502() {
    let instance = Instance::before(free_address());

    let answer = instance.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");

    assert_problem(&answer, 502);
    let failures = instance.control("GET /metrics").text();
    assert!(
        failures.lines().any(|line| line.starts_with("why412_upstream_failures_total{")
            && line.contains("reason=\"connect\"")
            && line.ends_with(" 1")),
        "{failures}"
    );
}

#[test]
fn an_upstream_that_takes_too_long_is_a_504() {
    let origin = Origin::serving(|wire, log| {
        log.push(&wire.request().unwrap());
        // Says nothing until we give up.
        let _ = wire.rest();
    });
    let instance = configured(&origin, "", "[timeouts]\nresponse_head = \"300ms\"");

    let answer = instance.ask("POST /orders/7 HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 2\r\n\r\nhi");

    assert_problem(&answer, 504);
    assert_eq!(origin.requests().len(), 1);
}

#[test]
fn an_upstream_that_does_not_even_accept_in_time_is_a_504_or_502() {
    // A listener whose queue nobody empties still accepts in the kernel; what is slow then is the answer.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let instance = Instance::configured(&format!(
        "[upstream.api]\nurl = [\"http://{}\"]\n[[route]]\nname = \"all\"\npath = \"/{{*rest}}\"\nupstream = \"api\"\n\
         [timeouts]\nresponse_head = \"300ms\"\n",
        silent.local_addr().unwrap()
    ));

    assert_problem(&instance.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"), 504);
}

#[test]
fn what_is_not_http_is_a_502() {
    let origin = Origin::always("SSH-2.0-OpenSSH_9.2\r\n\r\nContent-Length: 0");
    let instance = Instance::before(origin.address());

    assert_problem(&instance.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"), 502);
}

#[test]
fn a_write_that_may_have_been_applied_is_never_sent_twice() {
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let origin = Origin::serving(|wire, log| {
            while let Some(request) = wire.request() {
                log.push(&request);
                if request.head.method() != "GET" {
                    // Applied, and closed without a word.
                    return;
                }
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        });
        let instance = Instance::before(origin.address());

        let mut client = instance.connect();
        client.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
        let answer = client.ask(format!("{method} / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 2\r\n\r\nhi"));

        assert_problem(&answer, 502);
        let arrived: Vec<String> = origin.requests().iter().map(|request| request.head.method().to_owned()).collect();
        assert_eq!(arrived, ["GET", method]);
    }
}

#[test]
fn a_close_without_an_answer_is_mirrored_where_that_is_asked_for() {
    let origin = Origin::serving(|wire, log| log.push(&wire.request().unwrap()));
    let instance = configured(&origin, "on_upstream_failure = \"mirror\"", "");

    let mut client = instance.connect();
    client.send("PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 2\r\n\r\nhi");

    assert!(client.rest().is_ok_and(|rest| rest.is_empty()), "closed without a word, as the upstream did");
    assert_eq!(origin.requests().len(), 1);
}

#[test]
fn a_body_over_the_limit_is_refused() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let instance = configured(&origin, "", "[limits]\nbody_bytes = \"10B\"");

    let mut client = instance.connect();
    client.send("PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 11\r\n\r\n");
    assert_problem(&client.answer_to("PUT"), 413);
    let fits = instance.ask("PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 10\r\n\r\n0123456789");
    assert_eq!(fits.status(), 200);
}

#[test]
fn a_condition_failed_by_the_origin_is_no_failure_of_the_upstream() {
    let origin = Origin::always("HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops");
    let instance = Instance::before(origin.address());

    let answer = instance.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");

    assert_eq!((answer.status(), answer.text().as_str(), answer.value("Proxy-Status")), (500, "oops", None));
}
