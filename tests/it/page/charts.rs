//! The charts: what the routes counted, drawn so that it can be read without seeing it, and leading to the list.

use serde_json::json;

use super::browser::Browser;
use super::one_412;
use crate::harness::instance::Instance;
use crate::harness::versioned;

#[test]
fn a_route_shows_its_412s_and_leads_to_them() {
    let origin = versioned::origin();
    let instance = Instance::before(origin.address());
    for number in 0..3 {
        one_412(&instance, &format!("/orders/{number}"));
    }
    let browser = Browser::at(instance.admin(), "/?view=routes");
    browser.until_says("3 × 412");
    let said = browser.run("return document.querySelector('.route-card svg').getAttribute('aria-label')");
    let said = said.as_str().unwrap();
    assert!(said.contains("412s of route default") && said.contains("3 412s of 3 requests"), "{said}");
    assert!(said.contains("stale-validator 3"), "{said}");
    // Each cause stands beside its colour, which is the same on every chart.
    let colours = browser.run(
        "return [getComputedStyle(document.querySelector('.route-card .fill')).fill, \
         getComputedStyle(document.querySelector('.route-card .swatch')).backgroundColor]",
    );
    assert_eq!(colours[0], colours[1]);
    assert!(browser.text(".route-causes").contains("stale-validator"));
    browser.click(".route-card summary");
    assert!(browser.text(".chart-table").contains("stale-validator 3"));

    browser.click(".route-chart");
    browser.until("the list of the route", "return location.search === '?route=default'");
    browser.until("its lines", "return document.querySelectorAll('.rows > .row').length === 3");
    // In one look above the list: how many, why, who has to act.
    browser.until_says("3 × 412");
    let bar = browser.text(".overview-causes .cause-bar");
    assert!(bar.contains("stale-validator") && bar.contains("client") && bar.contains('3'), "{bar}");
    browser.click(".overview-causes .cause-bar");
    browser.until("the cause too", "return location.search === '?route=default&cause=stale-validator'");
    browser.assert_no_complaints();
}

#[test]
fn the_catalogue_is_searched_and_linked() {
    let origin = versioned::origin();
    let instance = Instance::before(origin.address());
    let browser = Browser::at(instance.admin(), "/?view=catalogue&entry=etag-suffixed");
    browser.until("the entry", "return document.querySelector('#etag-suffixed')?.open");
    let seen = "const box = document.querySelector('#etag-suffixed').getBoundingClientRect(); \
                return box.top >= 0 && box.top < innerHeight";
    browser.until("it is in view", seen);
    browser.write("[data-search]", "lost update");
    browser.until(
        "few are left",
        "const all = document.querySelectorAll('.entry').length, \
        left = document.querySelectorAll('.entry:not([hidden])').length; return left > 0 && left < all / 2",
    );
    browser.press("zzz");
    browser.until_says("No entry says that.");
    assert_eq!(browser.run("return document.querySelectorAll('.entry:not([hidden])').length"), json!(0));
    browser.assert_no_complaints();
}
