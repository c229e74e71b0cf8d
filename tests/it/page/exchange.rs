//! One exchange on the page: the picture of its way with the bytes that were changed, its history, and what can be done
//! with it.

use serde_json::{Value, json};

use super::browser::{Browser, ENTER};
use crate::harness::instance::Instance;
use crate::harness::message::Message;
use crate::harness::origin::Origin;
use crate::harness::versioned;
use crate::pairing::Pair;

const ADA: &str = "Authorization: Basic YWRhOng=\r\n";
const BOB: &str = "Authorization: Basic Ym9iOng=\r\n";

/// A gateway that marks the tag of what it compresses, as mod_deflate does.
fn suffixing(request: &Message, answer: &mut Message) {
    if request.value("Accept-Encoding").is_none_or(|codings| !codings.contains("gzip")) {
        return;
    }
    answer.head.lines.retain_mut(|line| {
        if let Some(tag) = line.strip_prefix("ETag: ") {
            *line = format!("ETag: {}-gzip\"", tag.trim_end_matches('"'));
        }
        true
    });
    answer.head.lines.push("Content-Encoding: gzip".to_owned());
}

fn pair_with_suffixes() -> Pair {
    Pair::around(versioned::origin(), |_| {}, suffixing)
}

fn read(pair: &Pair, fields: &str) -> String {
    let answer = pair.ask(format!("GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\n{fields}\r\n"));
    answer.value("ETag").expect("a tag").to_owned()
}

fn write(pair: &Pair, fields: &str, tag: &str) -> u16 {
    let request =
        format!("PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\n{fields}If-Match: {tag}\r\nContent-Length: 2\r\n\r\nhi");
    pair.ask(request).status()
}

/// Ada reads compressed and is refused three times; Bob reads plainly and writes.
fn story(pair: &Pair) -> Value {
    let tag = read(pair, &format!("{ADA}Accept-Encoding: gzip\r\n"));
    for _ in 0..3 {
        assert_eq!(write(pair, ADA, &tag), 412);
    }
    let plain = read(pair, BOB);
    assert_eq!(write(pair, BOB, &plain), 204);
    let refused = |records: &[Value]| records.iter().filter(|record| record["response"]["status"] == 412).count();
    pair.outer.record("all three refusals", |_| refused(&pair.outer.records()) == 3);
    pair.outer.record_of_412("PUT")
}

/// Opens a record, and waits until its history is there.
fn open(instance: &Instance, record: &Value) -> Browser {
    let browser = Browser::at(instance.admin(), &format!("/?exchange={}", record["id"].as_str().unwrap()));
    browser.until("the history", "return document.querySelector('.happening-present')");
    browser
}

/// The texts of all that fit, without what only screen readers are told.
fn texts(browser: &Browser, css: &str) -> Value {
    let script = "return [...document.querySelectorAll(arguments[0])].map((found) => { const copy = found.cloneNode(true); \
                  copy.querySelectorAll('.seen-by-readers-only').forEach((hidden) => hidden.remove()); \
                  return copy.textContent; })";
    browser.run_with(script, &json!([css]))
}

