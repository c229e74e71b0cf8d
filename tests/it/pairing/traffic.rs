//! What goes through a pair, and what the pair says of it.

use http::Request;
use serde_json::{Value, json};
use why412::analysis::pairing::{MARK_BYTES_MAX, REPORT_BYTES_MAX};

use super::{Pair, SECRET, Secret, assert_nothing_of_ours, get, instance, mark_of, pairing, put, report_of};
use crate::harness::http2::Http2;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::relay::Relay;

const REFUSED: &str = "HTTP/1.1 412 Precondition Failed\r\nDate: Tue, 05 Mar 2024 10:00:20 GMT\r\nETag: \"v2\"\r\n\
    Last-Modified: Tue, 05 Mar 2024 10:00:10 GMT\r\nOC-ETag: \"v2\"\r\nX-Own: caf\u{e9}\r\nContent-Length: 4\r\n\r\nnope";

fn text_of(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[test]
fn conditions_validators_status_and_body_pass_to_the_byte_and_nothing_of_ours_leaks() {
    let pair = Pair::before(Origin::always(REFUSED));
    let answer = pair.ask(put(
        "If-Match: W/\"v1\",  \"caf\u{e9}\"\r\nIF-MATCH: \"v0\"\r\nIf-Unmodified-Since: Tue, 05 Mar 2024 10:00:00 GMT\r\n\
         X-Own: 1\r\n",
    ));
    let arrived = pair.origin.only_request();
    assert_eq!(
        arrived.head.lines,
        [
            "Host: shop.test",
            "If-Match: W/\"v1\",  \"caf\u{c3}\u{a9}\"",
            "IF-MATCH: \"v0\"",
            "If-Unmodified-Since: Tue, 05 Mar 2024 10:00:00 GMT",
            "X-Own: 1",
            "Content-Length: 2"
        ]
    );
    assert_eq!(arrived.body, b"hi");
    assert_eq!(answer.head.start, "HTTP/1.1 412 Precondition Failed");
    assert_eq!(answer.body, b"nope");
    assert_nothing_of_ours(&arrived);
    assert_nothing_of_ours(&answer);
    let (request, reported) = pair.relay.latest();
    assert_eq!(answer.head.lines, reported.head.lines_without(&["Why412-Report"]));
    assert!(request.value("Why412-Pair").is_some_and(|mark| mark.len() <= MARK_BYTES_MAX));
    assert!(reported.value("Why412-Report").is_some_and(|report| report.len() <= REPORT_BYTES_MAX));

    let (mark, report) = (mark_of(&request), report_of(&reported));
    assert_eq!(report.marked, Some(mark.exchange));
    assert_eq!(report.status, 412);
    assert_eq!(report.conditions, mark.conditions, "they arrived as they were sent");
    assert_eq!(report.conditions.len(), 2);
    assert_eq!(report.conditions[0].values.len(), 2, "both lines of If-Match");
    assert_eq!(report.validators.len(), 3);
    assert!(report.at.is_some() && report.cause.is_some());
}

#[test]
fn both_records_name_the_other_side_and_the_same_client() {
    let pair = Pair::before(Origin::always(REFUSED));
    pair.ask(put("If-Match: W/\"v1\"\r\nAuthorization: Bearer opaque\r\n"));

    let outer = pair.outer.record_of_412("PUT");
    let inner = pair.inner.record_of_412("PUT");
    let far = &outer["far_side"];
    assert_eq!(far["exchange"], inner["id"]);
    assert_eq!(far["conditions"], json!([["If-Match", "W/\"v1\""]]));
    assert_eq!(far["status"], 412);
    assert_eq!(
        far["validators"],
        json!([["ETag", "\"v2\""], ["Last-Modified", "Tue, 05 Mar 2024 10:00:10 GMT"], ["OC-ETag", "\"v2\""]])
    );
    assert_eq!(far["cause"], inner["diagnosis"]["cause"]);
    assert!(text_of(&far["at"]).ends_with('Z'));
    assert_eq!(far["signed"], true);
    assert_eq!(inner["far_side"]["exchange"], outer["id"]);
    assert_eq!(inner["far_side"]["conditions"], json!([["If-Match", "W/\"v1\""]]));
    assert_eq!(inner["far_side"]["status"], Value::Null);
    assert_eq!(inner["client"], outer["client"], "the client is the outer instance's, not the gateway");
    assert_eq!(pairing(&pair.outer, "report"), 1.0);
}

#[test]
fn clients_whom_the_gateway_hides_are_told_apart_by_the_mark() {
    // No credentials, and one address for all that the gateway sends.
    let pair = Pair::before(Origin::always(REFUSED));
    pair.ask(put("If-Match: \"v1\"\r\n"));
    let inner = pair.inner.record_of_412("PUT");
    assert_eq!(inner["client"], pair.outer.record_of_412("PUT")["client"]);
}

#[test]
fn every_final_answer_is_reported_and_no_informational_one() {
    let origin = Origin::answering(|request| match request.head.method() {
        "HEAD" => "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 9\r\n\r\n",
        "DELETE" => "HTTP/1.1 204 No Content\r\n\r\n",
        "POST" => {
            "HTTP/1.1 103 Early Hints\r\nWhy412-Report: v=1\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\
             Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nWhy412-Report: v=1\r\n\r\n"
        }
        _ => "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n",
    });
    let pair = Pair::before(origin);
    for (method, status) in [("HEAD", 200), ("DELETE", 204), ("POST", 200), ("GET", 304)] {
        let answer = pair.ask(format!("{method} /orders/7 HTTP/1.1\r\nHost: shop.test\r\n\r\n"));
        assert_eq!(answer.status(), status, "{method}");
        assert_nothing_of_ours(&answer);
        let (_, reported) = pair.relay.latest();
        assert_eq!(report_of(&reported).status, status);
        if method == "POST" {
            assert_eq!(reported.interim[0].lines, ["Link: </a>"]);
            assert_eq!((answer.body, answer.trailers), (b"hello".to_vec(), vec!["X-Sum: 1".to_owned()]));
            assert_nothing_of_ours(&reported_without_report(reported));
        }
    }
    assert_eq!(pairing(&pair.outer, "report"), 4.0);
    assert_eq!(pairing(&pair.outer, "no_report"), 0.0);
    assert_eq!(pairing(&pair.outer, "unauthentic"), 0.0);
}

fn reported_without_report(mut message: crate::harness::message::Message) -> crate::harness::message::Message {
    message.head.lines.retain(|line| !line.starts_with("Why412-Report"));
    message
}

#[test]
fn a_client_of_http_2_sees_and_sends_nothing_of_ours() {
    let pair = Pair::before(Origin::always(REFUSED));
    let request = Request::builder()
        .method("PUT")
        .uri(format!("http://{}/orders/7", pair.outer.address()))
        .header("if-match", "\"v1\"")
        .header("why412-pair", "v=1, id=:AAAAAAAAAAAAAAAAAAAAAA==:")
        .body(())
        .unwrap();
    let answer = Http2::to(pair.outer.address()).ask(request).unwrap();
    assert_eq!(answer.status(), 412);
    assert_eq!(answer.value("etag"), Some("\"v2\""));
    assert!(!answer.head.headers().keys().any(|name| name.as_str().starts_with("why412")));
    assert_nothing_of_ours(&pair.origin.only_request());
    let (request, _) = pair.relay.latest();
    assert_eq!(mark_of(&request).conditions.len(), 1);
    assert_eq!(pairing(&pair.outer, "unauthentic"), 1.0, "what the client sent was no mark of ours");
}

#[test]
fn a_report_gives_way_where_the_head_is_large() {
    const ROOM: usize = 3584;
    let origin = Origin::answering(|request| {
        let size: usize = request.head.target().trim_start_matches('/').parse().expect("a size");
        format!(
            "HTTP/1.1 412 Precondition Failed\r\nETag: \"{}\"\r\nX-Large: {}\r\nContent-Length: 0\r\n\r\n",
            "v".repeat(100),
            "x".repeat(size)
        )
    });
    let pair = Pair::before(origin);
    let (mut whole, mut reduced, mut none) = (0, 0, 0);
    for size in (2700..4000).step_by(20) {
        let answer = pair.ask(format!("GET /{size} HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v1\"\r\n\r\n"));
        assert_eq!(answer.status(), 412);
        assert_eq!(answer.value("X-Large").map(str::len), Some(size));
        let (_, reported) = pair.relay.latest();
        let head: usize = reported.head.lines.iter().map(|line| line.len() + 2).sum();
        let head = head + reported.head.start.len() + 4;
        match reported.value("Why412-Report") {
            None => none += 1,
            Some(_) if report_of(&reported).reduced => reduced += 1,
            Some(_) => whole += 1,
        }
        assert!(head <= ROOM || reported.value("Why412-Report").is_none(), "{head} bytes with a report");
    }
    assert!(whole > 0 && reduced > 0 && none > 0, "{whole} whole, {reduced} reduced, {none} without");
}

#[test]
fn long_and_many_conditions_travel_as_digests() {
    let pair = Pair::before(Origin::always(REFUSED));
    let long = format!("\"{}\"", "x".repeat(3000));
    let many = "If-None-Match: \"a\"\r\n".repeat(40);
    pair.ask(get(&format!("If-Match: {long}\r\n{many}")));
    let (request, reported) = pair.relay.latest();
    assert!(request.value("Why412-Pair").is_some_and(|mark| mark.len() <= MARK_BYTES_MAX));
    assert_eq!(mark_of(&request).conditions, report_of(&reported).conditions);
    assert_eq!(pair.origin.only_request().value("If-Match"), Some(long.as_str()));
    let record = pair.outer.record_of_412("GET");
    assert!(text_of(&record["far_side"]["conditions"][0][1]).contains("3002 bytes"), "{record:#}");
}

#[test]
fn an_answer_from_a_store_brings_the_report_of_an_earlier_exchange() {
    let secret = Secret::new(&[SECRET]);
    let origin = Origin::always("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 2\r\n\r\nhi");
    let inner = instance("inner", &origin.address().to_string(), Some(&secret));
    let filled = std::sync::Mutex::new(None);
    let store = Origin::answering(move |request| {
        let mut filled = filled.lock().unwrap();
        let stored = filled.get_or_insert_with(|| {
            let asked = crate::harness::wire::Wire::to(inner.address()).ask(crate::harness::relay::bytes(request));
            crate::harness::relay::bytes(&asked)
        });
        stored.clone()
    });
    let outer = instance("outer", &store.address().to_string(), Some(&secret));
    for _ in 0..3 {
        let answer = outer.ask(get(""));
        assert_eq!(answer.text(), "hi");
        assert_nothing_of_ours(&answer);
    }
    assert_eq!(origin.requests().len(), 1);
    assert_eq!(pairing(&outer, "report"), 1.0);
    assert_eq!(pairing(&outer, "from_store"), 2.0);
}

#[test]
fn paired_and_plain_traffic_share_an_inner_instance() {
    let pair = Pair::before(Origin::always(REFUSED));
    pair.ask(put("If-Match: \"v1\"\r\n"));
    let plain = pair.inner.ask(put("If-Match: \"v1\"\r\n"));
    let report = report_of(&plain);
    assert_eq!(report.marked, None);
    assert_eq!(report.conditions.len(), 1);
    assert_eq!(pair.origin.requests().len(), 2);
    let records = pair.inner.settled_records();
    assert!(records[0]["far_side"].is_object() && records[1]["far_side"].is_null(), "{records:#?}");

    let secret = Secret::new(&[SECRET]);
    let marked_only = Instance::configured(&format!(
        "[pairing]\nrole = \"inner\"\nsecret_file = \"{}\"\nreport = \"marked\"\n[upstream.api]\nurl = [\"http://{}\"]\n",
        secret.file.display(),
        pair.origin.address()
    ));
    assert_nothing_of_ours(&marked_only.ask(put("If-Match: \"v1\"\r\n")));
    let (marked, _) = pair.relay.latest();
    let mark = marked.value("Why412-Pair").unwrap();
    let answer = marked_only.ask(put(&format!("Why412-Pair: {mark}\r\nIf-Match: \"v1\"\r\n")));
    assert_eq!(report_of(&answer).marked, Some(mark_of(&marked).exchange));
}

#[test]
fn a_pair_switches_its_bypass_as_one() {
    let pair = Pair::before(Origin::always("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 0\r\n\r\n"));
    let begun = pair.outer.control_with("PUT /api/v1/bypass", &json!({ "for": "15m" }).to_string());
    assert!((200..300).contains(&begun.status()), "{begun:?}");
    pair.ask(get(""));
    let (request, answer) = pair.relay.latest();
    assert_eq!(request.head.values("Cache-Control"), ["no-cache"]);
    assert_eq!(answer.head.values("Cache-Control"), ["no-store"]);
    assert_eq!(answer.head.values("CDN-Cache-Control"), ["no-store"]);
    assert_eq!(answer.head.values("Surrogate-Control"), ["no-store"]);
    assert_eq!(report_of(&answer).marked, Some(mark_of(&request).exchange));
    pair.outer.control("DELETE /api/v1/bypass");
    pair.ask(get(""));
    let (_, answer) = pair.relay.latest();
    assert_eq!(answer.head.values("Cache-Control"), [""; 0]);
}

#[test]
fn what_goes_around_the_gateway_and_what_is_traced_is_not_marked() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let gateway = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let secret = Secret::new(&[SECRET]);
    let outer = Instance::configured(&format!(
        "[pairing]\nrole = \"outer\"\nsecret_file = \"{}\"\n[bypass]\ndirect_traffic = true\n\
         [upstream.api]\nurl = [\"http://{}\"]\ndirect = [\"http://{}\"]\n",
        secret.file.display(),
        gateway.address(),
        origin.address()
    ));
    outer.ask("TRACE / HTTP/1.1\r\nHost: shop.test\r\nMax-Forwards: 1\r\n\r\n");
    assert_nothing_of_ours(&gateway.only_request());
    let begun = outer.control_with("PUT /api/v1/bypass", &json!({ "for": "15m", "direct": true }).to_string());
    assert!((200..300).contains(&begun.status()), "{begun:?}");
    assert_eq!(outer.ask(get("")).text(), "hi");
    assert_nothing_of_ours(&origin.only_request());
    assert_eq!(pairing(&outer, "no_report"), 1.0, "around the gateway none is expected");
}

