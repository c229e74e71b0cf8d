//! What a pair says of real gateways. The truth is what the client and the origin saw.

use serde_json::Value;
use tempfile::TempDir;

use super::setups::{
    HAPROXY_CACHE, HAPROXY_DROPS, HTTPD_CACHE, HTTPD_NO_CHANGE, HTTPD_REMOVE, NGINX_CACHE_GZIP, NGINX_DROPS, VARNISH,
    VARNISH_GZIP, VARNISH_PASS,
};
use super::{
    ALL, HAPROXY_COMPRESSION, HAPROXY_PLAIN, HTTPD_DEFLATE, HTTPD_PLAIN, NGINX_CACHE, NGINX_GZIP, NGINX_KEEPALIVE,
    NGINX_PLAIN, Setup,
};
use crate::harness::gateway::Gateway;
use crate::harness::instance::Instance;
use crate::harness::message::Message;
use crate::harness::origin::Origin;
use crate::harness::versioned;
use crate::harness::wire::Wire;

const CACHES: [&Setup; 5] = [&NGINX_CACHE, &NGINX_CACHE_GZIP, &HTTPD_CACHE, &HAPROXY_CACHE, &VARNISH];

/// Those that alter nothing, and drop nothing, of what a client without Accept-Encoding exchanges.
fn faithful() -> impl Iterator<Item = &'static Setup> {
    let more =
        [&NGINX_CACHE_GZIP, &HTTPD_NO_CHANGE, &HTTPD_REMOVE, &HTTPD_CACHE, &HAPROXY_CACHE, &VARNISH, &VARNISH_PASS];
    ALL.into_iter().chain(more)
}

/// A gateway between two instances, before an origin that judges strictly.
struct Around {
    name: &'static str,
    outer: Instance,
    inner: Instance,
    origin: Origin,
    _gateway: Gateway,
    _secret: TempDir,
}

impl Around {
    fn of(setup: &Setup) -> Self {
        Self::before(setup, versioned::origin())
    }

    fn before(setup: &Setup, origin: Origin) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let secret = directory.path().join("pair.secret");
        std::fs::write(&secret, "a-secret-of-the-tests-that-is-long-enough-0\n").expect("writing the secret");
        // Credentials would keep shared caches from storing (RFC 9111 §3.5).
        let file = |role: &str, upstream: std::net::SocketAddr| {
            format!(
                "[pairing]\nrole = \"{role}\"\nsecret_file = \"{}\"\n[client]\nfield = \"x-user\"\n\
                 [upstream.api]\nurl = \"http://{upstream}\"\n",
                secret.display()
            )
        };
        let inner = Instance::configured(&file("inner", origin.address()));
        let gateway = (setup.start)(inner.address());
        let outer = Instance::configured(&file("outer", gateway.address()));
        Self { name: setup.name, outer, inner, origin, _gateway: gateway, _secret: directory }
    }

    /// Sends a request of one user: `ask("anna", "GET /orders/7", "Accept-Encoding: gzip")`.
    fn ask(&self, user: &str, line: &str, fields: &str) -> Message {
        let fields: String = fields.lines().map(|line| format!("{}\r\n", line.trim())).collect();
        let body = if line.starts_with("PUT") { "Content-Length: 16\r\n\r\n{\"changed\":true}" } else { "\r\n" };
        let answer = self.outer.ask(format!("{line} HTTP/1.1\r\nHost: shop.test\r\nX-User: {user}\r\n{fields}{body}"));
        let ours = |line: &String| line.to_ascii_lowercase().starts_with("why412");
        assert!(!answer.head.lines.iter().any(ours), "{}: {answer:#?}", self.name);
        assert!(!self.origin.requests().iter().any(|request| request.head.lines.iter().any(ours)), "{}", self.name);
        answer
    }

    #[track_caller]
    fn assert_silent(&self) {
        for instance in [&self.outer, &self.inner] {
            let records = instance.settled_records();
            assert!(records.is_empty(), "{}: {records:#?}", self.name);
        }
    }

    /// The verdict of the outer instance on the only 412: cause, detail, confidence.
    #[track_caller]
    fn verdict(&self) -> (String, Value, String) {
        let records = self.outer.settled_records();
        let refused: Vec<_> = records.iter().filter(|record| !record["diagnosis"].is_null()).collect();
        assert_eq!(refused.len(), 1, "{}: {records:#?}", self.name);
        let diagnosis = &refused[0]["diagnosis"];
        let text = |key: &str| diagnosis[key].as_str().expect("a text").to_owned();
        (text("cause"), diagnosis["detail"].clone(), text("confidence"))
    }

    /// Every alteration that the outer instance recorded, as `on field change`.
    fn alterations(&self) -> Vec<String> {
        let records = self.outer.settled_records();
        let each = records.iter().flat_map(|record| record["alterations"].as_array().expect("a list"));
        let shown = |one: &Value| {
            let text = |key: &str| one[key].as_str().expect("a text");
            assert_eq!(text("known_by"), "pairing", "{}", self.name);
            format!("{} {} {}", text("on"), text("field"), text("change"))
        };
        let mut all: Vec<_> = each.map(shown).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Hazards of the outer instance, as `hazard confidence`.
    fn hazards(&self) -> Vec<String> {
        let records = self.outer.settled_records();
        let each = records.iter().flat_map(|record| record["hazards"].as_array().expect("a list"));
        let shown = |one: &Value| {
            format!("{} {}", one["hazard"].as_str().expect("a text"), one["confidence"].as_str().expect("a text"))
        };
        each.map(shown).collect()
    }
}

