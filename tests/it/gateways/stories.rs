//! What people live through with gateways, and what an instance must say of it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::{
    ALL, HAPROXY_COMPRESSION, HTTPD_DEFLATE, HTTPD_PLAIN, NGINX_CACHE, NGINX_GZIP, NGINX_KEEPALIVE, NGINX_PLAIN,
    PLACES, Path, Place, Setup,
};
use crate::harness::instance::Instance;
use crate::harness::message::{Head, Message};
use crate::harness::origin::Origin;
use crate::harness::versioned;
use crate::harness::wire::Wire;

/// The cause of the only 412.
#[track_caller]
fn cause_of_the_412(path: &Path) -> String {
    let record = path.instance.record_of_412("PUT");
    let diagnosis = &record["diagnosis"];
    let filled = |value: &Value| value.as_array().is_some_and(|list| !list.is_empty());
    assert!(filled(&diagnosis["evidence"]), "a verdict says how it is known: {record:#}");
    assert!(filled(&diagnosis["fix"]), "a verdict says what to do: {record:#}");
    diagnosis["cause"].as_str().expect("a cause").to_owned()
}

#[test]
fn clean_traffic_yields_no_record() {
    for setup in ALL {
        for place in PLACES {
            let path = Path::through(setup, place);
            let read = path.ask("anna", "GET /orders/7", "");
            assert_eq!(read.value("ETag"), Some("\"v1\""), "{}", setup.name);
            assert_eq!(path.ask("bert", "GET /orders/7", "If-None-Match: \"v1\"").status(), 304);
            assert_eq!(path.ask("anna", "HEAD /orders/7", "").status(), 200);
            assert_eq!(path.ask("anna", "PUT /orders/8", "").status(), 204);
            assert_eq!(path.ask("anna", "DELETE /orders/8", "").status(), 204);
            assert_eq!(path.ask("anna", "GET /orders/8", "").status(), 404);
            assert_eq!(path.ask("bert", "PUT /orders/8", "If-None-Match: *").status(), 204);
            assert_eq!(path.ask("anna", "PUT /orders/7", "If-Match: \"v1\"").status(), 204);

            let records = path.instance.settled_records();
            assert!(records.is_empty(), "{place:?} of {}: {records:#?}", setup.name);
        }
    }
}

#[test]
fn a_faithful_read_modify_write_succeeds_without_compression() {
    for setup in ALL {
        for place in PLACES {
            let path = Path::through(setup, place);
            let tag = path.ask("anna", "GET /orders/7", "").value("ETag").expect("a tag").to_owned();
            let written = path.ask("anna", "PUT /orders/7", &format!("If-Match: {tag}"));

            assert_eq!(written.status(), 204, "{place:?} of {}", setup.name);
            path.instance.assert_silent();
        }
    }
}

/// Reads and writes as a browser does, and gives the tag that was refused.
fn refused_with_compression(path: &Path, setup: &Setup) -> String {
    let read = path.ask("anna", "GET /orders/7", "Accept-Encoding: gzip");
    let tag = read.value("ETag").expect("a tag").to_owned();
    let written = path.ask("anna", "PUT /orders/7", &format!("Accept-Encoding: gzip\nIf-Match: {tag}"));
    assert_eq!(written.status(), 412, "{}: nobody can save through this", setup.name);
    tag
}

#[test]
fn with_compression_in_nginx_or_haproxy_nobody_can_save_because_the_tag_was_weakened() {
    for setup in [&NGINX_GZIP, &HAPROXY_COMPRESSION] {
        for place in PLACES {
            let path = Path::through(setup, place);
            assert_eq!(refused_with_compression(&path, setup), "W/\"v1\"");

            assert_eq!(cause_of_the_412(&path), "etag-weakened", "{place:?} of {}", setup.name);
        }
    }
}

#[test]
fn with_mod_deflate_in_httpd_nobody_can_save_because_the_tag_was_suffixed() {
    for place in PLACES {
        let path = Path::through(&HTTPD_DEFLATE, place);
        assert_eq!(refused_with_compression(&path, &HTTPD_DEFLATE), "\"v1-gzip\"");

        assert_eq!(cause_of_the_412(&path), "etag-suffixed", "{place:?}");
    }
}

#[test]
fn somebody_else_wrote_in_between() {
    for setup in ALL {
        for place in PLACES {
            let path = Path::through(setup, place);
            for user in ["anna", "bert"] {
                assert_eq!(path.ask(user, "GET /orders/7", "").value("ETag"), Some("\"v1\""));
            }
            assert_eq!(path.ask("bert", "PUT /orders/7", "If-Match: \"v1\"").status(), 204);
            assert_eq!(path.ask("anna", "PUT /orders/7", "If-Match: \"v1\"").status(), 412);

            assert_eq!(cause_of_the_412(&path), "concurrent-update", "{place:?} of {}", setup.name);
            let record = path.instance.record_of_412("PUT");
            assert_eq!(record["diagnosis"]["party"], "other-client");
            assert_eq!(path.instance.settled_records().len(), 1, "only the refusal is worth a record");
        }
    }
}

