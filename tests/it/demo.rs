//! `why412 demo` through the real binary: what it promises is on its page within a minute, and every verdict is the one
//! that the story says is true.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use why412::demo::stories::{self, Ask, During, Expected, Found, Line, Story};

use crate::harness::command::command;
use crate::harness::eventually;
use crate::harness::instance::Instance;
use crate::harness::message::Message;
use crate::harness::origin::Origin;
use crate::harness::wire::Wire;

/// How long everything may take to be seen. A quiet machine needs 45 seconds; one that runs the other tests beside it plays
/// more slowly, and a story that misses its moment comes again in the next round.
const PATIENCE_FOR_ALL: Duration = Duration::from_secs(150);

/// What the demo brings about.
const CAUSES: [&str; 29] = [
    "client-derived-validator",
    "clock-skew",
    "concurrent-update",
    "create-conflict",
    "current-validator-refused",
    "date-precision",
    "etag-rewritten",
    "etag-stripped",
    "etag-suffixed",
    "etag-weakened",
    "gateway-answered",
    "list-unsupported",
    "malformed-origin-validator",
    "malformed-precondition",
    "missing-resource",
    "no-precondition",
    "node-disagreement",
    "outdated-date",
    "precondition-rewritten",
    "retry-after-applied",
    "stale-cache",
    "stale-validator",
    "strength-mismatch",
    "unexplained",
    "unstable-validator",
    "validator-disagreement",
    "vendor-precondition",
    "weak-etag-in-if-match",
    "wrong-target",
];

/// Damage without a 412 that it brings about.
const HAZARDS: [&str; 17] = [
    "guessed-validator",
    "if-range-ignored",
    "malformed-validator",
    "missed-304",
    "near-412",
    "not-modified-mismatch",
    "precondition-dropped",
    "precondition-not-enforced",
    "precondition-rejected",
    "protection-given-up",
    "shared-strong-tag",
    "stale-response",
    "unguarded-write",
    "validator-never-returned",
    "validator-unstable",
    "weak-date-validator",
    "wrong-304",
];

