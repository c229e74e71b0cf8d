//! Probes of one side of a pair pass the other, and are known for what they are.

use std::fs;

use serde_json::json;
use why412::analysis::pairing::{Keys, Mark};

use super::{configured, probed, probes, put, reads, verdict};
use crate::harness::instance::Instance;
use crate::harness::message::Message;
use crate::harness::origin::Origin;
use crate::harness::relay::Relay;
use crate::harness::versioned;

const SECRET: &str = "a-secret-of-the-tests-that-is-long-enough-0";
const WEAK: &str = "If-Match: W/\"v1\"\r\n";

struct Pair {
    outer: Instance,
    relay: Relay,
    inner: Instance,
    origin: Origin,
    _secret: tempfile::TempDir,
}

/// Around a gateway that weakens tags; the outer instance probes.
fn pair(direct: bool) -> Pair {
    let secret = tempfile::tempdir().unwrap();
    let file = secret.path().join("secret");
    fs::write(&file, SECRET).unwrap();
    let pairing = |role: &str| format!("[pairing]\nrole = \"{role}\"\nsecret_file = {file:?}\n");
    let origin = versioned::origin();
    let inner = format!("{}{}", pairing("inner"), configured(&format!("url = [\"http://{}\"]", origin.address()), ""));
    let inner = Instance::configured(&inner);
    let weakened = |_: &Message, answer: &mut Message| {
        for line in &mut answer.head.lines {
            *line = line.replace("ETag: \"", "ETag: W/\"");
        }
    };
    let relay = Relay::altering(inner.address(), |_| {}, weakened);
    let direct = if direct { format!("\ndirect = [\"http://{}\"]", inner.address()) } else { String::new() };
    let upstream = format!("url = [\"http://{}\"]{direct}", relay.address());
    let outer = Instance::configured(&format!("{}{}", pairing("outer"), configured(&upstream, "probe = \"get\"")));
    Pair { outer, relay, inner, origin, _secret: secret }
}

#[test]
fn the_mark_of_a_probe_says_so_and_stays_between_the_two() {
    let pair = pair(false);
    assert_eq!(pair.outer.ask(put(WEAK)).status(), 412);
    probed(&pair.outer);
    let probe = pair.relay.requests().pop().unwrap();
    let keys = Keys::new(vec![SECRET.as_bytes().to_vec()]);
    let (mark, _) = Mark::decode(probe.value("Why412-Pair").unwrap().as_bytes(), &keys).unwrap();
    assert!(mark.probe && mark.client.is_none() && mark.conditions.is_empty(), "{mark:?}");
    let arrived = reads(&pair.origin).remove(0);
    assert!(!arrived.head.lines.iter().any(|line| line.starts_with("Why412")), "{arrived:#?}");
}

#[test]
fn the_report_on_a_probe_proves_what_the_gateway_does() {
    let pair = pair(false);
    // The outer instance has seen no read.
    pair.outer.ask(put(WEAK));
    let record = probed(&pair.outer);
    assert_eq!(record["probe"]["through"]["validators"][0], json!(["ETag", "W/\"v1\""]));
    assert_eq!(record["probe"]["direct"], json!(null));
    assert_eq!(verdict(&record), "etag-weakened proven");
}

#[test]
fn a_probe_leaves_nothing_at_the_inner_instance_but_its_count() {
    for direct in [false, true] {
        let pair = pair(direct);
        pair.outer.ask(put(WEAK));
        probed(&pair.outer);
        pair.inner
            .assert_metric("why412_probes_total{outcome=\"passed\",route=\"orders\"}", if direct { 2.0 } else { 1.0 });
        let requests = |method: &str, code: &str| {
            let labels = format!("code=\"{code}\",method=\"{method}\",route=\"orders\"");
            pair.inner.metric(&format!("why412_requests_total{{{labels}}}"))
        };
        assert_eq!((requests("PUT", "412"), requests("GET", "2xx")), (1.0, 0.0));
        let records = pair.inner.settled_records();
        assert_eq!(records.len(), 1, "the refused write and nothing else: {records:#?}");
        assert_eq!(records[0]["request"]["method"], "PUT");
        let known = pair.inner.control("GET /api/v1/resources?url=http://shop.test/orders/7").json();
        let given = known["validators"].as_array().unwrap().iter().filter(|seen| seen["by"] == "a read").count();
        assert_eq!(given, 0, "{known:#}");
    }
}

#[test]
fn the_pair_is_not_confused_by_a_probe() {
    let pair = pair(false);
    pair.outer.ask(put(WEAK));
    probed(&pair.outer);
    let count = |outcome: &str| pair.outer.metric(&format!("why412_pairing_total{{outcome=\"{outcome}\"}}"));
    assert_eq!((count("report"), count("from_store"), count("unauthentic")), (1.0, 0.0, 0.0));
    // What follows is judged as ever: this client reads and writes with what it was given.
    let read = pair.outer.ask("GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    assert_eq!(read.value("ETag"), Some("W/\"v1\""));
    pair.outer.ask(put(WEAK));
    assert_eq!(probes(&pair.outer, "failed"), 0.0);
    let records = pair.outer.settled_records();
    let refused: Vec<_> = records.iter().filter(|record| record["response"]["status"] == 412).collect();
    assert_eq!(refused.iter().map(|record| verdict(record)).collect::<Vec<_>>(), ["etag-weakened proven"; 2]);
    assert_eq!(count("unauthentic"), 0.0);
}

/// Only a read can be a probe: a write with such a mark is recorded like any other.
#[test]
fn a_write_cannot_hide_behind_the_mark_of_a_probe() {
    let pair = pair(false);
    let keys = Keys::new(vec![SECRET.as_bytes().to_vec()]);
    let mark = Mark::of_probe(why412::analysis::exchange::ExchangeId(7)).encode(&keys);
    assert_eq!(pair.inner.ask(put(&format!("{WEAK}Why412-Pair: {mark}\r\n"))).status(), 412);
    pair.inner.record_of_412("PUT");
}
