//! Every key with its sentence: `docs/configuration.md` and `config/why412.toml` are written from here, and the defaults
//! in them come from the checked types, so that neither can say anything else than the code does.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Config, UpstreamUrl};

/// The upstream of the example file.
const EXAMPLE_UPSTREAM: (&str, u16) = ("127.0.0.1", 8080);

/// A table of the file.
struct Section {
    /// How it is begun.
    header: &'static str,
    /// Where its values stand among the shown ones.
    pointer: &'static str,
    /// What it is for.
    says: &'static str,
    keys: &'static [Key],
}

/// A key of a table.
struct Key {
    name: &'static str,
    /// What it may be, where it has no default, or one that depends on others.
    example: &'static str,
    says: &'static str,
}

const fn key(name: &'static str, example: &'static str, says: &'static str) -> Key {
    Key { name, example, says }
}

/// `config/why412.toml`: every key at its default.
pub fn file() -> String {
    let shown = defaults();
    let mut text = String::from(
        "# why412: every key at its default. Keys without one are commented out, with an example.\n\
         # Written by the code: UPDATE=1 cargo test documents. What the keys do at length: docs/configuration.md\n\
         # Relative paths start from the directory of this file.\n",
    );
    for section in SECTIONS {
        let _ = write!(text, "\n{}{}\n", comment(section.says), section.header);
        for key in section.keys {
            text.push_str(&comment(key.says));
            let _ = match default(&shown, section, key) {
                Some(value) if key.example.is_empty() => writeln!(text, "{} = {value}", key.name),
                Some(_) | None => writeln!(text, "# {} = {}", key.name, key.example),
            };
        }
    }
    text
}

/// `docs/configuration.md`.
pub fn document() -> String {
    let shown = defaults();
    let mut text = String::from(INTRODUCTION);
    for section in SECTIONS {
        let _ = write!(text, "\n## `{}`\n\n{}\n\n| key | default | |\n|---|---|---|\n", section.header, section.says);
        for key in section.keys {
            let value = match default(&shown, section, key) {
                Some(value) => format!("`{value}`"),
                None => format!("none; such as `{}`", key.example),
            };
            let _ = writeln!(text, "| `{}` | {} | {} |", key.name, value.replace('|', "\\|"), key.says);
        }
    }
    text.push_str(CONCLUSION);
    text
}

fn defaults() -> Value {
    let (host, port) = EXAMPLE_UPSTREAM;
    Config::defaults_with_upstream(UpstreamUrl { https: false, host: host.to_owned(), port }).shown()
}

/// The default as TOML; none if the key is optional.
fn default(shown: &Value, section: &Section, key: &Key) -> Option<String> {
    let value = shown.pointer(&format!("{}/{}", section.pointer, key.name))?;
    // JSON's strings, numbers, booleans and lists of strings are TOML's, too; a table is shown as an example.
    (!value.is_null() && !value.is_object()).then(|| value.to_string())
}

fn comment(text: &str) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        if column == 0 || column + 1 + word.chars().count() > 110 {
            lines.push_str(if column == 0 { "#" } else { "\n#" });
            column = 1;
        }
        lines.push(' ');
        lines.push_str(word);
        column += 1 + word.chars().count();
    }
    lines + "\n"
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Written by the code: UPDATE=1 cargo test documents -->

`why412 run --upstream http://127.0.0.1:8080` needs no file. With a file, `why412 run --config why412.toml`; the file is \
TOML, every key has a default, and unknown keys are refused. [`config/why412.toml`](../config/why412.toml) holds every \
key at its default. `why412 check --config why412.toml` names every fault at once, with its line and what to write \
instead, and exits with 1 if there is one.

**Flags and environment.** A flag goes before its environment variable, that before the file, and the file before the \
default: `--listen` (`WHY412_LISTEN`), `--upstream` (`WHY412_UPSTREAM`) and `--direct` (`WHY412_DIRECT`) for the only \
upstream, `--admin` (`WHY412_ADMIN`), `--role` (`WHY412_ROLE`), `--secret-file` (`WHY412_SECRET_FILE`), `--config` \
(`WHY412_CONFIG`). Other variables that begin with `WHY412_` are ignored with a warning.

