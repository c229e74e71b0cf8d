//! Two instances around a real gateway: what left is compared with what arrived, and what one alone could only take for
//! likely is proven.

use std::fs;

use super::{ALL, HAPROXY_COMPRESSION, HTTPD_DEFLATE, NGINX_GZIP, Setup};
use crate::harness::gateway::Gateway;
use crate::harness::instance::Instance;
use crate::harness::message::Message;
use crate::harness::origin::Origin;
use crate::harness::versioned;

/// Client, outer instance, gateway, inner instance, origin.
struct Pair {
    outer: Instance,
    inner: Instance,
    origin: Origin,
    _gateway: Gateway,
}

impl Pair {
    fn around(setup: &Setup) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let secret = directory.path().join("pair.secret");
        fs::write(&secret, "a secret of a test, which is at least thirty-two bytes long\n").unwrap();
        let secret = secret.to_str().unwrap();
        let instance = |role, upstream| {
            let url = format!("http://{upstream}");
            Instance::with(&["--role", role, "--secret-file", secret, "--upstream", &url], None)
        };
        let origin = versioned::origin();
        let inner = instance("inner", origin.address());
        let gateway = (setup.start)(inner.address());
        let outer = instance("outer", gateway.address());
        Self { outer, inner, origin, _gateway: gateway }
    }

    fn ask(&self, line: &str, fields: &str) -> Message {
        self.outer.ask(format!(
            "{line} HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Basic YW5uYTpzZWNyZXQ=\r\n{fields}Content-Length: 0\r\n\r\n"
        ))
    }
}

#[test]
fn what_a_compressor_did_to_a_tag_is_proven() {
    for (setup, tag, cause) in [
        (&NGINX_GZIP, "W/\"v1\"", "etag-weakened"),
        (&HAPROXY_COMPRESSION, "W/\"v1\"", "etag-weakened"),
        (&HTTPD_DEFLATE, "\"v1-gzip\"", "etag-suffixed"),
    ] {
        let pair = Pair::around(setup);
        let read = pair.ask("GET /orders/7", "Accept-Encoding: gzip\r\n");
        assert_eq!(read.value("ETag"), Some(tag), "{}", setup.name);
        assert_eq!(pair.ask("PUT /orders/7", &format!("If-Match: {tag}\r\n")).status(), 412);

        let record = pair.outer.record_of_412("PUT");
        assert_eq!(record["diagnosis"]["cause"], cause, "{}: {record:#}", setup.name);
        assert_eq!(record["diagnosis"]["confidence"], "proven", "{}: {record:#}", setup.name);
        assert_eq!(record["far_side"]["status"], 412, "{}: {record:#}", setup.name);
    }
}

#[test]
fn clean_traffic_yields_no_record_on_either_side_and_nobody_else_sees_the_marks() {
    for setup in ALL {
        let pair = Pair::around(setup);
        let answers = [
            pair.ask("GET /orders/7", ""),
            pair.ask("GET /orders/7", "If-None-Match: \"v1\"\r\n"),
            pair.ask("HEAD /orders/7", ""),
            pair.ask("PUT /orders/7", "If-Match: \"v1\"\r\n"),
            pair.ask("PUT /orders/8", ""),
            pair.ask("DELETE /orders/8", ""),
        ];

        assert_eq!(answers.each_ref().map(Message::status), [200, 304, 200, 204, 204, 204], "{}", setup.name);
        for message in answers.iter().chain(&pair.origin.requests()) {
            let own = message.head.lines.iter().any(|line| line.to_ascii_lowercase().starts_with("why412"));
            assert!(!own, "{}: {message:?}", setup.name);
        }
        for instance in [&pair.outer, &pair.inner] {
            let records = instance.settled_records();
            assert!(records.is_empty(), "{}: {records:#?}", setup.name);
        }
    }
}
