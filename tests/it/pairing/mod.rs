//! Two instances around a gateway: what they tell each other on the wire, and that nobody else sees it.

mod gateways;
mod health;
mod hostile;
mod http2;
mod repeated;
mod secrets;
mod topology;
mod traffic;

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use why412::analysis::pairing::{Keys, Mark, Report};

use crate::harness::instance::Instance;
use crate::harness::message::Message;
use crate::harness::origin::Origin;
use crate::harness::relay::Relay;

/// What both instances know.
const SECRET: &str = "a-secret-of-the-tests-that-is-long-enough-0";

/// A pair, the gateway between them, and the origin.
pub(crate) struct Pair {
    pub(crate) outer: Instance,
    relay: Relay,
    pub(crate) inner: Instance,
    origin: Origin,
    _secret: Secret,
}

impl Pair {
    /// Around a gateway that hands everything on as it is.
    fn before(origin: Origin) -> Self {
        Self::around(origin, |_| {}, |_, _| {})
    }

    /// Around a gateway that alters requests, or answers to them.
    pub(crate) fn around(
        origin: Origin,
        request: impl Fn(&mut Message) + Send + Sync + 'static,
        answer: impl Fn(&Message, &mut Message) + Send + Sync + 'static,
    ) -> Self {
        let secret = Secret::new(&[SECRET]);
        let inner = instance("inner", &origin.address().to_string(), Some(&secret));
        let relay = Relay::altering(inner.address(), request, answer);
        let outer = instance("outer", &relay.address().to_string(), Some(&secret));
        Self { outer, relay, inner, origin, _secret: secret }
    }

    pub(crate) fn ask(&self, request: impl AsRef<[u8]>) -> Message {
        self.outer.ask(request)
    }
}

/// A file of secrets.
struct Secret {
    file: PathBuf,
    _directory: TempDir,
}

impl Secret {
    fn new(lines: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let secret = Self { file: directory.path().join("pair.secret"), _directory: directory };
        secret.write(lines);
        secret
    }

    fn write(&self, lines: &[&str]) {
        fs::write(&self.file, lines.join("\n")).expect("writing the secret");
    }
}

fn instance(role: &str, upstream: &str, secret: Option<&Secret>) -> Instance {
    let upstream = format!("http://{upstream}");
    let mut flags = vec!["--role", role, "--upstream", upstream.as_str()];
    let file = secret.map(|secret| secret.file.display().to_string());
    if let Some(file) = &file {
        flags.extend(["--secret-file", file.as_str()]);
    }
    Instance::with(&flags, None)
}

fn keys(secrets: &[&str]) -> Keys {
    Keys::new(secrets.iter().map(|secret| secret.as_bytes().to_vec()).collect())
}

/// The mark on a request that left the outer instance.
#[track_caller]
fn mark_of(request: &Message) -> Mark {
    let value = request.value("Why412-Pair").expect("a mark");
    Mark::decode(value.as_bytes(), &keys(&[SECRET])).unwrap_or_else(|| panic!("not authentic: {value}")).0
}

/// The report on an answer that left the inner instance.
#[track_caller]
fn report_of(answer: &Message) -> Report {
    let value = answer.value("Why412-Report").expect("a report");
    Report::decode(value.as_bytes(), &keys(&[SECRET])).unwrap_or_else(|| panic!("not authentic: {value}")).0
}

#[track_caller]
fn assert_nothing_of_ours(message: &Message) {
    let mut lines = message.head.lines.iter().chain(&message.trailers);
    assert!(!lines.any(|line| line.to_ascii_lowercase().starts_with("why412")), "{message:#?}");
}

fn pairing(instance: &Instance, outcome: &str) -> f64 {
    instance.metric(&format!("why412_pairing_total{{outcome=\"{outcome}\"}}"))
}

fn put(fields: &str) -> String {
    format!("PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\n{fields}Content-Length: 2\r\n\r\nhi")
}

fn get(fields: &str) -> String {
    format!("GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\n{fields}\r\n")
}
