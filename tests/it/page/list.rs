//! The list of exchanges: live, filtered, folded, by keyboard, and safe against what it shows.

use serde_json::json;

use super::browser::{Browser, DOWN, ENTER, ESCAPE};
use super::{one_412, refused};
use crate::harness::instance::Instance;
use crate::harness::{eventually, versioned};

const ROUTES: &str = "
[upstream.api]
url = [\"http://UPSTREAM\"]
[[route]]
name = \"orders\"
path = \"/orders/{id}\"
upstream = \"api\"
[[route]]
name = \"files\"
path = \"/files/{*rest}\"
upstream = \"api\"
";

fn with_routes(upstream: std::net::SocketAddr) -> Instance {
    Instance::configured(&ROUTES.replace("UPSTREAM", &upstream.to_string()))
}

#[test]
fn what_happens_appears_while_one_looks() {
    let origin = versioned::origin();
    let instance = Instance::before(origin.address());
    let browser = Browser::at(instance.admin(), "/");
    browser.until_says("Nothing to report yet");
    browser.until_says(&instance.address().to_string());
    browser.keep_screenshot("list-empty");
    one_412(&instance, "/orders/1");
    browser.until("a line", "return document.querySelectorAll('.rows > .row').length === 1");
    let line = browser.text(".rows > .row");
    assert!(line.contains("412") && line.contains("/orders/1") && line.contains("stale-validator"), "{line}");
    assert_eq!(browser.count(".row-failed .party"), 1);
    assert_eq!(browser.count(".row-failed .chip-possible, .row-failed .chip-likely, .row-failed .chip-proven"), 1);

    browser.click(".filter-line > .button[aria-pressed]");
    browser.until("paused", "return document.querySelector('#feed-state').textContent === 'paused'");
    one_412(&instance, "/orders/2");
    browser.until_says("1 waiting");
    assert_eq!(browser.count(".rows > .row"), 1);
    browser.click(".filter-line > .button[aria-pressed]");
    browser.until("what was held back", "return document.querySelectorAll('.rows > .row').length === 2");
    browser.assert_no_complaints();
}

#[test]
fn the_feed_goes_on_where_it_was_when_the_instance_comes_back() {
    let origin = versioned::origin();
    let instance = Instance::before(origin.address());
    let browser = Browser::at(instance.admin(), "/");
    one_412(&instance, "/orders/1");
    browser.until("a line", "return document.querySelectorAll('.rows > .row').length === 1");
    instance.signal("STOP");
    browser.run("window.dispatchEvent(new Event('online'))");
    browser.until("the loss is seen", "return document.querySelector('#feed-state').textContent === 'reconnecting'");
    instance.signal("CONT");
    browser.until("the feed is back", "return document.querySelector('#feed-state').textContent === 'live'");
    one_412(&instance, "/orders/2");
    browser.until("a second line", "return document.querySelectorAll('.rows > .row').length === 2");
    browser.assert_no_complaints();
}

#[test]
fn filters_live_in_the_address() {
    let origin = versioned::origin();
    let instance = with_routes(origin.address());
    for path in ["/orders/1", "/orders/2", "/files/a"] {
        one_412(&instance, path);
    }
    instance.record("the last", |record| record["request"]["url"].as_str().unwrap().ends_with("/files/a"));
    let browser = Browser::at(instance.admin(), "/");
    browser.until("three lines", "return document.querySelectorAll('.rows > .row').length === 3");

    browser.run("const s = document.querySelector('select[aria-label=route]'); s.value = 'orders'; s.dispatchEvent(new Event('change'))");
    browser.until("two lines", "return document.querySelectorAll('.rows > .row').length === 2");
    assert_eq!(browser.query(), "?route=orders");
    // What comes and does not fit stays out; what fits comes in.
    one_412(&instance, "/files/b");
    one_412(&instance, "/orders/3");
    browser.until("the third", "return document.querySelectorAll('.rows > .row').length === 3");
    assert!(!browser.text(".rows").contains("/files/b"));

    browser.write("[data-search]", "ORDERS/2");
    browser.until("the text", "return location.search === '?route=orders&text=ORDERS%2F2'");
    browser.until("one line", "return document.querySelectorAll('.rows > .row').length === 1");
    assert_eq!(browser.count(".filter-chip"), 2);

    // The address alone says it all: somebody else opens it, and goes back and forward.
    let shared = browser.query();
    browser.go(instance.admin(), &format!("/{shared}"));
    browser.until("the same line", "return document.querySelectorAll('.rows > .row').length === 1");
    let shown = browser.run("return [document.querySelector('[data-search]').value, document.querySelector('select[aria-label=route]').value]");
    assert_eq!(shown, json!(["ORDERS/2", "orders"]));
    browser.click(".filter-chip");
    browser.until("the text is gone", "return location.search === '?route=orders'");
    browser.back();
    browser.until("the text is back", "return document.querySelector('[data-search]').value === 'ORDERS/2'");

    browser.go(instance.admin(), "/?cause=stale-validator&status=412&since=15m");
    browser.until("all lines", "return document.querySelectorAll('.rows > .row').length === 5");
    browser.go(instance.admin(), "/?hazard=missed-304");
    browser.until_says("Nothing recorded fits these filters");
    browser.go(instance.admin(), "/?resource=%2Forders%2F1");
    browser.until("one resource", "return document.querySelectorAll('.rows > .row').length === 1");
    browser.go(instance.admin(), "/?status=99");
    browser.until_says("is not a number from 100 to 599");
    browser.assert_no_complaints_but(&["400 (Bad Request)"]);
}

#[test]
fn a_retry_loop_is_one_line() {
    let origin = versioned::origin();
    let instance = Instance::before(origin.address());
    let browser = Browser::at(instance.admin(), "/");
    let mut wire = instance.connect();
    for _ in 0..4 {
        refused(&mut wire, "/orders/1", "If-Match: \"old\"\r\n");
    }
    one_412(&instance, "/orders/2");
    refused(&mut wire, "/orders/1", "If-Match: \"old\"\r\n");
    browser.until("all five attempts", "return document.querySelector('.row-fold')?.innerText.includes('×5')");
    assert_eq!(browser.count(".rows > .row"), 2);
    browser.click(".row-fold");
    browser.until("every attempt", "return document.querySelectorAll('.row-nested').length === 5");
    // After a new start of the page the same lines are folded.
    browser.go(instance.admin(), "/");
    browser.until("folded again", "return document.querySelector('.row-fold')?.innerText.includes('×5')");
    assert_eq!(browser.count(".rows > .row"), 2);
    browser.assert_no_complaints();
}

#[test]
fn hostile_values_are_shown_as_text() {
    let origin = versioned::origin();
    let instance = Instance::before(origin.address());
    let path = "/orders/%3Cscript%3E?x=<img/src=x/onerror=document.title='taken'>";
    let lines = "If-Match: \"<b>bold</b>\"\r\nUser-Agent: <script>document.title='taken'</script>\r\n";
    refused(&mut instance.connect(), path, lines);
    let browser = Browser::at(instance.admin(), "/");
    browser.until("a line", "return document.querySelectorAll('.rows > .row').length === 1");
    assert!(browser.text(".row-path").contains("<img/src=x/onerror=document.title='taken'>"));
    assert_eq!(browser.count("main img, main script, main b script"), 0);
    browser.click("a.row-link");
    browser.until_says("\"<b>bold</b>\"");
    assert_eq!(browser.count("main img, main script"), 0);
    assert_ne!(browser.run("return document.title"), json!("taken"));
    // Characters that show nothing, or turn others around, are named.
    let shown = browser.run(
        "return import('/assets/js/dom.js').then(({ h, visible, visibleText }) => \
         [h('p', null, visible('a\\u202Eb\\u200Bc\\u0000d')).textContent, visibleText('\\u2066x'), \
          h('a', { href: 'java' + 'script:alert(1)' }).hasAttribute('href')])",
    );
    assert_eq!(shown, json!(["a‹U+202E›b‹U+200B›c‹U+0000›d", "‹U+2066›x", false]));
    browser.assert_no_complaints();
}

#[test]
fn the_keyboard_reaches_everything() {
    let origin = versioned::origin();
    let instance = Instance::before(origin.address());
    for number in 1..=30 {
        one_412(&instance, &format!("/orders/{number}"));
    }
    let browser = Browser::at(instance.admin(), "/");
    browser.until("lines", "return document.querySelectorAll('.rows > .row').length > 20");
    browser.press("j");
    browser.press(&format!("j{DOWN}k"));
    let focused = "return document.activeElement.closest('.row')?.innerText ?? ''";
    browser
        .until("the third from the top, then one up", "return document.querySelectorAll('.row-selected').length === 1");
    assert!(browser.run(focused).as_str().unwrap().contains("/orders/29"), "{}", browser.run(focused));
    let outline = "return getComputedStyle(document.activeElement, '::after').outlineStyle";
    assert_eq!(browser.run(outline), json!("solid"), "the focus is seen");
    browser.press(ENTER);
    browser.until("the exchange", "return location.search.startsWith('?exchange=')");
    browser.press(ESCAPE);
    browser.until(
        "the list again",
        "return location.search === '' && document.querySelectorAll('.rows > .row').length > 20",
    );
    browser.until(
        "the line that was left",
        "return document.activeElement.closest('.row')?.innerText.includes('/orders/29')",
    );
    browser.press("/");
    assert_eq!(browser.run("return document.activeElement.hasAttribute('data-search')"), json!(true));
    browser.press(&format!("j{ESCAPE}"));
    browser.until("what is typed is no command", "return location.search === '?text=j'");
    browser.press("?");
    browser.until("the keys", "return document.querySelector('#keys')?.open");
    browser.press(ESCAPE);
    browser.until("no more keys", "return !document.querySelector('#keys')");
    browser.press("2");
    browser.until("the routes", "return location.search === '?view=routes'");
    eventually("everything that can be pressed can be reached", || {
        let unreached = browser.run(
            "return [...document.querySelectorAll('a[href], button, select, input, summary')]\
             .filter((one) => one.tabIndex < 0 && one.offsetParent).length",
        );
        (unreached == json!(0)).then_some(())
    });
    browser.assert_no_complaints();
}
