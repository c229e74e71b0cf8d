//! Requests that two readers could take for different ones (RFC 9112 §3 to §7). Each is refused, counted, and the end of
//! its connection; the upstream is sent nothing of it.

use super::{Untouched, before, counted, said};

#[track_caller]
fn refuse(requests: &[(&str, u16)]) {
    let upstream = Untouched::new();
    let instance = before(&upstream.origin, "");
    let mut faults = Vec::new();
    for (request, status) in requests {
        let bytes: Vec<u8> = request.chars().map(|character| u8::try_from(character).expect("one byte")).collect();
        match said(&instance, &bytes) {
            Ok(said) if said.starts_with(&format!("HTTP/1.1 {status} ")) && said.matches("HTTP/1.").count() == 1 => {}
            said => faults.push(format!("{request:?}: {status} expected, then the end: {said:?}")),
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), requests.len(), faults.join("\n"));
    assert_eq!(upstream.touched(), 0, "the upstream was sent something");
    for (class, range) in [("4xx", 400..500), ("5xx", 500..600)] {
        let expected = requests.iter().filter(|(_, status)| range.contains(status)).count();
        assert_eq!(counted(&instance, class), expected as f64, "{class}");
    }
}

/// A PUT with these lines, and a second request behind it that must not be found.
#[track_caller]
fn refuse_framing(lines: &[(&str, u16)]) {
    let whole: Vec<_> = lines
        .iter()
        .map(|(lines, status)| {
            let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
            (format!("PUT /x HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n5\r\nhello\r\n0\r\n\r\n{smuggled}"), *status)
        })
        .collect();
    refuse(&whole.iter().map(|(request, status)| (request.as_str(), *status)).collect::<Vec<_>>());
}

#[test]
fn lengths() {
    refuse_framing(&[
        ("Content-Length: 5\r\nContent-Length: 5", 400),
        ("Content-Length: 5\r\nContent-Length: 6", 400),
        ("Content-Length: 5\r\nX: 1\r\ncontent-length: 0", 400),
        ("Content-Length: 5, 5", 400),
        ("Content-Length: 5,6", 400),
        ("Content-Length: 5 6", 400),
        ("Content-Length: 5\t6", 400),
        ("Content-Length: +5", 400),
        ("Content-Length: -5", 400),
        ("Content-Length: -0", 400),
        ("Content-Length: 0x5", 400),
        ("Content-Length: 5h", 400),
        ("Content-Length: 5.0", 400),
        ("Content-Length: 5;x", 400),
        ("Content-Length: \"5\"", 400),
        ("Content-Length:", 400),
        ("Content-Length: ", 400),
        ("Content-Length: ,5", 400),
        ("Content-Length: 5,", 400),
        ("Content-Length: \u{b2}", 400),
        ("Content-Length: 5\u{a0}", 400),
        ("Content-Length: 1e1", 400),
        ("Content-Length: 1_0", 400),
        ("Content-Length: NaN", 400),
        ("Content-Length: 18446744073709551616", 400),
        ("Content-Length: 18446744073709551621", 400),
        ("Content-Length: 9223372036854775808", 400),
        ("Content-Length: 99999999999999999999999999999999999999", 400),
        ("Content-Length: 00000000000000000000005", 400),
        ("Content-Length : 5", 400),
        ("Content-Length\t: 5", 400),
        (" Content-Length: 5", 400),
        ("Content-Length: 5\r\n 6", 400),
        ("Content-Length:\r\n 5", 400),
        ("Content-Length: 5\u{b}", 400),
        ("Content-Length: \u{c}5", 400),
        ("Content-Length: 5\0", 400),
        ("Content-Length\0: 5", 400),
        ("Content-Length: 5\nX: 1", 400),
        ("Content-Length: 5\rX: 1", 400),
    ]);
}

