//! The sections that stand for themselves: each key read, or its default taken.

use std::net::SocketAddr;
use std::str::FromStr as _;
use std::time::Duration;

use super::fault::{Place, Wrong};
use super::file::Section;
use super::{
    Admin, Bypass, Capture, Client, Flags, Ledger, Limits, Listen, ListenTls, Log, LogFormat, Pairing, Report,
    Timeouts, TrustedField, TrustedProxies, secrets, values,
};
use crate::analysis::exchange::Role;

/// The longest that anything may be told to wait.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The shortest time that is a limit and not a switch that turns everything off.
const SHORTEST: Duration = Duration::from_millis(1);

/// The most that a number of things may be: more is a mistake.
const MANY: u64 = 100_000_000;

pub(super) fn listen(section: &Section<'_>, flags: &Flags) -> Listen {
    let tls = section.section("tls");
    let written = section.text("address", values::address);
    let listen = Listen {
        address: flags.listen.or(written).unwrap_or_else(|| Listen::default().address),
        tls: listen_tls(&tls),
        proxy_protocol: section.texts("proxy_protocol", values::network).unwrap_or_default(),
    };
    section.end();
    listen
}

fn listen_tls(section: &Section<'_>) -> Option<ListenTls> {
    let document = section.document();
    let certificates = |(place, path)| secrets::certificates(document, &place, path);
    let certificate = section.path_of("certificate");
    let key = section.path_of("key");
    let client_ca = section.path_of("client_ca").and_then(certificates);
    section.end();
    let remedy = "write both certificate = \"tls.pem\" and key = \"tls.key\", or remove tls";
    match (certificate, key) {
        (Some(certificate), Some((place, key))) => {
            let key = secrets::private_key(document, &place, key);
            let certificate = certificates(certificate);
            Some(ListenTls { certificate: certificate?, key: key?, client_ca })
        }
        (None, None) if !section.is_written() => None,
        (Some(_), None) | (None, Some(_) | None) => {
            document
                .fault(section.place(), Wrong::new("a certificate needs its key, and a key its certificate", remedy));
            None
        }
    }
}

pub(super) fn admin(section: &Section<'_>, flags: &Flags) -> Admin {
    let document = section.document();
    let address_written = section.text("address", values::address);
    let token_file = section.path_of("token_file");
    let admin = Admin {
        address: flags.admin.or(address_written).unwrap_or_else(|| Admin::default().address),
        token: token_file.as_ref().and_then(|(place, path)| secrets::token(document, place, path)),
        telemetry: section.text("telemetry", values::address),
        hosts: section.texts("hosts", values::host).unwrap_or_default(),
    };
    if token_file.is_none() && !admin.address.ip().is_loopback() {
        let place = if flags.admin.is_some() { Place::flag("--admin") } else { section.place_of("address") };
        let loopback = SocketAddr::from(([127, 0, 0, 1], admin.address.port()));
        document.fault(
            &place,
            Wrong::new(
                format!("{} is not loopback, and there is no token", admin.address),
                format!("write token_file = \"admin.token\" under [admin], or the address \"{loopback}\", instead"),
            ),
        );
    }
    section.end();
    admin
}

pub(super) fn pairing(section: &Section<'_>, flags: &Flags) -> Pairing {
    let document = section.document();
    let roles = [("alone", Role::Alone), ("outer", Role::Outer), ("inner", Role::Inner)];
    let role = section.choice("role", &roles);
    let written = section.path_of("secret_file");
    let given = flags.secret_file.clone().map(|path| (Place::flag("--secret-file"), path));
    let file = given.or(written);
    let pairing = Pairing {
        role: flags.role.or(role).unwrap_or_default(),
        secrets: file.as_ref().map(|(place, path)| secrets::pair_secrets(document, place, path)).unwrap_or_default(),
        report: section.choice("report", &[("always", Report::Always), ("marked", Report::Marked)]).unwrap_or_default(),
    };
    if pairing.role != Role::Alone && file.is_none() {
        let place = flags.role.map_or_else(|| section.place_of("role"), |_| Place::flag("--role"));
        let says = "there is no secret: the pair works unsigned, anybody can forge what its instances tell each other, \
                    and nothing that they conclude from it counts as proven";
        document
            .warn(&place, Wrong::new(says, "write secret_file = \"pair.secret\" under [pairing] of both instances"));
    }
    section.end();
    pairing
}