**Values.** Durations have a unit: `\"500ms\"`, `\"3s\"`, `\"15m\"`, `\"1h 30m\"`. Sizes are a number of bytes, or have \
a unit: `\"64KiB\"`, `\"16MiB\"`. Relative paths start from the directory of the configuration file. Secrets stand in \
files of their own, which nobody but their owner should be able to read.

**Reload.** SIGHUP, `POST /-/reload`, and a change of the file or of a file that it names (seen by content, within two \
seconds) read the configuration again. It is taken over whole or not at all: a bad file changes nothing, its faults are \
logged, counted in `why412_config_reloads_total` and answered. Exchanges in flight finish under the configuration they \
began with. What is opened or sized once is refused at a reload as a fault that says it needs a restart: \
`listen.address`, everything under `[admin]`, `file`, `records` and `bytes` under `[capture]`, everything under \
`[ledger]`, `limits.threads` and `log.format`.
";

const CONCLUSION: &str = "
## Which route a request takes

A route with a host comes before one without; among those that fit, the one with the most specific path: a literal \
segment before `{name}`, that before `{*rest}`, which may be empty. `OPTIONS *` and CONNECT match by host alone. A \
request that no route fits is answered with 404 and counted as `unmatched`. Where no route is configured there is one \
named `default`, for everything. `unmatched` is no name for a route, and `default` only for a single one.

## Signals and exit codes

SIGTERM and SIGINT drain: readiness turns 503, after `timeouts.drain_delay` accepting stops, what is in flight finishes \
within `timeouts.drain`, and the process exits with 0. A second signal ends it at once, with 1.

SIGUSR2 hands over to another version: the program that is at the path of this one by then is started with the same \
arguments and with the listening sockets, and when it is ready, this one drains and exits with 0. No connection is \
refused or reset meanwhile. If the successor does not become ready within 30 s, or ends, this one goes on as before. \
What is only in memory (the ledger, records without `capture.file`, a bypass) begins anew with the successor. The first \
process of a container or of a service cannot hand over, because container or service end with it: there, let the \
service manager hold the sockets. With systemd that is a socket unit with `ListenStream=` at `listen.address` (and \
another at `admin.address` if wanted): sockets that are inherited by its protocol (`LISTEN_FDS`) are served in place of \
opening them, and while the service restarts, connections wait in them.

Exit codes of `why412 run` otherwise: 1 it could not start (an address is taken), 2 wrong usage, 78 invalid configuration.
";

