//! What no sink may see: credentials in fields, secrets in URLs. Applied before anything of an exchange leaves the
//! memory of the process, so that store, feed, log, page and exports need not think of it.

use std::borrow::Cow;

use crate::analysis::semantics::fields::{FieldLine, FieldName};
use crate::config::Capture;

/// What stands in the place of a secret. No field value of ours can hold it by itself, for those are ISO-8859-1.
pub const HIDDEN: &str = "…";

/// The rules, as the configuration extends them.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    fields: Vec<String>,
    parameters: Vec<String>,
}

impl Redaction {
    /// The built-in rules and those that are configured.
    pub fn new(capture: &Capture) -> Self {
        let lower = |names: &[String]| names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { fields: lower(&capture.redacted_fields), parameters: lower(&capture.redacted_parameters) }
    }

    /// A field's value as sinks may show it, as ISO-8859-1; `None` where not even the line may be seen.
    pub fn line(&self, line: FieldLine<'_>) -> Option<String> {
        let is = |name: FieldName| line.name == name;
        // The token that bypasses is never recorded.
        if is(FieldName::Why412Bypass) {
            return None;
        }
        if is(FieldName::Authorization) || is(FieldName::ProxyAuthorization) {
            return Some(credentials(line.value));
        }
        if is(FieldName::Cookie) {
            return Some(cookies(line.value));
        }
        if is(FieldName::SetCookie) {
            return Some(set_cookie(line.value));
        }
        // A mark and a report carry the whole hash of a client, which records show shortened only.
        if is(FieldName::Why412Pair) || is(FieldName::Why412Report) {
            return Some(HIDDEN.to_owned());
        }
        let name = String::from_utf8_lossy(line.name_bytes).to_ascii_lowercase();
        if self.fields.contains(&name) || is_secret_field(&name) {
            return Some(HIDDEN.to_owned());
        }
        Some(self.text(&latin1(line.value)).into_owned())
    }

    /// A value that belongs to a field of that name, as [`Redaction::line`] shows it.
    pub fn value(&self, name: FieldName, value: &[u8]) -> String {
        let line = FieldLine { name, name_bytes: name.as_str().as_bytes(), value };
        self.line(line).unwrap_or_else(|| HIDDEN.to_owned())
    }

    /// Whether a request field carries what tells who the client is, or lets it in.
    pub fn is_credential(&self, line: FieldLine<'_>) -> bool {
        if matches!(line.name, FieldName::Authorization | FieldName::Cookie) {
            return true;
        }
        // Those are for the next proxy, and our own for the other instance.
        if matches!(
            line.name,
            FieldName::ProxyAuthorization | FieldName::Why412Pair | FieldName::Why412Report | FieldName::Why412Bypass
        ) {
            return false;
        }
        let name = String::from_utf8_lossy(line.name_bytes).to_ascii_lowercase();
        self.fields.contains(&name) || is_secret_field(&name)
    }

    /// A text that may hold URLs: the values of secret parameters and userinfo are hidden, wherever they stand.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let without_userinfo = hide_userinfo(text);
        match self.hide_parameters(&without_userinfo) {
            Some(hidden) => Cow::Owned(hidden),
            None => without_userinfo,
        }
    }

    fn hide_parameters(&self, text: &str) -> Option<String> {
        if !text.contains(['?', '&', '#', ';', '%']) {
            return None;
        }
        let mut out = String::new();
        let mut copied = 0;
        let mut at = 0;
        while let Some((name_start, name)) = next_parameter(text, at) {
            at = name_start + name.len();
            let rest = text.get(at..).unwrap_or_default();
            let Some(equals) = EQUALS.iter().find(|sign| starts_with(rest, sign)) else { continue };
            if !self.is_secret_parameter(name) {
                continue;
            }
            let value_start = at + equals.len();
            let value = text.get(value_start..).unwrap_or_default();
            // Within an encoded URL the parameter ends at the encoded sign.
            let length = value_length(value, equals.len() > 1);
            out.push_str(text.get(copied..value_start).unwrap_or_default());
            out.push_str(HIDDEN);
            copied = value_start + length;
            at = copied;
        }
        if copied == 0 {
            return None;
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        Some(out)
    }

    fn is_secret_parameter(&self, name: &str) -> bool {
        let name = percent_decoded(name).to_ascii_lowercase();
        SECRET_PARAMETERS.contains(&name.as_str())
            || name.starts_with("x-amz-")
            || name.starts_with("amz-")
            || self.parameters.contains(&name)
    }
}

