//! The URL and the way around the gateway, each with answers of its own: what is said of the difference, and above all
//! what is not.

use super::{also, diagnose, url, verdict};
use crate::harness::message::Message;
use crate::harness::origin::Origin;

/// A server that answers every read in the same way and refuses every write.
fn server(validators: &'static str, body: &'static str) -> Origin {
    Origin::answering(move |request| answered(request, validators, body))
}

fn answered(request: &Message, validators: &str, body: &str) -> String {
    let (length, shown) = (body.len(), if request.head.method() == "HEAD" { "" } else { body });
    match request.head.method() {
        "GET" | "HEAD" => format!("HTTP/1.1 200 OK\r\n{validators}Content-Length: {length}\r\n\r\n{shown}"),
        _ => "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n".to_owned(),
    }
}

#[track_caller]
fn check(through: (&'static str, &'static str), direct: (&'static str, &'static str), expected: &[&str]) {
    let (gateway, origin) = (server(through.0, through.1), server(direct.0, direct.1));
    let (said, code) = diagnose(&[&url(gateway.address(), "/r"), "--direct", &url(origin.address(), "")]);
    assert_eq!(also(&said), expected, "{through:?} {direct:?}: {said:#}");
    assert_eq!(code, i32::from(!expected.is_empty()));
}

#[test]
fn what_is_altered_is_named_and_nothing_else() {
    const BODY: &str = "content";
    let v1 = ("ETag: \"v1\"\r\n", BODY);
    check(v1, v1, &[]);
    check(("", BODY), v1, &["etag-stripped proven"]);
    check(("ETag: W/\"v1\"\r\n", BODY), v1, &["etag-weakened proven"]);
    check(("ETag: \"v1-gzip\"\r\n", BODY), v1, &["etag-suffixed proven"]);
    check(("ETag: \"v1\"\r\n", BODY), ("", BODY), &["etag-rewritten proven"]);
    check(("ETag: \"v1\"\r\n", BODY), ("ETag: W/\"v1\"\r\n", BODY), &["etag-rewritten proven"]);
    // Two names for one content may be two nodes; two contents may be two services. Neither is an accusation.
    check(("ETag: \"x\"\r\n", BODY), v1, &[]);
    check(("ETag: \"x\"\r\n", "other"), v1, &[]);
    // Dates that are missing or written otherwise make no condition fail.
    let dated = "ETag: \"v1\"\r\nLast-Modified: Tue, 05 Mar 2024 10:00:00 GMT\r\n";
    check(v1, (dated, BODY), &[]);
    check((dated, BODY), v1, &[]);
    check((dated, BODY), ("ETag: \"v1\"\r\nLast-Modified: Tuesday, 05-Mar-24 10:00:00 GMT\r\n", BODY), &[]);
}

#[test]
fn who_asks_for_another_coding_alters_nothing() {
    // The service weakens what it compresses itself; what is in between takes Accept-Encoding away.
    let origin = Origin::answering(|request| match request.value("Accept-Encoding") {
        Some("gzip") => answered(request, "ETag: W/\"v1\"\r\nContent-Encoding: gzip\r\nVary: Accept-Encoding\r\n", "z"),
        _ => answered(request, "ETag: \"v1\"\r\nVary: Accept-Encoding\r\n", "content"),
    });
    let gateway = server("ETag: \"v1\"\r\nVary: Accept-Encoding\r\n", "content");
    let (said, _) = diagnose(&[&url(gateway.address(), "/r"), "--direct", &url(origin.address(), "")]);
    let between = said["alterations"].as_array().unwrap().iter().filter(|one| one["known_by"] == "direct").count();
    assert_eq!(between, 0, "{said:#}");
}

#[test]
fn what_the_service_does_itself_is_not_put_on_the_gateway() {
    let itself = |request: &Message| match request.value("Accept-Encoding") {
        Some("gzip") => answered(request, "ETag: \"v1-gzip\"\r\nContent-Encoding: gzip\r\n", "z"),
        _ => answered(request, "ETag: \"v1\"\r\n", "content"),
    };
    let (gateway, origin) = (Origin::answering(itself), Origin::answering(itself));
    let put = ["-X", "PUT", "-H", "If-Match: \"v1-gzip\"", "-d", "{}", "--send"];
    let (at, direct) = (url(gateway.address(), "/r"), url(origin.address(), ""));
    let (said, _) = diagnose(&[&put[..], &[&at, "--direct", &direct]].concat());
    assert_eq!(verdict(&said), "etag-suffixed/inside-origin likely", "{said:#}");
    assert_eq!(said["verdict"]["party"], "origin");
    assert_eq!(origin.requests().iter().filter(|request| request.head.method() == "PUT").count(), 0);
}

