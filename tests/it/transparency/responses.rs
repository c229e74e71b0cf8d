//! Answers on their way to the client.

use super::{by_name, returned};
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

#[test]
fn the_status_line_arrives_as_sent() {
    for line in ["200 OK", "200 Alles Gut", "204 ", "299 Odd", "412 Precondition Failed", "428 x", "599 Y", "799 Z"] {
        let framing = if line.starts_with("204") { "" } else { "Content-Length: 0\r\n" };
        let answer = returned(format!("HTTP/1.1 {line}\r\n{framing}\r\n"));
        assert_eq!(answer.head.start, format!("HTTP/1.1 {line}"));
    }
}

#[test]
fn fields_arrive_as_sent_and_none_is_added() {
    let lines = [
        "ETag: W/\"v1\"",
        "eTAG: unquoted",
        "Last-Modified: yesterday",
        "Last-Modified: Tue, 05 Mar 2024 10:00:00 GMT",
        "Set-Cookie: a=1; Path=/",
        "Set-Cookie: b=2",
        "Age: 12",
        "Cache-Control: max-age=60",
        "X-Cache: HIT from somewhere",
        "Vary: ",
        "Obs-Text: caf\u{e9}\u{ff}",
        "Warning: 110 - \"stale\"",
        "Proxy-Authenticate: Basic",
        "Content-Encoding: gzip",
        "Content-Length: 4",
        "Trailer: X-None",
        "Alt-Svc: h3=\":443\"",
    ];
    let head: Vec<u8> =
        lines.iter().flat_map(|line| line.chars().chain("\r\n".chars())).map(|c| u8::try_from(c).unwrap()).collect();

    let answer = returned([b"HTTP/1.1 200 OK\r\n".as_slice(), &head, b"\r\nbody"].concat());

    assert_eq!(by_name(&answer.head.lines), by_name(&lines));
    assert_eq!(answer.text(), "body");
}

#[test]
fn connection_fields_stay_on_their_connection() {
    let answer = returned(
        "HTTP/1.1 200 OK\r\nConnection: X-Private, keep-alive\r\nconnection: ETag\r\nX-Private: 1\r\nETag: \"v1\"\r\n\
         Keep-Alive: timeout=5, max=100\r\nProxy-Connection: keep-alive\r\nX-Public: 2\r\nContent-Length: 0\r\n\r\n",
    );

    assert_eq!(by_name(&answer.head.lines), ["Content-Length: 0", "X-Public: 2"]);
}

#[test]
fn our_own_fields_are_not_taken_from_origins() {
    let answer =
        returned("HTTP/1.1 200 OK\r\nWhy412-Report: x\r\nWHY412-pair: y\r\nWhy412-New: z\r\nContent-Length: 0\r\n\r\n");

    assert_eq!(by_name(&answer.head.lines), ["Content-Length: 0"]);
}

#[test]
fn hundreds_of_lines_arrive() {
    let lines: Vec<String> = (0..240).map(|number| format!("X-{}: value {number}", number % 200)).collect();

    let answer = returned(format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{}\r\n\r\n", lines.join("\r\n")));

    assert_eq!(by_name(&answer.head.lines_without(&["Content-Length"])), by_name(&lines));
}

#[test]
fn an_answer_to_head_says_its_length_and_has_no_body() {
    let origin = Origin::answering(|request| match request.head.method() {
        "HEAD" => "HTTP/1.1 200 OK\r\nContent-Length: 6000\r\nETag: \"v1\"\r\n\r\n",
        _ => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    });
    let instance = Instance::before(origin.address());

    let mut client = instance.connect();
    let head = client.ask("HEAD / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    let next = client.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");

    assert_eq!(by_name(&head.head.lines), ["Content-Length: 6000", "ETag: \"v1\""]);
    assert_eq!(next.text(), "ok");
}

#[test]
fn bodiless_answers_keep_their_validators_and_the_connection() {
    let origin = Origin::answering(|request| match request.head.target() {
        "/304" => "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\nLast-Modified: never\r\n\r\n",
        "/204" => "HTTP/1.1 204 No Content\r\nETag: W/\"v2\"\r\n\r\n",
        _ => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    });
    let instance = Instance::before(origin.address());

    let mut client = instance.connect();
    let not_modified = client.ask("GET /304 HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    let no_content = client.ask("PUT /204 HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 0\r\n\r\n");
    let next = client.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");

    assert_eq!(by_name(&not_modified.head.lines), ["ETag: \"v1\"", "Last-Modified: never"]);
    assert_eq!(by_name(&no_content.head.lines), ["ETag: W/\"v2\""]);
    assert_eq!(next.text(), "ok");
}

#[test]
fn a_refusal_arrives_as_the_origin_wrote_it() {
    let answer = returned(
        "HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\nchanged",
    );

    assert_eq!(answer.status(), 412);
    assert_eq!(by_name(&answer.head.lines), ["Content-Length: 7", "Content-Type: text/plain", "ETag: \"v2\""]);
    assert_eq!(answer.text(), "changed");
}

#[test]
fn a_connection_lasts_as_long_as_its_client_wants() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let instance = Instance::before(origin.address());

    let mut closing = instance.connect();
    let last = closing.ask("GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n");
    assert_eq!(last.value("Connection"), Some("close"));
    assert!(closing.rest().is_ok_and(|rest| rest.is_empty()));

    let mut old = instance.connect();
    assert_eq!(old.ask("GET / HTTP/1.0\r\nHost: shop.test\r\n\r\n").text(), "ok");
    assert!(old.rest().is_ok_and(|rest| rest.is_empty()));

    let mut kept = instance.connect();
    for _ in 0..2 {
        let answer = kept.ask("GET / HTTP/1.0\r\nHost: shop.test\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(answer.value("Connection").map(str::to_ascii_lowercase).as_deref(), Some("keep-alive"));
    }
}
