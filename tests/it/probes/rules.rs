//! What a probe may do: read, seldom, without credentials, and beside the exchange.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use super::{before, configured, probed, probes, put, reads, refusing, tagged, verdict};
use crate::harness::eventually;
use crate::harness::http2_origin::{Http2Origin, status};
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::wire::Wire;

const TAG: &str = "If-Match: \"v1\"\r\n";

#[test]
fn a_refused_write_is_followed_by_a_read_of_the_same_resource() {
    for method in ["HEAD", "GET"] {
        let origin = refusing(|_| tagged("\"v1\""));
        let instance = before(&origin, &format!("probe = \"{}\"", method.to_lowercase()));
        for refused in ["PUT", "DELETE", "POST", "PATCH"] {
            let answer = instance
                .ask(put(&format!("{TAG}X-Own: 1\r\n")).replace("PUT /orders/7", &format!("{refused} /orders/7?a=b")));
            assert_eq!(answer.status(), 412);
        }
        let asked = eventually("a probe for each", || Some(reads(&origin)).filter(|reads| reads.len() == 4));
        for request in asked {
            assert_eq!((request.head.method(), request.head.target()), (method, "/orders/7?a=b"));
            assert_eq!(request.value("Host"), Some("shop.test"));
            let own = ["Host", "User-Agent"];
            assert_eq!(request.head.lines_without(&own), [] as [&str; 0], "no condition, nothing of the client's");
        }
    }
}

#[test]
fn what_selects_the_representation_is_asked_for_as_the_client_does() {
    let origin = refusing(|_| tagged("\"v1\""));
    let instance = before(&origin, "probe = \"get\"");
    let selecting = "Accept: application/json\r\nAccept-Language: fr\r\nAccept-Encoding: gzip, br\r\n";
    instance.ask(put(&format!("{TAG}{selecting}")));
    probed(&instance);
    let request = reads(&origin).remove(0);
    let lines = request.head.lines_without(&["Host", "User-Agent"]).join("\r\n") + "\r\n";
    assert_eq!(lines, selecting);
}

#[test]
fn credentials_stay_with_the_client_unless_the_route_says_otherwise() {
    let guarded = |request: &crate::harness::message::Message| match request.value("Authorization") {
        Some("Bearer s3cret") => tagged("\"v1\""),
        _ => "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n".to_owned(),
    };
    let credentials = "Authorization: Bearer s3cret\r\nCookie: session=s3cret\r\nX-Api-Key: s3cret\r\n";
    let origin = refusing(guarded);

    let withholding = before(&origin, "probe = \"head\"");
    withholding.ask(put(&format!("{TAG}{credentials}")));
    let record = probed(&withholding);
    assert_eq!(
        (&record["probe"]["credentials"], &record["probe"]["through"]["status"]),
        (&"withheld".into(), &401.into())
    );
    let error = record["probe"]["through"]["error"].as_str().unwrap();
    assert!(error.contains("probe_credentials"), "{error}");
    let request = reads(&origin).remove(0);
    assert!(!request.head.lines.iter().any(|line| line.contains("s3cret")), "{request:#?}");

    let giving = before(&origin, "probe = \"head\"\nprobe_credentials = true");
    giving.ask(put(&format!("{TAG}{credentials}")));
    let record = probed(&giving);
    assert_eq!((&record["probe"]["credentials"], &record["probe"]["through"]["status"]), (&"sent".into(), &200.into()));
    let request = reads(&origin).remove(1);
    for (name, value) in [("Authorization", "Bearer s3cret"), ("Cookie", "session=s3cret"), ("X-Api-Key", "s3cret")] {
        assert_eq!(request.value(name), Some(value));
    }
    for instance in [&withholding, &giving] {
        let kept = instance.control("GET /api/v1/exchanges").text();
        assert!(!kept.contains("s3cret") && !instance.said().contains("s3cret"), "never recorded");
    }
}