#[test]
fn a_pair_without_a_secret_works_unsigned_and_says_so() {
    let origin = Origin::always(REFUSED);
    let inner = instance("inner", &origin.address().to_string(), None);
    let relay = Relay::to(inner.address());
    let outer = instance("outer", &relay.address().to_string(), None);
    let answer = outer.ask(put("If-Match: \"v1\"\r\n"));
    assert_nothing_of_ours(&answer);
    assert_nothing_of_ours(&origin.only_request());
    for instance in [&outer, &inner] {
        assert!(instance.said().contains("works unsigned"), "{}", instance.said());
    }
    let record = outer.record_of_412("PUT");
    assert_eq!(record["far_side"]["status"], 412);
    assert_eq!(record["far_side"]["signed"], false);
    assert_ne!(record["diagnosis"]["confidence"], "proven");
    assert_eq!(pairing(&outer, "report"), 1.0);
    let (request, _) = relay.latest();
    assert!(!request.value("Why412-Pair").unwrap().contains("sig="));
}

#[test]
fn an_instance_that_stands_alone_adds_nothing() {
    let origin = Origin::always(REFUSED);
    let alone = Instance::before(origin.address());
    assert_nothing_of_ours(&alone.ask(put("If-Match: \"v1\"\r\nWhy412-Pair: v=1\r\n")));
    assert_nothing_of_ours(&origin.only_request());
    assert_eq!(alone.record_of_412("PUT")["far_side"], Value::Null);
    assert_eq!(pairing(&alone, "unauthentic"), 1.0);
    assert_eq!(pairing(&alone, "no_report"), 0.0);
}
