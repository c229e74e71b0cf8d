//! Every view in every light and width: nothing scrolls sideways, words can be read, the browser complains of nothing.

use serde_json::json;

use super::browser::Browser;
use super::{one_412, refused};
use crate::harness::instance::Instance;
use crate::harness::versioned;

const VIEWS: &[(&str, &str)] = &[
    ("list", "/"),
    ("filtered", "/?route=default&text=orders&since=6h&resource=%2Forders%2F1"),
    ("routes", "/?view=routes"),
    ("bypass", "/?view=bypass"),
    ("pair", "/?view=pair"),
    ("catalogue", "/?view=catalogue&entry=etag-suffixed"),
];

#[test]
fn every_view_fits_every_screen() {
    let origin = versioned::origin();
    let instance = Instance::before(origin.address());
    let mut wire = instance.connect();
    let long = format!("/orders/{}?customer={}", "a".repeat(200), "b".repeat(200));
    for path in ["/orders/1", "/orders/2", &long] {
        refused(&mut wire, path, &format!("If-Match: \"{}\"\r\nX-Long: {}\r\n", "c".repeat(300), "d".repeat(2000)));
        refused(&mut wire, path, "If-Match: unquoted\r\n");
    }
    one_412(&instance, "/orders/1");
    let id = instance.record_of_412("PUT")["id"].as_str().unwrap().to_owned();
    let exchange = format!("/?exchange={id}");
    let browser = Browser::at(instance.admin(), "/");
    for (name, path) in VIEWS.iter().copied().chain([("exchange", exchange.as_str())]) {
        browser.go(instance.admin(), path);
        browser.until("it is live", "return document.querySelector('#feed-state')?.textContent === 'live'");
        browser.until("the view", "return document.querySelector('main').innerText.trim().length > 20");
        browser.until("it is whole", "return !document.querySelector('[aria-busy=true]')");
        for (width, dark) in [(360, false), (768, true), (1280, true), (1280, false)] {
            browser.screen(width, 800, dark);
            let light = if dark { "dark" } else { "light" };
            browser.keep_screenshot(&format!("{name}-{width}-{light}"));
            let sizes = browser.run("return [document.documentElement.scrollWidth, innerWidth]");
            assert_eq!(sizes, json!([width, width]), "{name} scrolls sideways at {width} px");
            let pale = browser.run(CONTRAST);
            assert_eq!(pale, json!([]), "{name} in {light}: text that is hard to read");
        }
    }
    browser.assert_no_complaints();
}

/// Texts whose contrast to their ground is below 4.5 (WCAG 2.2 §1.4.3), as far as grounds are plain colours.
const CONTRAST: &str = "
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = (colour) => {
      canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
      return canvas.getImageData(0, 0, 1, 1).data;
    };
    const luminance = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
      .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
    const ground = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const colour = rgba(getComputedStyle(at).backgroundColor);
        if (colour[3] === 255) return colour;
      }
      return rgba('white');
    };
    const found = new Set();
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || !element.checkVisibility() || element.closest('[disabled], noscript, option, .seen-by-readers-only, .skip')) continue;
      const [a, b] = [luminance(rgba(getComputedStyle(element).color)), luminance(ground(element))];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < 4.5) found.add(element.className + ': ' + node.data.slice(0, 40) + ' ' + contrast.toFixed(2));
    }
    return [...found];
";