#[test]
fn a_url_with_a_secret_is_not_asked_for_without_leave() {
    let origin = refusing(|_| tagged("\"v1\""));
    let secret = put(TAG).replace("/orders/7", "/orders/7?access_token=s3cret");
    let withholding = before(&origin, "probe = \"head\"");
    withholding.ask(&secret);
    let record = probed(&withholding);
    assert!(record["probe"]["through"]["error"].as_str().unwrap().contains("secret"), "{record:#}");
    assert!(!record.to_string().contains("s3cret"));
    assert_eq!((reads(&origin).len(), probes(&withholding, "withheld")), (0, 1.0));
    let giving = before(&origin, "probe = \"head\"\nprobe_credentials = true");
    giving.ask(&secret);
    assert_eq!(probed(&giving)["probe"]["through"]["status"], 200);
}

#[test]
fn a_route_that_does_not_ask_for_it_is_not_probed() {
    let origin = refusing(|_| tagged("\"v1\""));
    let instance = before(&origin, "");
    instance.ask(put(TAG));
    let records = instance.settled_records();
    assert!(records[0].get("probe").is_none(), "{records:#?}");
    assert_eq!(reads(&origin).len(), 0);
}

#[test]
fn one_probe_more_than_a_minute_allows_is_left_out_and_counted() {
    let origin = refusing(|_| tagged("\"v1\""));
    for limits in ["probe = \"head\"\nprobes_per_minute = 2", "probe = \"head\"\n[limits]\nprobes_per_minute = 2"] {
        let before_now = reads(&origin).len();
        let instance = before(&origin, limits);
        for number in 0..3 {
            instance.ask(put(TAG).replace("/orders/7", &format!("/orders/{number}")));
            eventually("its fate", || {
                let counted = probes(&instance, "answered") + probes(&instance, "limited");
                (counted == f64::from(number + 1)).then_some(())
            });
        }
        assert_eq!((probes(&instance, "answered"), probes(&instance, "limited")), (2.0, 1.0), "{limits}");
        assert_eq!(reads(&origin).len() - before_now, 2);
        let unprobed = instance.settled_records().into_iter().filter(|record| record.get("probe").is_none()).count();
        assert_eq!(unprobed, 1);
    }
}

#[test]
fn head_refused_is_said_and_no_accusation() {
    let origin = refusing(|request| match request.head.method() {
        "HEAD" => "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nContent-Length: 0\r\n\r\n".to_owned(),
        _ => tagged("\"v2\""),
    });
    let instance = before(&origin, "probe = \"head\"");
    instance.ask(put(TAG));
    let record = probed(&instance);
    assert_eq!(record["probe"]["through"]["status"], 405);
    let error = record["probe"]["through"]["error"].as_str().unwrap();
    assert!(error.contains("HEAD") && error.contains("get"), "{error}");
    assert_eq!(verdict(&record), "unexplained possible");
}

