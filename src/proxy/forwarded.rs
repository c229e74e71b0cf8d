//! Who a request comes from where trusted proxies are in front: what `X-Forwarded-For` or `Forwarded` (RFC 7239) say,
//! as far as those who wrote it are trusted.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::config::{TrustedField, TrustedProxies};

/// Whether `address` is a trusted proxy's.
pub(super) fn is_trusted(trusted: &TrustedProxies, address: IpAddr) -> bool {
    contains(&trusted.networks, address)
}

/// Whether one of `networks` has `address`, however it is written.
pub(super) fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// The address of the client: that of the connection, unless a trusted proxy holds it; then the last one that the
/// trusted proxies name and that is not one of theirs. What stands before that one in the list, anybody can have written.
pub(super) fn client_address(trusted: &TrustedProxies, peer: IpAddr, fields: &Fields) -> IpAddr {
    if trusted.networks.is_empty() || !is_trusted(trusted, peer) {
        return peer;
    }
    let mut last = peer;
    for node in nodes(trusted.field, fields).into_iter().rev() {
        // A proxy that hides its client, or writes what cannot be read, is as far as one can see.
        let Some(address) = node else { break };
        last = address;
        if !is_trusted(trusted, address) {
            break;
        }
    }
    last
}

/// Whom the field names, the nearest last; `None` for each that is no address.
fn nodes(field: TrustedField, fields: &Fields) -> Vec<Option<IpAddr>> {
    match field {
        TrustedField::XForwardedFor => {
            let values = fields.all(FieldName::XForwardedFor).flat_map(|value| value.split(|byte| *byte == b','));
            values.map(|value| std::str::from_utf8(value.trim_ascii()).ok().and_then(node_address)).collect()
        }
        TrustedField::Forwarded => {
            let values = fields.all_named(b"forwarded");
            values.flat_map(|value| elements(&String::from_utf8_lossy(value), ',')).map(|one| for_of(&one)).collect()
        }
    }
}

/// The `for` of one element (RFC 7239 §4).
fn for_of(element: &str) -> Option<IpAddr> {
    let pairs = elements(element, ';');
    let value = pairs.iter().find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim())
    })?;
    let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    node_address(bare)
}

/// `192.0.2.43`, `192.0.2.43:47011`, `[2001:db8::17]`, `[2001:db8::17]:4711` or `2001:db8::17` (RFC 7239 §6).
fn node_address(node: &str) -> Option<IpAddr> {
    let bracketed = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = bracketed.unwrap_or(node).parse().or_else(|_| node.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// The parts between separators, but for those within quoted strings.
fn elements(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for character in text.chars() {
        if character == separator && !quoted {
            parts.push(String::new());
            continue;
        }
        quoted ^= character == '"' && !escaped;
        escaped = quoted && character == '\\' && !escaped;
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(field: TrustedField, lines: &[(&str, &str)], expected: &str) {
        let networks = vec!["10.0.0.0/8".parse().unwrap(), "2001:db8:1::/48".parse().unwrap()];
        let trusted = TrustedProxies { networks, field };
        let fields: Fields = lines.iter().copied().collect();
        assert_eq!(client_address(&trusted, "10.0.0.1".parse().unwrap(), &fields).to_string(), expected, "{lines:?}");
    }

    #[test]
    fn the_last_address_that_is_not_a_proxys_is_the_clients() {
        let field = TrustedField::XForwardedFor;
        check(field, &[("X-Forwarded-For", "203.0.113.7")], "203.0.113.7");
        check(field, &[("X-Forwarded-For", "198.51.100.1, 203.0.113.7, 10.1.1.1")], "203.0.113.7");
        check(field, &[("X-Forwarded-For", "198.51.100.1"), ("x-forwarded-for", "203.0.113.7:4711")], "203.0.113.7");
        check(field, &[("X-Forwarded-For", "2001:db8::1, 2001:db8:1::5")], "2001:db8::1");
        check(field, &[("X-Forwarded-For", "203.0.113.7, unknown")], "10.0.0.1");
        check(field, &[("X-Forwarded-For", "203.0.113.7, unknown, 10.2.0.1")], "10.2.0.1");
        check(field, &[("X-Forwarded-For", "10.3.0.1, 10.2.0.1")], "10.3.0.1");
        check(field, &[("Forwarded", "for=203.0.113.7")], "10.0.0.1");
    }

    #[test]
    fn forwarded_is_read_as_its_rfc_writes_it() {
        let field = TrustedField::Forwarded;
        check(field, &[("Forwarded", "for=192.0.2.43, for=\"[2001:db8:cafe::17]:4711\"")], "2001:db8:cafe::17");
        check(field, &[("forwarded", "proto=https;FOR=\"192.0.2.43:47011\";by=203.0.113.43")], "192.0.2.43");
        check(field, &[("Forwarded", "for=192.0.2.43;host=\"a,for=10.9.9.9\"")], "192.0.2.43");
        check(field, &[("Forwarded", "for=192.0.2.43, for=_hidden")], "10.0.0.1");
        check(field, &[("X-Forwarded-For", "203.0.113.7")], "10.0.0.1");
    }

    #[test]
    fn nobody_else_is_believed() {
        let networks = vec!["10.0.0.0/8".parse().unwrap()];
        let trusted = TrustedProxies { networks, field: TrustedField::XForwardedFor };
        let fields: Fields = [("X-Forwarded-For", "203.0.113.7")].into_iter().collect();
        let peer = "192.0.2.1".parse().unwrap();
        assert_eq!(client_address(&trusted, peer, &fields), peer);
        assert_eq!(client_address(&TrustedProxies::default(), peer, &fields), peer);
    }
}
