//! Upstreams and routes: what each says, and what they say of each other.

use std::collections::HashMap;
use std::time::Duration;

use super::defaults::{DEFAULT_NAME, DEFAULT_PATH};
use super::fault::{Place, Wrong};
use super::file::{Document, Section};
use super::{
    Flags, Health, OnUpstreamFailure, Probe, Route, Upstream, UpstreamHttp, UpstreamTls, UpstreamUrl, secrets, values,
};
use crate::analysis::exchange::{Comparison, Role, RoutePolicy};

/// The name of the series of requests that no route fits.
const UNMATCHED_NAME: &str = "unmatched";

/// An upstream, and where its addresses stand.
pub(super) struct Placed {
    pub(super) upstream: Upstream,
    pub(super) place: Place,
}

/// Every upstream of the file, or the one of the command line.
pub(super) fn upstreams(root: &Section<'_>, flags: &Flags, role: Role) -> Vec<Placed> {
    let document = root.document();
    let sections = root.named_sections("upstream");
    let none = sections.is_empty() && (!root.has("upstream") || root.has_table("upstream"));
    let mut upstreams: Vec<Placed> =
        sections.into_iter().filter_map(|(name, section)| upstream(&name, &section, flags, role)).collect();
    let Some(url) = flags.upstream.clone() else {
        if none {
            let remedy = "write [upstream.default] with url = [\"http://127.0.0.1:8080\"], or pass --upstream URL";
            document.fault(&root.place_of("upstream"), Wrong::new("there is no upstream", remedy));
        }
        direct_of_flag(document, &mut upstreams, flags);
        return upstreams;
    };
    match upstreams.as_mut_slice() {
        [] => {
            let upstream = Upstream::with_urls(DEFAULT_NAME.to_owned(), vec![url], role);
            upstreams.push(Placed { upstream, place: Place::flag("--upstream") });
        }
        [only] => {
            only.upstream.urls = vec![url];
            only.place = Place::flag("--upstream");
        }
        [_, _, ..] => {
            let says =
                format!("the file configures {} upstreams, and it is not clear which one is meant", upstreams.len());
            document.fault(&Place::flag("--upstream"), Wrong::new(says, "leave it out, or configure one upstream"));
        }
    }
    direct_of_flag(document, &mut upstreams, flags);
    upstreams
}

fn direct_of_flag(document: &Document<'_>, upstreams: &mut [Placed], flags: &Flags) {
    let Some(url) = flags.direct.clone() else { return };
    match upstreams {
        [only] => only.upstream.direct = vec![url],
        [] | [_, _, ..] => {
            let says = format!("there are {} upstreams, and it is not clear which one is meant", upstreams.len());
            document.fault(&Place::flag("--direct"), Wrong::new(says, "leave it out, or configure one upstream"));
        }
    }
}

fn upstream(name: &str, section: &Section<'_>, flags: &Flags, role: Role) -> Option<Placed> {
    let document = section.document();
    if let Err(wrong) = values::name(name) {
        document.fault(section.place(), wrong);
    }
    let failures = [("respond", OnUpstreamFailure::Respond), ("mirror", OnUpstreamFailure::Mirror)];
    let versions = [("1.1", UpstreamHttp::Http1), ("2", UpstreamHttp::Http2), ("auto", UpstreamHttp::Auto)];
    let written = section.texts("url", values::upstream_url);
    let missing = written.is_none() && !section.has("url");
    let upstream = Upstream {
        urls: written.unwrap_or_default(),
        direct: section.texts("direct", values::upstream_url).unwrap_or_default(),
        tls: upstream_tls(&section.section("tls")),
        host: section.text("host", values::host_field),
        http: section.choice("http", &versions).unwrap_or_default(),
        on_failure: section
            .choice("on_upstream_failure", &failures)
            .unwrap_or_else(|| OnUpstreamFailure::of_role(role)),
        health: health(&section.section("health")),
        name: name.to_owned(),
    };
    section.end();
    let empty = section.is_empty_list("url");
    if flags.upstream.is_none() && section.is_written() && (missing || empty) {
        let place = section.place_of("url");
        document.fault(&place, Wrong::new("it has no address", "write url = [\"http://127.0.0.1:8080\"]"));
    }
    section.is_written().then(|| Placed { place: section.place_of("url"), upstream })
}