#[test]
fn an_upstream_that_gives_no_answer_to_a_probe_is_said() {
    let origin = Origin::serving(|wire, log| {
        while let Some(request) = wire.request() {
            log.push(&request);
            if request.head.method() != "PUT" {
                return;
            }
            wire.send("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let instance = before(&origin, "probe = \"get\"");
    instance.ask(put(TAG));
    let record = probed(&instance);
    assert_eq!(record["probe"]["through"]["status"], serde_json::Value::Null);
    assert!(!record["probe"]["through"]["error"].as_str().unwrap().is_empty());
    assert_eq!((probes(&instance, "failed"), verdict(&record)), (1.0, "unexplained possible".to_owned()));
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Origin::always("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 0\r\n\r\n");
    let location =
        format!("HTTP/1.1 302 Found\r\nLocation: http://{}/\r\nContent-Length: 0\r\n\r\n", elsewhere.address());
    let origin = refusing(move |_| location.clone());
    let instance = before(&origin, "probe = \"get\"");
    instance.ask(put(TAG));
    let record = probed(&instance);
    assert_eq!((&record["probe"]["through"]["status"], elsewhere.requests().len()), (&302.into(), 0));
}

#[test]
fn a_probe_that_gets_no_answer_keeps_nobody_waiting() {
    let (release, held) = channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let slow = Origin::serving(move |wire, log| {
        while let Some(request) = wire.request() {
            log.push(&request);
            if request.head.method() == "PUT" {
                wire.send("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n");
            } else {
                let _ = held.lock().unwrap().recv();
            }
        }
    });
    let quick = refusing(|_| tagged("\"v1\""));
    let instance = Instance::configured(&format!(
        "[upstream.slow]\nurl = [\"http://{}\"]\n[upstream.quick]\nurl = [\"http://{}\"]\n\
         [[route]]\nname = \"slow\"\npath = \"/slow\"\nupstream = \"slow\"\nprobe = \"get\"\n\
         [[route]]\nname = \"orders\"\npath = \"/{{*rest}}\"\nupstream = \"quick\"\nprobe = \"get\"\n",
        slow.address(),
        quick.address()
    ));
    let mut client = Wire::to(instance.address());
    for number in 1..=6 {
        assert_eq!(client.ask(put(TAG).replace("/orders/7", "/slow")).status(), 412, "answer {number} does not wait");
    }
    eventually("a probe under way", || (!reads(&slow).is_empty()).then_some(()));
    client.ask(put(TAG));
    let record = probed(&instance);
    assert_eq!(record["route"], "orders", "the slow one has not ended, and yet: {record:#}");
    assert_eq!(instance.settled_records().iter().filter(|record| record["route"] == "slow").count(), 6);
    // Four of a route at once; what is beyond is dropped and counted.
    instance.assert_metric("why412_probes_total{outcome=\"dropped\",route=\"slow\"}", 2.0);
    drop(release);
}

#[test]
fn an_upstream_of_http2_is_asked_in_its_own_version() {
    let origin = Http2Origin::always(|| status(412).header("etag", "\"v1\""), "");
    let upstream = format!("url = [\"http://{}\"]\nhttp = \"2\"", origin.address());
    let instance = Instance::configured(&configured(&upstream, "probe = \"head\""));
    assert_eq!(instance.ask(put(TAG)).status(), 412);
    let record = probed(&instance);
    assert_eq!(record["probe"]["through"]["status"], 412, "an answer came: {record:#}");
}

#[test]
fn a_body_is_not_taken_in() {
    // It announces more than it will ever send.
    let origin = refusing(|_| "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 1000000000\r\n\r\nsome".to_owned());
    let instance = before(&origin, "probe = \"get\"");
    instance.ask(put(TAG));
    assert_eq!(probed(&instance)["probe"]["through"]["status"], 200);
}

#[test]
fn both_ways_are_asked() {
    let (through, direct) = (refusing(|_| tagged("\"v1\"")), refusing(|_| tagged("\"v1\"")));
    let upstream = format!("url = [\"http://{}\"]\ndirect = [\"http://{}\"]", through.address(), direct.address());
    let instance = Instance::configured(&configured(&upstream, "probe = \"get\""));
    instance.ask(put(TAG));
    let record = probed(&instance);
    assert_eq!(record["probe"]["by"], "route");
    for (way, origin) in [("through", &through), ("direct", &direct)] {
        let answer = &record["probe"][way];
        assert_eq!(answer["url"], format!("http://{}/orders/7", origin.address()));
        assert_eq!(
            (&answer["method"], &answer["status"], &answer["error"]),
            (&"GET".into(), &200.into(), &serde_json::Value::Null)
        );
        assert_eq!(answer["validators"], serde_json::json!([["ETag", "\"v1\""]]));
        assert_eq!(reads(origin).len(), 1);
    }
}