#[test]
fn transfer_codings() {
    refuse_framing(&[
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", 400),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
        ("Content-Length: 0\r\ntransfer-encoding: CHUNKED", 400),
        ("Content-Length: 5\r\nTransfer-Encoding: identity", 400),
        ("Content-Length: 5\r\nTransfer-Encoding:", 400),
        ("Transfer-Encoding: chunked, chunked", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", 400),
        ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", 501),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding:", 400),
        ("Transfer-Encoding:\r\nTransfer-Encoding: chunked", 400),
        ("Transfer-Encoding: chunked, identity", 400),
        ("Transfer-Encoding: identity, chunked", 501),
        ("Transfer-Encoding: gzip, chunked", 501),
        ("Transfer-Encoding: gzip", 400),
        ("Transfer-Encoding: identity", 400),
        ("Transfer-Encoding: ", 400),
        ("Transfer-Encoding: ,chunked", 400),
        ("Transfer-Encoding: chunked,", 400),
        ("Transfer-Encoding: , chunked ,", 400),
        ("Transfer-Encoding: xchunked", 400),
        ("Transfer-Encoding: chunkedx", 400),
        ("Transfer-Encoding: chunked chunked", 400),
        ("Transfer-Encoding: chunked;q=1", 400),
        ("Transfer-Encoding: chunked;", 400),
        ("Transfer-Encoding: \"chunked\"", 400),
        ("Transfer-Encoding: 'chunked'", 400),
        ("Transfer-Encoding: \u{b}chunked", 400),
        ("Transfer-Encoding: \u{c}chunked", 400),
        ("Transfer-Encoding: chunked\u{b}", 400),
        ("Transfer-Encoding: chunked\0", 400),
        ("Transfer-Encoding: \u{a0}chunked", 400),
        ("Transfer-Encoding: chun\tked", 400),
        ("Transfer-Encoding: chunKed\u{e4}", 400),
        ("Transfer-Encoding : chunked", 400),
        ("Transfer-Encoding\t: chunked", 400),
        ("Transfer-Encoding\u{b}: chunked", 400),
        ("\tTransfer-Encoding: chunked", 400),
        ("Transfer-Encoding:\r\n chunked", 400),
        ("Transfer-Encoding:\r\n\tchunked", 400),
        ("Transfer-Encoding: chunked\r\n ", 400),
        ("X: 1\nTransfer-Encoding: chunked", 400),
        ("X: 1\rTransfer-Encoding: chunked", 400),
        ("Transfer-Encoding: chunked\n", 400),
        ("Transfer-Encoding", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length : 5", 400),
    ]);
}

#[test]
fn chunks() {
    let put = |body: &str| format!("PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    let bodies = [
        "0x5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "-0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "\t5\r\nhello\r\n0\r\n\r\n",
        "5_0\r\nhello\r\n0\r\n\r\n",
        "5 5\r\nhello\r\n0\r\n\r\n",
        "5,\r\nhello\r\n0\r\n\r\n",
        "5\0\r\nhello\r\n0\r\n\r\n",
        "5\u{b}\r\nhello\r\n0\r\n\r\n",
        "5g\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        "\r\n5\r\nhello\r\n0\r\n\r\n",
        ";x\r\nhello\r\n0\r\n\r\n",
        "five\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "5;a\nhello\r\n0\r\n\r\n",
        "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n",
        "5;a\rb\r\nhello\r\n0\r\n\r\n",
        "5;a\0b\r\nhello\r\n0\r\n\r\n",
        "5\r\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "5\r\nhello\n\r0\r\n\r\n",
        "5\r\nhello\r\n\r\n0\r\n\r\n",
        "4\r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "100000000000000000000000000000005\r\nhello\r\n0\r\n\r\n",
        "00000000000000000000000000000000005\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\n\r\n",
        "5\r\nhello\r\n0\r\nX: 1\n\r\n",
        "5\r\nhello\r\n0\r\nX: 1\r\n\n",
        "5\r\nhello\r\n0\r\nX : 1\r\n\r\n",
        "5\r\nhello\r\n0\r\n X: 1\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: 1\r\n folded\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: \0\r\n\r\n",
        "5\r\nhello\r\n0\r\n: 1\r\n\r\n",
        "5\r\nhello\r\n0\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ];
    let long = put(&format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(5000)));
    let mut requests = bodies.map(put).to_vec();
    requests.push(long);
    refuse(&requests.iter().map(|request| (request.as_str(), 400)).collect::<Vec<_>>());
}

const REQUEST_LINES: &[&str] = &[
    "GET  / HTTP/1.1",
    "GET /  HTTP/1.1",
    "GET / HTTP/1.1 ",
    "GET / HTTP/1.1\t",
    " GET / HTTP/1.1",
    "\tGET / HTTP/1.1",
    "GET\t/ HTTP/1.1",
    "GET /\tHTTP/1.1",
    "GET /a b HTTP/1.1",
    "GET /a\tb HTTP/1.1",
    "GET /a\0b HTTP/1.1",
    "GET /a\u{7f}b HTTP/1.1",
    "GET /a\rb HTTP/1.1",
    "GET /\u{b}HTTP/1.1",
    "GET /",
    "GET",
    "GET HTTP/1.1",
    "GET / HTTP/1.1 HTTP/1.1",
    "GET / HTTP/1.2",
    "GET / HTTP/1.10",
    "GET / HTTP/1.01",
    "GET / HTTP/01.1",
    "GET / HTTP/1",
    "GET / HTTP/1.",
    "GET / HTTP/.1",
    "GET / HTTP/0.9",
    "GET / HTTP/2.0",
    "GET / HTTP/2",
    "GET / HTTP/3.0",
    "GET / HTTP/9.9",
    "GET / http/1.1",
    "GET / Http/1.1",
    "GET / HTTPS/1.1",
    "GET / HTTP /1.1",
    "GET / HTTP/1,1",
    "GET / HTTP/1.1x",
    "GET / HTTP/+1.1",
    "GET / ICY/1.1",
    "G\0T / HTTP/1.1",
    "G(T) / HTTP/1.1",
    "G:T / HTTP/1.1",
    "\"GET\" / HTTP/1.1",
    "G\u{c9}T / HTTP/1.1",
    "GET /# HTTP/1.1",
    "GET /a#b HTTP/1.1",
    "GET #/ HTTP/1.1",
    "GET a HTTP/1.1",
    "GET ../a HTTP/1.1",
    "GET ?a HTTP/1.1",
    "GET \\a HTTP/1.1",
    "GET * HTTP/1.1",
    "PUT * HTTP/1.1",
    "OPTIONS ** HTTP/1.1",
    "GET a:80 HTTP/1.1",
    "GET http:a HTTP/1.1",
    "GET http:/a/ HTTP/1.1",
    "GET http:// HTTP/1.1",
    "GET http:///a HTTP/1.1",
    "GET http://b/ HTTP/1.1",
    "GET http://a:81/ HTTP/1.1",
    "GET http://b@a/ HTTP/1.1",
    "GET http://a@b/ HTTP/1.1",
    "GET http://a\\b/ HTTP/1.1",
    "GET ftp://a/ HTTP/1.1",
    "GET ://a/ HTTP/1.1",
    "GET //\u{e9} HTTP/1.1",
    "GET /\u{ff} HTTP/1.1",
    "CONNECT / HTTP/1.1",
    "CONNECT http://a/ HTTP/1.1",
    "CONNECT a HTTP/1.1",
    "CONNECT b:443 HTTP/1.1",
    "CONNECT a:x HTTP/1.1",
    "CONNECT * HTTP/1.1",
    "\n\nGET / HTTP/1.1",
    "\r\rGET / HTTP/1.1",
    "\0GET / HTTP/1.1",
    "GET / HTTP/1.1\nX: 1",
    "GET / HTTP/1.1\rX: 1",
    "PRI * HTTP/2.0",
];

#[test]
fn request_lines() {
    let rest = "\r\nHost: a\r\n\r\n";
    let requests: Vec<_> = REQUEST_LINES.iter().map(|line| format!("{line}{rest}")).collect();
    let mut table: Vec<_> = requests.iter().map(|request| (request.as_str(), 400)).collect();
    table.extend([
        // RFC 9110 §4.2.4: also where no Host contradicts it.
        ("GET http://user@a/ HTTP/1.0\r\n\r\n", 400),
        ("GET http://a:b/ HTTP/1.0\r\n\r\n", 400),
        ("GET http://a,b/ HTTP/1.0\r\n\r\n", 400),
        ("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("GET /\r\n\r\n", 400),
        ("GET / \r\nHost: a\r\n\r\n", 400),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", 400),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nContent-Length: 3\r\n\r\nabc", 501),
    ]);
    refuse(&table);
}

#[test]
fn hosts() {
    let lines = [
        "",
        "X: 1\r\n",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nHost: b\r\n",
        "Host: a\r\nhost:\r\n",
        "Host:\r\nHost:\r\n",
        "Host : a\r\n",
        "Host\t: a\r\n",
        " Host: a\r\n",
        "Host: a\r\n b\r\n",
        "Host: a b\r\n",
        "Host: a\tb\r\n",
        "Host: a, b\r\n",
        "Host: a,b\r\n",
        "Host: a/b\r\n",
        "Host: a/\r\n",
        "Host: /a\r\n",
        "Host: a\\b\r\n",
        "Host: a?b\r\n",
        "Host: a#b\r\n",
        "Host: u@a\r\n",
        "Host: u:p@a\r\n",
        "Host: @a\r\n",
        "Host: http://a\r\n",
        "Host: a:\0\r\n",
        "Host: a\u{b}\r\n",
        "Host: a\u{7f}\r\n",
        "Host: a:80:80\r\n",
        "Host: a:b\r\n",
        "Host: a:-1\r\n",
        "Host: a:+80\r\n",
        "Host: a:0x50\r\n",
        "Host: a:99999999999\r\n",
        "Host: a:80 \tb\r\n",
        "Host: a;b/c\r\n",
        "Host: \"a\"\r\n",
        "Host: <a>\r\n",
        "Host: a|b\r\n",
        "Host: a^b\r\n",
        "Host: {a}\r\n",
        "Host: a`b\r\n",
        "Host: b\u{fc}cher.test\r\n",
        "Host: [::1\r\n",
        "Host: ::1]\r\n",
        "Host: ::1\r\n",
        "Host: [::1]x\r\n",
        "Host: [::1]:x\r\n",
        "Host: [a/b]\r\n",
        "Host: a%\r\n",
        "Host: a%2\r\n",
        "Host: a%zz\r\n",
        "Host: a\nX: b\r\n",
    ];
    let requests: Vec<_> = lines.iter().map(|lines| format!("GET / HTTP/1.1\r\n{lines}\r\n")).collect();
    refuse(&requests.iter().map(|request| (request.as_str(), 400)).collect::<Vec<_>>());
}

#[test]
fn field_lines() {
    let mut lines: Vec<String> = [
        ": empty",
        ":",
        " : x",
        "no colon",
        "X",
        "X Y: 1",
        "X\tY: 1",
        "X : 1",
        "X\t: 1",
        "X\u{b}: 1",
        "X\u{a0}: 1",
        "\u{e9}: 1",
        "X\u{e9}: 1",
        "(X): 1",
        "X[]: 1",
        "X{}: 1",
        "X@Y: 1",
        "X/Y: 1",
        "X\\Y: 1",
        "X,Y: 1",
        "X;Y: 1",
        "X=Y: 1",
        "X?: 1",
        "\"X\": 1",
        "<X>: 1",
        "X: a\r\n b",
        "X: a\r\n\tb",
        "X:\r\n b",
        "X: a\rb",
        "X: a\r",
        "X: a\nb",
        "X: a\nY: b",
        "X: a\n",
        "\nX: a",
        "\rX: a",
        "X: a\r\r",
        "If-Match: \"a\"\r\n , \"b\"",
        "Expect: 200-ok\r\nConnection: close",
    ]
    .map(str::to_owned)
    .to_vec();
    // RFC 9110 §5.5: no control character stands in a value, but for the tab; and none in a name.
    for control in (0..32_u8).chain([127]).filter(|byte| !b"\t\r\n".contains(byte)) {
        lines.push(format!("X: a{}b", char::from(control)));
        lines.push(format!("X{}: a", char::from(control)));
    }
    let request = |line: &String| format!("GET / HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n");
    let requests: Vec<_> = lines.iter().map(request).collect();
    let status = |request: &str| if request.contains("Expect") { 417 } else { 400 };
    let mut table: Vec<_> = requests.iter().map(|request| (request.as_str(), status(request))).collect();
    let more = ["100-continue, x", "x, 100-continue", "100", "100-continue=1", "100-continue;q=1"]
        .map(|value| format!("PUT / HTTP/1.1\r\nHost: a\r\nExpect: {value}\r\nContent-Length: 3\r\n\r\nabc"));
    table.extend(more.iter().map(|request| (request.as_str(), 417)));
    refuse(&table);
}

#[test]
fn what_follows_a_refused_request_is_never_taken_for_a_request() {
    let upstream = Untouched::new();
    let instance = before(&upstream.origin, "");
    let next = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for first in [
        "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: nothing\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
    ] {
        let answers = said(&instance, format!("{first}{next}").as_bytes()).unwrap();
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{first:?}: {answers}");
    }
    assert_eq!(upstream.touched(), 0);
}
