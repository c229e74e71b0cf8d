//! From a file and flags to a configuration, or to every fault in them at once.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

use super::fault::{Fault, Faults, Place, Wrong};
use super::file::{Document, Section};
use super::routing::{self, Placed};
use super::{Config, Flags, Forwarding, UpstreamUrl, sections};

/// A configuration that may be used, and what should be looked at nevertheless.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The configuration.
    pub config: Config,
    /// What should be looked at.
    pub warnings: Vec<Fault>,
}

/// Reads `file` if there is one, puts `flags` before it, and checks the whole.
///
/// # Errors
///
/// Every fault that was found.
pub fn load(file: Option<&Path>, flags: &Flags) -> Result<Checked, Faults> {
    load_over(file, flags, None)
}

/// Like [`load`], for a process that runs under `running`: what cannot change while it runs is a fault.
///
/// # Errors
///
/// Every fault that was found.
pub fn reload(file: Option<&Path>, flags: &Flags, running: &Config) -> Result<Checked, Faults> {
    load_over(file, flags, Some(running))
}

fn load_over(file: Option<&Path>, flags: &Flags, running: Option<&Config>) -> Result<Checked, Faults> {
    let text = match file.map(fs::read_to_string).transpose() {
        Ok(text) => text.unwrap_or_default(),
        Err(error) => {
            let place = Place { file: file.map(Path::to_owned), ..Place::flag("--config") };
            let wrong = Wrong::new(format!("it cannot be read: {error}"), "name a file that this user may read");
            let files = file.map(Path::to_owned).into_iter().collect();
            return Err(Faults { faults: vec![place.fault(wrong)], warnings: Vec::new(), files });
        }
    };
    check(file, &text, flags, running)
}

/// Checks a text that stands in no file.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn check_text(text: &str, flags: &Flags) -> Result<Checked, Faults> {
    check(None, text, flags, None)
}

/// Checks the text of a file.
pub(super) fn check(
    file: Option<&Path>,
    text: &str,
    flags: &Flags,
    running: Option<&Config>,
) -> Result<Checked, Faults> {
    let document = Document::new(file, text);
    let table = document.parse();
    let root = Section::root(&document, &table);
    let config = read(&root, flags);
    if let Some(running) = running {
        needs_restart(&root, running, &config);
    }
    let files = document.files();
    let (faults, warnings) = document.into_findings();
    if faults.is_empty() { Ok(Checked { config, warnings }) } else { Err(Faults { faults, warnings, files }) }
}

fn read(root: &Section<'_>, flags: &Flags) -> Config {
    let listen = sections::listen(&root.section("listen"), flags);
    let admin = sections::admin(&root.section("admin"), flags);
    let pairing = sections::pairing(&root.section("pairing"), flags);
    let limits = sections::limits(&root.section("limits"));
    let upstreams = routing::upstreams(root, flags, pairing.role);
    let routes = routing::routes(root, &upstreams, limits.routes);
    let config = Config {
        client: sections::client(&root.section("client")),
        bypass: sections::bypass(&root.section("bypass")),
        capture: sections::capture(&root.section("capture")),
        ledger: sections::ledger(&root.section("ledger")),
        timeouts: sections::timeouts(&root.section("timeouts")),
        log: sections::log(&root.section("log")),
        listen,
        admin,
        pairing,
        limits,
        upstreams: upstreams.iter().map(|placed| placed.upstream.clone()).collect(),
        routes,
        files: root.document().files(),
    };
    root.end();
    own_listeners(root, &config, &upstreams);
    seen_as_local(root.document(), &config, &upstreams);
    config
}

