//! What the user asks to have diagnosed: one request, its URL, and perhaps a way around the gateway.

use bytes::Bytes;
use http::Method;

use crate::analysis::semantics::conditions::Conditions;
use crate::analysis::semantics::fields::Fields;
use crate::analysis::semantics::vendor;
use crate::config::{UpstreamUrl, values};

/// The request that is to be diagnosed.
#[derive(Clone)]
pub struct Asked {
    /// Where it goes.
    pub url: Target,
    /// The same resource around the gateway.
    pub direct: Option<Target>,
    /// The method.
    pub method: Method,
    /// Its field lines as they are to be sent.
    pub fields: Fields,
    /// Its body.
    pub body: Option<Bytes>,
    /// It may be sent although it is not safe.
    pub send: bool,
}

impl Asked {
    /// Whether the method only reads (RFC 9110 §9.2.1).
    pub fn is_safe(&self) -> bool {
        self.method.is_safe()
    }

    /// Whether the request itself is sent.
    pub fn is_sent(&self) -> bool {
        self.is_safe() || self.send
    }

    /// Its conditions.
    pub fn conditions(&self) -> Conditions<'_> {
        Conditions::of(&self.fields)
    }

    /// Whether it has any condition, of HTTP or of a vendor.
    pub fn is_conditional(&self) -> bool {
        Conditions::any(&self.fields) || !vendor::of(&self.fields, &self.url.target, &[]).is_empty()
    }
}

/// Values can be secrets.
impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked").field("method", &self.method).field("url", &self.url).finish_non_exhaustive()
    }
}

/// A URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The server.
    pub server: UpstreamUrl,
    /// What `Host` says: the host as it was written, with its port where that is not the usual one.
    pub authority: String,
    /// Path and query.
    pub target: Vec<u8>,
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(format!("{text:?} is not a URL; write one with its scheme, such as \"http://{text}\""));
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if authority.contains('@') {
            return Err("the URL has user information; give it as -H 'Authorization: …' instead".to_owned());
        }
        if let Some(wrong) = target.chars().find(|character| !character.is_ascii_graphic()) {
            return Err(format!("the URL has a {wrong:?} in it; percent-encode it"));
        }
        let server = values::upstream_url(&format!("{scheme}://{authority}")).map_err(|wrong| wrong.to_string())?;
        let host = if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.clone() };
        let usual = if server.https { 443 } else { 80 };
        let authority = if server.port == usual { host } else { format!("{host}:{}", server.port) };
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self { server, authority, target: format!("{slash}{target}").into_bytes() })
    }

    /// The same, with the target of `other` where it names none of its own.
    #[must_use]
    pub fn or_target_of(self, other: &Self) -> Self {
        if self.target == b"/" { Self { target: other.target.clone(), ..self } } else { self }
    }

    /// The URL as it is written.
    pub fn url(&self) -> String {
        let scheme = if self.server.https { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority, String::from_utf8_lossy(&self.target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let check = |text: &str, authority: &str, target: &str, port: u16| {
            let parsed = Target::parse(text).unwrap();
            let found = (parsed.authority.as_str(), parsed.target.as_slice(), parsed.server.port);
            assert_eq!(found, (authority, target.as_bytes(), port), "{text}");
        };
        check("http://a.example/x?y=z#part", "a.example", "/x?y=z", 80);
        check("https://A.example:8443", "a.example:8443", "/", 8443);
        check("http://[::1]:80/x", "[::1]", "/x", 80);
        check("http://a?b", "a", "/?b", 80);
        for wrong in ["a.example/x", "ftp://a/", "http://u:p@a/", "http://a/ü", "http://a/ b", "http://"] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_way_around_leads_to_the_same_resource_unless_it_names_one() {
        let url = Target::parse("http://a/x?y").unwrap();
        let direct = |text: &str| Target::parse(text).unwrap().or_target_of(&url).url();
        assert_eq!(direct("http://b:8080"), "http://b:8080/x?y");
        assert_eq!(direct("http://b:8080/internal/x"), "http://b:8080/internal/x");
    }
}
