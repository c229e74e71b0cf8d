//! Real gateways carry what the pair says, and work with it as they do without.

use super::{SECRET, Secret, assert_nothing_of_ours, instance, pairing, put};
use crate::harness::gateway::Gateway;
use crate::harness::message::Message;
use crate::harness::origin::Origin;
use crate::harness::wire::Wire;

/// Refuses with a head of about the size that the target names.
fn origin() -> Origin {
    Origin::answering(|request| {
        let size: usize = request.head.target().trim_start_matches('/').parse().unwrap_or(0);
        format!(
            "HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nX-Large: {}\r\nContent-Length: 4\r\n\r\nnope",
            "x".repeat(size)
        )
    })
}

/// The answer by way of a pair around the gateway, and by the bare gateway.
#[track_caller]
fn check(gateway: impl Fn(std::net::SocketAddr) -> Gateway, requests: impl Iterator<Item = String>) -> f64 {
    let origin = origin();
    let secret = Secret::new(&[SECRET]);
    let inner = instance("inner", &origin.address().to_string(), Some(&secret));
    let (between, bare) = (gateway(inner.address()), gateway(origin.address()));
    let outer = instance("outer", &between.address().to_string(), Some(&secret));
    let shown = |message: &Message| {
        let lines: Vec<String> =
            message.head.lines_without(&["Date", "Connection", "Keep-Alive"]).into_iter().map(str::to_owned).collect();
        (message.status(), lines, message.text())
    };
    for request in requests {
        let with = outer.ask(&request);
        let without = Wire::to(bare.address()).ask(&request);
        assert_nothing_of_ours(&with);
        assert_eq!(shown(&with), shown(&without), "{request}");
    }
    assert_eq!(pairing(&outer, "unauthentic") + pairing(&inner, "unauthentic"), 0.0);
    pairing(&outer, "report")
}

#[test]
fn nginx_answers_every_head_that_it_can_answer_without_us() {
    let sizes = (2800..4200).step_by(50);
    let requests = sizes.map(|size| format!("GET /{size} HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v1\"\r\n\r\n"));
    let reports = check(|upstream| Gateway::nginx("", "", upstream), requests);
    assert!(reports > 10.0, "{reports} reports");
}

#[test]
fn httpd_and_haproxy_carry_marks_and_reports() {
    let requests = || std::iter::repeat_with(|| put("If-Match: W/\"v1\"\r\nIf-Match: \"v0\"\r\n")).take(3);
    assert_eq!(check(|upstream| Gateway::httpd(&[], "", upstream), requests()), 3.0);
    assert_eq!(check(|upstream| Gateway::haproxy("", upstream), requests()), 3.0);
}

#[test]
fn an_http_2_side_of_a_gateway_changes_nothing() {
    // HAProxy speaks HTTP/2 to the inner instance.
    let origin = origin();
    let secret = Secret::new(&[SECRET]);
    let inner = instance("inner", &origin.address().to_string(), Some(&secret));
    let gateway = Gateway::haproxy(
        &format!("server http2 {} proto h2\n  use-server http2 if TRUE", inner.address()),
        inner.address(),
    );
    let outer = instance("outer", &gateway.address().to_string(), Some(&secret));
    let answer = outer.ask(put("If-Match: W/\"v1\",  \"v0\"\r\n"));
    assert_eq!(answer.text(), "nope");
    assert_nothing_of_ours(&answer);
    let arrived = origin.only_request();
    assert_nothing_of_ours(&arrived);
    assert_eq!(arrived.value("If-Match"), Some("W/\"v1\",  \"v0\""));
    assert_eq!(pairing(&outer, "report"), 1.0);
    assert_eq!(inner.record_of_412("PUT")["far_side"]["exchange"], outer.record_of_412("PUT")["id"]);
    assert_eq!(inner.record_of_412("PUT")["request"]["version"], "HTTP/2");
}
