//! Connections that end, fall silent or break at the worst moment: what arrives on the other side is never taken for whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Request;

use crate::harness::eventually;
use crate::harness::http2::Http2;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

const GET: &str = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

/// Answers with bodies whose end is told by their length, by their framing, and by nothing but the end.
const LENGTH: &str = "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n";
const UNTIL_CLOSE: &str = "HTTP/1.1 200 OK\r\n\r\nhello";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Close,
    Reset,
}

/// Sends as many bytes of the answer as the path says, and ends the connection as it says.
fn cutting() -> Origin {
    Origin::serving(|wire, _| {
        let Some(request) = wire.request() else { return };
        let words: Vec<_> = request.head.target().split('/').skip(1).collect();
        let answer = [LENGTH, CHUNKED, UNTIL_CLOSE][words[0].parse::<usize>().unwrap()];
        wire.send(&answer[..words[1].parse().unwrap()]);
        if words[2] == "Reset" {
            wire.reset();
        }
    })
}

/// What a client may be given for the first `count` bytes of an answer.
#[track_caller]
fn judge(given: Result<(u16, String), String>, answer: &str, count: usize, end: End) {
    let head = answer.find("\r\n\r\n").unwrap() + 4;
    let shown = format!("{count} bytes of {answer:?}, {end:?}: {given:?}");
    // A body without any other end ends with the connection, but not with a reset.
    let whole = count == answer.len() || (answer == UNTIL_CLOSE && count >= head);
    match given {
        // What was not read yet when the reset came may be lost: then less than was sent was heard.
        Ok((502, _)) => assert!(count < head || end == End::Reset, "{shown}"),
        Ok((200, body)) => assert!(whole && body == answer_body(answer, count - head), "{shown}"),
        Ok(_) => panic!("{shown}"),
        Err(_) => assert!(count >= head && (!whole || end == End::Reset), "{shown}"),
    }
}

fn answer_body(answer: &str, sent: usize) -> String {
    if answer == UNTIL_CLOSE { "hello"[..sent].to_owned() } else { "hello".to_owned() }
}

#[test]
fn an_answer_that_is_cut_at_any_byte_is_never_a_whole_one() {
    let origin = cutting();
    let instance = Instance::before(origin.address());
    let http2 = Http2::to(instance.address());
    for (number, answer) in [LENGTH, CHUNKED, UNTIL_CLOSE].into_iter().enumerate() {
        for count in 0..=answer.len() {
            for end in [End::Close, End::Reset] {
                let target = format!("/{number}/{count}/{end:?}");
                let mut client = instance.connect();
                client.send(format!("GET {target} HTTP/1.1\r\nHost: shop.test\r\n\r\n"));
                let given = client.try_answer_to("GET");
                let given = given.map(|whole| (whole.status(), whole.text())).map_err(|fault| fault.to_string());
                judge(given, answer, count, end);
                let given = http2.ask(Request::get(format!("http://shop.test{target}")).body(()).unwrap());
                let given = given.map(|whole| (whole.status(), String::from_utf8(whole.body).unwrap()));
                judge(given.map_err(|fault| fault.to_string()), answer, count, end);
            }
        }
    }
    drop(http2);
    instance.assert_metric("why412_connections{side=\"upstream\"}", 0.0);
    instance.assert_metric("why412_exchanges_in_flight", 0.0);
}

#[test]
fn an_answer_that_comes_before_the_end_of_the_request_is_given_to_the_client() {
    let origin = Origin::serving(|wire, log| {
        let Ok(head) = wire.try_head() else { return };
        log.note(head.method());
        wire.send("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        // It reads no more: what is still sent meets a reset.
    });
    let instance = Instance::before(origin.address());
    let body = "x".repeat(1 << 20);
    for _ in 0..20 {
        let mut client = instance.connect();
        client.send(format!(
            "PUT / HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v1\"\r\nContent-Length: {}\r\n\r\n",
            body.len()
        ));
        // We may be told to stop.
        let _ = client.try_send(&body);
        assert_eq!(client.answer_to("PUT").status(), 412);
    }
    assert_eq!(origin.requests().len(), 20, "each was sent once");
}

#[test]
fn an_upload_that_is_given_up_never_ends_well_at_the_upstream() {
    let framings = [
        ("Content-Length: 10", "hello"),
        ("Transfer-Encoding: chunked", "5\r\nhello\r\n"),
        ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n"),
    ];
    for (framing, sent) in framings {
        for reset in [false, true] {
            let seen = Arc::new(std::sync::Mutex::new(None));
            let told = Arc::clone(&seen);
            let origin = Origin::serving(move |wire, log| {
                log.note(wire.head().method());
                let first = wire.exactly(5).unwrap();
                *told.lock().unwrap() = Some((first, wire.rest().ok()));
            });
            let instance = Instance::before(origin.address());
            let mut client = instance.connect();
            client.send(format!("PUT / HTTP/1.1\r\nHost: shop.test\r\n{framing}\r\n\r\n{sent}"));
            eventually("the upload to begin", || (!origin.requests().is_empty()).then_some(()));
            if reset {
                client.reset();
            }
            drop(client);
            let (first, rest) = eventually("the end at the upstream", || seen.lock().unwrap().clone());
            let all = [first, rest.unwrap_or_default()].concat();
            assert!(!String::from_utf8_lossy(&all).contains("0\r\n\r\n"), "{framing} {reset}: {all:?}");
            let series = "why412_requests_total{code=\"none\",method=\"PUT\",route=\"default\"}";
            instance.assert_metric(series, 1.0);
            instance.assert_metric("why412_exchanges_in_flight", 0.0);
        }
    }
}

#[test]
fn clients_that_leave_while_their_answers_begin_cost_nobody_anything() {
    let origin = Origin::serving(|wire, _| {
        while wire.request().is_some() && wire.try_send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").is_ok() {}
    });
    let instance = Instance::before(origin.address());
    for _ in 0..500 {
        let mut client = instance.connect();
        client.send(GET);
        client.reset();
    }
    instance.assert_metric("why412_exchanges_in_flight", 0.0);
    assert_eq!(instance.ask(GET).text(), "hello");
    assert!(!instance.said().contains("panic"), "{}", instance.said());
}

#[test]
fn a_client_that_ends_its_side_alone_is_still_answered() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let instance = Instance::before(origin.address());
    let mut client = instance.connect();
    client.send("PUT / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 2\r\n\r\nhi");
    client.end();
    assert_eq!(client.answer_to("PUT").text(), "ok");
    assert!(client.rest().is_ok_and(|rest| rest.is_empty()));
}

