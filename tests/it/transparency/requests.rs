//! Requests on their way to the origin.

use super::{by_name, forwarded};
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

#[test]
fn the_request_line_arrives_as_sent() {
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let instance = Instance::before(origin.address());
    let lines = [
        "GET / HTTP/1.1",
        "get / HTTP/1.1",
        "PROPFIND /dav/ HTTP/1.1",
        "M-SEARCH /x HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "X!#$%&'*+-.^_`|~9 / HTTP/1.1",
        "DELETE /a%2Fb/./../c//d;p=1 HTTP/1.1",
        "GET /%zz%00%C3%a9?%E2%82%AC=%20+& HTTP/1.1",
        "GET /? HTTP/1.1",
        "GET /a??b=/../?c HTTP/1.1",
        "GET //double//slash HTTP/1.1",
        "GET /[x]{y}|z^\"<>\\` HTTP/1.1",
        "PUT /:@!$&'()*+,;= HTTP/1.1",
    ];
    let mut client = instance.connect();
    for line in lines {
        let method = line.split(' ').next().unwrap();
        client.send(format!("{line}\r\nHost: shop.test\r\nContent-Length: 0\r\n\r\n"));
        let answer = client.answer_to(method);
        assert_eq!(answer.status(), 204, "{line}: {answer:?}");
    }
    let arrived: Vec<String> = origin.requests().into_iter().map(|request| request.head.start).collect();
    assert_eq!(arrived, lines);
}

#[test]
fn fields_arrive_as_sent() {
    let lines = [
        "Host: Shop.Test:8080",
        "Accept-Encoding: gzip;q=1.0, *;q=0",
        "If-Match: W/\"v1\" , \"v2\",, \"a,b\"",
        "iF-mAtCh: nonsense",
        "IF-NONE-MATCH: ",
        "If-None-Match: *, \"x\"",
        "If-Modified-Since: yesterday",
        "If-Unmodified-Since: Tue, 31 Feb 2024 99:00:00 GMT",
        "If-Range: \"a\" \"b\"",
        "If-Range: Tue, 05 Mar 2024 10:00:00 GMT",
        "X-Goog-If-Generation-Match: 0",
        "Cache-Control: max-age=0",
        "Empty: ",
        "Obs-Text: caf\u{e9} \u{80}\u{ff}",
        "Tab: a\tb  c",
        "Twice: 1",
        "tWICE: 2",
        "Twice: 1",
        "Cookie: a=1; b=2",
        "Cookie: c=3",
        "Authorization: Basic dXNlcjpzZWNyZXQ=",
        "Proxy-Authorization: Basic eA==",
        "Via: 1.0 somebody",
        "X-Forwarded-For: 192.0.2.1",
        "Forwarded: for=192.0.2.1",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "Max-Forwards: 0",
        "Content-Length: 0",
        "123: digits",
        "_under.score~: x",
    ];
    let head: String = lines.iter().map(|line| format!("{line}\r\n")).collect();

    let arrived = forwarded(latin1_bytes(&format!("PUT /orders/7 HTTP/1.1\r\n{head}\r\n")));

    assert_eq!(by_name(&arrived.head.lines), by_name(&lines));
}

#[test]
fn white_space_within_a_value_stays_and_around_it_does_not_count() {
    let arrived = forwarded("GET / HTTP/1.1\r\nHost: shop.test\r\nX-Space:\t  a  \t b \t \r\n\r\n");

    assert_eq!(arrived.head.values("X-Space"), ["a  \t b"]);
}

#[test]
fn connection_fields_stay_on_their_connection() {
    let arrived = forwarded(
        "GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: keep-alive, X-Private\r\nX-Private: 1\r\nX-Public: 2\r\n\
         connection: , x-other ,\r\nX-Other: 3\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n\
         TE: deflate;q=0.5\r\n\r\n",
    );

    assert_eq!(by_name(&arrived.head.lines), ["Host: shop.test", "X-Public: 2"]);
}

#[test]
fn a_nominated_condition_is_removed_as_the_rfc_demands() {
    let arrived = forwarded(
        "PUT / HTTP/1.1\r\nHost: shop.test\r\nConnection: If-Match\r\nIf-Match: \"v1\"\r\nIf-None-Match: \"v2\"\r\n\
         Content-Length: 0\r\n\r\n",
    );

    assert_eq!(by_name(&arrived.head.lines), ["Content-Length: 0", "Host: shop.test", "If-None-Match: \"v2\""]);
}

#[test]
fn no_nomination_removes_what_the_message_is_made_of() {
    let arrived = forwarded(
        "PUT / HTTP/1.1\r\nHost: shop.test\r\nConnection: Host, Content-Length, close\r\nContent-Length: 3\r\n\r\nabc",
    );

    assert_eq!(by_name(&arrived.head.lines), ["Content-Length: 3", "Host: shop.test"]);
    assert_eq!(arrived.text(), "abc");
}

#[test]
fn te_trailers_is_issued_anew() {
    let arrived = forwarded("GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: TE\r\nTE: gzip, trailers\r\n\r\n");

    assert_eq!(arrived.head.values("TE"), ["trailers"]);
    assert_eq!(arrived.head.values("Connection"), ["TE"]);
}

#[test]
fn our_own_fields_are_not_taken_from_clients() {
    let arrived = forwarded(
        "GET / HTTP/1.1\r\nHost: shop.test\r\nWhy412-Pair: x\r\nwhy412-report: y\r\nWhy412-Bypass: z\r\n\
         Why412-Anything: 1\r\nWhy4123: stays\r\n\r\n",
    );

    assert_eq!(by_name(&arrived.head.lines), ["Host: shop.test", "Why4123: stays"]);
}

#[test]
fn max_forwards_is_counted_down_where_it_has_a_meaning() {
    let with = |method: &str| forwarded(format!("{method} / HTTP/1.1\r\nHost: shop.test\r\nMax-Forwards: 3\r\n\r\n"));

    assert_eq!(with("OPTIONS").value("Max-Forwards"), Some("2"));
    assert_eq!(with("TRACE").value("Max-Forwards"), Some("2"));
    assert_eq!(with("GET").value("Max-Forwards"), Some("3"));
}

#[test]
fn hundreds_of_lines_arrive() {
    let lines: Vec<String> = (0..240).map(|number| format!("X-{}: value {number}", number % 200)).collect();

    let arrived = forwarded(format!("GET / HTTP/1.1\r\nHost: shop.test\r\n{}\r\n\r\n", lines.join("\r\n")));

    assert_eq!(by_name(&arrived.head.lines_without(&["Host"])), by_name(&lines));
}

#[test]
fn a_client_of_http_1_0_is_served() {
    let arrived = forwarded("GET /old HTTP/1.0\r\nHost: shop.test\r\nIf-None-Match: \"v1\"\r\n\r\n");

    assert_eq!(arrived.head.target(), "/old");
    assert_eq!(arrived.head.values("If-None-Match"), ["\"v1\""]);
}

#[test]
fn requests_in_a_row_are_answered_in_their_order() {
    let origin = Origin::answering(|request| {
        let target = request.head.target();
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{target}", target.len())
    });
    let instance = Instance::before(origin.address());

    let mut client = instance.connect();
    client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPUT /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    client.send("GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");

    assert_eq!(["GET", "PUT", "GET"].map(|method| client.answer_to(method).text()), ["/1", "/2", "/3"]);
}

fn latin1_bytes(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).expect("one byte")).collect()
}