#[test]
fn clean_traffic_yields_no_record() {
    for setup in faithful() {
        let around = Around::of(setup);
        let read = around.ask("anna", "GET /orders/7", "");
        assert_eq!(read.value("ETag"), Some("\"v1\""), "{}", setup.name);
        assert_eq!(around.ask("bert", "GET /orders/7", "If-None-Match: \"v1\"").status(), 304);
        assert_eq!(around.ask("anna", "HEAD /orders/7", "").status(), 200);
        assert_eq!(around.ask("bert", "GET /orders/7", "").value("ETag"), Some("\"v1\""));
        assert_eq!(
            around.ask("anna", "GET /orders/9", "If-Modified-Since: Tue, 05 Mar 2024 10:00:01 GMT").status(),
            304
        );
        assert_eq!(around.ask("anna", "PUT /orders/8", "").status(), 204, "{}", setup.name);
        assert_eq!(around.ask("anna", "DELETE /orders/8", "").status(), 204);
        assert_eq!(around.ask("anna", "GET /orders/8", "").status(), 404);
        assert_eq!(around.ask("bert", "PUT /orders/8", "If-None-Match: *").status(), 204);
        assert_eq!(around.ask("anna", "PUT /orders/7", "If-Match: \"v1\"").status(), 204);
        around.assert_silent();
    }
}

#[test]
fn compression_is_proven_to_have_changed_the_tag() {
    let table = [
        (&NGINX_GZIP, "W/\"v1\"", "etag-weakened", "response etag weakened"),
        (&NGINX_CACHE_GZIP, "W/\"v1\"", "etag-weakened", "response etag weakened"),
        (&HAPROXY_COMPRESSION, "W/\"v1\"", "etag-weakened", "response etag weakened"),
        (&VARNISH_GZIP, "W/\"v1\"", "etag-weakened", "response etag weakened"),
        (&HTTPD_DEFLATE, "\"v1-gzip\"", "etag-suffixed", "response etag suffixed"),
    ];
    for (setup, tag, cause, alteration) in table {
        let around = Around::of(setup);
        let read = around.ask("anna", "GET /orders/7", "Accept-Encoding: gzip");
        assert_eq!(read.value("ETag"), Some(tag), "{}", setup.name);
        let written = around.ask("anna", "PUT /orders/7", &format!("Accept-Encoding: gzip\nIf-Match: {tag}"));
        assert_eq!(written.status(), 412, "{}", setup.name);

        let (found, _, confidence) = around.verdict();
        assert_eq!((found.as_str(), confidence.as_str()), (cause, "proven"), "{}", setup.name);
        assert_eq!(around.alterations(), [alteration], "{}", setup.name);
        assert_eq!(around.outer.record_of_412("PUT")["far_side"]["status"], 412, "{}", setup.name);
    }
}