const TRUSTED_FIELDS: &[(&str, TrustedField)] =
    &[("x-forwarded-for", TrustedField::XForwardedFor), ("forwarded", TrustedField::Forwarded)];

pub(super) fn client(section: &Section<'_>) -> Client {
    let client = Client {
        field: section.text("field", values::field_name),
        cookie: section.text("cookie", values::cookie_name),
        trusted: TrustedProxies {
            networks: section.texts("trusted_proxies", values::network).unwrap_or_default(),
            field: section.choice("trusted_field", TRUSTED_FIELDS).unwrap_or_default(),
        },
    };
    section.end();
    client
}

pub(super) fn bypass(section: &Section<'_>) -> Bypass {
    let document = section.document();
    let defaults = Bypass::default();
    let range = Duration::from_secs(1)..=LONGEST;
    let bypass = Bypass {
        default_duration: section.duration("default", range.clone()).unwrap_or(defaults.default_duration),
        longest_duration: section.duration("longest", range).unwrap_or(defaults.longest_duration),
        token: section.path_of("token_file").and_then(|(place, path)| secrets::token(document, &place, &path)),
        direct_traffic: section.boolean("direct_traffic").unwrap_or(defaults.direct_traffic),
    };
    if bypass.default_duration > bypass.longest_duration {
        let (default, longest) = (bypass.default_duration, bypass.longest_duration);
        let (default, longest) = (values::show_duration(default), values::show_duration(longest));
        document.fault(
            &section.place_of("default"),
            Wrong::new(
                format!("the default {default:?} is longer than the longest {longest:?}"),
                format!("write at most {longest:?}, or a greater longest, instead"),
            ),
        );
    }
    section.end();
    bypass
}

pub(super) fn capture(section: &Section<'_>) -> Capture {
    let defaults = Capture::default();
    let capture = Capture {
        file: section.path_of("file").map(|(_, path)| path),
        records: section.number("records", 1..=MANY).unwrap_or(defaults.records),
        bytes: section.bytes("bytes", (1 << 20)..=(1 << 40)).unwrap_or(defaults.bytes),
        redacted_fields: section.texts("redacted_fields", values::field_name).unwrap_or_default(),
        redacted_parameters: section.texts("redacted_parameters", values::parameter_name).unwrap_or_default(),
        repeats_per_minute: section.number("repeats_per_minute", 0..=MANY).unwrap_or(defaults.repeats_per_minute),
    };
    section.end();
    capture
}

pub(super) fn ledger(section: &Section<'_>) -> Ledger {
    let defaults = Ledger::default();
    section.text("store", |store| {
        let remedy = "write \"memory\" instead";
        match store {
            "memory" => Ok(()),
            url if url.starts_with("redis:") || url.starts_with("rediss:") => {
                Err(Wrong::new("a ledger in Redis is not available in this version", remedy))
            }
            // A foreign string: every other one is refused.
            _ => Err(Wrong::new(format!("{store:?} is not a store"), remedy)),
        }
    });
    let ledger = Ledger {
        resources: section.number("resources", 1..=MANY).unwrap_or(defaults.resources),
        sightings: section.number("sightings", 2..=1024).unwrap_or(defaults.sightings),
        bytes: section.bytes("bytes", (1 << 20)..=(1 << 40)).unwrap_or(defaults.bytes),
    };
    section.end();
    ledger
}

