//! The way from an instrumented client to an instrumented origin: by the bare gateway, or by a pair around it.

use std::cell::{Cell, RefCell};
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tempfile::TempDir;

use super::super::Setup;
use crate::harness::gateway::Gateway;
use crate::harness::instance::Instance;
use crate::harness::message::{Head, Message};
use crate::harness::origin::Origin;
use crate::harness::versioned::Resources;
use crate::harness::wire::Wire;

/// What a bypass adds, by contract: without a pair, the ends themselves say it.
const ASKS_CACHES: &str = "Cache-Control: no-cache\r\nPragma: no-cache\r\n";
const FORBIDS_STORING: &str =
    "Cache-Control: no-store\r\nCDN-Cache-Control: no-store\r\nSurrogate-Control: no-store\r\n";

/// The way, and what both ends have written down.
pub(super) struct Way {
    entry: SocketAddr,
    pair: Option<Pair>,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
    exchanges: RefCell<Vec<Exchange>>,
    story: Cell<&'static str>,
    bypassed: Cell<bool>,
    /// Whether the origin forbids storing.
    forbids: Arc<AtomicBool>,
    _gateway: Gateway,
    _origin: Origin,
}

/// Both instances.
pub(super) struct Pair {
    pub(super) outer: Instance,
    pub(super) inner: Instance,
    _directory: TempDir,
}

/// What the client saw of one exchange.
#[derive(Clone)]
pub(super) struct Exchange {
    /// Travels in X-Exchange.
    pub(super) number: usize,
    pub(super) user: &'static str,
    pub(super) request: Head,
    pub(super) answer: Message,
    /// How much had arrived at the origin before it.
    pub(super) since: usize,
    pub(super) bypassed: bool,
}

/// What the origin saw of one request, and what it gave for it; its place among them travels in X-Answer.
#[derive(Clone)]
pub(super) struct Arrival {
    /// Of the client's exchange.
    pub(super) number: usize,
    pub(super) request: Head,
    pub(super) answer: Head,
    /// The answer never left the origin.
    pub(super) is_lost: bool,
    /// The answer has a head so large that no report has room in it.
    pub(super) is_large: bool,
}

impl Way {
    /// By the bare gateway.
    pub(super) fn through(setup: &Setup) -> Self {
        Self::by(|origin| {
            let gateway = (setup.start)(origin);
            (gateway.address(), gateway, None)
        })
    }

    /// By a pair around the gateway.
    pub(super) fn by_pair(setup: &Setup) -> Self {
        Self::by(|origin| {
            let directory = tempfile::tempdir().unwrap();
            let secret = directory.path().join("pair.secret");
            fs::write(&secret, "a secret of a test, which is at least thirty-two bytes long\n").unwrap();
            let instance = |role, upstream| {
                let flags = [
                    "--role",
                    role,
                    "--secret-file",
                    secret.to_str().unwrap(),
                    "--upstream",
                    &format!("http://{upstream}"),
                ];
                Instance::with(&flags, Some(CONFIGURATION))
            };
            let inner = instance("inner", origin);
            let gateway = (setup.start)(inner.address());
            let outer = instance("outer", gateway.address());
            (outer.address(), gateway, Some(Pair { outer, inner, _directory: directory }))
        })
    }

    fn by(between: impl FnOnce(SocketAddr) -> (SocketAddr, Gateway, Option<Pair>)) -> Self {
        let (arrivals, forbids) = <(Arc<Mutex<Vec<Arrival>>>, Arc<AtomicBool>)>::default();
        let origin = origin(Arc::clone(&arrivals), Arc::clone(&forbids));
        let (entry, gateway, pair) = between(origin.address());
        let (exchanges, story, bypassed) = (RefCell::default(), Cell::new(""), Cell::new(false));
        Self { entry, pair, arrivals, exchanges, story, bypassed, forbids, _gateway: gateway, _origin: origin }
    }

    /// Begins a story: what follows is about a resource of its own.
    pub(super) fn begin(&self, story: &'static str) {
        self.story.set(story);
    }

    /// Reads what no cache has, so that the gateway has a connection to reuse.
    pub(super) fn warm_up(&self) {
        for aside in ["/a", "/b", "/c"] {
            self.exchange("anna", "GET", aside, "");
        }
    }

    /// One exchange: `ask("anna", "PUT", "If-Match: \"v1\"")`.
    pub(super) fn ask(&self, user: &'static str, method: &str, fields: &str) -> Given {
        self.exchange(user, method, "", fields)
    }