#[test]
fn within_a_minute_every_cause_is_there_and_true() {
    let demo = Demo::start(&["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let stories = stories::all().unwrap();
    let wanted = wanted(&stories, |during| during.is_none_or(|during| matches!(during, During::On(_))));

    let records = demo.when_all_is_found(&wanted);

    assert_eq!(causes(&records), BTreeSet::from(CAUSES.map(str::to_owned)));
    assert_eq!(hazards(&records), BTreeSet::from(HAZARDS.map(str::to_owned)));
    assert_true(&stories, &records, |during| during.is_none_or(|during| matches!(during, During::On(_))));
    let inner = exchanges(demo.inner);
    assert!(inner.iter().all(|record| record["role"] == "inner"), "{inner:?}");
    assert!(causes(&inner).len() > 20, "the other half sees its side: {:?}", causes(&inner));
}

#[test]
fn with_an_honest_gateway_only_clients_and_origin_are_to_blame() {
    let demo = Demo::start(&["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let known = demo.control("GET /api/v1/demo", "").json();
    let known: Vec<&str> =
        known["behaviours"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    let all_off: serde_json::Map<String, Value> = known.iter().map(|id| ((*id).to_owned(), json!(false))).collect();

    let answer = demo.control("PUT /api/v1/demo", &json!({ "behaviours": all_off }).to_string()).json();

    assert!(answer["behaviours"].as_array().unwrap().iter().all(|one| one["on"] == false), "{answer}");
    // A story that had begun by then may have met the gateway as it was.
    let begun: BTreeSet<String> = exchanges(demo.outer).iter().map(|record| place(record).0).collect();
    let stories: Vec<_> = stories::all().unwrap().into_iter().filter(|story| !begun.contains(&story.name)).collect();
    assert!(begun.len() < 3, "{begun:?}");
    let is_off = |during: Option<&During>| during.is_none_or(|during| matches!(during, During::Off(_)));
    let mut records = demo.when_all_is_found(&wanted(&stories, is_off));
    records.retain(|record| !begun.contains(&place(record).0));
    assert!(records.iter().all(|record| !is_altered(record)), "{records:?}");
    assert_true(&stories, &records, is_off);
    let parties: BTreeSet<_> = records.iter().filter_map(|record| record["diagnosis"]["party"].as_str()).collect();
    assert_eq!(parties, BTreeSet::from(["client", "origin", "other-client", "unknown"]));
}

#[test]
fn a_switch_ends_what_it_names() {
    let demo = Demo::start(&["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let save = |path: &str| {
        let basic = "Authorization: Basic dGVzdDp0ZXN0";
        let host = demo.listen;
        let read = Wire::to(host).ask(format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\n{basic}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
        ));
        let tag = read.head.value("ETag").unwrap().to_owned();
        let saved = Wire::to(host).ask(format!(
            "PUT {path} HTTP/1.1\r\nHost: {host}\r\n{basic}\r\nIf-Match: {tag}\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        ));
        (tag, saved.status())
    };

    let (tag, status) = save("/orders/by-hand");
    assert!(tag.starts_with("W/\"") && status == 412, "{tag} {status}");
    let off = demo.control("PUT /api/v1/demo", r#"{"behaviours":{"gzip-weaken":false}}"#);
    assert_eq!(off.status(), 200);
    let (tag, status) = save("/orders/by-hand");
    assert!(tag.starts_with('"') && status == 204, "{tag} {status}");
    // The other compressor goes on.
    let (tag, status) = save("/documents/by-hand");
    assert!(tag.ends_with("-gzip\"") && status == 412, "{tag} {status}");
    demo.control("PUT /api/v1/demo", r#"{"behaviours":{"gzip-weaken":true}}"#);
    assert_eq!(save("/orders/by-hand").1, 412);

    let unknown = demo.control("PUT /api/v1/demo", r#"{"behaviours":{"gzip-suffix":false,"gzip":false}}"#);
    let says = unknown.json()["detail"].as_str().unwrap().to_owned();
    assert_eq!(unknown.status(), 400);
    assert!(says.contains("\"gzip\"") && says.contains("gzip-weaken") && says.contains("resend"), "{says}");
    // All or nothing.
    assert_eq!(save("/documents/by-hand").1, 412);
    for wrong in ["", "{}", r#"{"behaviours":{"cache":1}}"#, r#"{"behaviours":{},"more":1}"#] {
        assert_eq!(demo.control("PUT /api/v1/demo", wrong).status(), 400, "{wrong}");
    }
}

#[test]
fn an_ordinary_instance_is_no_demo() {
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let instance = Instance::before(origin.address());
    for (line, body) in [("GET /api/v1/demo", ""), ("PUT /api/v1/demo", r#"{"behaviours":{}}"#)] {
        let answer = instance.control_with(line, body);
        assert_eq!(answer.status(), 404, "{line}");
        assert!(answer.text().contains("why412 demo"), "{}", answer.text());
    }
}

#[test]
fn taken_addresses_do_not_keep_it_from_starting_and_ctrl_c_ends_it_well() {
    // Whoever has them, they are taken.
    let _taken = ["127.0.0.1:4120", "127.0.0.1:8412"].map(TcpListener::bind);
    let mut demo = Demo::start(&[]);
    assert!(demo.outer.port() != 4120 && demo.listen.port() != 8412, "{demo:?}");
    assert_eq!(demo.control("GET /readyz", "").status(), 200);

    let (outer, listen) = (demo.outer, demo.listen);
    demo.signal("INT");
    let ended = eventually("the end of the demo", || demo.child.try_wait().unwrap());

    assert_eq!(ended.code(), Some(0));
    for address in [outer, listen, demo.inner] {
        assert!(TcpStream::connect(address).is_err(), "{address} still answers");
    }
}

#[test]
fn an_address_that_was_asked_for_is_had_or_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = crate::harness::command::why412(&["demo", "--admin", &address, "--for", "1s"]);
    assert_eq!((ran.code, ran.data.as_str()), (1, ""));
    assert!(ran.messages.contains(&address), "{ran:?}");
}

#[test]
fn a_newcomer_is_told_where_to_look() {
    let ran = crate::harness::command::why412(&[
        "demo",
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
        "--for",
        "300ms",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for said in ["http://127.0.0.1:", "page", "Ctrl-C", "gzip-weaken", "why412 tail"] {
        assert!(ran.data.contains(said), "{said}: {}", ran.data);
    }
    assert!(ran.data.lines().all(|line| line.chars().count() <= 130), "{}", ran.data);
    assert_eq!(ran.messages, "");
}

#[test]
fn what_the_stories_name_exists() {
    let stories = stories::all().unwrap();
    let names: BTreeSet<_> = stories.iter().map(|story| &story.name).collect();
    assert_eq!(names.len(), stories.len(), "each has its own name");
    for story in &stories {
        assert!(!story.title.is_empty() && story.title.len() < 100, "{}: {:?}", story.name, story.title);
        for expected in asks(story).flat_map(|ask| &ask.expected) {
            let known = why412::analysis::diagnosis::reference::entry;
            for name in names_of(&expected.found) {
                let (id, detail) = name.split_once('/').map_or((name, None), |(id, detail)| (id, Some(detail)));
                let entry = known(id).unwrap_or_else(|| panic!("{}: {id} is no entry of the catalogue", story.name));
                let has = |detail| entry.details.iter().any(|known| known.id == detail);
                assert!(detail.is_none_or(has), "{}: {name}", story.name);
            }
        }
    }
}

#[test]
fn the_readme_promises_what_is_brought_about() {
    let readme = include_str!("../../README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    let promise = format!("each of the {} known causes, and {} kinds of damage", CAUSES.len(), HAZARDS.len());
    assert!(readme.contains(&promise), "{promise}");
    assert_eq!(CAUSES.len(), why412::analysis::diagnosis::causes::CATALOGUE.len());
}

/// A demo at work. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Demo {
    child: Child,
    listen: SocketAddr,
    pub(crate) outer: SocketAddr,
    inner: SocketAddr,
}

impl Demo {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = command(&[&["demo", "--json"], arguments].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|fault| panic!("{fault}: {line:?}"));
        let address = |name: &str| {
            let url = said[name].as_str().unwrap();
            url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap()
        };
        Self { child, listen: address("listen"), outer: address("page"), inner: address("inner_page") }
    }

    fn control(&self, line: &str, body: &str) -> Message {
        control(self.outer, line, body)
    }

    fn signal(&self, name: &str) {
        let done = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.child.id())).status();
        assert!(done.unwrap().success());
    }

    /// Every record of the outer instance, as soon as all that is wanted is among what was found.
    fn when_all_is_found(&self, wanted: &BTreeSet<String>) -> Vec<Value> {
        let pause = Duration::from_millis(500);
        let mut missing = BTreeSet::new();
        for _ in 0..PATIENCE_FOR_ALL.as_millis() / pause.as_millis() {
            thread::sleep(pause);
            let records = exchanges(self.outer);
            let found: BTreeSet<String> = records.iter().flat_map(told).collect();
            missing =
                wanted.iter().filter(|wanted| !wanted.split(" or ").any(|one| found.contains(one))).cloned().collect();
            if missing.is_empty() {
                return records;
            }
        }
        panic!("not within {PATIENCE_FOR_ALL:?}: {missing:#?}");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn control(admin: SocketAddr, line: &str, body: &str) -> Message {
    let framing = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    Wire::to(admin).ask(format!("{line} HTTP/1.1\r\nHost: {admin}\r\n{framing}Connection: close\r\n\r\n{body}"))
}

/// Oldest first.
fn exchanges(admin: SocketAddr) -> Vec<Value> {
    let mut page = control(admin, "GET /api/v1/exchanges?limit=1000", "").json();
    let mut records = page["exchanges"].as_array_mut().map(std::mem::take).unwrap();
    records.reverse();
    records
}

fn asks(story: &Story) -> impl Iterator<Item = &Ask> {
    story.lines.iter().filter_map(|line| match line {
        Line::Ask(ask) => Some(ask),
        Line::Wait(_) | Line::NextSecond => None,
    })
}

/// What was found in a record, each with the story it belongs to.
fn told(record: &Value) -> Vec<String> {
    let (story, _) = place(record);
    found(record).into_iter().map(|found| format!("{story}: {found}")).collect()
}

fn found(record: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let named = |id: &Value, detail: &Value| match detail.as_str() {
        Some(detail) => format!("{}/{detail}", text(id)),
        None => text(id),
    };
    let mut found = Vec::new();
    let diagnosis = &record["diagnosis"];
    if !diagnosis.is_null() {
        let name = named(&diagnosis["cause"], &diagnosis["detail"]);
        found.push(format!("412 {name} {} {}", text(&diagnosis["confidence"]), text(&diagnosis["party"])));
    }
    for hazard in record["hazards"].as_array().unwrap() {
        let name = named(&hazard["hazard"], &hazard["detail"]);
        found.push(format!("hazard {name} {}", text(&hazard["confidence"])));
    }
    found
}

/// The story and the step that a record belongs to.
fn place(record: &Value) -> (String, usize) {
    let headers = record["request"]["headers"].as_array().unwrap();
    let named = headers.iter().find(|field| field[0].as_str().unwrap().eq_ignore_ascii_case("demo-story"));
    let told = named.unwrap_or_else(|| panic!("no story: {record}"))[1].as_str().unwrap();
    let (story, step) = told.split_once("; step=").unwrap();
    (story.to_owned(), step.parse().unwrap())
}

fn names_of(found: &Found) -> Vec<&str> {
    match found {
        Found::Cause { names, .. } => names.iter().map(String::as_str).collect(),
        Found::Hazard(name) => vec![name],
    }
}

/// The ways in which what is expected may be told.
fn ways(expected: &Expected) -> Vec<String> {
    let confidence = &expected.confidence;
    let way = |name: &str| match &expected.found {
        Found::Cause { party, .. } => format!("412 {name} {confidence} {party}"),
        Found::Hazard(_) => format!("hazard {name} {confidence}"),
    };
    names_of(&expected.found).into_iter().map(way).collect()
}

/// Everything that a round of the stories brings about.
fn wanted(stories: &[Story], applies: impl Fn(Option<&During>) -> bool) -> BTreeSet<String> {
    let of_story = |story: &Story| {
        let expected = asks(story).flat_map(|ask| ask.expected.clone());
        let expected = expected.filter(|expected| !expected.later && applies(expected.during.as_ref()));
        let told = |way: String| format!("{}: {way}", story.name);
        expected
            .map(|expected| ways(&expected).into_iter().map(told).collect::<Vec<_>>().join(" or "))
            .collect::<Vec<_>>()
    };
    stories.iter().flat_map(of_story).collect()
}

/// Asserts that nothing was found but what is true: of each 412 its cause, of everything else at most its hazards.
#[track_caller]
fn assert_true(stories: &[Story], records: &[Value], applies: impl Fn(Option<&During>) -> bool) {
    let mut wrong = Vec::new();
    for record in records {
        let (name, step) = place(record);
        let story = stories.iter().find(|story| story.name == name).unwrap();
        let ask = asks(story).find(|ask| ask.step == step).unwrap();
        let expected = ask.expected.iter().filter(|expected| applies(expected.during.as_ref()));
        let true_of_it: Vec<String> = expected.flat_map(ways).collect();
        let found = found(record);
        let is_explained = record["response"]["status"] != 412 || found.iter().any(|found| found.starts_with("412 "));
        if !is_explained || found.iter().any(|found| !true_of_it.contains(found)) {
            wrong.push(format!("{name} {step}: {found:?}, and true is {true_of_it:?}\n{record:#}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_altered(record: &Value) -> bool {
    !record["alterations"].as_array().unwrap().is_empty()
}

fn causes(records: &[Value]) -> BTreeSet<String> {
    records.iter().filter_map(|record| record["diagnosis"]["cause"].as_str()).map(str::to_owned).collect()
}

fn hazards(records: &[Value]) -> BTreeSet<String> {
    let all = records.iter().flat_map(|record| record["hazards"].as_array().unwrap());
    all.map(|hazard| hazard["hazard"].as_str().unwrap().to_owned()).collect()
}
