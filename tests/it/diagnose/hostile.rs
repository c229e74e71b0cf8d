//! Servers that do not answer as one would like.

use super::{diagnose, run, url};
use crate::harness::origin::Origin;
use crate::harness::versioned;

#[track_caller]
fn obstacle(origin: &Origin, arguments: &[&str], expected: &str) {
    let at = url(origin.address(), "/x");
    let (said, code) = diagnose(&[arguments, &[&at]].concat());
    let obstacles = said["obstacles"].to_string();
    assert!(obstacles.contains(expected), "{expected:?} in {obstacles}");
    assert_eq!(code, 1, "{said:#}");
    assert!(said["verdict"].is_null(), "nobody is accused: {said:#}");
}

#[test]
fn what_stands_in_the_way_is_said_and_nobody_is_accused() {
    let elsewhere = versioned::origin();
    let to = url(elsewhere.address(), "/y");
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    obstacle(&Origin::answering(move |_| redirect.clone()), &[], "which is not followed");
    assert!(elsewhere.requests().is_empty(), "a redirect is never followed");
    obstacle(&Origin::always("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"), &[], "credentials are missing");
    obstacle(&Origin::always("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), &[], "credentials are missing");
    obstacle(&Origin::always("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), &[], "nothing is there");
    obstacle(&Origin::always("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), &[], "in trouble");
    obstacle(&Origin::always("HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n"), &["-X", "PUT"], "cannot be read");
    obstacle(&Origin::always("SSH-2.0-OpenSSH_9.2\r\n\r\n"), &[], "not HTTP");
    obstacle(&Origin::serving(|wire, _| drop(wire.request())), &[], "closed the connection");
}

#[test]
fn a_body_without_an_end_is_not_read_to_it() {
    let origin = Origin::serving(|wire, log| {
        let Some(request) = wire.request() else { return };
        log.push(&request);
        wire.send("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nTransfer-Encoding: chunked\r\n\r\n");
        if request.head.method() == "HEAD" {
            return;
        }
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
        while wire.try_send(&chunk).is_ok() {}
    });
    let (said, code) = diagnose(&[&url(origin.address(), "/")]);
    assert_eq!(code, 0, "{said:#}");
    let responses = said["steps"].as_array().unwrap().iter().map(|step| &step["response"]);
    let with_body: Vec<_> = responses.filter(|response| response["body_bytes_read"] != 0).collect();
    assert!(with_body.len() > 5 && with_body.iter().all(|response| response["body_bytes_read"] == 65_536), "{said:#}");
    assert!(with_body.iter().all(|response| response["body_read"] == "prefix"), "{said:#}");
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let origin = Origin::serving(|wire, _| {
        let _ = wire.request();
        let _ = wire.rest();
    });
    let ran = run(&["-m", "1", &url(origin.address(), "/")]);
    assert_eq!(ran.code, 1);
    assert!(ran.data.contains("no answer within 1 s"), "{}", ran.data);
}

#[test]
fn heads_that_are_refused_or_other_do_not_mislead() {
    let origin = Origin::answering(|request| match request.head.method() {
        "HEAD" => "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n",
        _ => "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 2\r\n\r\nhi",
    });
    let (said, code) = diagnose(&[&url(origin.address(), "/")]);
    assert_eq!(code, 0, "{said:#}");
    let origin = Origin::answering(|request| match request.head.method() {
        "HEAD" => "HTTP/1.1 200 OK\r\nETag: \"another\"\r\n\r\n",
        _ => "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 2\r\n\r\nhi",
    });
    let (said, code) = diagnose(&[&url(origin.address(), "/")]);
    assert_eq!(code, 0, "{said:#}");
}

#[test]
fn answers_without_validators_accuse_nobody() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let at = url(origin.address(), "/");
    let (said, code) = diagnose(&[&at, "--direct", &url(origin.address(), "").replace("127.0.0.1", "localhost")]);
    assert_eq!(code, 0, "{said:#}");
    assert!(said["notes"].to_string().contains("neither ETag nor Last-Modified"), "{said:#}");
}

#[test]
fn hostile_values_are_shown_as_text() {
    let origin = Origin::always(
        "HTTP/1.1 200 OK\r\nETag: \"\x1b[31m\u{9b}\"\r\nServer: \x1b]0;owned\x07\r\nContent-Length: 0\r\n\r\n",
    );
    let ran = run(&[&url(origin.address(), "/")]);
    assert!(!ran.data.contains('\x1b') && !ran.data.contains('\u{9b}') && !ran.data.contains('\x07'), "{:?}", ran.data);
}

#[test]
fn wrong_usage_is_said_before_anything_is_sent() {
    let origin = versioned::origin();
    let at = url(origin.address(), "/x");
    let directory = tempfile::tempdir().unwrap();
    let there = directory.path().join("there.zip");
    std::fs::write(&there, "x").unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    for wrong in [
        vec!["no-url"],
        vec![&at, "-H", "no field"],
        vec![&at, "-d", "@/nowhere/to/be/found"],
        vec![&at, "--bundle", &path("case.rar")],
        vec![&at, "--bundle", &path("there.zip")],
        vec![&at, "--bundle", &path("no/such/directory/case.zip")],
        vec![&at, "--overwrite"],
        vec![&at, "-X", "CONNECT"],
        vec![&at, "--direct", &at],
    ] {
        let ran = run(&wrong);
        assert_eq!(ran.code, 2, "{wrong:?}: {ran:#?}");
        assert!(!ran.messages.is_empty(), "{wrong:?}");
    }
    assert!(origin.requests().is_empty());
    assert_eq!(std::fs::read(&there).unwrap(), b"x", "what is there is not overwritten");
}
