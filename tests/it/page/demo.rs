//! The switches of the demonstration on the page: what is switched there is switched at its gateway.

use serde_json::json;

use super::browser::Browser;
use crate::demo::Demo;
use crate::harness::eventually;
use crate::harness::instance::Instance;
use crate::harness::versioned;
use crate::harness::wire::Wire;

#[test]
fn a_habit_of_the_gateway_is_switched_by_keyboard() {
    let demo = Demo::start(&["--for", "1m"]);
    let browser = Browser::at(demo.outer, "/?view=demo");
    let switch = "document.querySelector('#demo-gzip-weaken')";
    browser.until("the switches", &format!("return {switch}"));
    assert!(browser.text(".demo-one .demo-causes").contains("etag-weakened"));
    assert_eq!(browser.run(&format!("return {switch}.checked")), json!(true));
    browser.run(&format!("{switch}.focus()"));
    browser.press(" ");
    let asked = format!("GET /api/v1/demo HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", demo.outer);
    let is_on = |id: &str| {
        let behaviours = Wire::to(demo.outer).ask(&asked).json()["behaviours"].clone();
        behaviours.as_array().unwrap().iter().find(|one| one["id"] == id).unwrap()["on"] == true
    };
    eventually("the gateway is told", || (!is_on("gzip-weaken")).then_some(()));
    assert!(is_on("gzip-suffix"), "and of nothing else");
    browser.until(
        "it is off, and where the focus was",
        &format!("return !{switch}.checked && document.activeElement === {switch}"),
    );
    browser.keep_screenshot("demo");
    browser.assert_no_complaints();
}

#[test]
fn an_ordinary_instance_says_how_to_see_one() {
    let origin = versioned::origin();
    let instance = Instance::before(origin.address());
    let browser = Browser::at(instance.admin(), "/?view=demo");
    browser.until_says("why412 demo starts one");
    assert!(!browser.text(".nav").contains("Demo"));
    browser.assert_no_complaints_but(&["404 (Not Found)"]);
}
