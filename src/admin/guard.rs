//! Who may ask: looked at once, before anything else is done with a request. A page of another site must not reach this
//! API through the browser of somebody who can (DNS rebinding, forged requests).

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use sha2::{Digest, Sha256};

use super::problem::Problem;
use crate::config::Admin;

/// Refuses what may not pass.
pub(super) fn check(request: &Parts, admin: &Admin) -> Result<(), Problem> {
    let host = host_of(request)?;
    if let Some(host) = &host {
        check_host(host, &admin.hosts)?;
    }
    check_origin(&request.headers, host.as_deref())?;
    check_token(request, admin)?;
    check_content_type(&request.headers)
}

/// The authority the request is for. An absolute-form target comes before Host (RFC 9112 §3.2.2), so both have to fit.
fn host_of(request: &Parts) -> Result<Option<String>, Problem> {
    let mut hosts = request.headers.get_all(header::HOST).iter();
    let host = hosts.next().map(|value| value.to_str().map(str::to_owned));
    if hosts.next().is_some() {
        return Err(Problem::bad_request("there is more than one Host field"));
    }
    let host = host.transpose().map_err(|_| Problem::bad_request("the Host field is not text"))?;
    match (request.uri.authority(), host) {
        (Some(authority), Some(host)) if !authority.as_str().eq_ignore_ascii_case(&host) => {
            Err(Problem::bad_request("the request target and the Host field name different hosts"))
        }
        (Some(authority), _) => Ok(Some(authority.as_str().to_owned())),
        (None, host) => Ok(host),
    }
}

fn check_host(host: &str, configured: &[String]) -> Result<(), Problem> {
    let (name, _) = split_port(host);
    let bracketed = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_address = bracketed.unwrap_or(name).parse::<IpAddr>().is_ok();
    let is_ours = |known: &str| name.eq_ignore_ascii_case(known);
    if is_address || is_ours("localhost") || configured.iter().any(|known| is_ours(known)) {
        return Ok(());
    }
    let detail = format!("the host {name:?} is not one of this instance; add it to admin.hosts, or use its address");
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}

/// RFC 6454 §7: a browser says which site a request comes from; only our own page may ask.
fn check_origin(headers: &HeaderMap, host: Option<&str>) -> Result<(), Problem> {
    let foreign = || Problem::new(StatusCode::FORBIDDEN, "requests of pages of another origin are refused");
    for origin in headers.get_all(header::ORIGIN) {
        let origin = origin.to_str().map_err(|_| foreign())?;
        let (scheme, authority) = origin.split_once("://").ok_or_else(foreign)?;
        let default_port = match scheme {
            "http" => "80",
            "https" => "443",
            _ => return Err(foreign()),
        };
        let without_default = |authority: &str| {
            let (name, port) = split_port(authority);
            (name.to_ascii_lowercase(), port.filter(|port| *port != default_port).map(str::to_owned))
        };
        if host.map(without_default) != Some(without_default(authority)) {
            return Err(foreign());
        }
    }
    Ok(())
}

fn check_token(request: &Parts, admin: &Admin) -> Result<(), Problem> {
    let Some(token) = &admin.token else { return Ok(()) };
    let path = request.uri.path();
    let reads = request.method == Method::GET || request.method == Method::HEAD;
    if reads && (matches!(path, "/" | "/livez" | "/readyz") || path.starts_with(super::page::ASSETS)) {
        return Ok(());
    }
    let mut given = request.headers.get_all(header::AUTHORIZATION).iter();
    let bearer = given.next().and_then(|value| bearer_token(value.as_bytes()));
    let matches = bearer.is_some_and(|bearer| same_secret(bearer, token.expose()));
    if matches && given.next().is_none() {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNAUTHORIZED, "send Authorization: Bearer with the token of admin.token_file"))
}

