//! Secrets can be rotated one instance at a time, and what one instance does not share is not believed.

use super::{SECRET, Secret, assert_nothing_of_ours, instance, pairing, put};
use crate::harness::eventually;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::relay::Relay;

const NEXT: &str = "another-secret-of-the-tests-that-is-longer-1";
const REFUSED: &str = "HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nContent-Length: 0\r\n\r\n";

fn reload(instance: &Instance) {
    assert_eq!(instance.control("POST /-/reload").status(), 200);
}

#[test]
fn secrets_rotate_without_a_gap() {
    let origin = Origin::always(REFUSED);
    let (of_outer, of_inner) = (Secret::new(&[SECRET]), Secret::new(&[SECRET]));
    let inner = instance("inner", &origin.address().to_string(), Some(&of_inner));
    let relay = Relay::to(inner.address());
    let outer = instance("outer", &relay.address().to_string(), Some(&of_outer));
    let steps: [(&[&str], &[&str]); 5] = [
        (&[SECRET], &[SECRET]),
        (&[SECRET, NEXT], &[SECRET]),
        (&[SECRET, NEXT], &[NEXT, SECRET]),
        (&[NEXT], &[NEXT, SECRET]),
        (&[NEXT], &[NEXT]),
    ];
    for (number, (outer_knows, inner_knows)) in steps.into_iter().enumerate() {
        of_outer.write(outer_knows);
        of_inner.write(inner_knows);
        reload(&outer);
        reload(&inner);
        assert_nothing_of_ours(&outer.ask(put("If-Match: \"v1\"\r\n")));
        assert_eq!(pairing(&outer, "report"), number as f64 + 1.0, "step {number}");
    }
    assert_eq!(pairing(&outer, "unauthentic"), 0.0);
    assert_eq!(pairing(&inner, "unauthentic"), 0.0);
    let clients: Vec<_> = outer.settled_records().iter().map(|record| record["client"].clone()).collect();
    assert!(clients.iter().all(|client| *client == clients[0]), "a client keeps its name: {clients:?}");
}

#[test]
fn instances_that_share_no_secret_do_not_believe_each_other() {
    let origin = Origin::always(REFUSED);
    let (of_outer, of_inner) = (Secret::new(&[SECRET]), Secret::new(&[NEXT]));
    let inner = instance("inner", &origin.address().to_string(), Some(&of_inner));
    let relay = Relay::to(inner.address());
    let outer = instance("outer", &relay.address().to_string(), Some(&of_outer));
    assert_nothing_of_ours(&outer.ask(put("If-Match: \"v1\"\r\n")));
    assert_nothing_of_ours(&origin.only_request());
    for instance in [&outer, &inner] {
        let record = instance.record_of_412("PUT");
        assert_eq!(record["far_side"]["unauthentic"], true, "{record:#}");
        assert_eq!(record["far_side"]["exchange"], serde_json::Value::Null);
        assert_ne!(record["diagnosis"]["confidence"], "proven");
        assert_eq!(pairing(instance, "unauthentic"), 1.0);
    }
}

#[test]
fn an_unsigned_instance_is_not_believed_by_a_signed_one() {
    let origin = Origin::always(REFUSED);
    let secret = Secret::new(&[SECRET]);
    let inner = instance("inner", &origin.address().to_string(), Some(&secret));
    let relay = Relay::to(inner.address());
    let outer = instance("outer", &relay.address().to_string(), None);
    outer.ask(put("If-Match: \"v1\"\r\n"));
    eventually("the count", || (pairing(&inner, "unauthentic") == 1.0).then_some(()));
    let record = outer.record_of_412("PUT");
    assert_eq!(record["far_side"]["signed"], false, "without a secret nothing can be verified: {record:#}");
    assert_ne!(record["diagnosis"]["confidence"], "proven");
}
