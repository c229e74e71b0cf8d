//! More than one instance on a side, more than one gateway in between.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{SECRET, Secret, assert_nothing_of_ours, get, instance, mark_of, pairing, put, report_of};
use crate::harness::gateway::Gateway;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::relay::{Relay, bytes};
use crate::harness::versioned;
use crate::harness::wire::Wire;

#[test]
fn several_inner_instances_behind_one_gateway_are_one_side() {
    let secret = Secret::new(&[SECRET]);
    let origin = versioned::origin();
    let inner: [Instance; 2] = std::array::from_fn(|_| instance("inner", &origin.address().to_string(), Some(&secret)));
    // One after the other, as load balancers do.
    let (addresses, turn) = (inner.each_ref().map(Instance::address), AtomicUsize::new(0));
    let balancer = Origin::answering(move |request| {
        let address = addresses[turn.fetch_add(1, Ordering::SeqCst) % addresses.len()];
        let mut answer = Wire::to(address).ask(bytes(request));
        if request.value("X-Fails").is_some() {
            answer.head.start = "HTTP/1.1 412 Precondition Failed".to_owned();
            answer.head.lines = vec!["Content-Length: 0".to_owned()];
        }
        bytes(&answer)
    });
    let outer = instance("outer", &balancer.address().to_string(), Some(&secret));

    for _ in 0..2 {
        assert_eq!(outer.ask(get("")).value("ETag"), Some("\"v1\""));
        assert_eq!(outer.ask(put("")).status(), 204);
        assert_eq!(outer.ask("DELETE /orders/7 HTTP/1.1\r\nHost: shop.test\r\n\r\n").status(), 204);
        assert_eq!(outer.ask(put("If-None-Match: *\r\n")).status(), 204);
    }
    assert_eq!(pairing(&outer, "report"), 8.0);
    outer.assert_silent();

    // Two more by turns, so that one of them is told by the instance that knows it.
    assert_eq!(outer.ask(put("X-Fails: 1\r\nIf-Match: \"v1\"\r\n")).status(), 412);
    for number in 0..2 {
        outer.ask(format!("PUT /orders/{number} HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 0\r\n\r\n"));
    }
    let record = outer.record("an amended verdict", |record| record["amended_at"].is_string());
    assert_eq!(record["diagnosis"]["cause"], "gateway-answered", "{record:#}");
    assert_eq!(record["diagnosis"]["detail"], "after-write-applied");
}

#[test]
fn several_outer_instances_share_a_gateway_and_what_it_stores() {
    let secret = Secret::new(&[SECRET]);
    let origin = versioned::origin();
    let inner = instance("inner", &origin.address().to_string(), Some(&secret));
    let gateway = Gateway::nginx(
        "proxy_cache_path cache keys_zone=pages:1m;",
        "proxy_cache pages; proxy_cache_valid 200 1m;",
        inner.address(),
    );
    let outer: [Instance; 2] =
        std::array::from_fn(|_| instance("outer", &gateway.address().to_string(), Some(&secret)));
    for instance in &outer {
        assert_eq!(instance.ask(get("")).value("ETag"), Some("\"v1\""));
        instance.assert_silent();
    }
    assert_eq!((pairing(&outer[0], "report"), pairing(&outer[1], "from_store")), (2.0, 1.0), "the marker counts, too");
}

#[test]
fn several_gateways_in_a_row_are_one_to_the_pair() {
    let secret = Secret::new(&[SECRET]);
    let origin = versioned::origin();
    let inner = instance("inner", &origin.address().to_string(), Some(&secret));
    let second = Gateway::nginx("gzip on; gzip_types *; gzip_proxied any;", "", inner.address());
    let first = Gateway::haproxy("", second.address());
    let outer = instance("outer", &first.address().to_string(), Some(&secret));
    let tag = outer.ask(get("Accept-Encoding: gzip\r\n")).value("ETag").map(str::to_owned);
    assert_eq!(tag.as_deref(), Some("W/\"v1\""));
    assert_eq!(outer.ask(put("Accept-Encoding: gzip\r\nIf-Match: W/\"v1\"\r\n")).status(), 412);
    let record = outer.record_of_412("PUT");
    assert_eq!(record["diagnosis"]["cause"], "etag-weakened", "{record:#}");
    assert_eq!(record["diagnosis"]["confidence"], "proven");
}

#[test]
fn two_pairs_one_behind_the_other_tell_two_gateways_apart() {
    // outer, first gateway, inner and outer of two pairs, second gateway, inner.
    let (one, two) = (Secret::new(&[SECRET]), Secret::new(&["the-secret-of-the-second-pair-0123456789"]));
    let origin = versioned::origin();
    let inner_two = instance("inner", &origin.address().to_string(), Some(&two));
    let second = Gateway::nginx("gzip on; gzip_types *; gzip_proxied any;", "", inner_two.address());
    let outer_two = instance("outer", &second.address().to_string(), Some(&two));
    let inner_one = instance("inner", &outer_two.address().to_string(), Some(&one));
    let first = Relay::to(inner_one.address());
    let outer_one = instance("outer", &first.address().to_string(), Some(&one));

    let answer = outer_one.ask(get("Accept-Encoding: gzip\r\n"));
    assert_eq!(answer.value("ETag"), Some("W/\"v1\""));
    assert_nothing_of_ours(&answer);
    assert_nothing_of_ours(&origin.only_request());
    let (request, reported) = first.latest();
    assert_eq!(report_of(&reported).marked, Some(mark_of(&request).exchange));
    let altered = |instance: &Instance| {
        instance.settled_records().iter().any(|record| record["alterations"][0]["known_by"] == "pairing")
    };
    assert!(altered(&outer_two), "it was the second gateway");
    assert!(!altered(&outer_one), "and not the first");
    for instance in [&outer_one, &inner_one, &outer_two, &inner_two] {
        assert_eq!(pairing(instance, "unauthentic"), 0.0);
    }
}
