//! The bundle to escalate with: everything that is known of one exchange, in files that others can read without us.
//! Nothing is added here that is not redacted already.

use serde_json::{Value, json};

use super::bundle::{Bundle, CHECKSUMS};
use super::{curl, har, sides, timeline, verdict};
use crate::recorder::record::Record;
use crate::recorder::resources::ResourceView;

/// What is known around an exchange.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The records of the same resource, this one included or not.
    pub related: &'a [Record],
    /// What the ledger knows of the resource.
    pub resource: Option<&'a ResourceView>,
    /// The running configuration, secrets hidden.
    pub configuration: Value,
    /// How the instance is: versions, readiness, the pair.
    pub status: Value,
    /// What was counted on the route.
    pub route: Value,
    /// When this is put together.
    pub made_at: &'a str,
}

/// The bundle of an exchange. Its files lie in a directory of its name.
pub fn bundle(record: &Record, around: &Surroundings<'_>) -> Bundle {
    let mut bundle = Bundle::new();
    let mut all: Vec<&Record> = around.related.iter().filter(|other| other.id != record.id).collect();
    all.push(record);
    let events = timeline::events(around.resource, &all);
    bundle
        .within(&name(record))
        .add("verdict.txt", verdict::text(record))
        .add("exchange.json", pretty(&json!(record)))
        .add("sides.txt", sides::text(record))
        .add("timeline.txt", timeline::text(&events, &record.id))
        .add("timeline.json", pretty(&json!(events)))
        .add("exchange.har", pretty(&har::archive(record)))
        .add("request.sh", curl::command(record))
        .add("related.json", pretty(&json!(around.related)))
        .add("resource.json", pretty(&json!(around.resource)))
        .add("route.json", pretty(&around.route))
        .add("configuration.json", pretty(&around.configuration))
        .add("status.json", pretty(&around.status))
        .add("build.json", pretty(&build()))
        .add("README.txt", readme(record, around));
    bundle
}

/// The name of a bundle, without the ending of its format.
pub fn name(record: &Record) -> String {
    format!("why412-{}", record.id)
}

/// Of which program, on which machine. The host's name is in the records already.
pub fn build() -> Value {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).map(|name| name.trim_matches('"'));
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok();
    json!({
        "program": "why412",
        "version": env!("CARGO_PKG_VERSION"),
        "revision": option_env!("WHY412_REVISION").unwrap_or("unknown"),
        "profile": if cfg!(debug_assertions) { "debug" } else { "release" },
        "target": format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        "system": system,
        "kernel": kernel.as_deref().map(str::trim),
    })
}

fn readme(record: &Record, around: &Surroundings<'_>) -> String {
    let (id, made_at, related) = (&record.id, around.made_at, around.related.len());
    let resource = if around.resource.is_some() {
        "what the ledger remembers of the resource: validators, when, to whom, writes"
    } else {
        "null: the ledger knows nothing of the resource, or its URL holds a secret"
    };
    format!(
        "What why412 knows of exchange {id}, put together at {made_at}.\n\n\
         Begin with verdict.txt, then sides.txt and timeline.txt.\n\n\
         verdict.txt         why the exchange ended as it did, how that is known, who has to act, what to do\n\
         exchange.json       the record itself: every field of the request, as it came and as it was sent on, and of \
         the\n                    answer; verdict, evidence, what was altered, what the other instance of a pair told\n\
         sides.txt           conditions and validators at each station of the way, side by side\n\
         timeline.txt        what happened to the resource, oldest first; timeline.json for programs\n\
         exchange.har        the exchange as HTTP Archive 1.2, for the developer tools of browsers\n\
         request.sh          the request as a curl command\n\
         related.json        records of the same resource ({related})\n\
         resource.json       {resource}\n\
         route.json          what was counted on the route since the start\n\
         configuration.json  the running configuration, secrets hidden\n\
         status.json         the instance: since when it runs, its clock, what it keeps, the health of the pair\n\
         build.json          version and revision of why412, and the system it runs on\n\
         {CHECKSUMS}          checksums of all these files: sha256sum --check {CHECKSUMS}\n\n\
         Everything is redacted. \u{2026} (or \"(hidden)\" in the configuration) stands where a secret was: \
         credentials, the\n\
         values of cookies, userinfo and the values of secret parameters in URLs, and the fields that the configuration\n\
         names. Bodies are never recorded. Clients are told apart by shortened keyed hashes. Entity-tags, host names, \
         paths\n\
         and all other fields are as they were: look through them before you pass this on to others.\n"
    )
}

fn pretty(value: &Value) -> String {
    // A value of strings, numbers, lists and maps always has a JSON form.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