#[test]
fn the_same_client_that_forgot_its_own_write_is_nobody_else() {
    for setup in [&NGINX_PLAIN, &HTTPD_PLAIN] {
        for place in PLACES {
            let path = Path::through(setup, place);
            path.ask("anna", "GET /orders/7", "");
            assert_eq!(path.ask("anna", "PUT /orders/7", "If-Match: \"v1\"").status(), 204);
            assert_eq!(path.ask("anna", "PUT /orders/7", "If-Match: \"v1\"\nX-Attempt: 2").status(), 412);

            let cause = cause_of_the_412(&path);
            assert!(
                ["retry-after-applied", "stale-validator"].contains(&cause.as_str()),
                "{place:?} of {}: {cause}",
                setup.name
            );
        }
    }
}

#[test]
fn an_old_copy_in_a_cache_is_not_blamed_on_whoever_wrote() {
    let path = Path::through(&NGINX_CACHE, Place::Front);
    assert_eq!(path.ask("anna", "GET /orders/7", "").value("ETag"), Some("\"v1\""));
    assert_eq!(path.ask("bert", "PUT /orders/7", "If-Match: \"v1\"").status(), 204);
    // Read after the write, and yet the old version: out of the store.
    assert_eq!(path.ask("anna", "GET /orders/7", "").value("ETag"), Some("\"v1\""));
    assert_eq!(path.ask("anna", "PUT /orders/7", "If-Match: \"v1\"").status(), 412);

    assert_eq!(cause_of_the_412(&path), "stale-cache");
}

#[test]
fn a_write_that_the_gateway_sent_again_is_known_for_what_it_is() {
    // Applies the first write and closes without a word; judges what comes after by what is there then. Each request has
    // a connection of its own, for the close of a reused one would not be held against the origin.
    let applied = AtomicBool::new(false);
    let origin = Origin::serving(move |wire, log| {
        if let Some(request) = wire.request() {
            log.push(&request);
            let (etag, body) = if applied.load(Ordering::SeqCst) { ("\"v2\"", "two") } else { ("\"v1\"", "one") };
            let answer = match (request.head.method(), request.value("If-Match")) {
                ("PUT", Some("\"v1\"")) if !applied.swap(true, Ordering::SeqCst) => return,
                ("PUT", _) => format!("HTTP/1.1 412 Precondition Failed\r\nETag: {etag}\r\nContent-Length: 0\r\n\r\n"),
                _ => format!("HTTP/1.1 200 OK\r\nETag: {etag}\r\nContent-Length: 3\r\n\r\n{body}"),
            };
            wire.send(answer.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
        }
    });
    // What closes without an answer has to look so to the gateway, or it would not send again.
    let instance = Instance::configured(&format!(
        "[upstream.api]\nurl = \"http://{}\"\non_upstream_failure = \"mirror\"\n",
        origin.address()
    ));
    let nginx = (NGINX_KEEPALIVE.start)(instance.address());
    let ask = |request: &str| Wire::to(nginx.address()).ask(request);

    // Several reads, so that nginx has a connection to reuse.
    for _ in 0..3 {
        assert_eq!(ask("GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\n\r\n").value("ETag"), Some("\"v1\""));
    }
    let written =
        ask("PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Basic YW5uYTp4\r\nIf-Match: \"v1\"\r\n\
         Content-Length: 3\r\n\r\ntwo");

    let puts = origin.requests().iter().filter(|request| request.head.method() == "PUT").count();
    assert_eq!((written.status(), puts), (412, 2), "nginx sends a PUT again on a kept connection that closes");
    let record = instance.record_of_412("PUT");
    assert_eq!(record["diagnosis"]["cause"], "retry-after-applied", "{record:#}");
}

#[test]
fn an_instance_changes_nothing_about_what_the_gateway_does() {
    for setup in ALL {
        let origin = versioned::origin();
        let gateway = (setup.start)(origin.address());
        let alone = read_zipped(gateway.address());

        for place in PLACES {
            let path = Path::through(setup, place);
            assert_eq!(read_zipped(path.entry), alone, "{place:?} of {}", setup.name);
            let (with, without) = (path.origin.only_request(), origin.only_request());
            let shown = |request: &Message| by_name(&request.head, &["Host", "X-Forwarded-Host", "Connection"]);
            assert_eq!(shown(&with), shown(&without), "{place:?} of {}: what the origin got", setup.name);
        }
    }
}

/// A read as a browser does it: the status line, the fields that do not change from one answer to the next, the body.
fn read_zipped(entry: SocketAddr) -> (String, Vec<String>, Vec<u8>) {
    let read = Wire::to(entry).ask("GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\nAccept-Encoding: gzip\r\n\r\n");
    let fields = by_name(&read.head, &["Date", "Connection", "Keep-Alive"]);
    (read.head.start, fields, read.body)
}

fn by_name(head: &Head, without: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = head.lines_without(without).into_iter().map(str::to_owned).collect();
    lines.sort();
    lines
}
