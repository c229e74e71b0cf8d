//! Single values as they are written: addresses, URLs, durations, sizes, names. Each either is what it should be or
//! says what to write instead.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use jiff::SignedDuration;

use super::fault::Wrong;
use super::{Forwarding, UpstreamUrl};

/// `127.0.0.1:8412` or `[::1]:8412`.
pub fn address(text: &str) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| {
        let port = text.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
        let example = match (text.strip_prefix("localhost:"), port) {
            (Some(port), _) => format!("127.0.0.1:{port}"),
            (None, Some(port)) => format!("0.0.0.0:{port}"),
            (None, None) => "127.0.0.1:8412".to_owned(),
        };
        Wrong::new(
            format!("{text:?} is not an IP address with a port"),
            format!("write an address such as {example:?} instead"),
        )
    })
}

/// `http://host:port` or `https://host:port`, without anything behind it.
pub fn upstream_url(text: &str) -> Result<UpstreamUrl, Wrong> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(Wrong::new(
            format!("{text:?} is not a URL"),
            format!("write one with its scheme, such as {:?}, instead", format!("http://{}", authority_of(text))),
        ));
    };
    let https = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        // A foreign string: every other one is refused.
        _ => {
            let instead = format!("http://{}", authority_of(rest));
            return Err(Wrong::new(
                format!("{text:?} has the scheme {scheme:?}"),
                format!("write http or https, such as {instead:?}, instead"),
            ));
        }
    };
    let authority = authority_of(rest);
    let behind = rest.get(authority.len()..).unwrap_or_default();
    if !behind.is_empty() && behind != "/" {
        let what = if behind.starts_with('/') { "a path" } else { "something behind the authority" };
        return Err(Wrong::new(
            format!("{text:?} has {what}, and targets are passed on as they come"),
            format!("write {:?} instead", format!("{scheme}://{authority}")),
        ));
    }
    if let Some((_, host)) = authority.rsplit_once('@') {
        return Err(Wrong::new(
            "the URL has user information, which is not sent to upstreams".to_owned(),
            format!("write {:?} instead", format!("{scheme}://{host}")),
        ));
    }
    host_and_port(authority, if https { 443 } else { 80 })
        .map(|(host, port)| UpstreamUrl { https, host, port })
        .ok_or_else(|| {
            Wrong::new(
                format!("{text:?} has no valid host and port"),
                "write a URL such as \"http://127.0.0.1:8080\" instead".to_owned(),
            )
        })
}

fn authority_of(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

fn host_and_port(authority: &str, default_port: u16) -> Option<(String, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            (address, port.strip_prefix(':').or_else(|| port.is_empty().then_some("")))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, Some("")),
        },
    };
    let port = match port? {
        "" => default_port,
        digits => digits.parse::<u16>().ok().filter(|port| *port != 0)?,
    };
    let known = host.parse::<Ipv6Addr>().is_ok() || is_host(host);
    known.then(|| (host.to_ascii_lowercase(), port))
}

/// A host of a route or of the admin page: lower case, no port.
pub(super) fn host(text: &str) -> Result<String, Wrong> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(address) = bare.filter(|address| address.parse::<Ipv6Addr>().is_ok()) {
        return Ok(format!("[{}]", address.to_ascii_lowercase()));
    }
    if is_host(text) {
        return Ok(text.to_ascii_lowercase());
    }
    let name = authority_of(text.split_once("://").map_or(text, |(_, rest)| rest));
    let name = name.split(':').next().unwrap_or_default();
    let example = if is_host(name) { name.to_ascii_lowercase() } else { "api.example.com".to_owned() };
    Err(Wrong::new(
        format!("{text:?} is not the name of a host"),
        format!("write a name without scheme, port or path, such as {example:?}, instead"),
    ))
}

/// RFC 3986 §3.2.2 allows more in a reg-name than DNS has; underscores do occur inside of clusters.
fn is_host(text: &str) -> bool {
    if text.is_empty() || text.len() > 253 {
        return false;
    }
    let looks_numeric = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if looks_numeric {
        return text.parse::<Ipv4Addr>().is_ok();
    }
    text.strip_suffix('.').unwrap_or(text).split('.').all(|label| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    })
}

