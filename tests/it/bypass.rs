//! The bypass switch on the wire: the fields that it adds, and nothing else.

use std::fs;

use serde_json::json;

use crate::harness::instance::Instance;
use crate::harness::message::Message;
use crate::harness::origin::Origin;

const ANSWER: &str = "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\nContent-Length: 0\r\n\r\n";

fn ask(instance: &Instance, fields: &str) -> Message {
    instance.ask(format!("GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\n{fields}\r\n"))
}

fn last(origin: &Origin) -> Message {
    origin.requests().pop().expect("a request")
}

#[test]
fn caches_are_told_to_let_go_until_the_bypass_ends() {
    let origin = Origin::always(ANSWER);
    let instance = Instance::before(origin.address());

    let begun = instance.control_with("PUT /api/v1/bypass", &json!({ "route": null, "for": "15m" }).to_string());
    assert!((200..300).contains(&begun.status()), "{begun:?}");
    let answer = ask(&instance, "Cache-Control: max-age=0\r\nIf-None-Match: \"v0\"\r\n");

    let sent = last(&origin).head;
    assert_eq!(sent.values("Cache-Control"), ["max-age=0", "no-cache"]);
    assert_eq!(sent.values("Pragma"), ["no-cache"]);
    assert_eq!(sent.values("If-None-Match"), ["\"v0\""]);
    assert_eq!(answer.head.values("Cache-Control"), ["max-age=60", "no-store"]);
    assert_eq!(answer.head.values("CDN-Cache-Control"), ["no-store"]);
    assert_eq!(answer.head.values("Surrogate-Control"), ["no-store"]);
    assert_eq!(answer.value("ETag"), Some("\"v1\""));

    assert_eq!(ask(&instance, "Cache-Control: no-cache\r\nPragma: no-cache\r\n").status(), 200);
    assert_eq!(last(&origin).head.values("Cache-Control"), ["no-cache"], "not where it stands already");
    assert_eq!(last(&origin).head.values("Pragma"), ["no-cache"]);

    let ended = instance.control("DELETE /api/v1/bypass");
    assert!((200..300).contains(&ended.status()), "{ended:?}");
    let answer = ask(&instance, "");
    assert_eq!(last(&origin).head.values("Cache-Control"), [""; 0]);
    assert_eq!(answer.head.values("Cache-Control"), ["max-age=60"]);
}

#[test]
fn the_switch_has_a_version_of_its_own() {
    let origin = Origin::always(ANSWER);
    let instance = Instance::before(origin.address());

    let before = instance.control("GET /api/v1/bypass");
    assert_eq!(before.json()["bypasses"], json!([]));
    let etag = before.value("ETag").expect("a switch has a version").to_owned();
    instance.control_with("PUT /api/v1/bypass", &json!({ "for": "1m" }).to_string());
    let after = instance.control("GET /api/v1/bypass");

    assert_ne!(after.value("ETag"), Some(etag.as_str()));
    assert!(after.json()["bypasses"][0]["until"].is_string(), "{}", after.text());
    instance.assert_metric("why412_bypass_active{scope=\"all\"}", 1.0);
}

#[test]
fn one_request_is_bypassed_by_its_token_alone() {
    let origin = Origin::always(ANSWER);
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    fs::write(&token, "a-token-that-is-long-enough-to-be-one-0123456789\n").unwrap();
    let instance = Instance::configured(&format!(
        "[bypass]\ntoken_file = \"{}\"\n[upstream.api]\nurl = [\"http://{}\"]\n[[route]]\nname = \"all\"\n\
         path = \"/{{*rest}}\"\nupstream = \"api\"\n",
        token.display(),
        origin.address()
    ));

    ask(&instance, "Why412-Bypass: a-token-that-is-long-enough-to-be-one-0123456789\r\n");
    assert_eq!(last(&origin).head.values("Cache-Control"), ["no-cache"]);
    assert_eq!(last(&origin).value("Why412-Bypass"), None);

    ask(&instance, "Why412-Bypass: a-wrong-token\r\n");
    assert_eq!(last(&origin).head.values("Cache-Control"), [""; 0]);
    assert_eq!(last(&origin).value("Why412-Bypass"), None);
}
