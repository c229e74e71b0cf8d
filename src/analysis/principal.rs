//! Who asked, as a keyed hash, and what told them apart. Credentials are read, never verified and never kept.

use std::net::IpAddr;

use super::digest::{Digest, DigestKey};
use super::semantics::fields::{FieldName, Fields};

/// What told one client from another; the stronger first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ToldApartBy {
    /// The client hash of a verified mark of an outer instance.
    Mark,
    /// The key of a client certificate.
    Certificate,
    /// `iss` and `sub` of a JWT (RFC 7519), decoded and not verified.
    JwtSubject,
    /// The user of Basic credentials (RFC 7617).
    BasicUser,
    /// The field or cookie that the configuration names.
    Configured,
    /// The whole Authorization value: opaque, it may change without the client changing.
    Authorization,
    /// The address alone: many clients may share one.
    Address,
}

impl ToldApartBy {
    /// As a sentence names it.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Mark => "the mark of the outer instance",
            Self::Certificate => "the client certificate",
            Self::JwtSubject => "issuer and subject of the token",
            Self::BasicUser => "the user name of the Basic credentials",
            Self::Configured => "the configured field or cookie",
            Self::Authorization => "the Authorization value as a whole, which may change without the client changing",
            Self::Address => "the address alone, which several clients may share",
        }
    }
}

/// A client: 128 bits under a key, and what told them apart. Equal when the hash is.
#[derive(Clone, Copy, Debug)]
pub struct Principal {
    /// The keyed hash.
    pub key: u128,
    /// What it was made of.
    pub by: ToldApartBy,
}

impl Principal {
    /// The shortened form in which records name a client.
    pub fn short(&self) -> String {
        format!("c-{:06x}", self.key >> 104)
    }
}

impl PartialEq for Principal {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Principal {}

/// The key under which clients are hashed: derived from the pair secret where there is one, else random per start.
pub type PrincipalKey = DigestKey;

/// How the configuration wants clients told apart, before the usual order of credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientPolicy {
    /// A request field whose value is the client, in lower case.
    pub field: Option<String>,
    /// A cookie whose value is the client.
    pub cookie: Option<String>,
}

/// What the connection says of who is at its other end.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// Its address.
    pub address: IpAddr,
    /// The public key (SubjectPublicKeyInfo) of its certificate, if it showed one.
    pub certificate_key: Option<&'a [u8]>,
    /// The client that a verified mark names.
    pub mark: Option<Principal>,
}

/// Who sent a request with these fields: the first that is there of mark, certificate key, JWT subject, Basic user,
/// configured field or cookie, Authorization value, address.
pub fn principal_of(fields: &Fields, peer: &Peer<'_>, policy: &ClientPolicy, key: &PrincipalKey) -> Principal {
    if let Some(mark) = peer.mark {
        return mark;
    }
    if let Some(spki) = peer.certificate_key {
        return hashed(key, ToldApartBy::Certificate, &[spki]);
    }
    let authorization = fields.first(FieldName::Authorization);
    let named = authorization.and_then(|value| {
        let (scheme, credentials) = split_credentials(value)?;
        if scheme.eq_ignore_ascii_case(b"basic") { basic_user(credentials, key) } else { jwt_subject(credentials, key) }
    });
    if let Some(principal) = named.or_else(|| configured(fields, policy, key)) {
        return principal;
    }
    if let Some(value) = authorization {
        return hashed(key, ToldApartBy::Authorization, &[value]);
    }
    match peer.address.to_canonical() {
        IpAddr::V4(address) => hashed(key, ToldApartBy::Address, &[&address.octets()]),
        IpAddr::V6(address) => hashed(key, ToldApartBy::Address, &[&address.octets()]),
    }
}

/// What told them apart is part of the hash: a user called like an address is not that address.
fn hashed(key: &PrincipalKey, by: ToldApartBy, parts: &[&[u8]]) -> Principal {
    let mut digest = Digest::new(key);
    digest.update(&[by as u8]);
    for part in parts {
        digest.part(part);
    }
    Principal { key: digest.finish(), by }
}

fn configured(fields: &Fields, policy: &ClientPolicy, key: &PrincipalKey) -> Option<Principal> {
    if let Some(name) = &policy.field
        && let Some(value) = fields.all_named(name.as_bytes()).find(|value| !value.is_empty())
    {
        return Some(hashed(key, ToldApartBy::Configured, &[b"field", value]));
    }
    let name = policy.cookie.as_ref()?;
    let value = fields.all(FieldName::Cookie).find_map(|line| cookie(line, name.as_bytes()))?;
    Some(hashed(key, ToldApartBy::Configured, &[b"cookie", value]))
}

/// RFC 6265 §4.2.1: pairs separated by `;`.
fn cookie<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    line.split(|byte| *byte == b';').find_map(|pair| {
        let pair = pair.trim_ascii();
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (found, value) = pair.split_at_checked(at)?;
        (found == name && value.len() > 1).then(|| value.get(1..).unwrap_or_default())
    })
}

/// RFC 9110 §11.4: a scheme, then its credentials.
fn split_credentials(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, rest) = value.split_at_checked(at)?;
    Some((scheme, rest.trim_ascii()))
}

/// How much of a token or of Basic credentials is decoded, in bytes; longer ones are opaque.
const DECODED_MAX: usize = 4096;

/// RFC 7617 §2: base64 of `user:password`.
fn basic_user(credentials: &[u8], key: &PrincipalKey) -> Option<Principal> {
    let mut buffer = [0_u8; DECODED_MAX];
    let decoded = decode_base64(credentials, &mut buffer)?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let user = decoded.get(..colon).filter(|user| !user.is_empty())?;
    Some(hashed(key, ToldApartBy::BasicUser, &[user]))
}

