//! A page whose instance wants a token.

use std::fs;

use serde_json::json;

use super::browser::{Browser, ENTER};
use super::one_412;
use crate::harness::instance::Instance;
use crate::harness::versioned;

#[test]
fn the_token_is_asked_for_kept_for_the_session_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "the-token-of-the-tests-is-long-enough\n").unwrap();
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&file, permissions).unwrap();
    let origin = versioned::origin();
    let upstream = format!("http://{}", origin.address());
    let configuration = format!("[admin]\ntoken_file = {:?}\n", file.to_str().unwrap());
    let instance = Instance::with(&["--upstream", &upstream], Some(&configuration));
    one_412(&instance, "/orders/1");

    let browser = Browser::open();
    browser.go(instance.admin(), "/");
    browser.until("the question", "return document.querySelector('dialog[open] #token')");
    assert_eq!(browser.count("dialog"), 1, "one question, however many requests wait for the answer");
    browser.press(&format!("wrong-token{ENTER}"));
    browser.until_says("That token is not the one of this instance");
    assert_eq!(browser.count(".rows > .row"), 0);
    browser.press(&format!("the-token-of-the-tests-is-long-enough{ENTER}"));
    browser.until("a line", "return document.querySelectorAll('.rows > .row').length === 1");
    browser.until("the feed", "return document.querySelector('#feed-state').textContent === 'live'");
    one_412(&instance, "/orders/2");
    browser.until("a second line", "return document.querySelectorAll('.rows > .row').length === 2");

    // It lasts as long as the session of the browser, and is in nothing that outlives it.
    browser.go(instance.admin(), "/?view=routes");
    browser.until_says("Since the start");
    assert_eq!(browser.count("dialog"), 0);
    assert_eq!(browser.run("return [localStorage.length, document.cookie]"), json!([0, ""]));
    browser.click("#forget-token");
    browser.until("the question again", "return document.querySelector('dialog[open] #token')");
    assert_eq!(browser.run("return sessionStorage.length"), json!(0));
    assert_eq!(browser.count(".route-card"), 0, "what was shown is gone too");
    browser.assert_no_complaints_but(&["401 (Unauthorized)"]);
}