#[test]
fn the_way_of_a_tag_shows_who_changed_which_bytes() {
    let pair = pair_with_suffixes();
    let browser = open(&pair.outer, &story(&pair));
    browser.keep_screenshot("exchange");

    assert_eq!(texts(&browser, ".station-name"), json!(["Client", "why412", "Gateway", "why412", "Origin"]));
    let gist = browser.text(".gist");
    assert!(
        gist.starts_with("The origin gave \"v1\"; the gateway added -gzip, so the client was given \"v1-gzip\"."),
        "{gist}"
    );
    // The read: as the origin gave the tag, and as it came.
    assert_eq!(texts(&browser, ".way-leg:nth-of-type(2) [data-field=etag] .way-far .way-value"), json!(["\"v1\""]));
    assert_eq!(
        texts(&browser, ".way-leg:nth-of-type(2) [data-field=etag] .way-near .way-value"),
        json!(["\"v1-gzip\""])
    );
    assert_eq!(texts(&browser, ".way-leg:nth-of-type(2) [data-field=etag] ins"), json!(["-gzip"]));
    assert_eq!(texts(&browser, ".way-altered .way-between"), json!(["added -gzip"]));
    // The write: as it was sent back, which the gateway left alone, and the bytes by which it differs from the current.
    assert_eq!(texts(&browser, "[data-field=if-match] .way-value"), json!(["\"v1-gzip\"", "\"v1-gzip\""]));
    assert_eq!(texts(&browser, "[data-field=if-match] .way-between"), json!(["unchanged"]));
    assert_eq!(texts(&browser, "[data-field=if-match] mark"), json!(["-gzip", "-gzip"]));
    assert!(browser.text("[data-field=if-match] .way-judged").contains("not \"v1\", which the 412 names as current"));
    // The verdict.
    assert_eq!(browser.text(".exchange-chips .chip-proven"), "proven");
    assert!(browser.text(".exchange-chips .party-gateway").contains("gateway"));
    assert!(browser.count(".fix .directive") > 2 && browser.count(".fix .copy-icon") > 2);
    browser.assert_no_complaints();
}

#[test]
fn history_and_retries_are_told_and_lead_on() {
    let pair = pair_with_suffixes();
    let browser = open(&pair.outer, &story(&pair));

    let lines = texts(&browser, ".happening-says");
    let lines: Vec<&str> = lines.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let [given, refused, plain, wrote] = lines.as_slice() else { panic!("{lines:#?}") };
    assert!(given.contains("read it by GET and was given \"v1-gzip\" in gzip"), "{given}");
    assert!(refused.contains("with If-Match \"v1-gzip\", 412") && refused.contains("3 times"), "{refused}");
    assert!(plain.contains("was given \"v1\""), "{plain}");
    assert!(wrote.contains("with If-Match \"v1\", 204, now \"v2\""), "{wrote}");
    let letters = texts(&browser, ".happening .client-letter");
    assert_eq!(letters, json!(["A", "A", "B", "B"]), "two clients, told apart");

    // Three attempts in one line, unfolded by keyboard; another of them opens by its link.
    assert!(browser.text(".loop > summary").contains("3 attempts"));
    browser.run("document.querySelector('.loop > summary').focus()");
    browser.press(ENTER);
    browser.until("the loop unfolds", "return document.querySelector('.loop').open");
    assert_eq!(browser.count(".loop a.related-line"), 2);
    let shown = browser.query();
    browser.click(".loop a.related-line");
    browser.until("another of them", &format!("return location.search !== {}", json!(shown)));
    browser
        .until("its picture", "return document.querySelector('.happening-present') && document.querySelector('.way')");
    assert!(browser.query().starts_with("?exchange="));

    // A write that succeeds now appears in the history of what is open.
    let plain = read(&pair, BOB);
    assert_eq!(write(&pair, BOB, &plain), 204);
    browser.click(".exchange-history .beside");
    browser.until("the resource", "return location.search.includes('view=resource')");
    browser.until_says("now \"v3\"");
    browser.until("its validators", "return document.querySelectorAll('.table-stacks tbody tr').length > 3");
    browser.keep_screenshot("resource");
    browser.assert_no_complaints();
}

#[test]
fn what_nobody_saw_is_not_made_up() {
    let strip = |message: &mut Message| message.head.lines.retain(|line| !line.starts_with("Why412-Report"));
    let pair = Pair::around(versioned::origin(), |_| {}, move |_, answer| strip(answer));
    assert_eq!(write(&pair, ADA, "\"never-issued\""), 412);
    let browser = open(&pair.outer, &pair.outer.record_of_412("PUT"));
    let far = texts(&browser, "[data-field=if-match] .way-far");
    assert_eq!(far, json!(["not knownno report came"]));
    assert_eq!(texts(&browser, "[data-field=if-match] .way-between"), json!(["not known"]));
    assert_eq!(texts(&browser, ".way ins, .way del, .way mark"), json!([]));

    // An instance alone, without a verdict against a gateway, draws none.
    let origin = versioned::origin();
    let instance = Instance::before(origin.address());
    super::one_412(&instance, "/orders/1");
    browser.go(instance.admin(), &format!("/?exchange={}", instance.record_of_412("PUT")["id"].as_str().unwrap()));
    browser.until("the picture", "return document.querySelector('.way')");
    assert_eq!(texts(&browser, ".station-name"), json!(["Client", "why412", "Upstream"]));
    browser.assert_no_complaints();
}