/// RFC 7519 §3: three parts separated by dots, the second the claims.
fn jwt_subject(credentials: &[u8], key: &PrincipalKey) -> Option<Principal> {
    let mut parts = credentials.split(|byte| *byte == b'.');
    let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let mut buffer = [0_u8; DECODED_MAX];
    let claims = decode_base64(claims, &mut buffer)?;
    let (issuer, subject) = claims_of(claims)?;
    Some(hashed(key, ToldApartBy::JwtSubject, &[issuer.unwrap_or_default(), subject]))
}

/// Both alphabets of RFC 4648, with or without padding.
fn decode_base64<'a>(encoded: &[u8], into: &'a mut [u8; DECODED_MAX]) -> Option<&'a [u8]> {
    let mut length = 0;
    let (mut bits, mut count) = (0_u32, 0_u32);
    let unpadded = encoded.split(|byte| *byte == b'=').next()?;
    for byte in unpadded {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            *into.get_mut(length)? = (bits >> count) as u8;
            length += 1;
        }
    }
    into.get(..length)
}

/// `iss` and `sub` at the top level of a JSON object, as written between their quotes. Not a JSON parser: strings and
/// nesting are followed, which is all that finding two members takes.
fn claims_of(json: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (mut issuer, mut subject) = (None, None);
    let (mut depth, mut at) = (0_usize, 0);
    // The member name just read at the top level, waiting for its value.
    let mut name: Option<&[u8]> = None;
    let mut value_next = false;
    while let Some(byte) = json.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b':' if depth == 1 => value_next = true,
            b',' if depth == 1 => (name, value_next) = (None, false),
            b'"' => {
                let rest = json.get(at + 1..)?;
                let end = string_end(rest)?;
                let text = rest.get(..end)?;
                at += end + 1;
                if depth == 1 && !value_next {
                    name = Some(text);
                } else if depth == 1 && name == Some(b"iss") {
                    issuer = Some(text);
                } else if depth == 1 && name == Some(b"sub") {
                    subject = Some(text);
                }
            }
            _ => {}
        }
        at += 1;
    }
    Some((issuer, subject.filter(|subject| !subject.is_empty())?))
}

/// Where the string that begins here ends.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    text.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: PrincipalKey = PrincipalKey::new([1; 16]);

    fn of(lines: &[(&str, &str)]) -> Principal {
        let fields: Fields = lines.iter().copied().collect();
        let policy = ClientPolicy { field: Some("x-user".into()), cookie: Some("session".into()) };
        let peer = Peer { address: [127, 0, 0, 1].into(), certificate_key: None, mark: None };
        principal_of(&fields, &peer, &policy, &KEY)
    }

    /// `{"sub":"ann","iss":"x","n":{"sub":"no"}}` and the same with another order and another expiry.
    const ANN: &str = "Bearer e30.eyJzdWIiOiJhbm4iLCJpc3MiOiJ4IiwibiI6eyJzdWIiOiJubyJ9fQ.AA";
    const ANN_LATER: &str = "Bearer e30.eyJleHAiOjksImlzcyI6IngiLCJzdWIiOiJhbm4ifQ.BB";

    #[test]
    fn the_strongest_credential_tells_clients_apart() {
        let table = [
            (&[("Authorization", ANN)][..], ToldApartBy::JwtSubject),
            (&[("Authorization", ANN), ("X-User", "bob")], ToldApartBy::JwtSubject),
            (&[("Authorization", "Basic YW5uOnNlY3JldA==")], ToldApartBy::BasicUser),
            (&[("Authorization", "Bearer opaque"), ("X-User", "bob")], ToldApartBy::Configured),
            (&[("Cookie", "a=b; session=1")], ToldApartBy::Configured),
            (&[("Authorization", "Bearer opaque")], ToldApartBy::Authorization),
            (&[("Authorization", "Basic !")], ToldApartBy::Authorization),
            (&[("Cookie", "session=")], ToldApartBy::Address),
            (&[], ToldApartBy::Address),
        ];
        for (lines, by) in table {
            assert_eq!(of(lines).by, by, "{lines:?}");
        }
    }

    #[test]
    fn the_same_client_is_the_same_whatever_else_changes() {
        assert_eq!(of(&[("Authorization", ANN)]), of(&[("authorization", ANN_LATER)]));
        assert_eq!(of(&[("Authorization", "Basic YW5uOnNlY3JldA==")]), of(&[("Authorization", "basic YW5uOm5ldw==")]));
        assert_ne!(of(&[("Authorization", "Bearer a")]), of(&[("Authorization", "Bearer b")]));
    }

    #[test]
    fn hostile_tokens_are_opaque() {
        for token in ["Bearer a.b.c", "Bearer ...", "Bearer e30.e30.e30", "Bearer e30.XX0.", "Bearer  ", "Bearer"] {
            assert_eq!(of(&[("Authorization", token)]).by, ToldApartBy::Authorization, "{token}");
        }
    }

    #[test]
    fn mark_and_certificate_come_first() {
        let fields: Fields = [("Authorization", ANN)].into_iter().collect();
        let mut peer = Peer { address: [127, 0, 0, 1].into(), certificate_key: Some(b"spki"), mark: None };
        let policy = ClientPolicy::default();
        assert_eq!(principal_of(&fields, &peer, &policy, &KEY).by, ToldApartBy::Certificate);
        peer.mark = Some(Principal { key: 5, by: ToldApartBy::Mark });
        assert_eq!(principal_of(&fields, &peer, &policy, &KEY).key, 5);
    }
}