    fn exchange(&self, user: &'static str, method: &str, aside: &str, fields: &str) -> Given {
        let (number, since) = (self.exchanges.borrow().len(), self.arrivals.lock().unwrap().len());
        let bypassed = self.bypassed.get();
        let own = if bypassed && self.pair.is_none() { ASKS_CACHES } else { "" };
        let fields: String = fields.lines().filter(|line| !line.is_empty()).map(|line| format!("{line}\r\n")).collect();
        let (framing, body) = if method == "PUT" { ("Content-Length: 16\r\n", "{\"changed\":true}") } else { ("", "") };
        let head = format!(
            "{method} /{}{aside} HTTP/1.1\r\nHost: shop.test\r\nX-User: {user}\r\nX-Exchange: {number}\r\n{fields}{own}{framing}\r\n",
            self.story.get()
        );
        let answer = Wire::to(self.entry).ask(format!("{head}{body}"));
        let request = Head::parse(&head);
        self.exchanges.borrow_mut().push(Exchange { number, user, request, answer: answer.clone(), since, bypassed });
        Given(answer)
    }

    /// Switches the bypass.
    pub(super) fn bypass(&self, on: bool) {
        self.bypassed.set(on);
        let Some(pair) = &self.pair else { return self.forbids.store(on, Ordering::SeqCst) };
        let switched = if on {
            pair.outer.control_with("PUT /api/v1/bypass", &json!({ "for": "15m" }).to_string())
        } else {
            pair.outer.control("DELETE /api/v1/bypass")
        };
        assert!((200..300).contains(&switched.status()), "{switched:?}");
    }

    /// What the client saw.
    pub(super) fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.borrow().clone()
    }

    /// What the origin saw.
    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.lock().unwrap().clone()
    }

    /// The instances, where there are any.
    pub(super) const fn pair(&self) -> Option<&Pair> {
        self.pair.as_ref()
    }
}

/// Clients are told apart by a field that does not keep caches from storing; every alteration is recorded in full; and
/// what the origin closes without an answer was never a connection that had been idle.
const CONFIGURATION: &str =
    "[client]\nfield = \"x-user\"\n[capture]\nrepeats_per_minute = 0\n[limits]\nupstream_idle = 0\n";

/// Judges strictly, and writes down what arrived and what was given. `X-Lose` loses the answer to what was
/// carried out, or makes it too large for some.
fn origin(arrivals: Arc<Mutex<Vec<Arrival>>>, forbids: Arc<AtomicBool>) -> Origin {
    let resources = Resources::default();
    Origin::serving(move |wire, _| {
        while let Some(request) = wire.request() {
            let answer = resources.answer(&request);
            let Some(number) = request.value("X-Exchange").map(|number| number.parse().expect("a number")) else {
                wire.send(answer);
                continue;
            };
            let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
            let given = Head::parse(&format!("{head}\r\n\r\n"));
            let how = request.value("X-Lose").filter(|_| (200..300).contains(&given.status()));
            let (is_lost, is_large) = (how == Some("answer"), how == Some("size"));
            let place = {
                let mut arrivals = arrivals.lock().unwrap();
                arrivals.push(Arrival { number, request: request.head.clone(), answer: given, is_lost, is_large });
                arrivals.len() - 1
            };
            if is_lost {
                return;
            }
            let own = if forbids.load(Ordering::SeqCst) { FORBIDS_STORING } else { "" };
            let filling = if is_large { format!("X-Large: {}\r\n", "x".repeat(9000)) } else { String::new() };
            let ends = request.value("Connection") == Some("close");
            let framing = if ends { "Connection: close\r\n" } else { "" };
            let sent = wire.try_send(format!("{head}\r\nX-Answer: {place}\r\n{filling}{own}{framing}\r\n{body}"));
            if ends || sent.is_err() {
                return;
            }
        }
    })
}

/// What a client was handed, and makes of it.
pub(super) struct Given(Message);

impl Given {
    pub(super) fn status(&self) -> u16 {
        self.0.status()
    }

    /// The tag; of no use where there is none.
    pub(super) fn etag(&self) -> String {
        self.0.value("ETag").unwrap_or("\"none\"").to_owned()
    }

    /// The condition of a careful write: by the tag, or else by the date.
    pub(super) fn guard(&self) -> String {
        let by_date = || self.0.value("Last-Modified").map(|date| format!("If-Unmodified-Since: {date}"));
        self.0.value("ETag").map(|tag| format!("If-Match: {tag}")).or_else(by_date).expect("a validator")
    }

    /// The condition of a careful read: by the tag, or else by the date.
    pub(super) fn question(&self) -> String {
        let by_date = || self.0.value("Last-Modified").map(|date| format!("If-Modified-Since: {date}"));
        self.0.value("ETag").map(|tag| format!("If-None-Match: {tag}")).or_else(by_date).expect("a validator")
    }
}