/// Bytes as ISO-8859-1, so that every byte of a field value can be told from the record.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The scheme may stay where it is one that is registered or widely used; else the first word may be the secret.
fn credentials(value: &[u8]) -> String {
    let value = latin1(value);
    match value.split_once(' ') {
        Some((scheme, _)) if SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
            format!("{scheme} {HIDDEN}")
        }
        Some(_) | None => HIDDEN.to_owned(),
    }
}

/// The names of cookies may stay (RFC 6265 §4.2.1).
fn cookies(value: &[u8]) -> String {
    let value = latin1(value);
    value.split(';').map(cookie_pair).collect::<Vec<_>>().join("; ")
}

fn cookie_pair(pair: &str) -> String {
    match pair.trim().split_once('=') {
        Some((name, _)) => format!("{name}={HIDDEN}"),
        None => HIDDEN.to_owned(),
    }
}

/// The cookie's name and the attributes of RFC 6265 §4.1.1 may stay.
fn set_cookie(value: &[u8]) -> String {
    let value = latin1(value);
    let mut parts = value.split(';');
    let mut shown = cookie_pair(parts.next().unwrap_or_default());
    for part in parts {
        let attribute = part.split('=').next().unwrap_or_default().trim();
        let known = COOKIE_ATTRIBUTES.iter().any(|known| attribute.eq_ignore_ascii_case(known));
        shown.push_str("; ");
        shown.push_str(if known { part.trim() } else { HIDDEN });
    }
    shown
}

fn is_secret_field(name: &str) -> bool {
    if SHOWN_FIELDS.contains(&name) {
        return false;
    }
    SECRET_FIELDS.contains(&name)
        || name.starts_with("x-goog-iam-")
        || name.split(['-', '_']).any(|word| SECRET_WORDS.contains(&word))
        || SECRET_PHRASES.iter().any(|phrase| name.contains(phrase))
}

/// RFC 3986 §3.2.1: what stands between `//` and `@` of an authority.
fn hide_userinfo(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("//") {
        let (before, authority_on) = rest.split_at(start + 2);
        let end = authority_on.find(['/', '?', '#', ' ', '"', '<', '>', ',']).unwrap_or(authority_on.len());
        let (authority, after) = authority_on.split_at(end);
        out.push_str(before);
        match authority.rfind('@') {
            Some(at) => {
                out.push_str(HIDDEN);
                out.push_str(authority.get(at..).unwrap_or_default());
            }
            None => out.push_str(authority),
        }
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What comes before a parameter; the encoded ones for a URL within a URL.
const SEPARATORS: &[&str] = &["?", "&", "#", ";", "%3f", "%26", "%23", "%3b"];
const EQUALS: &[&str] = &["=", "%3d", "%253d"];

/// The next name behind a separator, and where it begins.
fn next_parameter(text: &str, from: usize) -> Option<(usize, &str)> {
    let bytes = text.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        let rest = text.get(at..).unwrap_or_default();
        if let Some(separator) = SEPARATORS.iter().find(|separator| starts_with(rest, separator)) {
            let start = at + separator.len();
            let name = text.get(start..).unwrap_or_default();
            return Some((start, name.get(..name_length(name))?));
        }
        at += 1;
    }
    None
}

fn name_length(text: &str) -> usize {
    let stops = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        EQUALS.iter().chain(SEPARATORS).any(|sign| starts_with(rest, sign)) || starts_with_any(rest, ENDS)
    };
    (0..text.len()).find(|at| stops(*at)).unwrap_or(text.len())
}

fn value_length(text: &str, encoded: bool) -> usize {
    let stops = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        let ends = if encoded { &["&", "#", "%26", "%23"][..] } else { &["&", "#"][..] };
        ends.iter().any(|sign| starts_with(rest, sign)) || starts_with_any(rest, ENDS)
    };
    (0..text.len()).find(|at| stops(*at)).unwrap_or(text.len())
}

/// What no URL holds unencoded, and what ends one in a list.
const ENDS: &[char] = &[' ', '\t', '"', '<', '>'];

fn starts_with_any(text: &str, characters: &[char]) -> bool {
    text.starts_with(characters)
}

fn starts_with(text: &str, lower: &str) -> bool {
    text.as_bytes().get(..lower.len()).is_some_and(|start| start.eq_ignore_ascii_case(lower.as_bytes()))
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        if byte == b'%'
            && let (Some(high), Some(low)) = (digit(ahead.next()), digit(ahead.next()))
        {
            out.push((high * 16 + low) as u8);
            bytes = ahead;
        } else {
            out.push(byte);
        }
    }
    latin1(&out)
}

