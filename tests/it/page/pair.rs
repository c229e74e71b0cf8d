//! The health of the pair on the page.

use super::browser::Browser;
use crate::harness::instance::Instance;
use crate::harness::message::Message;
use crate::harness::versioned;
use crate::pairing::Pair;

const READ: &str = "GET /orders/1 HTTP/1.1\r\nHost: shop.test\r\n\r\n";

#[test]
fn both_sides_tell_how_the_pair_is() {
    let pair = Pair::around(versioned::origin(), |_| {}, |_, _| {});
    pair.ask(READ);
    let browser = Browser::at(pair.outer.admin(), "/?view=pair");
    browser.until_says("The pair works");
    browser.until_says("inner: heard");
    assert!(browser.text(".pair-counts tbody tr").starts_with("report\t1\t100"), "{}", browser.text(".pair-counts"));
    browser.keep_screenshot("pair");
    browser.go(pair.inner.admin(), "/?view=pair");
    browser.until_says("outer: heard");
    assert!(browser.text(".pair-counts tbody tr").starts_with("mark\t1\t100"), "{}", browser.text(".pair-counts"));
    browser.assert_no_complaints();
}

#[test]
fn a_bad_state_comes_with_what_to_do() {
    let strip = |message: &mut Message| message.head.lines.retain(|line| !line.starts_with("Why412-Report"));
    let pair = Pair::around(versioned::origin(), |_| {}, move |_, answer| strip(answer));
    pair.ask(READ);
    let browser = Browser::at(pair.outer.admin(), "/?view=pair");
    browser.until_says("The other instance is not heard");
    browser.until_says("Let the gateway pass on");

    let origin = versioned::origin();
    let alone = Instance::before(origin.address());
    browser.go(alone.admin(), "/?view=pair");
    browser.until_says("What a pair would add");
    assert_eq!(browser.count(".pair-counts"), 0);
    browser.screen(360, 800, true);
    let wider = browser.run("return document.documentElement.scrollWidth - window.innerWidth");
    assert!(wider.as_i64().unwrap() <= 0, "{wider} too wide");
    browser.assert_no_complaints();
}