#[test]
fn hostile_values_are_text_and_fit_a_phone() {
    // Bytes that are a right-to-left override in UTF-8, markup, and a long value without a place to break.
    let origin = Origin::answering(|_| {
        let tag = b"ETag: \"\xe2\x80\xae</code><img src=x onerror=document.title='taken'>\"\r\n";
        let long = format!("Last-Modified: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(400));
        [&b"HTTP/1.1 412 Precondition Failed\r\n"[..], tag, long.as_bytes()].concat()
    });
    let pair = Pair::around(origin, |_| {}, |_, _| {});
    let markup = "\"<script>document.title='taken'</script><svg onload=alert(1)>\"";
    assert_eq!(write(&pair, ADA, markup), 412);
    let browser = open(&pair.outer, &pair.outer.record_of_412("PUT"));
    assert_eq!(texts(&browser, "[data-field=if-match] .way-near .way-value"), json!([markup]));
    let tag = browser.text(".way-leg:last-of-type [data-field=etag] .way-near .way-value");
    assert!(tag.contains("\u{2039}U+0080\u{203a}") && tag.contains("<img src=x"), "{tag}");
    assert_eq!(browser.count("#view img, #view script, #view svg[onload], #view code img"), 0);
    for (width, dark) in [(360, true), (360, false), (1280, true)] {
        browser.screen(width, 800, dark);
        let wider = browser.run("return document.documentElement.scrollWidth - window.innerWidth");
        assert!(wider.as_i64().unwrap() <= 0, "{width}: {wider} too wide");
        browser.keep_screenshot(&format!("exchange-hostile-{width}-{dark}"));
    }
    assert_ne!(browser.run("return document.title"), json!("taken"));
    browser.assert_no_complaints();
}

#[test]
fn what_can_be_taken_along_is_there() {
    let pair = pair_with_suffixes();
    let record = story(&pair);
    let browser = open(&pair.outer, &record);
    for action in ["har", "bundle", "json"] {
        browser.click(&format!("[data-action={action}]"));
        let ready = format!("return !document.querySelector('[data-action={action}]').disabled");
        browser.until(action, &ready);
        assert_eq!(texts(&browser, ".actions-said"), json!([""]), "{action}");
    }
    browser.click(".messages summary");
    browser.until_says("Bodies are never kept");
    browser.run("document.querySelectorAll('.fold')[1].open = true");
    browser.until("the command", "return document.querySelector('.curl').textContent.includes('If-Match')");
    browser.assert_no_complaints();
}

#[test]
fn a_probe_amends_what_is_shown_by_its_answer_and_by_the_feed() {
    let pair = pair_with_suffixes();
    let record = story(&pair);
    let id = record["id"].as_str().unwrap();
    let browser = open(&pair.outer, &record);
    browser.click("[data-action=probe]");
    browser.until("what the probe learned", "return document.querySelector('.probe .pairs')");
    assert_eq!(texts(&browser, ".actions-said"), json!([""]));
    assert!(browser.text(".probe").contains("\"v2"), "what Bob wrote: {}", browser.text(".probe"));
    assert!(browser.text(".probe").contains("no direct address"));
    let amended = pair.outer.control(&format!("GET /api/v1/exchanges/{id}")).json();
    assert_eq!(amended["probe"]["by"], "operator", "{amended:#}");

    // Somebody else probes it again: the feed brings the record once more, under the same name.
    let before = browser.text(".probe time");
    let again = pair.outer.control_with(&format!("POST /api/v1/exchanges/{id}/probe"), "{}");
    assert_eq!(again.status(), 200, "{}", again.text());
    browser.until(
        "the other's probe",
        &format!("return document.querySelector('.probe time').innerText !== {}", json!(before)),
    );
    browser.assert_no_complaints();
}
