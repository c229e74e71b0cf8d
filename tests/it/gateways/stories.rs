//! What people live through with gateways, and what an instance must say of it.

use std::net::SocketAddr;

use serde_json::Value;

use super::{
    ALL, HTTPD_DEFLATE, HTTPD_PLAIN, NGINX_CACHE, NGINX_GZIP, NGINX_KEEPALIVE, NGINX_PLAIN, PLACES, Path, Setup,
};
use crate::harness::message::{Head, Message};
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
fn with_gzip_in_nginx_nobody_can_save_because_the_tag_was_weakened() {
    for place in PLACES {
        let path = Path::through(&NGINX_GZIP, place);
        assert_eq!(refused_with_compression(&path, &NGINX_GZIP), "W/\"v1\"");

        assert_eq!(cause_of_the_412(&path), "etag-weakened", "{place:?}");
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
    for setup in [&NGINX_PLAIN, &NGINX_KEEPALIVE, &NGINX_GZIP, &NGINX_CACHE, &HTTPD_PLAIN, &HTTPD_DEFLATE] {
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
