//! What probes show, and how the verdict changes by it.

use super::{before, configured, probed, put, refusing, tagged, verdict};
use crate::harness::gateway::Gateway;
use crate::harness::instance::Instance;
use crate::harness::versioned;
use crate::harness::wire::Wire;

const TAG: &str = "If-Match: \"v1\"\r\n";

#[test]
fn a_tag_that_is_still_current_is_refused_by_the_service() {
    let origin = refusing(|_| tagged("\"v1\""));
    let instance = before(&origin, "probe = \"head\"");
    instance.ask(put(TAG));
    let record = probed(&instance);
    assert_eq!(verdict(&record), "current-validator-refused likely");
    assert_eq!(record["current"]["etag"], "\"v1\"");
    let evidence = record["diagnosis"]["evidence"].as_array().unwrap();
    assert!(evidence.iter().any(|fact| fact["kind"] == "probed"), "{evidence:#?}");
    // Counters count the verdict at the end of the exchange, once.
    let counted = |cause: &str, confidence: &str| {
        instance.metric(&format!(
            "why412_precondition_failed_total{{cause=\"{cause}\",confidence=\"{confidence}\",route=\"orders\"}}"
        ))
    };
    assert_eq!((counted("unexplained", "possible"), counted("current-validator-refused", "likely")), (1.0, 0.0));
}

#[test]
fn another_tag_says_that_the_resource_has_moved_on() {
    let origin = refusing(|_| tagged("\"v2\""));
    let instance = before(&origin, "probe = \"head\"");
    instance.ask(put(TAG));
    let record = probed(&instance);
    assert_eq!(verdict(&record), "stale-validator likely");
    assert!(record["amended_at"].as_str() > record["at"].as_str());
}

#[test]
fn an_amended_record_comes_again_on_the_feed() {
    let origin = refusing(|_| tagged("\"v2\""));
    let instance = before(&origin, "probe = \"head\"");
    let mut feed = Wire::to(instance.admin());
    feed.send(format!("GET /api/v1/events HTTP/1.1\r\nHost: {}\r\n\r\n", instance.admin()));
    assert_eq!(feed.head().status(), 200);
    instance.ask(put(TAG));
    let mut seen = String::new();
    while seen.matches("\ndata: ").count() < 2 || !seen.ends_with("\n\n") {
        seen.push_str(&String::from_utf8_lossy(&feed.exactly(1).unwrap()));
    }
    let record = probed(&instance);
    let events: Vec<_> = seen.split("\ndata: ").skip(1).collect();
    assert!(events.iter().all(|event| event.contains(record["id"].as_str().unwrap())), "{seen}");
    assert!(!events[0].contains("amended_at") && events[1].contains("amended_at"), "{seen}");
    assert!(events[1].contains("\"cause\":\"stale-validator\""), "{seen}");
}

/// What nginx compresses, it tags weakly: clients see that, and around it the tag is strong.
#[test]
fn a_compressing_gateway_is_found_out_by_get_and_the_way_around_it() {
    let origin = versioned::origin();
    let gzip = "gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any;";
    let gateway = Gateway::nginx("", gzip, origin.address());
    let upstream = format!("url = [\"http://{}\"]\ndirect = [\"http://{}\"]", gateway.address(), origin.address());
    let weak = "If-Match: W/\"v1\"\r\n";

    // The first thing that this instance sees is the refusal.
    let instance = Instance::configured(&configured(&upstream, "probe = \"get\""));
    let answer = instance.ask(put(&format!("{weak}Accept-Encoding: gzip\r\n")));
    assert_eq!(answer.status(), 412);
    let record = probed(&instance);
    assert_eq!(record["probe"]["through"]["validators"][0], serde_json::json!(["ETag", "W/\"v1\""]));
    assert_eq!(record["probe"]["direct"]["validators"][0], serde_json::json!(["ETag", "\"v1\""]));
    assert_eq!(verdict(&record), "etag-weakened proven");
    let fix = record["diagnosis"]["fix"].to_string();
    assert!(fix.contains("gzip off"), "nginx was recognised: {fix}");

    // A write that does not say what it accepts is probed as its read was made.
    let instance = Instance::configured(&configured(&upstream, "probe = \"get\""));
    let read = instance.ask("GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\nAccept-Encoding: gzip\r\n\r\n");
    assert_eq!(read.value("ETag"), Some("W/\"v1\""));
    instance.ask(put(weak));
    assert_eq!(verdict(&probed(&instance)), "etag-weakened proven");

    let instance = Instance::configured(&configured(&upstream, "probe = \"head\""));
    instance.ask(put(&format!("{weak}Accept-Encoding: gzip\r\n")));
    // By HEAD nothing is proven: it need not be answered with what a GET is given.
    assert_eq!(verdict(&probed(&instance)), "etag-weakened likely");
}

#[test]
fn what_a_probe_was_shown_is_given_to_nobody() {
    let origin = refusing(|_| tagged("\"v1\""));
    let instance = before(&origin, "probe = \"get\"");
    instance.ask(put(TAG));
    probed(&instance);
    let known = instance.control("GET /api/v1/resources?url=http://shop.test/orders/7").json();
    let seen: Vec<_> = known["validators"].as_array().unwrap().iter().filter(|seen| seen["by"] == "a probe").collect();
    assert_eq!(seen.len(), 1, "{known:#}");
    assert_eq!((&seen[0]["etag"], &seen[0]["given_to"]), (&"\"v1\"".into(), &serde_json::json!([])));
}