/// An exchange sent to ourselves would be sent to ourselves again, without end.
fn own_listeners(root: &Section<'_>, config: &Config, upstreams: &[Placed]) {
    let listeners = [
        ("listen", "address", Some(config.listen.address)),
        ("admin", "address", Some(config.admin.address)),
        ("admin", "telemetry", config.admin.telemetry),
    ];
    for (url, place) in routing::addresses(upstreams) {
        let own = listeners.iter().find(|(_, _, address)| address.is_some_and(|address| is_listener(url, address)));
        if let Some((section, key, _)) = own {
            let says = format!("\"{url}\" is our own {section}.{key}");
            root.document().fault(place, Wrong::new(says, "write the address of the server behind it instead"));
        }
    }
    for (index, (section, key, address)) in listeners.iter().enumerate() {
        let same = |other: &Option<SocketAddr>| address.is_some_and(|own| own.port() != 0 && *other == Some(own));
        if let Some((taken, name, _)) = listeners.iter().take(index).find(|(_, _, other)| same(other)) {
            let says = format!("it is the same address as {taken}.{name}");
            let place = root.section(section).place_of(key);
            root.document().fault(&place, Wrong::new(says, "write another port instead"));
        }
    }
}

fn is_listener(url: &UpstreamUrl, listener: SocketAddr) -> bool {
    if url.port != listener.port() {
        return false;
    }
    addresses_of(url).iter().any(|ip| {
        *ip == listener.ip() || ip.is_unspecified() || (listener.ip().is_unspecified() && is_own_address(*ip))
    })
}

/// What can be known of a host without asking anybody.
fn addresses_of(url: &UpstreamUrl) -> Vec<IpAddr> {
    if url.host == "localhost" {
        return vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    }
    url.host.parse().into_iter().collect()
}

/// An address is ours if a socket can be bound to it.
fn is_own_address(ip: IpAddr) -> bool {
    ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok()
}

/// Whoever trusts loopback (admin pages, rate limits, logs) would trust everybody.
fn seen_as_local(document: &Document<'_>, config: &Config, upstreams: &[Placed]) {
    if config.listen.address.ip().is_loopback() {
        return;
    }
    for (index, placed) in upstreams.iter().enumerate() {
        let local = |url: &UpstreamUrl| addresses_of(url).iter().any(IpAddr::is_loopback);
        let silent =
            config.routes.iter().any(|route| route.upstream == index && route.forwarding == Forwarding::default());
        if silent && placed.upstream.urls.iter().any(local) {
            document.warn(
                &placed.place,
                Wrong::new(
                    format!(
                        "clients reach {} from elsewhere and the upstream is loopback: it now sees everybody as local",
                        config.listen.address
                    ),
                    "write forwarding = [\"x-forwarded\"] on its routes if the upstream goes by addresses",
                ),
            );
        }
    }
}

/// What is opened, or made as large as it is, once at the start.
fn needs_restart(root: &Section<'_>, running: &Config, wanted: &Config) {
    let changed = [
        ("listen", "address", running.listen.address != wanted.listen.address),
        ("admin", "address", running.admin.address != wanted.admin.address),
        ("admin", "token_file", running.admin.token != wanted.admin.token),
        ("admin", "telemetry", running.admin.telemetry != wanted.admin.telemetry),
        ("admin", "hosts", running.admin.hosts != wanted.admin.hosts),
        ("capture", "file", running.capture.file != wanted.capture.file),
        ("capture", "records", running.capture.records != wanted.capture.records),
        ("capture", "bytes", running.capture.bytes != wanted.capture.bytes),
        ("ledger", "resources", running.ledger.resources != wanted.ledger.resources),
        ("ledger", "sightings", running.ledger.sightings != wanted.ledger.sightings),
        ("ledger", "bytes", running.ledger.bytes != wanted.ledger.bytes),
        ("limits", "threads", running.limits.threads != wanted.limits.threads),
        ("log", "format", running.log.format != wanted.log.format),
    ];
    for (section, key, _) in changed.into_iter().filter(|(_, _, changed)| *changed) {
        let wrong = Wrong::new("a change of it needs a restart", "restart, or put back what it was");
        root.document().fault(&root.section(section).place_of(key), wrong);
    }
}