/// RFC 6750 §2.1; the scheme compares without case (RFC 9110 §11.1).
fn bearer_token(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

/// Takes as long whatever differs, and wherever.
fn same_secret(given: &[u8], wanted: &[u8]) -> bool {
    let (given, wanted) = (Sha256::digest(given), Sha256::digest(wanted));
    given.iter().zip(wanted.iter()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// A form of another site cannot send this media type without being asked for (CORS).
fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let has_body = headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length.trim() != "0");
    if !has_body {
        return Ok(());
    }
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a request with a body needs Content-Type: application/json"))
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        // A colon within brackets belongs to an IPv6 address.
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, Some(port)),
        Some(_) | None => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;
    use crate::config::Secret;

    fn admin(token: Option<&str>) -> Admin {
        Admin {
            address: "127.0.0.1:4120".parse().unwrap(),
            token: token.map(|token| Secret::new(token.as_bytes().to_vec())),
            telemetry: None,
            hosts: vec!["why412.example.com".to_owned()],
        }
    }

    fn answer(admin: &Admin, method: &str, target: &str, lines: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap().into_parts().0, admin).map_or_else(|problem| problem.status, |()| 200)
    }

    #[test]
    fn only_hosts_of_this_instance() {
        #[track_caller]
        fn host(host: &str, expected: u16) {
            assert_eq!(answer(&admin(None), "GET", "/api/v1/exchanges", &[("Host", host)]), expected, "{host}");
        }
        host("localhost", 200);
        host("LocalHost:4120", 200);
        host("127.0.0.1:4120", 200);
        host("10.1.2.3", 200);
        host("[::1]:4120", 200);
        host("[::1]", 200);
        host("why412.example.com", 200);
        host("why412.example.com:443", 200);
        host("evil.example", 403);
        host("localhost.evil.example", 403);
        host("127.0.0.1.evil.example", 403);
        host("x.why412.example.com", 403);
        host("", 403);
        assert_eq!(answer(&admin(None), "GET", "/", &[]), 200, "HTTP/1.0 has no Host");
        assert_eq!(answer(&admin(None), "GET", "/", &[("Host", "localhost"), ("Host", "localhost")]), 400);
        assert_eq!(answer(&admin(None), "GET", "http://evil.example/", &[("Host", "localhost")]), 400);
        assert_eq!(answer(&admin(None), "GET", "http://evil.example/", &[("Host", "evil.example")]), 403);
    }

    #[test]
    fn only_our_own_origin() {
        #[track_caller]
        fn origin(host: &str, origin: &str, expected: u16) {
            let lines = [("Host", host), ("Origin", origin)];
            assert_eq!(answer(&admin(None), "GET", "/api/v1/events", &lines), expected, "{origin} at {host}");
        }
        origin("localhost:4120", "http://localhost:4120", 200);
        origin("why412.example.com", "https://why412.example.com", 200);
        origin("why412.example.com:443", "https://why412.example.com", 200);
        origin("[::1]:4120", "http://[::1]:4120", 200);
        origin("localhost:4120", "http://localhost:8080", 403);
        origin("localhost:4120", "http://127.0.0.1:4120", 403);
        origin("localhost:4120", "http://evil.example", 403);
        origin("localhost:4120", "null", 403);
        origin("localhost:4120", "chrome-extension://localhost:4120", 403);
        assert_eq!(answer(&admin(None), "GET", "/", &[("Origin", "http://localhost")]), 403, "no Host to compare");
    }

    #[test]
    fn a_token_is_needed_where_there_is_one() {
        let admin = admin(Some("t0ken"));
        let with = |method, path, value| answer(&admin, method, path, &[("Authorization", value)]);
        for path in ["/api/v1/exchanges", "/metrics", "/-/reload", "/livez/x", "/nothing"] {
            assert_eq!(answer(&admin, "GET", path, &[]), 401, "{path}");
        }
        for path in ["/", "/livez", "/readyz", "/assets/css/base.css"] {
            assert_eq!(answer(&admin, "GET", path, &[]), 200, "{path}");
        }
        assert_eq!(answer(&admin, "POST", "/", &[]), 401);
        assert_eq!(with("GET", "/metrics", "Bearer t0ken"), 200);
        assert_eq!(with("GET", "/metrics", "bearer  t0ken"), 200);
        for value in ["Bearer t0ke", "Bearer t0kens", "Bearer ", "Basic t0ken", "t0ken", "Bearert0ken"] {
            assert_eq!(with("GET", "/metrics", value), 401, "{value}");
        }
        let twice = [("Authorization", "Bearer t0ken"), ("Authorization", "Bearer x")];
        assert_eq!(answer(&admin, "GET", "/metrics", &twice), 401);
    }

    #[test]
    fn bodies_are_json() {
        let put = |lines: &[(&str, &str)]| answer(&admin(None), "PUT", "/api/v1/bypass", lines);
        assert_eq!(put(&[("Content-Length", "2"), ("Content-Type", "application/json")]), 200);
        assert_eq!(put(&[("Content-Length", "2"), ("Content-Type", "Application/JSON; charset=utf-8")]), 200);
        assert_eq!(put(&[("Content-Length", "2"), ("Content-Type", "text/plain")]), 415);
        assert_eq!(put(&[("Transfer-Encoding", "chunked")]), 415);
        assert_eq!(put(&[("Content-Length", "0")]), 200);
        assert_eq!(put(&[]), 200);
    }
}