fn health(section: &Section<'_>) -> Option<Health> {
    let path = section.text("path", values::health_path);
    let range = Duration::from_millis(100)..=Duration::from_secs(3600);
    let health = Health {
        path: path.clone().unwrap_or_default(),
        interval: section.duration("interval", range.clone()).unwrap_or(Duration::from_secs(5)),
        timeout: section.duration("timeout", range).unwrap_or(Duration::from_secs(1)),
        unhealthy_after: section.number("unhealthy_after", 1..=100).unwrap_or(2),
        healthy_after: section.number("healthy_after", 1..=100).unwrap_or(1),
    };
    section.end();
    if path.is_none() && section.is_written() && !section.has("path") {
        let place = section.place_of("path");
        section.document().fault(&place, Wrong::new("it does not say what to ask for", "write path = \"/healthz\""));
    }
    path.map(|_| health)
}

fn upstream_tls(section: &Section<'_>) -> UpstreamTls {
    let document = section.document();
    let certificates = |(place, path)| secrets::certificates(document, &place, path);
    let certificate = section.path_of("certificate");
    let key = section.path_of("key");
    let ca = section.path_of("ca").and_then(certificates);
    let server_name = section.text("server_name", values::host);
    section.end();
    let client_certificate = match (certificate, key) {
        (None, None) => None,
        (Some(certificate), Some((place, key))) => {
            let key = secrets::private_key(document, &place, key);
            certificates(certificate).zip(key)
        }
        (Some(_), None) | (None, Some(_)) => {
            let remedy = "write both certificate = \"client.pem\" and key = \"client.key\", or neither";
            let says = "a certificate needs its key, and a key its certificate";
            document.fault(section.place(), Wrong::new(says, remedy));
            None
        }
    };
    UpstreamTls { ca, server_name, client_certificate }
}