#[test]
fn a_tag_that_compression_removes_is_an_alteration_and_one_that_it_keeps_is_none() {
    let around = Around::of(&HTTPD_REMOVE);
    assert_eq!(around.ask("anna", "GET /orders/7", "Accept-Encoding: gzip").value("ETag"), None);
    assert_eq!(around.alterations(), ["response etag stripped"]);

    let around = Around::of(&HTTPD_NO_CHANGE);
    let tag = around.ask("anna", "GET /orders/7", "Accept-Encoding: gzip").value("ETag").map(str::to_owned);
    assert_eq!(tag.as_deref(), Some("\"v1\""));
    assert_eq!(around.ask("anna", "PUT /orders/7", "If-Match: \"v1\"").status(), 204);
    assert_eq!(around.alterations(), [""; 0]);
}

#[test]
fn somebody_elses_write_is_proven_and_no_gateway_accused() {
    for setup in faithful() {
        let around = Around::of(setup);
        for user in ["anna", "bert"] {
            assert_eq!(around.ask(user, "GET /orders/7", "").value("ETag"), Some("\"v1\""));
        }
        assert_eq!(around.ask("bert", "PUT /orders/7", "If-Match: \"v1\"").status(), 204);
        assert_eq!(around.ask("anna", "PUT /orders/7", "If-Match: \"v1\"").status(), 412);
        let (cause, _, confidence) = around.verdict();
        assert_eq!((cause.as_str(), confidence.as_str()), ("concurrent-update", "proven"), "{}", setup.name);
        assert_eq!(around.alterations(), [""; 0], "{}", setup.name);
        assert_eq!(around.outer.settled_records().len(), 1, "{}", setup.name);
    }
}

#[test]
fn an_old_copy_that_a_store_gave_out_after_the_write_is_proven() {
    let mut stale = 0;
    for setup in CACHES {
        let around = Around::of(setup);
        assert_eq!(around.ask("anna", "GET /orders/7", "").value("ETag"), Some("\"v1\""));
        assert_eq!(around.ask("bert", "PUT /orders/7", "If-Match: \"v1\"").status(), 204);
        let answer = around.ask("anna", "GET /orders/7", "");
        let read = answer.value("ETag").unwrap_or_else(|| panic!("{}: {answer:?}", setup.name)).to_owned();
        let written = around.ask("anna", "PUT /orders/7", &format!("If-Match: {read}"));
        if read == "\"v2\"" {
            // This one lets go of what is written through it, or stored nothing.
            assert_eq!(written.status(), 204, "{}", setup.name);
            around.assert_silent();
            continue;
        }
        stale += 1;
        assert_eq!(written.status(), 412, "{}", setup.name);
        let (cause, _, confidence) = around.verdict();
        assert_eq!((cause.as_str(), confidence.as_str()), ("stale-cache", "proven"), "{}", setup.name);
        assert_eq!(around.hazards(), ["stale-response proven"], "{}", setup.name);
        assert_eq!(around.alterations(), [""; 0], "{}", setup.name);
    }
    assert!(stale >= 2, "nginx and Varnish, as shipped, keep what is written through them");
}

#[test]
fn a_condition_that_the_gateway_judges_by_itself_is_not_the_origins_refusal() {
    for setup in CACHES {
        let around = Around::of(setup);
        around.ask("anna", "GET /orders/7", "");
        let before = around.origin.requests().len();
        let status = around.ask("anna", "GET /orders/7", "If-Match: \"v0\"").status();
        let reached = around.origin.requests().len() > before;
        match (status, reached) {
            (412, false) => {
                let (cause, _, confidence) = around.verdict();
                assert_eq!(cause, "gateway-answered", "{}", setup.name);
                assert_ne!(confidence, "possible", "{}", setup.name);
            }
            // It was asked, and refused.
            (412, true) => assert_ne!(around.verdict().0, "gateway-answered", "{}", setup.name),
            // The copy was given as if nothing had been asked.
            (200, _) => {}
            other => panic!("{}: {other:?}", setup.name),
        }
    }
}

#[test]
fn two_lines_of_one_condition_are_altered_exactly_where_they_arrive_as_one() {
    for setup in [&NGINX_PLAIN, &HTTPD_PLAIN, &HAPROXY_PLAIN, &VARNISH, &VARNISH_PASS] {
        let around = Around::of(setup);
        let status = around.ask("anna", "PUT /orders/7", "If-Match: \"v0\"\nIf-Match: \"v1\"").status();
        let arrived = around.origin.requests().pop().map(|request| request.head.values("If-Match").len());
        let expected: &[&str] = match (status, arrived) {
            // Refused at the door.
            (400, None) => &[],
            (204, Some(2)) => &[],
            (204, Some(1)) => &["request if-match merged"],
            other => panic!("{}: {other:?}", setup.name),
        };
        assert_eq!(around.alterations(), expected, "{}", setup.name);
        assert_eq!(around.hazards(), [""; 0], "{}", setup.name);
    }
}

