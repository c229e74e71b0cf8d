//! What Prometheus reads.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::harness::gateway::program;
use crate::harness::instance::Instance;
use crate::harness::versioned;

#[test]
fn promtool_accepts_the_metrics() {
    let origin = versioned::origin();
    let instance = Instance::before(origin.address());
    instance.ask("GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    instance.ask("PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\nIf-Match: nonsense\r\nContent-Length: 0\r\n\r\n");
    instance.record_of_412("PUT");
    let answer = instance.control("GET /metrics");
    assert!(answer.value("Content-Type").unwrap().starts_with("text/plain; version=0.0.4"), "{:?}", answer.head);

    let mut promtool = Command::new(program("promtool"))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(&answer.body).unwrap();
    let output = promtool.wait_with_output().unwrap();

    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}\n{}", answer.text());
}

#[test]
fn a_refusal_is_counted_once_by_cause_and_confidence() {
    let origin = versioned::origin();
    let instance = Instance::before(origin.address());
    instance.ask("PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\nIf-Match: v1\r\nContent-Length: 0\r\n\r\n");
    let record = instance.record_of_412("PUT");

    let confidence = record["diagnosis"]["confidence"].as_str().unwrap();
    instance.assert_metric(
        &format!(
            "why412_precondition_failed_total{{cause=\"malformed-precondition\",confidence=\"{confidence}\",route=\"default\"}}"
        ),
        1.0,
    );
    instance.assert_metric("why412_requests_total{code=\"412\",method=\"PUT\",route=\"default\"}", 1.0);
    instance.assert_metric("why412_conditional_requests_total{field=\"if-match\",route=\"default\"}", 1.0);
    assert_eq!(instance.metric("why412_exchanges_in_flight"), 0.0);
}

#[test]
fn exemplars_are_given_to_who_asks_for_openmetrics() {
    let origin = versioned::origin();
    let instance = Instance::before(origin.address());
    instance.ask("PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\nIf-Match: v1\r\nContent-Length: 0\r\n\r\n");
    let record = instance.record_of_412("PUT");

    let answer = crate::harness::wire::Wire::to(instance.admin()).ask(format!(
        "GET /metrics HTTP/1.1\r\nHost: {}\r\nAccept: application/openmetrics-text; version=1.0.0\r\n\
         Connection: close\r\n\r\n",
        instance.admin()
    ));

    assert!(answer.value("Content-Type").unwrap().starts_with("application/openmetrics-text"));
    let text = answer.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let id = record["id"].as_str().unwrap();
    let exemplar = format!("# {{exchange_id=\"{id}\"}}");
    assert!(
        text.lines().any(|line| line.starts_with("why412_precondition_failed_total{") && line.contains(&exemplar)),
        "{text}"
    );
}