#[test]
fn an_alteration_without_a_refusal_proves_none() {
    // Reads are not judged here, and the write is not sent: that it fails is concluded.
    let (gateway, origin) = (server("ETag: W/\"v1\"\r\n", "content"), server("ETag: \"v1\"\r\n", "content"));
    let (at, direct) = (url(gateway.address(), "/r"), url(origin.address(), ""));
    let put = ["-X", "PUT", "-H", "If-Match: W/\"v1\"", "-d", "{}", &at, "--direct", &direct];
    let (said, _) = diagnose(&put);
    assert_eq!(verdict(&said), "etag-weakened likely", "{said:#}");
    let (said, _) = diagnose(&[&put[..], &["--send"]].concat());
    assert_eq!(verdict(&said), "etag-weakened proven", "{said:#}");
}

#[test]
fn an_old_copy_that_is_refreshed_on_demand_is_proven() {
    let gateway = Origin::answering(|request| match request.value("Cache-Control") {
        Some("no-cache") => answered(request, "ETag: \"v2\"\r\n", "new"),
        _ => answered(request, "ETag: \"v1\"\r\nAge: 60\r\nVia: 1.1 varnish\r\n", "old"),
    });
    let origin = server("ETag: \"v2\"\r\n", "new");
    let (at, direct) = (url(gateway.address(), "/r"), url(origin.address(), ""));
    let put = ["-X", "PUT", "-H", "If-Match: \"v1\"", "-d", "{}", "--send", &at, "--direct", &direct];
    let (said, _) = diagnose(&put);
    assert_eq!(verdict(&said), "stale-cache proven", "{said:#}");
    assert_eq!(said["refreshed"]["same_version"], false);
}

#[test]
fn a_condition_that_is_refused_in_between_alone_is_put_there() {
    let refuses = |request: &Message| match request.value("If-Match") {
        Some(_) => "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n".to_owned(),
        None => answered(request, "ETag: \"v1\"\r\n", "content"),
    };
    let gateway = Origin::answering(refuses);
    let put = ["-X", "PUT", "-H", "If-Match: \"v1\"", "-d", "{}"];
    let at = url(gateway.address(), "/r");
    // The service judges no If-Match on reads.
    let origin = server("ETag: \"v1\"\r\n", "content");
    let (said, _) = diagnose(&[&put[..], &[&at, "--direct", &url(origin.address(), "")]].concat());
    assert_eq!(verdict(&said), "gateway-answered likely", "{said:#}");
    // It does, and lets the current tag through: what arrives is another condition.
    let origin = Origin::answering(|request| match request.value("If-Match") {
        Some(tag) if tag != "\"v1\"" => "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n".to_owned(),
        Some(_) | None => answered(request, "ETag: \"v1\"\r\n", "content"),
    });
    let (said, _) = diagnose(&[&put[..], &[&at, "--direct", &url(origin.address(), "")]].concat());
    assert_eq!(verdict(&said), "precondition-rewritten likely", "{said:#}");
}

#[test]
fn tags_that_never_stay_are_the_service() {
    let number = std::sync::atomic::AtomicU32::new(0);
    let origin = Origin::answering(move |request| {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        answered(request, &format!("ETag: \"{number}\"\r\n"), "content")
    });
    let (said, code) = diagnose(&[&url(origin.address(), "/r")]);
    assert_eq!(code, 1, "{said:#}");
    assert!(also(&said)[0].starts_with("validator-unstable"), "{said:#}");
}

#[test]
fn the_way_around_is_asked_as_the_gateway_asks_it_and_else_by_its_own_name() {
    let gateway = server("ETag: \"v1\"\r\n", "content");
    let at = url(gateway.address(), "/r");
    let origin = server("ETag: \"v1\"\r\n", "content");
    diagnose(&[&at, "--direct", &url(origin.address(), "")]);
    let host = gateway.address().to_string();
    assert!(origin.requests().iter().all(|request| request.value("Host") == Some(&host)));

    let named = Origin::answering(move |request| match request.value("Host") {
        Some(name) if name == host => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
        Some(_) | None => answered(request, "ETag: \"v1\"\r\n", "content"),
    });
    let (said, code) = diagnose(&[&at, "--direct", &url(named.address(), "")]);
    assert_eq!((code, also(&said)), (0, vec![]), "{said:#}");
    let own = named.address().to_string();
    let by_own_name = named.requests().iter().filter(|request| request.value("Host") == Some(&own)).count();
    assert!(by_own_name > 5, "the first read that failed is repeated by its own name, and the others follow");
}

#[test]
fn a_way_around_that_leads_nowhere_is_said() {
    let gateway = server("ETag: \"v1\"\r\n", "content");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (said, code) = diagnose(&[&url(gateway.address(), "/r"), "--direct", &url(nobody, "")]);
    assert_eq!(code, 1);
    assert!(said["obstacles"].to_string().contains("takes no connection"), "{said:#}");
}

#[test]
fn a_resource_that_is_not_there_is_no_version() {
    let origin = Origin::always("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    let (said, code) = diagnose(&["-X", "PUT", "-H", "If-Match: \"v1\"", "-d", "{}", &url(origin.address(), "/r")]);
    assert_eq!((verdict(&said), code), ("missing-resource likely".to_owned(), 1), "{said:#}");
}