/// Authentication schemes (the registry of RFC 9110 §16.4.1, and what large services use).
const SCHEMES: &[&str] = &[
    "Basic",
    "Bearer",
    "Concealed",
    "Digest",
    "DPoP",
    "GNAP",
    "HOBA",
    "Mutual",
    "Negotiate",
    "OAuth",
    "PrivateToken",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "vapid",
    "NTLM",
    "AWS4-HMAC-SHA256",
    "AWS4-ECDSA-P256-SHA256",
    "AWS",
    "SharedKey",
    "SharedKeyLite",
    "SharedAccessSignature",
    "GOOG4-HMAC-SHA256",
    "GOOG4-RSA-SHA256",
    "GOOG1",
    "GoogleLogin",
    "Token",
    "ApiKey",
    "Hawk",
    "Signature",
    "Splunk",
    "Key",
];

const COOKIE_ATTRIBUTES: &[&str] =
    &["Expires", "Max-Age", "Domain", "Path", "Secure", "HttpOnly", "SameSite", "Partitioned", "Priority"];

/// Credentials whose names say so only to those who know them.
const SECRET_FIELDS: &[&str] = &[
    "authentication-info",
    "proxy-authentication-info",
    "dpop",
    "x-amzn-oidc-data",
    "x-amzn-oidc-identity",
    "x-goog-authenticated-user-id",
    "x-goog-authenticated-user-email",
    "x-hub-signature",
    "x-hub-signature-256",
    "ocp-apim-subscription-key",
    "x-functions-key",
    "x-auth-key",
    "x-session-id",
    "x-sessionid",
    "x-requested-auth",
    "x-otp",
    "x-ms-authorization-auxiliary",
    "x-ms-copy-source-authorization",
    "x-original-authorization",
    "x-forwarded-authorization",
    "signature",
    "x-signature",
    "x-amz-signature",
    "x-key",
];

/// A field is a secret when one word of its name is one of these.
const SECRET_WORDS: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "credential",
    "credentials",
    "apikey",
    "jwt",
    "assertion",
    "authorization",
    "accesstoken",
    "authtoken",
    "cookie",
    "cookie2",
    "csrf",
    "xsrf",
];

const SECRET_PHRASES: &[&str] =
    &["api-key", "api_key", "access-key", "access_key", "private-key", "encryption-key", "customer-key", "secret-key"];

/// Names that hold one of those words and no secret, and matter for conditions.
const SHOWN_FIELDS: &[&str] = &["lock-token", "access-control-allow-credentials"];