/// The value of a Host field: a host with or without a port.
pub(super) fn host_field(text: &str) -> Result<String, Wrong> {
    host_and_port(text, 80).map(|_| text.to_owned()).ok_or_else(|| {
        Wrong::new(
            format!("{text:?} is not a host with or without a port"),
            "write a value such as \"api.example.com\" or \"api.example.com:8080\" instead".to_owned(),
        )
    })
}

/// `15m`, `3s`, `500ms`, `1h 30m`.
pub fn duration(text: &str) -> Result<Duration, Wrong> {
    let parsed = text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    parsed.ok_or_else(|| {
        let example = match text.trim().parse::<u64>() {
            Ok(number) => format!("{number}s"),
            Err(_) => "15m".to_owned(),
        };
        Wrong::new(
            format!("{text:?} is not a duration"),
            format!("write a number with its unit (ms, s, m, h), such as {example:?}, instead"),
        )
    })
}

/// The way durations are written.
pub(super) fn show_duration(duration: Duration) -> String {
    SignedDuration::try_from(duration)
        .map_or_else(|_| format!("{}s", duration.as_secs()), |signed| format!("{signed:#}"))
}

const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// `64KiB`, `16 MiB`, `1GiB`.
pub(super) fn bytes(text: &str) -> Result<u64, Wrong> {
    let parsed = UNITS.iter().find_map(|(unit, factor)| {
        let number = text.strip_suffix(unit)?.trim_end();
        number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse::<u64>().ok()?.checked_mul(*factor))?
    });
    parsed.ok_or_else(|| {
        Wrong::new(
            format!("{text:?} is not a number of bytes"),
            "write a number of bytes, or one with KiB, MiB or GiB, such as \"64KiB\", instead".to_owned(),
        )
    })
}

/// The way sizes are written.
pub(super) fn show_bytes(bytes: u64) -> String {
    let fits = UNITS.iter().find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor));
    fits.map_or_else(|| "0B".to_owned(), |(unit, factor)| format!("{}{unit}", bytes / factor))
}

/// The name of a field (RFC 9110 §5.1), in lower case.
pub(super) fn field_name(text: &str) -> Result<String, Wrong> {
    http::HeaderName::from_bytes(text.as_bytes()).map(|name| name.as_str().to_owned()).map_err(|_| {
        Wrong::new(
            format!("{text:?} is not the name of a field"),
            "write a name such as \"x-api-key\" instead".to_owned(),
        )
    })
}

/// The name of a cookie (RFC 6265 §4.1.1: a token).
pub(super) fn cookie_name(text: &str) -> Result<String, Wrong> {
    if http::HeaderName::from_bytes(text.as_bytes()).is_ok() {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        format!("{text:?} is not the name of a cookie"),
        "write a name such as \"session\" instead".to_owned(),
    ))
}

/// The name of a query parameter, in lower case.
pub(super) fn parameter_name(text: &str) -> Result<String, Wrong> {
    if text.is_empty() || text.contains(['&', '=', '#', '?']) || text.chars().any(char::is_whitespace) {
        return Err(Wrong::new(
            format!("{text:?} is not the name of a query parameter"),
            "write a name such as \"token\" instead".to_owned(),
        ));
    }
    Ok(text.to_ascii_lowercase())
}

/// The name of a route or an upstream: it becomes a metric label and stands in URLs.
pub(super) fn name(text: &str) -> Result<String, Wrong> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !text.is_empty() && text.len() <= 64 && text.bytes().all(fits) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        format!("{text:?} is not a name"),
        "write letters, digits, \"-\", \"_\" and \".\", at most 64 of them, instead".to_owned(),
    ))
}

/// What a health check asks for: a path, with a query where wanted, as it stands in a request line.
pub(super) fn health_path(text: &str) -> Result<String, Wrong> {
    if text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        format!("{text:?} is no path"),
        "write one that begins with / and has no spaces, such as \"/healthz\", instead",
    ))
}

