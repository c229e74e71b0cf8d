//! Probes: after a 412 the current validators are asked for, and the verdict is judged again by what they are.

mod operator;
mod pair;
mod rules;
mod verdicts;

use serde_json::Value;

use crate::harness::instance::Instance;
use crate::harness::message::Message;
use crate::harness::origin::Origin;

/// A refused write with these fields beside.
fn put(fields: &str) -> String {
    format!("PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\n{fields}Content-Length: 0\r\n\r\n")
}

/// A configuration with one route.
fn configured(upstream: &str, route: &str) -> String {
    format!("[upstream.api]\n{upstream}\n[[route]]\nname = \"orders\"\npath = \"/{{*rest}}\"\n{route}\n")
}

/// An instance before that origin alone, with these settings of its route.
fn before(origin: &Origin, route: &str) -> Instance {
    Instance::configured(&configured(&format!("url = [\"http://{}\"]", origin.address()), route))
}

/// An origin that refuses every write and names nothing, and answers reads so.
fn refusing(read: impl Fn(&Message) -> String + Send + Sync + 'static) -> Origin {
    Origin::answering(move |request| match request.head.method() {
        "GET" | "HEAD" => read(request),
        _ => "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n".to_owned(),
    })
}

/// An answer to a read with this tag.
fn tagged(tag: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nETag: {tag}\r\nContent-Length: 0\r\n\r\n")
}

/// The record of the first 412, once a probe has amended it.
#[track_caller]
fn probed(instance: &Instance) -> Value {
    instance.record("a probed 412", |record| record["response"]["status"] == 412 && !record["probe"].is_null())
}

fn probes(instance: &Instance, outcome: &str) -> f64 {
    instance.metric(&format!("why412_probes_total{{outcome=\"{outcome}\",route=\"orders\"}}"))
}

/// `cause confidence` of a record's verdict.
fn verdict(record: &Value) -> String {
    let text = |name: &str| record["diagnosis"][name].as_str().unwrap_or_default().to_owned();
    format!("{} {}", text("cause"), text("confidence"))
}

/// The requests by which an origin was probed.
fn reads(origin: &Origin) -> Vec<Message> {
    let is_read = |request: &Message| matches!(request.head.method(), "GET" | "HEAD");
    origin.requests().into_iter().filter(is_read).collect()
}
