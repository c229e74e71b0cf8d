//! Which resource a request is for: scheme, authority, path and query, normalised as RFC 9110 §4.2.3 allows and no
//! further. Hashed as it is read: nothing is copied.

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

use super::digest::DigestKey;
use super::exchange::{Exchange, Scheme};

/// The hashes that name a resource, and the group of those that differ in their query alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResourceKey {
    /// Scheme, authority, path and query.
    pub whole: u128,
    /// Scheme, authority and path.
    pub path: u128,
}

impl ResourceKey {
    /// The resource of an exchange.
    pub fn of(exchange: &Exchange<'_>, key: &DigestKey) -> Self {
        Self::new(exchange.scheme, &exchange.request.authority, &exchange.request.target, key)
    }

    /// The resource that `target`, a path with a query or an absolute URI, names.
    pub fn new(scheme: Scheme, authority: &[u8], target: &[u8], key: &DigestKey) -> Self {
        let (path, query) = split_target(target);
        let mut hasher = Normalised(SipHasher13::new_with_key(&key.bytes()));
        hasher.origin(scheme, authority);
        hasher.escaped(path);
        let of_path = hasher.0.finish128().as_u128();
        if let Some(query) = query {
            hasher.0.write_u8(b'?');
            hasher.escaped(query);
        }
        Self { whole: hasher.0.finish128().as_u128(), path: of_path }
    }
}

/// The hash by which memory is divided: the same for every query of one path. Its key is no secret: whoever knows it can
/// at worst crowd one shard.
pub fn shard_hash(exchange: &Exchange<'_>) -> u64 {
    shard_hash_of(exchange.scheme, &exchange.request.authority, &exchange.request.target)
}

/// The same for a resource that is named otherwise.
pub fn shard_hash_of(scheme: Scheme, authority: &[u8], target: &[u8]) -> u64 {
    ResourceKey::new(scheme, authority, path_of(target), &SHARD_KEY).path as u64
}

const SHARD_KEY: DigestKey = DigestKey::new(*b"why412 shard key");

/// The path of a target, without its query.
pub fn path_of(target: &[u8]) -> &[u8] {
    split_target(target).0
}

/// Path and query of a target in origin-form or absolute-form (RFC 9112 §3.2).
fn split_target(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let path = if target.starts_with(b"/") {
        target
    } else {
        // Absolute-form: what follows the authority. Others (`*`, authority-form) are taken as they are.
        let after_scheme = target.windows(3).position(|window| window == b"://").and_then(|at| target.get(at + 3..));
        after_scheme.map_or(target, |rest| {
            let at = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
            rest.get(at..).unwrap_or_default()
        })
    };
    let Some(at) = path.iter().position(|byte| *byte == b'?') else { return (slash(path), None) };
    (slash(path.get(..at).unwrap_or_default()), path.get(at + 1..))
}

/// RFC 9110 §4.2.3: an empty path is the same as `/`.
const fn slash(path: &[u8]) -> &[u8] {
    if path.is_empty() { b"/" } else { path }
}

struct Normalised(SipHasher13);

impl Normalised {
    /// RFC 9110 §4.2.3: scheme and host without regard to case, the default port left out.
    fn origin(&mut self, scheme: Scheme, authority: &[u8]) {
        self.0.write_u8(scheme as u8);
        let port: &[u8] = match scheme {
            Scheme::Http => b":80",
            Scheme::Https => b":443",
        };
        let authority = authority.strip_suffix(port).unwrap_or(authority);
        let authority = authority.strip_suffix(b":").unwrap_or(authority);
        for byte in authority {
            self.0.write_u8(byte.to_ascii_lowercase());
        }
        self.0.write_u8(0);
    }

    /// RFC 9110 §4.2.3 with RFC 3986 §6.2.2: what need not be escaped is not, hexadecimal digits are in upper case.
    fn escaped(&mut self, text: &[u8]) {
        let mut rest = text;
        // Runs without an escape, which is nearly always all of it, are hashed in one piece.
        while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
            let (plain, escape) = rest.split_at_checked(at).unwrap_or_default();
            self.0.write(plain);
            let (Some(high), Some(low)) = (hex(escape.get(1)), hex(escape.get(2))) else {
                self.0.write_u8(b'%');
                rest = escape.get(1..).unwrap_or_default();
                continue;
            };
            let byte = (high << 4) | low;
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                self.0.write_u8(byte);
            } else {
                self.0.write(&[b'%', digit(high), digit(low)]);
            }
            rest = escape.get(3..).unwrap_or_default();
        }
        self.0.write(rest);
    }
}

const fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'A' + value - 10 }
}

fn hex(digit: Option<&u8>) -> Option<u8> {
    match digit? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
        digit @ b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(scheme: Scheme, authority: &str, target: &str) -> ResourceKey {
        ResourceKey::new(scheme, authority.as_bytes(), target.as_bytes(), &SHARD_KEY)
    }

    #[track_caller]
    fn same(a: (&str, &str), b: (&str, &str)) {
        assert_eq!(key(Scheme::Http, a.0, a.1), key(Scheme::Http, b.0, b.1), "{a:?} {b:?}");
    }

    #[test]
    fn normalised_as_allowed() {
        same(("Example.COM:80", "/a"), ("example.com", "/a"));
        same(("example.com:", "/a"), ("example.com", "/a"));
        same(("h", "/%7euser/%2f"), ("h", "/~user/%2F"));
        same(("h", ""), ("h", "/"));
        same(("h", "http://h/a?b=1"), ("h", "/a?b=1"));
        same(("h", "http://h"), ("h", "/"));
    }

    #[test]
    fn and_no_further() {
        let plain = key(Scheme::Http, "h", "/a");
        for (authority, target) in
            [("h", "/A"), ("h", "/a/"), ("h", "//a"), ("h:8080", "/a"), ("h", "/%2Fa"), ("h", "/a?")]
        {
            assert_ne!(key(Scheme::Http, authority, target), plain, "{authority} {target}");
        }
        assert_ne!(key(Scheme::Https, "h", "/a"), plain);
        assert_ne!(key(Scheme::Http, "h", "/a?x=1&y=2").whole, key(Scheme::Http, "h", "/a?y=2&x=1").whole);
    }

    #[test]
    fn siblings_share_their_path() {
        let (a, b) = (key(Scheme::Http, "h", "/a?x=1"), key(Scheme::Http, "h", "/a"));
        assert_eq!(a.path, b.path);
        assert_ne!(a.whole, b.whole);
        assert_eq!(b.whole, b.path);
    }
}