const SECRET_PARAMETERS: &[&str] = &[
    "access_token",
    "token",
    "sig",
    "signature",
    "x-goog-signature",
    "x-goog-credential",
    "code",
    "password",
    "api_key",
    "api-key",
    "apikey",
    "passwd",
    "pwd",
    "id_token",
    "refresh_token",
    "auth_token",
    "session_token",
    "client_secret",
    "client_assertion",
    "secret",
    "jwt",
    "assertion",
    "sessionid",
    "session_id",
    "jsessionid",
    "phpsessid",
    "sid",
    "authorization",
    "access_key",
    "x-ms-signature",
    "private_token",
    "code_verifier",
    "samlresponse",
    "awsaccesskeyid",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn redaction() -> Redaction {
        Redaction { fields: vec!["x-tenant".to_owned()], parameters: vec!["pin".to_owned()] }
    }

    #[track_caller]
    fn field(name: &str, value: &str, expected: &str) {
        let line = FieldLine {
            name: FieldName::recognise(name.as_bytes()),
            name_bytes: name.as_bytes(),
            value: value.as_bytes(),
        };
        assert_eq!(redaction().line(line).as_deref(), Some(expected), "{name}: {value}");
    }

    #[test]
    fn credentials_keep_their_scheme_and_cookies_their_names() {
        field("Authorization", "Bearer abc.def", "Bearer …");
        field("authorization", "bEARER abc", "bEARER …");
        field("Proxy-Authorization", "Basic dTpw", "Basic …");
        field("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=00", "AWS4-HMAC-SHA256 …");
        field("Authorization", "s3cret", "…");
        field("Authorization", "s3cret and more", "…");
        field("Cookie", "sid=1; theme=dark;x", "sid=…; theme=…; …");
        field("Set-Cookie", "sid=1=2; Path=/; HttpOnly; sEcure; Odd=5", "sid=…; Path=/; HttpOnly; sEcure; …");
        field("Set-Cookie", "bare", "…");
    }

    #[test]
    fn keys_and_tokens_are_hidden_whatever_they_are_called() {
        for name in [
            "X-Api-Key",
            "api-key",
            "X-Auth-Token",
            "x-amz-security-token",
            "X-Goog-IAM-Authorization-Token",
            "X-CSRF-Token",
            "PRIVATE-TOKEN",
            "X-Vault-Token",
            "Ocp-Apim-Subscription-Key",
            "X-Client-Secret",
            "Cookie2",
            "X-Tenant",
            "X-Goog-Api-Key",
            "X-Amz-Server-Side-Encryption-Customer-Key",
            "DPoP",
        ] {
            field(name, "s3cret", "…");
        }
        field("Why412-Pair", "1;c=00", "…");
        for name in ["Lock-Token", "If-Match", "ETag", "X-Request-Id", "Keep-Alive", "Authority", "Tokens-Left"] {
            field(name, "\"v1\"", "\"v1\"");
        }
    }

    #[test]
    fn the_bypass_token_leaves_no_line() {
        let line = FieldLine { name: FieldName::Why412Bypass, name_bytes: b"Why412-Bypass", value: b"t" };
        assert_eq!(redaction().line(line), None);
    }

    #[track_caller]
    fn text(text: &str, expected: &str) {
        assert_eq!(redaction().text(text), expected);
    }

    #[test]
    fn secret_parameters_are_hidden_wherever_they_stand() {
        text("http://h/p?a=1&token=x&b=2", "http://h/p?a=1&token=…&b=2");
        text("/p?ACCESS_TOKEN=x", "/p?ACCESS_TOKEN=…");
        text("/p?X-Amz-Signature=0f&X-Amz-Date=2026#f", "/p?X-Amz-Signature=…&X-Amz-Date=…#f");
        text("/p?%74oken=x&y", "/p?%74oken=…&y");
        text("/p?pin=1234", "/p?pin=…");
        text("/p?tokens=3&code2=1&q=token=5", "/p?tokens=3&code2=1&q=token=5");
        text("/p;jsessionid=1f?x=1", "/p;jsessionid=…");
        text("https://app/cb#access_token=x&state=1", "https://app/cb#access_token=…&state=1");
        text(
            "/login?next=https%3A%2F%2Fa%2F%3Ftoken%3Dx%26n%3D1&z=1",
            "/login?next=https%3A%2F%2Fa%2F%3Ftoken%3D…%26n%3D1&z=1",
        );
        text("<http://h/?sig=x>; rel=\"next\"", "<http://h/?sig=…>; rel=\"next\"");
        text("/p?token=", "/p?token=…");
        text("/p?token", "/p?token");
        text("/p?token=ä", "/p?token=…");
    }

    #[test]
    fn userinfo_is_hidden() {
        text("http://user:pw@host/p", "http://…@host/p");
        text("//u@host", "//…@host");
        text("http://a:b@c@host/x@y", "http://…@host/x@y");
        text("mailto:a@b", "mailto:a@b");
        field("Location", "http://user:pw@host/?code=1", "http://…@host/?code=…");
        field("Destination", "http://h/b?access_token=1", "http://h/b?access_token=…");
        field("Referer", "http://h/?password=1", "http://h/?password=…");
        field("X-Amz-Copy-Source", "/bucket/key?versionId=3&sig=1", "/bucket/key?versionId=3&sig=…");
    }

    proptest::proptest! {
        #[test]
        fn whatever_stands_around_it_a_secret_is_hidden(before in "[a-z/?&=%;#:@\"<> 0-9A-F]{0,20}", after in ".{0,20}") {
            let text = format!("{before}?token=s3cret&{after}");
            let hidden = redaction().text(&text).into_owned();
            proptest::prop_assert!(!hidden.contains("s3cret"), "{} shows it", hidden);
            proptest::prop_assert_eq!(redaction().text(&hidden).into_owned(), hidden.clone());
        }

        #[test]
        fn any_field_value_is_survived(name in "[!-~]{0,30}", value in proptest::collection::vec(0_u8.., 0..60)) {
            let line = FieldLine { name: FieldName::recognise(name.as_bytes()), name_bytes: name.as_bytes(), value: &value };
            let _ = redaction().line(line);
        }
    }

    #[test]
    fn tags_are_left_as_they_are() {
        for tag in ["\"v1;gzip\"", "W/\"a&b=c\"", "\"?x=1\"", "\"100%\"", "\"a@b//c\""] {
            text(tag, tag);
        }
    }
}
