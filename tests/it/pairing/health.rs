//! What the two instances say of the health of their pair.

use serde_json::Value;

use super::{Pair, Secret, get, instance};
use crate::harness::eventually;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

const FINE: &str = "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 2\r\n\r\nok";

fn health(of: &Instance) -> Value {
    of.control("GET /api/v1/status").json()["pairing"].clone()
}

/// Waits until the pair is in that state.
#[track_caller]
fn assert_state(of: &Instance, state: &str) -> Value {
    eventually(&format!("the state {state}, not {:#}", health(of)), || {
        Some(health(of)).filter(|pairing| pairing["state"] == state)
    })
}

#[test]
fn a_pair_that_works_says_so_on_both_sides() {
    let pair = Pair::before(Origin::always(FINE));
    for of in [&pair.outer, &pair.inner] {
        let quiet = health(of);
        assert_eq!((&quiet["state"], &quiet["last_verified_at"]), (&"no-traffic".into(), &Value::Null), "{quiet:#}");
    }
    pair.ask(get(""));
    let outer = assert_state(&pair.outer, "working");
    assert_eq!((&outer["role"], &outer["signed"], &outer["report"]), (&"outer".into(), &true.into(), &"always".into()));
    assert_eq!((&outer["counts"]["report"], &outer["counts"]["no_report"]), (&1.into(), &0.into()));
    assert!(outer["last_verified_at"].is_string(), "{outer:#}");
    let inner = assert_state(&pair.inner, "working");
    assert_eq!((&inner["counts"]["mark"], &inner["counts"]["no_mark"]), (&1.into(), &0.into()));
    assert!(inner["last_verified_at"].is_string(), "{inner:#}");
}

#[test]
fn a_gateway_that_drops_our_fields_is_told_of() {
    let drop_ours = |message: &mut crate::harness::message::Message| {
        message.head.lines.retain(|line| !line.to_ascii_lowercase().starts_with("why412"));
    };
    let pair = Pair::around(Origin::always(FINE), drop_ours, move |_, answer| drop_ours(answer));
    pair.ask(get(""));
    let outer = assert_state(&pair.outer, "silent");
    assert!(outer["says"].as_str().unwrap().contains("Why412-Report"), "{outer:#}");
    assert!(assert_state(&pair.inner, "silent")["says"].as_str().unwrap().contains("role = \"outer\""));
}

#[test]
fn two_secrets_are_told_of() {
    let origin = Origin::always(FINE);
    let secrets = ["one-secret-of-the-tests-long-enough-0", "another-secret-of-the-tests-long-enough"];
    let [ours, theirs] = secrets.map(|secret| Secret::new(&[secret]));
    let inner = instance("inner", &origin.address().to_string(), Some(&theirs));
    let outer = instance("outer", &inner.address().to_string(), Some(&ours));
    outer.ask(get(""));
    let says = assert_state(&outer, "unauthentic");
    assert!(says["says"].as_str().unwrap().contains("same secret_file"), "{says:#}");
    assert_eq!(says["last_verified_at"], Value::Null);
    assert_state(&inner, "unauthentic");
}

#[test]
fn a_pair_without_a_secret_verifies_nothing() {
    let origin = Origin::always(FINE);
    let inner = instance("inner", &origin.address().to_string(), None);
    let outer = instance("outer", &inner.address().to_string(), None);
    outer.ask(get(""));
    let working = assert_state(&outer, "working");
    assert_eq!((&working["signed"], &working["last_verified_at"]), (&false.into(), &Value::Null), "{working:#}");
    assert!(working["last_seen_at"].is_string() && working["says"].as_str().unwrap().contains("not signed"));
}