/// A path template: `{name}` is one whole segment, `{*rest}` the remainder and last.
pub(super) fn path(text: &str) -> Result<String, Wrong> {
    let wrong = |says: String, instead: String| Err(Wrong::new(says, format!("write {instead:?} instead")));
    if !text.starts_with('/') {
        return wrong(format!("{text:?} does not begin with a slash"), format!("/{text}"));
    }
    if let Some((path, _)) = text.split_once(['?', '#']) {
        return wrong(format!("{text:?} has a query or a fragment, and routes match by path"), path.to_owned());
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return wrong(format!("{text:?} has white space in it"), "/orders/{id}".to_owned());
    }
    let segments: Vec<&str> = text.split('/').skip(1).collect();
    let mut seen = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let Some(parameter) = parameter(segment) else {
            return wrong(format!("{text:?} has braces that are no whole segment"), "/orders/{id}".to_owned());
        };
        let Some(parameter) = parameter else { continue };
        if parameter.starts_with('*') && index + 1 != segments.len() {
            return wrong(format!("{text:?} goes on behind {segment:?}"), rest_ends(&segments, index));
        }
        if seen.contains(&parameter) {
            return wrong(format!("{text:?} has {segment:?} twice"), "/orders/{order}/items/{item}".to_owned());
        }
        seen.push(parameter);
    }
    Ok(text.to_owned())
}

fn rest_ends(segments: &[&str], index: usize) -> String {
    let kept: Vec<_> = segments.iter().take(index + 1).copied().collect();
    format!("/{}", kept.join("/"))
}

/// The parameter that a segment is, if it is one; none at all if its braces make no sense.
fn parameter(segment: &str) -> Option<Option<&str>> {
    if !segment.contains(['{', '}']) {
        return Some(None);
    }
    let inner = segment.strip_prefix('{')?.strip_suffix('}')?;
    let name = inner.strip_prefix('*').unwrap_or(inner);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (!name.is_empty() && name.bytes().all(fits)).then_some(Some(inner))
}

/// What a template matches, whatever its parameters are called: equal for templates that match the same paths.
pub(super) fn path_shape(path: &str) -> String {
    let shape = |segment: &str| match parameter(segment) {
        Some(Some(name)) if name.starts_with('*') => "{*}".to_owned(),
        Some(Some(_)) => "{}".to_owned(),
        Some(None) | None => segment.to_owned(),
    };
    path.split('/').map(shape).collect::<Vec<_>>().join("/")
}

/// `10.0.0.0/8`, `2001:db8::/32`, or one address.
pub(super) fn network(text: &str) -> Result<IpNet, Wrong> {
    let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let network = text.parse::<IpNet>().ok().or_else(one).ok_or_else(|| {
        Wrong::new(
            format!("{text:?} is not a network"),
            "write one such as \"10.0.0.0/8\" or \"2001:db8::/32\", or an IP address, instead",
        )
    })?;
    if network.trunc() != network {
        let instead = format!("{}", network.trunc());
        return Err(Wrong::new(
            format!("{text:?} names an address within a network"),
            format!("write {instead:?} for the network, or {:?} for the address, instead", network.addr().to_string()),
        ));
    }
    Ok(network)
}

/// One kind of forwarding fields.
pub(super) fn forwarding(name: &str) -> Result<Forwarding, Wrong> {
    let none = Forwarding::default();
    match name {
        "via" => Ok(Forwarding { via: true, ..none }),
        "forwarded" => Ok(Forwarding { forwarded: true, ..none }),
        "x-forwarded" => Ok(Forwarding { x_forwarded: true, ..none }),
        // A foreign string: every other one is refused.
        _ => Err(Wrong::new(
            format!("{name:?} is not a kind of forwarding fields"),
            "write \"via\", \"forwarded\" or \"x-forwarded\" instead",
        )),
    }
}

/// All kinds that are named.
pub(super) fn all_forwarding(named: Vec<Forwarding>) -> Forwarding {
    named.into_iter().fold(Forwarding::default(), |all, one| Forwarding {
        via: all.via || one.via,
        forwarded: all.forwarded || one.forwarded,
        x_forwarded: all.x_forwarded || one.x_forwarded,
    })
}