const SECTIONS: &[Section] = &[
    Section {
        header: "[listen]",
        pointer: "/listen",
        says: "Where clients connect.",
        keys: &[
            key("address", "", "IP address and port. HTTP/1.1, and HTTP/2 by prior knowledge or, with TLS, by ALPN."),
            key(
                "tls",
                "{ certificate = \"tls.pem\", key = \"tls.key\", client_ca = \"ca.pem\" }",
                "TLS towards clients, from PEM files that are read again on reload. With client_ca, clients must show a \
                 certificate that comes from it.",
            ),
            key(
                "proxy_protocol",
                "",
                "Networks of balancers, such as \"10.0.0.0/8\", whose connections begin with a PROXY protocol header \
                 (version 1 or 2) that tells the client's address. From there it must be there, or the connection is \
                 closed; from anywhere else it is an invalid request.",
            ),
        ],
    },
    Section {
        header: "[admin]",
        pointer: "/admin",
        says: "The admin API, the page, readiness and metrics.",
        keys: &[
            key("address", "", "IP address and port. Off loopback a token is required."),
            key("token_file", "\"admin.token\"", "The file with the bearer token that requests must carry."),
            key(
                "telemetry",
                "\"0.0.0.0:4121\"",
                "A second address with /livez, /readyz and /metrics alone, without token.",
            ),
            key("hosts", "", "Names the page may be opened under, beside localhost and IP addresses."),
        ],
    },
    Section {
        header: "[upstream.default]",
        pointer: "/upstream/default",
        says: "A group of equal servers that requests go to; the name after the dot is what routes refer to. There may be \
               several.",
        keys: &[
            key(
                "url",
                "",
                "One or more of scheme, host and port; a URL has no path. Of several, and of several addresses of a name, \
                 each thread takes the one with the fewest of its own requests under way; one that could not be reached \
                 is tried last for 5 s.",
            ),
            key(
                "direct",
                "",
                "The way around the gateway, for probes, and for bypassed traffic where direct_traffic is true.",
            ),
            key("host", "\"origin.internal\"", "The Host to send instead of the client's."),
            key(
                "http",
                "",
                "What is spoken to it: \"1.1\", which carries heads byte for byte; \"2\", HTTP/2 by prior knowledge, with \
                 https only if the server agrees by ALPN; \"auto\", with https what the server agrees on, else 1.1.",
            ),
            key(
                "on_upstream_failure",
                "\"respond\"",
                "What a client is given when the upstream closes the connection or resets the stream without an answer: a \
                 502 (\"respond\"), or the same, a closed connection or reset stream (\"mirror\"), which is the default \
                 where the role is inner.",
            ),
            key(
                "health",
                "{ path = \"/healthz\", interval = \"5s\", timeout = \"1s\", unhealthy_after = 2, healthy_after = 1 }",
                "Asks every address of url with GET whether it is well: 2xx and 3xx say so. One that has failed \
                 unhealthy_after times in a row is tried last until it has answered healthy_after times; where there is \
                 no other, it is tried all the same. All but path may be left out.",
            ),
            key(
                "tls",
                "{ ca = \"ca.pem\", server_name = \"origin.internal\", certificate = \"client.pem\", key = \
                 \"client.key\" }",
                "For https: certificates to trust instead of the system's, the name to verify instead of the URL's, a \
                 client certificate with its key. Each may be left out.",
            ),
        ],
    },
    Section {
        header: "[[route]]",
        pointer: "/route/0",
        says: "Which requests go where, and how their exchanges are judged. There may be several.",
        keys: &[
            key("name", "", "The metric label."),
            key("host", "\"api.example.com\"", "The host it is for; any if it is left out."),
            key("path", "", "{name} is one whole segment, {*rest} the remainder, which may be empty."),
            key("upstream", "", "The name of an upstream. It may be left out where there is one."),
            key(
                "comparison",
                "",
                "How If-Match compares: \"strong\" as RFC 9110 has it, \"weak\" where weak tags are by design (FHIR, \
                 OData).",
            ),
            key("preconditions", "", "Names of vendor conditions beside those that are built in."),
            key(
                "probe",
                "",
                "\"head\" or \"get\": after a 412 ask for the current validators of the resource, through the path and \
                 by the direct addresses, and judge again by what they are. HEAD is cheap, but gateways often \
                 answer it with the origin's tag; only GET shows what clients are given. The client's answer never waits for it.",
            ),
            key(
                "probe_credentials",
                "",
                "Probes may carry the credentials of the refused request. They are held until the probe is sent and \
                 never recorded. Without them a service that asks who is there answers 401 or 403.",
            ),
            key(
                "probes_per_minute",
                "",
                "The most probes of this route in a minute; what is beyond is left out and counted.",
            ),
            key(
                "annotate",
                "",
                "Adds Proxy-Status (RFC 9209) with the cause, and the id of the record, to 412 answers.",
            ),
            key(
                "connect",
                "",
                "Passes CONNECT on to the route's upstream, never to the authority it names; 501 otherwise.",
            ),
            key(
                "allow_precondition_removal",
                "",
                "A bypass may also remove the conditions, for the test whether it is the precondition.",
            ),
            key(
                "forwarding",
                "",
                "Which fields tell the origin who is in front of it: \"via\", \"forwarded\", \"x-forwarded\". None, \
                 because an observer must not cure what it observes: nginx, for one, stops compressing when it sees Via.",
            ),
        ],
    },
    Section {
        header: "[pairing]",
        pointer: "/pairing",
        says: "Where this instance stands, and what it shares with the one on the other side of a gateway.",
        keys: &[
            key(
                "role",
                "",
                "\"outer\" on the client side of a suspect gateway, \"inner\" on its origin side, \"alone\" where there \
                 is one instance.",
            ),
            key(
                "secret_file",
                "\"pair.secret\"",
                "One secret per line, at least 32 bytes each; the first signs, all verify.",
            ),
            key(
                "report",
                "",
                "When an inner instance reports: \"always\", or only on requests that an outer one \"marked\".",
            ),
        ],
    },
    Section {
        header: "[client]",
        pointer: "/client",
        says: "How clients are told apart, before certificates, tokens, users and addresses; only ever as a keyed hash.",
        keys: &[
            key("field", "\"x-user\"", "A request field whose value is the client."),
            key("cookie", "\"session\"", "A cookie whose value is the client."),
            key(
                "trusted_proxies",
                "",
                "Networks of proxies in front, such as \"10.0.0.0/8\", that are believed when they name the client's \
                 address. Where there are any, what others wrote into forwarding fields is not passed on by a route that \
                 adds its own.",
            ),
            key(
                "trusted_field",
                "",
                "In which field they name it: \"x-forwarded-for\" or \"forwarded\". Only the one they really write may be \
                 given: they pass on the other as any client wrote it.",
            ),
        ],
    },
    Section {
        header: "[bypass]",
        pointer: "/bypass",
        says: "The switch that asks caches to let go.",
        keys: &[
            key("default", "", "How long it lasts where nothing is said."),
            key("longest", "", "The longest that may be asked for."),
            key(
                "token_file",
                "\"bypass.token\"",
                "The file with the token by which Why412-Bypass bypasses one request; without it the field does nothing.",
            ),
            key(
                "direct_traffic",
                "",
                "Bypassed traffic may take the direct addresses. A way around a gateway is also a way around its login.",
            ),
        ],
    },
    Section {
        header: "[capture]",
        pointer: "/capture",
        says: "What is recorded, and for how long.",
        keys: &[
            key(
                "file",
                "\"why412.db\"",
                "A SQLite file that keeps records over a restart; in memory without it. What could be read once is there \
                 after the process was killed; the end of the machine may cost the last records. A file that is damaged, \
                 or something else, is left as it is: that is logged as an error, and records are kept in memory until a \
                 restart. While the disk is full, records are lost and counted in `why412_captures_lost_total`, and \
                 exchanges go on.",
            ),
            key("records", "", "The most records."),
            key("bytes", "", "The most bytes of records."),
            key(
                "redacted_fields",
                "",
                "Fields no record shows, beside Authorization, Proxy-Authorization, Cookie, Set-Cookie and API keys.",
            ),
            key(
                "redacted_parameters",
                "",
                "Query parameters no URL shows, beside those known to carry secrets (access_token, sig, X-Amz-* …).",
            ),
            key(
                "repeats_per_minute",
                "",
                "How many alterations, and hazards on reads, of one kind are recorded in full per minute; 0: all.",
            ),
        ],
    },
    Section {
        header: "[ledger]",
        pointer: "/ledger",
        says: "What is remembered of resources, to judge 412s by.",
        keys: &[
            key("store", "", "Where: \"memory\"."),
            key("resources", "", "The most resources."),
            key("sightings", "", "The most validators remembered of one resource."),
            key("bytes", "", "The most bytes in all."),
        ],
    },
    Section {
        header: "[limits]",
        pointer: "/limits",
        says: "Bounds of the data path.",
        keys: &[
            key("header_bytes", "", "Bytes of a head; a longer one of a request gets 431."),
            key("header_count", "", "Field lines of a head, at most 512."),
            key("target_bytes", "", "Bytes of a request target; a longer one gets 414."),
            key("body_bytes", "", "Bytes of a request body, more get 413; 0: any."),
            key("connections", "", "Client connections; one more is told 503 where it can be told, and closed."),
            key(
                "connections_per_address",
                "",
                "Those of one client address, or of one IPv6 network of 64 bits; 0: any. One more is treated likewise.",
            ),
            key("exchanges", "", "Exchanges in flight; more get 503."),
            key("streams", "", "Concurrent streams of one HTTP/2 connection."),
            key("upstream_idle", "", "Idle connections kept to each upstream address, per thread."),
            key("threads", "", "Threads that carry exchanges; 0: one per core."),
            key("routes", "", "Routes; each has its own metric series."),
            key("probes_per_minute", "", "The most probes in a minute, of all routes together and of operators."),
        ],
    },
    Section {
        header: "[timeouts]",
        pointer: "/timeouts",
        says: "How long things may take.",
        keys: &[
            key("header_read", "", "From the first byte of a request to the end of its head."),
            key("body_idle", "", "A body that brings nothing, either way."),
            key("write", "", "A peer that takes nothing."),
            key("connect", "", "Connecting to an upstream, TLS included; 504 after it."),
            key("response_head", "", "From the request to the head of its answer; 504 after it."),
            key("idle", "", "A client connection between two requests."),
            key(
                "upstream_idle",
                "",
                "An upstream connection between two requests; a request that is not safe takes no older one. An \
                 upstream's own Keep-Alive may shorten it.",
            ),
            key(
                "upstream_ping",
                "",
                "An HTTP/2 connection to an upstream that says nothing while exchanges are under way: then it is asked \
                 (PING), and given up if it does not answer within the time of connect.",
            ),
            key("tunnel_idle", "", "A tunnel (WebSocket) that carries nothing."),
            key("drain", "", "What is in flight when draining begins."),
            key(
                "drain_delay",
                "",
                "Between readiness turning 503 and the end of accepting, for load balancers to notice.",
            ),
        ],
    },
    Section {
        header: "[log]",
        pointer: "/log",
        says: "The log, on standard error.",
        keys: &[
            key("format", "", "\"json\", one object per line, or \"text\", for people."),
            key("level", "", "error, warn, info, debug or trace, or a filter such as \"info,why412::proxy=debug\"."),
            key(
                "access_sample",
                "",
                "The share of plain exchanges that is logged, 0.0 to 1.0. Recorded ones always are.",
            ),
        ],
    },
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Flags, check};

    #[test]
    fn the_file_means_the_defaults() {
        let checked = check::check(Some(Path::new("why412.toml")), &file(), &Flags::default(), None);
        let mut config = match checked {
            Ok(checked) => checked.config,
            Err(faults) => panic!("{faults}"),
        };
        config.files.clear();
        let (host, port) = EXAMPLE_UPSTREAM;
        let url = UpstreamUrl { https: false, host: host.to_owned(), port };
        assert_eq!(config, Config::defaults_with_upstream(url));
    }

    /// The keys that the reader knows are named when one that it does not know is refused.
    #[test]
    fn every_key_is_described() {
        for section in SECTIONS {
            let unknown = "zzzzzzzzzzzzzzzzzzzz";
            let text = format!("{}\n{unknown} = 1\n", section.header);
            let faults = check::check(None, &text, &Flags::default(), None).expect_err("an unknown key").faults;
            let fault = faults.iter().find(|fault| fault.key.ends_with(unknown)).expect("the fault");
            let known = fault.remedy.trim_start_matches("remove it, or write one of ").trim_end_matches(" instead");
            let mut known: Vec<_> = known.split(", ").collect();
            let mut described: Vec<_> = section.keys.iter().map(|key| key.name).collect();
            known.sort_unstable();
            described.sort_unstable();
            assert_eq!(known, described, "{}", section.header);
        }
    }

    #[test]
    fn optional_keys_have_an_example_that_is_toml() {
        let shown = defaults();
        for section in SECTIONS {
            for key in section.keys {
                let optional = default(&shown, section, key).is_none();
                assert!(!optional || !key.example.is_empty(), "{} {}", section.header, key.name);
                let parsed = format!("{} = {}", key.name, key.example).parse::<toml::Table>();
                assert!(!optional || parsed.is_ok(), "{} {}", section.header, key.name);
            }
        }
    }
}