#[test]
fn an_upstream_that_falls_silent_within_its_answer_is_given_up() {
    for (sent, expected) in [("HTTP/1.1 200 OK\r\nContent-Le", Some(504)), (&LENGTH[..LENGTH.len() - 2], None)] {
        let origin = Origin::serving(move |wire, _| {
            wire.request();
            wire.send(sent);
            let _ = wire.rest();
        });
        let instance = Instance::configured(&format!(
            "[upstream.api]\nurl = \"http://{}\"\n[timeouts]\nresponse_head = \"300ms\"\nbody_idle = \"300ms\"\n",
            origin.address()
        ));
        let mut client = instance.connect();
        client.send(GET);
        let answer = client.try_answer_to("GET");
        assert_eq!(answer.ok().map(|answer| answer.status()), expected, "{sent:?}");
        let http2 = Http2::to(instance.address());
        let answer = http2.ask(Request::get("http://shop.test/").body(()).unwrap());
        assert_eq!(answer.ok().map(|answer| answer.status()), expected, "{sent:?}");
    }
}

/// The system refuses what the thread of the data plane sends third: after the first request and its answer, that is the
/// second request.
fn refused_at_reuse(origin: &Origin) -> Instance {
    Instance::through(
        "exec strace -D -f -qq -o strace.log -e trace=sendto -e inject=sendto:error=ECONNRESET:when=3",
        &[],
        Some(&format!("[upstream.api]\nurl = \"http://{}\"\n[limits]\nthreads = 1\n", origin.address())),
        &[],
    )
}

#[test]
fn a_read_that_never_left_goes_out_again_and_a_write_does_not() {
    let table = [
        (GET, 200, 2),
        ("GET / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 2\r\n\r\nhi", 502, 1),
        ("PUT / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 0\r\n\r\n", 502, 1),
        ("POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 2\r\n\r\nhi", 502, 1),
    ];
    for (request, status, arrived) in table {
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let origin = Origin::serving(move |wire, log| {
            counted.fetch_add(1, Ordering::SeqCst);
            while let Some(request) = wire.request() {
                log.push(&request);
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        });
        let instance = refused_at_reuse(&origin);
        let mut client = instance.connect();
        assert_eq!(client.ask(GET).status(), 200);
        assert_eq!(client.ask(request).status(), status, "{request:?}");
        assert_eq!(origin.requests().len(), arrived, "{request:?}");
        assert_eq!(connections.load(Ordering::SeqCst), arrived, "never on a connection that was there before");
        let series = "why412_upstream_failures_total{reason=\"reused_closed\",upstream=\"api\"}";
        instance.assert_metric(series, 1.0);
    }
}

#[test]
fn without_descriptors_accepting_pauses_and_what_is_there_goes_on() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let upstream = format!("http://{}", origin.address());
    let instance = Instance::through("ulimit -n 64; exec", &["--upstream", &upstream], None, &[]);
    let mut early = instance.connect();
    assert_eq!(early.ask(GET).status(), 200);
    let others: Vec<_> = (0..100).map(|_| instance.connect()).collect();
    eventually("the last descriptor", || (instance.descriptors() == 64).then_some(()));
    for _ in 0..3 {
        assert_eq!(early.ask(GET).text(), "ok", "an exchange needs nothing that is not there");
    }
    eventually("the log to say it", || instance.said().contains("no connection can be accepted").then_some(()));
    drop(others);
    assert_eq!(instance.control("GET /readyz").status(), 200);
    assert_eq!(instance.ask(GET).status(), 200);
    instance.assert_metric("why412_connections{side=\"client\"}", 1.0);
}
