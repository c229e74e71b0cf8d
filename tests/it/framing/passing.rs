//! What is odd and legal passes, and is framed for the upstream as nobody could misread it.

use super::{Untouched, before, said};
use crate::harness::origin::Origin;

fn origin() -> Origin {
    Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
}

#[test]
fn legal_oddities_pass() {
    let origin = origin();
    let instance = before(&origin, "");
    let mut expected = 0;
    for (request, start) in [
        ("GET http://a/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a/x?y HTTP/1.1"),
        ("GET HTTP://A/x HTTP/1.1\r\nHost: a\r\n\r\n", "GET HTTP://A/x HTTP/1.1"),
        ("GET http://a HTTP/1.0\r\n\r\n", "GET http://a HTTP/1.1"),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1"),
        ("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS http://a HTTP/1.1"),
        ("GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1"),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / HTTP/1.1"),
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1"),
        ("GET / HTTP/1.1\r\nHost:\ta \t\r\n\r\n", "GET / HTTP/1.1"),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1"),
        ("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "GET / HTTP/1.1"),
        ("GET / HTTP/1.1\r\nHost: a_b-c.d~e:\r\n\r\n", "GET / HTTP/1.1"),
        ("GET / HTTP/1.1\r\nHost: a%41\r\n\r\n", "GET / HTTP/1.1"),
        ("GET /?http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET /?http://b/ HTTP/1.1"),
        ("GET /@b:80 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /@b:80 HTTP/1.1"),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0000\r\n\r\n", "PUT / HTTP/1.1"),
        ("BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", "BREW /pot HTTP/1.1"),
        // UTF-8 that a client has not escaped, here as its bytes one by one.
        ("GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\u{c3}\u{a9} HTTP/1.1"),
        ("TRACE /x HTTP/1.1\r\nHost: a\r\n\r\n", "TRACE /x HTTP/1.1"),
    ] {
        let answer = instance.ask(request);
        assert_eq!((answer.status(), answer.text().as_str()), (200, "ok"), "{request:?}");
        expected += 1;
        let seen = origin.requests();
        assert_eq!((seen.len(), seen.last().unwrap().head.start.as_str()), (expected, start), "{request:?}");
    }
}

#[test]
fn a_body_is_kept_whole_with_whatever_method_it_comes() {
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let instance = before(&origin, "");
    let mut client = instance.connect();
    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "PATCH", "QUERY"] {
        // What follows the body is the next request, and never a part of it.
        client.send(format!("{method} /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /"));
        assert_eq!(client.answer_to(method).status(), 204);
        let chunks = "Transfer-Encoding: Chunked\r\n\r\n5;ext=\"a;b\"\r\nGET /\r\n000\r\nIf-Match: \"a\"\r\nHost: b\r\n\
                      Content-Length: 9\r\nTransfer-Encoding: gzip\r\nX-Sum: 1\r\n\r\n";
        client.send(format!("{method} /2 HTTP/1.1\r\nHost: a\r\n{chunks}"));
        assert_eq!(client.answer_to(method).status(), 204);
        let seen = origin.requests();
        let [.., counted, chunked] = seen.as_slice() else { panic!("two requests") };
        assert_eq!((counted.head.method(), counted.value("Content-Length")), (method, Some("5")));
        assert_eq!((counted.text().as_str(), chunked.text().as_str()), ("GET /", "GET /"), "{method}");
        // Spelled as every reader knows it; what frames or routes a message has no business behind its body.
        assert_eq!(chunked.head.values("Transfer-Encoding"), ["chunked"]);
        assert_eq!(chunked.trailers, ["If-Match: \"a\"", "X-Sum: 1"]);
        assert_eq!(chunked.head.values("If-Match"), Vec::<&str>::new(), "a trailer is never merged into the head");
    }
    assert_eq!(origin.requests().len(), 14);
}

#[test]
fn no_nomination_changes_where_a_message_ends_or_goes() {
    let origin = origin();
    let instance = before(&origin, "");
    let mut client = instance.connect();
    for nominated in
        ["Content-Length", "transfer-encoding", "HOST, content-length", "keep-alive, Transfer-Encoding,host"]
    {
        let framing = if nominated.to_ascii_lowercase().contains("transfer") {
            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        } else {
            "Content-Length: 3\r\n\r\nabc"
        };
        client.send(format!("PUT / HTTP/1.1\r\nHost: a\r\nConnection: {nominated}\r\n{framing}"));
        assert_eq!(client.answer_to("PUT").status(), 200);
        let seen = origin.requests().pop().unwrap();
        assert_eq!((seen.text().as_str(), seen.value("Host"), seen.value("Connection")), ("abc", Some("a"), None));
    }
}

#[test]
fn an_upgrade_to_cleartext_http_2_is_never_passed_on() {
    let origin = origin();
    let instance = before(&origin, "");
    for upgrade in ["h2c", "H2C", "websocket, h2c", "h2c, websocket", " h2c "] {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: {upgrade}\r\nHTTP2-Settings: \
             AAMAAABkAAQAAP__\r\n\r\n"
        );
        assert_eq!(instance.ask(request).status(), 200);
        let seen = origin.requests().pop().unwrap();
        assert_eq!(seen.head.lines, ["Host: a"], "{upgrade}");
    }
    // Nor does a nomination that is missing let the settings through.
    instance.ask("GET / HTTP/1.1\r\nHost: a\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
    assert_eq!(origin.requests().pop().unwrap().head.lines, ["Host: a"]);
}

#[test]
fn what_follows_a_refused_connect_is_never_a_request() {
    let upstream = Untouched::new();
    let instance = before(&upstream.origin, "");
    let optimistic = "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\nGET /tunnelled HTTP/1.1\r\nHost: b\r\n\r\n";
    let answers = said(&instance, optimistic.as_bytes()).unwrap();
    assert!(answers.starts_with("HTTP/1.1 501 ") && answers.matches("HTTP/1.1 ").count() == 1, "{answers}");
    assert_eq!(upstream.touched(), 0);
}