pub(super) fn limits(section: &Section<'_>) -> Limits {
    let defaults = Limits::default();
    let limits = Limits {
        header_bytes: section.bytes("header_bytes", (1 << 10)..=(1 << 20)).unwrap_or(defaults.header_bytes),
        header_count: section.number("header_count", 8..=512).unwrap_or(defaults.header_count),
        target_bytes: section.bytes("target_bytes", 256..=(1 << 20)).unwrap_or(defaults.target_bytes),
        body_bytes: section.bytes("body_bytes", 0..=(1 << 50)).filter(|bytes| *bytes > 0).or(defaults.body_bytes),
        connections: section.number("connections", 1..=MANY).unwrap_or(defaults.connections),
        connections_per_address: section
            .number("connections_per_address", 0..=MANY)
            .filter(|connections| *connections > 0)
            .or(defaults.connections_per_address),
        exchanges: section.number("exchanges", 1..=MANY).unwrap_or(defaults.exchanges),
        streams: section.number("streams", 1..=65_536).unwrap_or(defaults.streams),
        upstream_idle: section.number("upstream_idle", 0..=65_536).unwrap_or(defaults.upstream_idle),
        threads: section.number("threads", 0..=1024).filter(|threads| *threads > 0).or(defaults.threads),
        routes: section.number("routes", 1..=65_000).unwrap_or(defaults.routes),
        probes_per_minute: section.number("probes_per_minute", 1..=60_000).unwrap_or(defaults.probes_per_minute),
    };
    if limits.target_bytes > limits.header_bytes {
        let most = values::show_bytes(limits.header_bytes as u64);
        section.document().fault(
            &section.place_of("target_bytes"),
            Wrong::new(
                "a target cannot be longer than the head it stands in",
                format!("write at most {most:?}, or more header_bytes, instead"),
            ),
        );
    }
    section.end();
    limits
}

pub(super) fn timeouts(section: &Section<'_>) -> Timeouts {
    let defaults = Timeouts::default();
    let read = |key, default| section.duration(key, SHORTEST..=LONGEST).unwrap_or(default);
    let timeouts = Timeouts {
        header_read: read("header_read", defaults.header_read),
        body_idle: read("body_idle", defaults.body_idle),
        write: read("write", defaults.write),
        connect: read("connect", defaults.connect),
        response_head: read("response_head", defaults.response_head),
        idle: read("idle", defaults.idle),
        upstream_idle: read("upstream_idle", defaults.upstream_idle),
        upstream_ping: read("upstream_ping", defaults.upstream_ping),
        tunnel_idle: read("tunnel_idle", defaults.tunnel_idle),
        drain: section.duration("drain", Duration::ZERO..=LONGEST).unwrap_or(defaults.drain),
        drain_delay: section.duration("drain_delay", Duration::ZERO..=LONGEST).unwrap_or(defaults.drain_delay),
    };
    section.end();
    timeouts
}

pub(super) fn log(section: &Section<'_>) -> Log {
    let defaults = Log::default();
    let log = Log {
        format: section.choice("format", &[("json", LogFormat::Json), ("text", LogFormat::Text)]).unwrap_or_default(),
        level: section.text("level", log_level).unwrap_or(defaults.level),
        access_sample: section.share("access_sample").unwrap_or(defaults.access_sample),
    };
    section.end();
    log
}

fn log_level(text: &str) -> Result<String, Wrong> {
    // A word that is no level would be taken for a target, and silence every other one.
    let said = |directive: &str| {
        let level = || tracing_subscriber::filter::LevelFilter::from_str(directive).is_ok();
        directive.contains(['=', '[']) || (!directive.is_empty() && level())
    };
    let meant = text.split(',').map(str::trim).all(said);
    if meant && tracing_subscriber::EnvFilter::builder().parse(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        format!("{text:?} is not a log level"),
        "write error, warn, info, debug or trace, or a filter such as \"info,why412::proxy=debug\", instead",
    ))
}
