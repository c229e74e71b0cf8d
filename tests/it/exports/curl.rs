//! The curl command, run by the real curl in bash, against an origin that records what arrives.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::Stdio;

use super::*;
use crate::harness::message::{Message, field_line};
use crate::harness::wire::Wire;
use crate::harness::{PATIENCE, eventually, latin1};

/// The command of the only record.
fn command_of(instance: &Instance) -> String {
    let record = instance.record("the request", |_| true);
    instance.control(&format!("GET /api/v1/exchanges/{}/curl", record["id"].as_str().unwrap())).text()
}

/// Runs a command in bash, with these variables, where every connection goes to that address.
#[track_caller]
fn run_in_bash(command: &str, to: &str, variables: &[(&str, &str)]) {
    // A configuration of the user must not have its say, and names need not resolve.
    let command = command.replacen("\ncurl ", &format!("\ncurl -q --max-time 20 --connect-to ::{to} "), 1);
    let mut bash = Command::new("bash");
    bash.args(["-c", &command]).envs(variables.iter().copied()).env_remove("http_proxy").stdin(Stdio::null());
    let output = bash.output().unwrap();
    assert!(output.status.success(), "{}\n{command}", String::from_utf8_lossy(&output.stderr));
}

/// What curl sends when it runs the command.
#[track_caller]
fn sent_by_curl(command: &str, variables: &[(&str, &str)]) -> Message {
    let recorder = Origin::always("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    run_in_bash(command, &recorder.address().to_string(), variables);
    recorder.only_request()
}

/// The field lines by name, each with its lines in order; the spelling of names is kept.
fn by_name(lines: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        names.entry(name).or_default().push(line.clone());
    }
    names
}

/// Sends `lines` through an instance and the exported command to a recorder, and compares what arrived there with what
/// was sent here.
#[track_caller]
fn check(start: &str, lines: &[&str], body: &str, variables: &[(&str, &str)]) {
    let origin = Origin::always(REFUSED);
    let instance = Instance::before(origin.address());
    let head: Vec<u8> = format!("{start}\r\n{}\r\n\r\n", lines.join("\r\n")).chars().map(|c| c as u8).collect();
    let mut client = instance.connect();
    client.send([head.as_slice(), body.as_bytes()].concat());
    assert_eq!(client.answer_to("PUT").status(), 412, "{start}");
    let command = command_of(&instance);
    let sent = sent_by_curl(&command, variables);
    assert_eq!(sent.head.start, start, "{command}");
    let expected: Vec<_> = lines.iter().map(|line| field_line(line)).collect();
    assert_eq!(by_name(&sent.head.lines), by_name(&expected), "{command}");
    // But for Host, and the length of a body, even the order of different names is the same.
    let rest = |lines: &[String]| {
        let moved = |line: &&String| !line.starts_with("Host:") && !line.starts_with("Content-Length:");
        lines.iter().filter(moved).cloned().collect::<Vec<_>>()
    };
    assert_eq!(rest(&sent.head.lines), rest(&expected), "{command}");
    assert_eq!(latin1(&sent.body), decoded(body), "{command}");
}

/// The content of a body that may be in one chunk.
fn decoded(body: &str) -> String {
    body.split_once("\r\n").map_or(body, |(_, rest)| rest.split("\r\n").next().unwrap_or_default()).to_owned()
}

#[test]
fn every_field_line_arrives_as_it_was_sent() {
    check(
        "PUT /orders/7 HTTP/1.1",
        &[
            "Host: shop.test:8080",
            "If-Match: W/\"it's\\\", \"b\",  \"c\"",
            "x-lower: 1",
            "X-Twice: b",
            "X-Twice: a",
            "x-tWICE: c",
            "X-Empty:",
            "X-Latin: caf\u{e9} \u{ff}",
            "X-Shell: $HOME `id` $(id) \\ ! ~ * ? {a,b} ; & | < > ' \"",
            "X-Tab: a\tb",
            "X-At: @/etc/passwd",
            "X-Colon: a: b;",
            "Accept: text/plain",
            "Accept: text/html",
            "User-Agent: old/1 (x; y)",
            "Accept-Encoding: gzip, br",
            "Referer: http://elsewhere.test/?a=b",
            "Connection: keep-alive",
            "Content-Length: 0",
        ],
        "",
        &[],
    );
}

#[test]
fn nothing_is_added_and_odd_targets_stay() {
    for target in [
        "/a?b='c'&d=$(id)&e=[1-3]{x,y}",
        "/a/../b/./c//d",
        "/%2e%2E/%zz?%",
        "/\"<>\\^`{|}?\"<>\\^`{|}",
        // UTF-8, byte for byte.
        "/caf\u{c3}\u{a9}?\u{c3}\u{a9}=1",
        "/a;b=c,d:e@f!g*h(i)~?j?k/l",
        "/?",
        "/",
    ] {
        check(&format!("DELETE {target} HTTP/1.1"), &["Host: shop.test", "If-Match: \"v1\""], "", &[]);
    }
    check("OPTIONS * HTTP/1.1", &["Host: shop.test", "If-Match: \"v1\""], "", &[]);
    check("X-ODD!#$%&'*+.^_`|~ / HTTP/1.1", &["Host: [::1]:80", "If-Match: \"v1\""], "", &[]);
    check("GET /old HTTP/1.0", &["Host: shop.test", "If-Match: \"v1\""], "", &[]);
}

