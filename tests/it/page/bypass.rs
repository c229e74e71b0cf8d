//! The bypass switch on the page: it counts down what the API says, and never runs over what somebody else has switched.

use serde_json::{Value, json};

use super::browser::{Browser, ENTER};
use crate::harness::instance::Instance;
use crate::harness::versioned;

const FILE: &str = "
[bypass]
direct_traffic = true
[upstream.api]
url = [\"http://UPSTREAM\"]
[[route]]
name = \"orders\"
path = \"/orders/{id}\"
upstream = \"api\"
allow_precondition_removal = true
[[route]]
name = \"files\"
path = \"/files/{*rest}\"
upstream = \"api\"
";

fn bypasses(instance: &Instance) -> Value {
    instance.control("GET /api/v1/bypass").json()["bypasses"].clone()
}

fn choose(browser: &Browser, css: &str, value: &str) {
    let script = "const field = document.querySelector(arguments[0]); field.value = arguments[1]; \
                  field.dispatchEvent(new Event('change', { bubbles: true }))";
    browser.run_with(script, &json!([css, value]));
}

#[test]
fn it_goes_on_and_off_and_counts_down() {
    let origin = versioned::origin();
    let instance = Instance::configured(&FILE.replace("UPSTREAM", &origin.address().to_string()));
    let browser = Browser::at(instance.admin(), "/?view=bypass");
    browser.until("the form", "return document.querySelector('#bypass-on')");
    assert_eq!(browser.count(".bypass-left"), 0);
    assert_eq!(bypasses(&instance), json!([]));

    // Said in words: the fields, what is never touched, and why something cannot be had.
    for said in
        ["Cache-Control: no-cache", "Surrogate-Control: no-store", "Conditions and validators are never touched"]
    {
        browser.until_says(said);
    }
    assert!(browser.text("#bypass-direct-says").contains("no direct address"));
    assert_eq!(browser.run("return document.querySelector('#bypass-direct').disabled"), json!(true));
    assert_eq!(browser.run("return document.querySelector('#bypass-remove').disabled"), json!(false));
    choose(&browser, "#bypass-scope", "1");
    assert_eq!(browser.run("return document.querySelector('#bypass-remove').disabled"), json!(true), "not for files");

    // By keyboard, for one route.
    choose(&browser, "#bypass-scope", "0");
    browser.run("document.querySelector('#bypass-for').value = '10m'; document.querySelector('#bypass-on').focus()");
    browser.press(ENTER);
    let left = "const left = document.querySelector('[data-scope=orders] .bypass-left')?.textContent; \
                return /^9:5\\d$/.test(left) && left";
    let first = browser.until("the countdown", left);
    browser.until("it counts", &format!("return document.querySelector('.bypass-left').textContent !== {first}"));
    let on = bypasses(&instance);
    assert_eq!((&on[0]["route"], &on[0]["preconditions"]), (&json!("orders"), &json!("keep")), "{on}");
    assert_eq!(browser.count(".bypass-left"), 1);
    browser.keep_screenshot("bypass");
    browser.until_says("A bypass is on");

    browser.click("[data-scope=orders] .bypass-off button");
    browser.until("it is off", "return !document.querySelector('.bypass-left')");
    assert_eq!(bypasses(&instance), json!([]));

    // What the instance refuses is said.
    browser.run("document.querySelector('#bypass-for').value = '48h'");
    browser.click("#bypass-on");
    browser.until("the refusal", "return document.querySelector('.bypass-said').textContent.includes('at most')");
    assert_eq!(bypasses(&instance), json!([]));
    browser.assert_no_complaints_but(&["400 (Bad Request)"]);
}

#[test]
fn what_somebody_else_has_switched_is_shown_before_anything_changes() {
    let origin = versioned::origin();
    let instance = Instance::configured(&FILE.replace("UPSTREAM", &origin.address().to_string()));
    let browser = Browser::at(instance.admin(), "/?view=bypass");
    browser.until("the form", "return document.querySelector('#bypass-on')");
    instance.control_with("PUT /api/v1/bypass", &json!({ "route": "files", "for": "5m" }).to_string());
    // Before the page has looked again.
    browser.click("#bypass-on");
    browser.until_says("Somebody else has switched in the meantime");
    browser.until("the other's", "return document.querySelector('[data-scope=files] .bypass-left')");
    assert_eq!(bypasses(&instance).as_array().unwrap().len(), 1, "nothing was changed");

    browser.click(".bypass-again .button-primary");
    browser.until("both", "return document.querySelectorAll('.bypass-off button').length === 2");
    assert_eq!(bypasses(&instance).as_array().unwrap().len(), 2);
    assert!(browser.text("[data-scope=orders]").contains("on, with all routes"));
    browser.click("[data-scope=''] .bypass-off button");
    browser.until("all are off", "return !document.querySelector('.bypass-left')");
    assert_eq!(bypasses(&instance), json!([]));
    browser.assert_no_complaints_but(&["412 (Precondition Failed)"]);
}