/// Every route of the file; if there is none, the one to the only upstream.
pub(super) fn routes(root: &Section<'_>, upstreams: &[Placed], most: usize) -> Vec<Route> {
    let document = root.document();
    let sections = root.sections("route");
    if sections.is_empty() {
        if upstreams.len() > 1 && (!root.has("route") || root.is_empty_list("route")) {
            let remedy = "write a [[route]] with its name, path and upstream for each";
            let says = format!("there are {} upstreams and no route to them", upstreams.len());
            document.fault(&root.place_of("route"), Wrong::new(says, remedy));
        }
        return vec![Route::to_upstream(DEFAULT_NAME.to_owned(), 0)];
    }
    if sections.len() > most {
        let says = format!("there are {} routes, and each has its own metric series", sections.len());
        let remedy = format!("write at most {most}, or raise routes under [limits]");
        document.fault(&root.place_of("route"), Wrong::new(says, remedy));
    }
    let only = sections.len() == 1;
    let routes: Vec<(Route, &Section<'_>)> =
        sections.iter().map(|section| (route(section, upstreams, only), section)).collect();
    duplicates(document, &routes);
    routes.into_iter().map(|(route, _)| route).collect()
}

fn route(section: &Section<'_>, upstreams: &[Placed], only: bool) -> Route {
    let probes = [("off", Probe::Off), ("head", Probe::Head), ("get", Probe::Get)];
    let comparisons = [("strong", Comparison::Strong), ("weak", Comparison::Weak)];
    let name = route_name(section, only);
    let upstream = route_upstream(section, upstreams);
    let defaults = Route::to_upstream(name, upstream);
    let route = Route {
        host: section.text("host", values::host),
        path: section.text("path", values::path).unwrap_or_else(|| DEFAULT_PATH.to_owned()),
        policy: RoutePolicy {
            comparison: section.choice("comparison", &comparisons).unwrap_or_default(),
            preconditions: section.texts("preconditions", values::field_name).unwrap_or_default(),
        },
        probe: section.choice("probe", &probes).unwrap_or_default(),
        probe_credentials: section.boolean("probe_credentials").unwrap_or_default(),
        probes_per_minute: section.number("probes_per_minute", 1..=60_000).unwrap_or(defaults.probes_per_minute),
        annotate: section.boolean("annotate").unwrap_or_default(),
        connect: section.boolean("connect").unwrap_or_default(),
        allow_precondition_removal: section.boolean("allow_precondition_removal").unwrap_or_default(),
        forwarding: section.texts("forwarding", values::forwarding).map(values::all_forwarding).unwrap_or_default(),
        ..defaults
    };
    section.end();
    route
}

fn route_name(section: &Section<'_>, only: bool) -> String {
    let document = section.document();
    let name = section.text("name", values::name);
    let reserved = match name.as_deref() {
        Some(UNMATCHED_NAME) => Some("it is the series of requests that no route fits"),
        Some(DEFAULT_NAME) if !only => Some("it is the series of a configuration without routes"),
        Some(_) | None => None,
    };
    if let Some(reason) = reserved {
        let says = format!("the name {:?} is reserved: {reason}", name.as_deref().unwrap_or_default());
        document.fault(&section.place_of("name"), Wrong::new(says, "write another name, such as \"orders\", instead"));
    }
    if name.is_none() && !section.has("name") && !only {
        document.fault(&section.place_of("name"), Wrong::new("it has no name", "write one, such as name = \"orders\""));
    }
    name.unwrap_or_else(|| DEFAULT_NAME.to_owned())
}

fn route_upstream(section: &Section<'_>, upstreams: &[Placed]) -> usize {
    let document = section.document();
    let names: Vec<_> = upstreams.iter().map(|placed| format!("{:?}", placed.upstream.name)).collect();
    let Some(name) = section.text("upstream", |text| Ok(text.to_owned())) else {
        if upstreams.len() > 1 && !section.has("upstream") {
            let says = "it does not say which upstream it goes to";
            let remedy = format!("write upstream = {}", names.join(" or "));
            document.fault(&section.place_of("upstream"), Wrong::new(says, remedy));
        }
        return 0;
    };
    let found = upstreams.iter().position(|placed| placed.upstream.name == name);
    if found.is_none() {
        let remedy = if names.is_empty() {
            format!("write [upstream.{name}] with its url")
        } else {
            format!("write {}, or configure [upstream.{name}], instead", names.join(" or "))
        };
        document.fault(&section.place_of("upstream"), Wrong::new(format!("there is no upstream {name:?}"), remedy));
    }
    found.unwrap_or_default()
}

/// The same name twice would mix two series, the same host and path twice would leave one route without requests.
fn duplicates(document: &Document<'_>, routes: &[(Route, &Section<'_>)]) {
    let mut names = HashMap::new();
    let mut paths = HashMap::new();
    for (route, section) in routes {
        if let Some(line) = names.insert(route.name.clone(), section.place().line) {
            let says = format!("the name {:?} is taken{}", route.name, by_line(line));
            document.fault(&section.place_of("name"), Wrong::new(says, "write another name instead"));
        }
        let target = (route.host.clone(), values::path_shape(&route.path));
        if let Some(line) = paths.insert(target, section.place().line) {
            let host = route.host.as_deref().map_or_else(String::new, |host| format!(" of {host}"));
            let says = format!("{:?}{host} matches the same requests as the route{}", route.path, by_line(line));
            let remedy = "remove one of them, or write another path or host instead";
            document.fault(&section.place_of("path"), Wrong::new(says, remedy));
        }
    }
}

fn by_line(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(" in line {line}"))
}

/// Every address of `upstreams`, with the place it is written in.
pub(super) fn addresses(upstreams: &[Placed]) -> impl Iterator<Item = (&UpstreamUrl, &Place)> {
    upstreams.iter().flat_map(|placed| {
        placed.upstream.urls.iter().chain(&placed.upstream.direct).map(move |url| (url, &placed.place))
    })
}