#[test]
fn a_body_is_taken_from_a_file_and_framed_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("body");
    fs::write(&file, "hi\nthere").unwrap();
    let body_file = file.display().to_string();
    let fields = ["Host: shop.test", "If-Match: \"v1\"", "Content-Type: text/plain"];
    let variables = [("BODY_FILE", body_file.as_str())];
    check("PUT /a HTTP/1.1", &[&fields[..], &["Content-Length: 8"]].concat(), "hi\nthere", &variables);
    check("POST /a HTTP/1.1", &["Host: shop.test", "If-Match: \"v1\"", "Content-Length: 8"], "hi\nthere", &variables);
    let chunked = [&fields[..], &["Transfer-Encoding: chunked"]].concat();
    check("PATCH /a HTTP/1.1", &chunked, "8\r\nhi\nthere\r\n0\r\n\r\n", &variables);
}

#[test]
fn secrets_are_asked_for_and_put_in_their_places() {
    check(
        "PUT /orders/7?a=1&access_token=s%33cret&b=[2] HTTP/1.1",
        &[
            "Host: shop.test",
            "If-Match: \"v1\"",
            "Authorization: Bearer s3cret $x",
            "Cookie: sid=one; theme=two",
            "X-Api-Key: it's",
            "Content-Length: 0",
        ],
        "",
        &[
            ("SECRET_AUTHORIZATION", "s3cret $x"),
            ("SECRET_COOKIE", "one"),
            ("SECRET_COOKIE_2", "two"),
            ("SECRET_X_API_KEY", "it's"),
            ("SECRET_URL", "s%33cret"),
        ],
    );
}

#[test]
fn without_its_secrets_the_command_sends_nothing_and_says_why() {
    let origin = Origin::always(REFUSED);
    let instance = Instance::before(origin.address());
    instance.ask("GET /a HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v1\"\r\nAuthorization: Bearer x\r\n\r\n");
    let command = command_of(&instance);
    assert!(command.contains("Secrets are not recorded: set SECRET_AUTHORIZATION"), "{command}");
    let output = Command::new("bash").args(["-c", &command]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("SECRET_AUTHORIZATION"), "{output:?}");
}

#[test]
fn a_head_is_asked_for_without_waiting_for_content() {
    let origin = Origin::always("HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nContent-Length: 9\r\n\r\n");
    let instance = Instance::before(origin.address());
    let mut client = instance.connect();
    client.send("HEAD /a HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v1\"\r\n\r\n");
    assert_eq!(client.answer_to("HEAD").status(), 412);
    let command = command_of(&instance);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::scope(|scope| {
        let served = scope.spawn(|| {
            let stream = eventually("curl comes", || listener.accept().ok()).0;
            stream.set_nonblocking(false).unwrap();
            let mut wire = Wire::over(stream);
            let request = wire.request().unwrap();
            wire.send("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 9\r\n\r\n");
            request
        });
        run_in_bash(&command, &address, &[]);
        assert_eq!(served.join().unwrap().head.start, "HEAD /a HTTP/1.1");
    });
}

#[test]
fn http2_is_sent_as_http2() {
    let origin = Origin::always(REFUSED);
    let instance = Instance::before(origin.address());
    let mut request = http::Request::builder().method("PUT").uri("http://shop.test/a?b={c}&token=x");
    for (name, value) in
        [("if-match", "\"v1\""), ("x-twice", "b"), ("x-twice", "a"), ("x-empty", ""), ("user-agent", "old")]
    {
        request = request.header(name, value);
    }
    let answer = crate::harness::http2::Http2::to(instance.address()).ask(request.body(()).unwrap()).unwrap();
    assert_eq!(answer.status(), 412);
    let command = command_of(&instance);
    assert!(command.contains("--http2-prior-knowledge"), "{command}");
    let sent = sent_over_http2(&command, &[("SECRET_URL", "x")]);
    assert_eq!((sent.method().as_str(), sent.uri().to_string().as_str()), ("PUT", "http://shop.test/a?b={c}&token=x"));
    let fields: Vec<_> = sent.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    let expected = [("if-match", "\"v1\""), ("x-twice", "b"), ("x-twice", "a"), ("x-empty", ""), ("user-agent", "old")];
    assert_eq!(fields, expected, "{command}");
}

/// What curl sends over HTTP/2 when it runs the command.
fn sent_over_http2(command: &str, variables: &[(&str, &str)]) -> http::Request<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::scope(|scope| {
        scope.spawn(|| run_in_bash(command, &address, variables));
        let served = async {
            let mut connection = h2::server::handshake(listener.accept().await.unwrap().0).await.unwrap();
            let (request, mut respond) = connection.accept().await.unwrap().unwrap();
            let answer = http::Response::builder().status(204).body(()).unwrap();
            respond.send_response(answer, true).unwrap();
            // Until curl has gone.
            while connection.accept().await.is_some_and(|next| next.is_ok()) {}
            request.map(drop)
        };
        runtime.block_on(async { tokio::time::timeout(PATIENCE, served).await }).expect("curl comes")
    })
}
