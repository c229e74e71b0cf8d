//! The stories of the demo, clicked through as somebody would who sees it for the first time.

use std::collections::BTreeSet;

use serde_json::json;
use why412::demo::stories::{self, During, Found, Line, Story};

use super::browser::{Browser, ENTER, ESCAPE};
use crate::demo::Demo;

#[test]
fn every_story_is_told_on_the_page() {
    let demo = Demo::start(&["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let stories = stories::all().unwrap();
    let told: Vec<&Story> = stories.iter().filter(|story| !causes(story).is_empty()).collect();
    assert!(told.len() > 20, "{}", told.len());
    let browser = Browser::at(demo.outer, "/");
    for story in told {
        let name = &story.name;
        browser.click(".nav [data-view=demo]");
        let link = format!("main a[href$='text={name}']");
        browser.until("the stories", &format!("return document.querySelector({})", json!(link)));
        browser.click(&link);
        browser.until(
            &format!("a 412 of {name}"),
            "return location.search.includes('text=') && document.querySelector('.rows[aria-busy=false] > .row-failed')",
        );
        // Other stories may have this one's name in theirs, or in what they send.
        let alike = stories.iter().filter(|other| format!("{other:?}").contains(name.as_str()));
        let true_here: BTreeSet<String> = alike.flat_map(causes).collect();
        let shown =
            browser.run("return [...document.querySelectorAll('.row-failed .row-says')].map((one) => one.textContent)");
        for says in shown.as_array().unwrap() {
            let says = says.as_str().unwrap();
            assert!(true_here.contains(says), "{name}: the list says {says}, and true is {true_here:?}");
        }
        let chosen = "const row = document.querySelector('.row-failed'); row.querySelector('a').focus(); \
                      return row.querySelector('.row-says').textContent";
        let says = browser.run(chosen).as_str().unwrap().to_owned();
        browser.press(ENTER);
        browser
            .until("its exchange", "return document.querySelector('main h1') && location.search.includes('exchange=')");
        let page = browser.text("main");
        for part in [says.as_str(), "What to do", "What happened", "How we know"] {
            assert!(page.contains(part), "{name}: nothing says {part:?}:\n{page}");
        }
        assert_eq!(browser.count(".exchange-chips [class*=party-]"), 1, "{name}: who has to act is named");
        browser.keep_screenshot(&format!("story-{name}"));
        let sizes = browser.run("return [document.documentElement.scrollWidth, innerWidth]");
        assert_eq!(sizes[0], sizes[1], "{name} scrolls sideways");
        browser.press(ESCAPE);
        browser.until("the list again", "return document.querySelector('.rows') && location.search.includes('text=')");
    }
    browser.assert_no_complaints();
}

#[test]
fn what_the_gateway_does_is_switched_on_the_page() {
    let demo = Demo::start(&["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let browser = Browser::at(demo.outer, "/?view=demo");
    browser.until("the switches", "return document.querySelector('#demo-gzip-weaken')?.checked");
    browser.click("#demo-gzip-weaken");
    browser.until(
        "it is off",
        "const one = document.querySelector('#demo-gzip-weaken'); return !one.disabled && !one.checked",
    );
    browser.go(demo.outer, "/?view=demo");
    browser.until("it stays off", "return document.querySelector('#demo-gzip-weaken')?.checked === false");
    browser.assert_no_complaints();
}

/// What is true of the 412s of a story while the gateway does all it can: the causes, with their details.
fn causes(story: &Story) -> Vec<String> {
    let asks = story.lines.iter().filter_map(|line| match line {
        Line::Ask(ask) => Some(ask),
        Line::Wait(_) | Line::NextSecond => None,
    });
    let holds = |during: Option<&During>| during.is_none_or(|during| matches!(during, During::On(_)));
    asks.flat_map(|ask| ask.expected.iter().filter(|expected| holds(expected.during.as_ref())))
        .flat_map(|expected| match &expected.found {
            Found::Cause { names, .. } => names.clone(),
            Found::Hazard(_) => Vec::new(),
        })
        .collect()
}
