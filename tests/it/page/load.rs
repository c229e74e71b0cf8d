//! The page under load: thousands of real records, and many a second.

use std::thread;

use serde_json::json;

use super::browser::Browser;
use super::refused;
use crate::harness::instance::Instance;
use crate::harness::versioned;

/// More than anybody scrolls through, quickly made.
const RECORDS: usize = 3_000;
const CLIENTS: usize = 4;

#[test]
fn thousands_of_records_stay_light() {
    let origin = versioned::origin();
    let instance = Instance::before(origin.address());
    flood(&instance, "before", RECORDS);
    let browser = Browser::at(instance.admin(), "/");
    browser.until("lines", "return document.querySelectorAll('.rows > .row').length > 10");
    let elements = "return document.querySelectorAll('*').length";
    let at_rest = browser.run(elements).as_u64().unwrap();

    // The list is scrolled to its end, over and over.
    let to_the_end = "scrollTo(0, document.body.scrollHeight); \
                      return document.querySelector('.list-foot').innerText.includes('Nothing older is kept')";
    browser.until("the end of the list", to_the_end);
    let height = browser.run("return document.querySelector('.rows').clientHeight").as_u64().unwrap();
    assert!(height >= RECORDS as u64 * 20, "all of them are there: {height} px");
    assert_bounded(&browser, at_rest);
    browser.run("scrollTo(0, 0)");

    // While records come faster than anybody reads, every frame is still drawn in time.
    browser.run(
        "window.longest = 0; let before = performance.now(); \
         const frame = (now) => { longest = Math.max(longest, now - before); before = now; requestAnimationFrame(frame); }; \
         requestAnimationFrame(frame)",
    );
    flood(&instance, "while", RECORDS / 3);
    browser.until("the last ones", "return document.querySelector('.rows').innerText.includes('/while/')");
    let longest = browser.run("return longest").as_f64().unwrap();
    assert!(longest < 1_000.0, "a frame took {longest} ms");
    assert_bounded(&browser, at_rest);

    // What one looks at stays where it is while newer ones come in.
    browser.run("scrollTo(0, 2000)");
    let first_seen = "return [...document.querySelectorAll('.rows > .row')]\
        .map((row) => [row.getBoundingClientRect().top, row.querySelector('.row-path').textContent])\
        .filter(([top]) => top > 200).sort((a, b) => a[0] - b[0])[0]";
    let before = browser.until("lines in view", first_seen);
    flood(&instance, "later", 40);
    browser
        .until("they are told", "return document.querySelector('.newer:not([hidden])')?.innerText.includes('newer')");
    assert_eq!(browser.run(first_seen)[1], before[1]);
    browser.click(".newer");
    browser
        .until("the newest", "return scrollY === 0 && document.querySelector('.rows').innerText.includes('/later/')");
    assert_eq!(browser.run("return document.documentElement.scrollWidth <= innerWidth"), json!(true));
    browser.assert_no_complaints();
}

fn assert_bounded(browser: &Browser, at_rest: u64) {
    let now = browser.run("return document.querySelectorAll('*').length").as_u64().unwrap();
    assert!(now < at_rest + 600, "{at_rest} elements became {now}");
}

/// So many 412s, each of another resource, by several connections.
fn flood(instance: &Instance, name: &str, count: usize) {
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || {
                let mut wire = instance.connect();
                for number in 0..count / CLIENTS {
                    refused(&mut wire, &format!("/{name}/{client}/{number}"), "If-Match: \"never-issued\"\r\n");
                }
            });
        }
    });
}
