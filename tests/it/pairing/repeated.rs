//! Outcomes of writes whose answers may not have arrived are told again.

use super::{Pair, SECRET, Secret, get, instance, mark_of, put, report_of};
use crate::harness::eventually;
use crate::harness::message::Message;
use crate::harness::origin::Origin;
use crate::harness::wire::Wire;

fn origin() -> Origin {
    Origin::answering(|request| match request.head.method() {
        "PUT" => "HTTP/1.1 204 No Content\r\nETag: \"v2\"\r\n\r\n",
        _ if request.head.target() == "/private" => {
            "HTTP/1.1 200 OK\r\nCache-Control: private, no-store\r\nContent-Length: 2\r\n\r\nhi"
        }
        _ => "HTTP/1.1 200 OK\r\nETag: \"v2\"\r\nContent-Length: 2\r\n\r\nhi",
    })
}

/// The gateway answers the marked requests by itself, after the origin has applied them.
fn answers_by_itself(request: &Message, answer: &mut Message) {
    if request.value("X-Fails").is_some() {
        answer.head.start = "HTTP/1.1 412 Precondition Failed".to_owned();
        answer.head.lines = vec!["Content-Length: 0".to_owned()];
    }
}

#[test]
fn the_outcome_of_a_write_is_repeated_where_no_cache_keeps_it() {
    let pair = Pair::around(origin(), |_| {}, answers_by_itself);
    assert_eq!(pair.ask(put("If-Match: \"v1\"\r\nX-Fails: 1\r\n")).status(), 412);
    let lost = mark_of(&pair.relay.latest().0).exchange;

    assert_eq!(pair.ask(get("")).text(), "hi");
    assert_eq!(report_of(&pair.relay.latest().1).earlier, [], "a cache may keep this answer");

    assert_eq!(pair.ask("GET /private HTTP/1.1\r\nHost: shop.test\r\n\r\n").text(), "hi");
    let earlier = report_of(&pair.relay.latest().1).earlier;
    assert_eq!(earlier.iter().map(|write| (write.marked, write.status)).collect::<Vec<_>>(), [(lost, 204)]);

    pair.ask(put("If-Match: \"v2\"\r\n"));
    let earlier = report_of(&pair.relay.latest().1).earlier;
    assert!(earlier.iter().any(|write| write.marked == lost && write.status == 204), "{earlier:?}");

    let plain = pair.inner.ask(put("If-Match: \"v2\"\r\n"));
    assert_eq!(report_of(&plain).earlier, [], "not marked: who would want to know?");
}

#[test]
fn at_most_four_are_repeated() {
    let pair = Pair::before(origin());
    for _ in 0..8 {
        pair.ask(put("If-Match: \"v1\"\r\n"));
        let earlier = report_of(&pair.relay.latest().1).earlier;
        assert!(earlier.len() <= 4, "{earlier:?}");
    }
    assert_eq!(report_of(&pair.relay.latest().1).earlier.len(), 4);
}

#[test]
fn a_write_that_the_gateway_sends_again_is_proven_by_the_very_report() {
    let pair = Pair::before(origin());
    pair.ask(put("If-Match: \"v1\"\r\n"));
    let (marked, _) = pair.relay.latest();
    for _ in 0..6 {
        pair.ask(put("If-Match: \"v1\"\r\n"));
    }
    let again = pair.inner.ask(crate::harness::relay::bytes(&marked));
    let report = report_of(&again);
    assert_eq!(report.marked, Some(mark_of(&marked).exchange));
    assert!(report.earlier.iter().any(|write| write.marked == mark_of(&marked).exchange), "{report:?}");
}

#[test]
fn an_answer_that_broke_off_comes_before_those_that_did_not() {
    let origin = Origin::serving(|wire, log| {
        while let Some(request) = wire.request() {
            log.push(&request);
            let long = request.value("X-Long").is_some();
            let head = if long {
                "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"
            } else {
                "HTTP/1.1 204 No Content\r\n\r\n"
            };
            if wire.try_send(head).is_err() {
                return;
            }
            while long && wire.try_send([b'x'; 65536]).is_ok() {}
        }
    });
    let pair = Pair::before(origin);
    pair.ask(put("If-Match: \"v0\"\r\n"));
    let (marked, _) = pair.relay.latest();
    // The same mark, from a gateway that leaves in the middle of the answer.
    let mut long = marked.clone();
    long.head.lines.push("X-Long: 1".to_owned());
    let mut gateway = Wire::to(pair.inner.address());
    gateway.send(crate::harness::relay::bytes(&long));
    assert_eq!(gateway.head().status(), 200);
    drop(gateway);
    let lost = mark_of(&marked).exchange;
    eventually("the lost answer in a report", || {
        for _ in 0..5 {
            pair.ask(put("If-Match: \"v1\"\r\n"));
        }
        let earlier = report_of(&pair.relay.latest().1).earlier;
        earlier.iter().any(|write| write.marked == lost && write.status == 200).then_some(())
    });
}

/// A gateway that loses the first answer to a write of which it is told so, and sends it again.
fn gateway_that_repeats(behind: std::net::SocketAddr, clears: bool) -> Origin {
    Origin::answering(move |request| {
        let sent = crate::harness::relay::bytes(request);
        let mut answer = Wire::to(behind).ask(&sent);
        if request.value("X-Loses").is_some() {
            answer = Wire::to(behind).ask(&sent);
            if clears {
                answer.head.lines = vec!["Content-Length: 0".to_owned()];
                answer.body.clear();
            }
        }
        crate::harness::relay::bytes(&answer)
    })
}

#[test]
fn the_client_is_told_why_its_write_was_refused_after_the_gateway_had_sent_it_twice() {
    for clears in [false, true] {
        let secret = Secret::new(&[SECRET]);
        let origin = crate::harness::versioned::origin();
        let inner = instance("inner", &origin.address().to_string(), Some(&secret));
        let gateway = gateway_that_repeats(inner.address(), clears);
        let outer = instance("outer", &gateway.address().to_string(), Some(&secret));
        assert_eq!(outer.ask(get("")).value("ETag"), Some("\"v1\""));
        assert_eq!(outer.ask(put("If-Match: \"v1\"\r\nX-Loses: 1\r\n")).status(), 412);
        if clears {
            let record = outer.record_of_412("PUT");
            assert_eq!(record["far_side"], serde_json::Value::Null, "nothing came back: {record:#}");
            // Any later report tells it, here that of another resource.
            outer.ask("PUT /orders/8 HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 2\r\n\r\nhi");
            let amended = |record: &serde_json::Value| record["amended_at"].is_string();
            let record = outer.record("an amended verdict", amended);
            assert_eq!(record["diagnosis"]["cause"], "gateway-answered", "{record:#}");
            assert_eq!(record["diagnosis"]["detail"], "after-write-applied");
            assert_eq!(record["diagnosis"]["confidence"], "proven");
        } else {
            let record = outer.record_of_412("PUT");
            assert_eq!(record["diagnosis"]["cause"], "retry-after-applied", "{record:#}");
            assert_eq!(record["diagnosis"]["detail"], "by-gateway");
            assert_eq!(record["diagnosis"]["confidence"], "proven");
        }
        let record = inner.record_of_412("PUT");
        assert_eq!(record["diagnosis"]["cause"], "retry-after-applied", "{record:#}");
        assert_eq!(record["diagnosis"]["detail"], "by-gateway");
    }
}