#[test]
fn a_precondition_that_never_arrives_is_proven_to_be_dropped() {
    for setup in [&NGINX_DROPS, &HAPROXY_DROPS] {
        let around = Around::of(setup);
        assert_eq!(around.ask("anna", "PUT /orders/7", "If-Match: \"v0\"").status(), 204, "{}", setup.name);
        assert_eq!(around.origin.only_request().value("If-Match"), None);
        assert_eq!(around.hazards(), ["precondition-dropped proven"], "{}", setup.name);
        assert_eq!(around.alterations(), ["request if-match stripped"], "{}", setup.name);
    }
}

#[test]
fn a_write_that_the_gateway_sends_again_is_the_gateways_repetition() {
    // Applies the first write and closes without a word. Each request has a connection of its own, for the close of a
    // reused one would not be held against the origin.
    let origin = Origin::serving(|wire, log| {
        if let Some(request) = wire.request() {
            log.push(&request);
            if request.head.method() != "PUT" {
                wire.send("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
            } else if log.count("PUT") > 1 {
                wire.send("HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nContent-Length: 0\r\n\r\n");
            }
        }
    });
    let around = Around::before(&NGINX_KEEPALIVE, origin);
    for _ in 0..3 {
        assert_eq!(around.ask("anna", "GET /orders/7", "").status(), 200);
    }
    assert_eq!(around.ask("anna", "PUT /orders/7", "If-Match: \"v1\"").status(), 412);
    let puts = around.origin.requests().iter().filter(|request| request.head.method() == "PUT").count();
    assert_eq!(puts, 2, "nginx sends a PUT again on a kept connection that closes");
    let (cause, detail, confidence) = around.verdict();
    assert_eq!((cause.as_str(), &detail), ("retry-after-applied", &Value::from("by-gateway")));
    assert_ne!(confidence, "possible");
}

#[test]
fn a_bypass_that_a_cache_does_not_obey_is_seen() {
    let around = Around::of(&NGINX_CACHE);
    around.ask("anna", "GET /orders/7", "");
    let begun = around.outer.control_with("PUT /api/v1/bypass", "{\"for\":\"15m\"}");
    assert!((200..300).contains(&begun.status()), "{begun:?}");
    around.ask("anna", "GET /orders/7", "");
    assert_eq!(around.origin.requests().len(), 1, "nginx answers out of its store all the same");
    assert_eq!(around.hazards(), ["bypass-disobeyed proven"]);
    around.ask("anna", "GET /orders/8", "");
    around.outer.control("DELETE /api/v1/bypass");
    around.ask("anna", "GET /orders/8", "");
    let reads = around.origin.requests().iter().filter(|request| request.head.target() == "/orders/8").count();
    assert_eq!(reads, 2, "what came under the bypass was not stored");
}

#[test]
fn a_cache_that_confirms_or_refills_its_copy_alters_nothing() {
    for setup in CACHES {
        let around = Around::of(setup);
        for (user, fields) in [
            ("anna", ""),
            ("bert", "Cache-Control: max-age=0"),
            ("anna", "If-None-Match: \"v1\""),
            ("anna", "Cache-Control: no-cache"),
            ("bert", "Cache-Control: max-age=0\nIf-None-Match: \"v1\""),
            ("bert", "If-Modified-Since: Tue, 05 Mar 2024 10:00:01 GMT"),
            ("anna", "Range: bytes=0-9\nIf-Range: \"v1\""),
            ("anna", "If-None-Match: \"v0\""),
        ] {
            let status = around.ask(user, "GET /orders/7", fields).status();
            assert!(matches!(status, 200 | 206 | 304), "{}: {status} to {fields}", setup.name);
        }
        // The origin changes on another way; whoever asks past the store is given the new version.
        let put = "PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(Wire::to(around.origin.address()).ask(put).status(), 204);
        let read = around.ask("anna", "GET /orders/7", "Cache-Control: no-cache");
        if read.value("ETag") == Some("\"v2\"") {
            assert_eq!(around.ask("anna", "PUT /orders/7", "If-Match: \"v2\"").status(), 204, "{}", setup.name);
        }
        around.assert_silent();
    }
}
