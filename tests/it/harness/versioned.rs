//! An origin with resources that have versions, which judges conditions strictly as RFC 9110 §13.2.2 says.

use std::collections::HashMap;
use std::sync::Mutex;

use super::message::Message;
use super::origin::Origin;

/// The seconds of `Last-Modified` begin here and grow by one with each version.
const DATE: &str = "Tue, 05 Mar 2024 10:00";

/// Starts one.
pub(crate) fn origin() -> Origin {
    let resources = Resources::default();
    Origin::answering(move |request| resources.answer(request))
}

/// Every path is a resource that is there, in version 1, with some 6 KB of JSON; PUT makes the next version and answers
/// 204 with its tag; DELETE removes it.
#[derive(Debug, Default)]
pub(crate) struct Resources(Mutex<HashMap<String, Option<u32>>>);

impl Resources {
    /// Carries a request out, if its conditions hold.
    pub(crate) fn answer(&self, request: &Message) -> String {
        let mut versions = self.0.lock().unwrap();
        let version = versions.entry(request.head.target().to_owned()).or_insert(Some(1));
        answer(request, version)
    }
}

fn answer(request: &Message, version: &mut Option<u32>) -> String {
    let read = matches!(request.head.method(), "GET" | "HEAD");
    let etag = version.map(|number| format!("\"v{number}\""));
    if let Some(refusal) = refused(request, *version, etag.as_deref(), read) {
        return refusal;
    }
    match (request.head.method(), *version) {
        ("GET" | "HEAD", None) => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
        ("GET" | "HEAD", Some(number)) => {
            let body = representation(number);
            let shown = if request.head.method() == "GET" { body.as_str() } else { "" };
            let length = body.len();
            let validators = validators(number);
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{validators}Content-Length: {length}\r\n\r\n{shown}"
            )
        }
        ("DELETE", _) => {
            *version = None;
            "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n".to_owned()
        }
        (_, before) => {
            let number = before.map_or(1, |number| number + 1);
            *version = Some(number);
            format!("HTTP/1.1 204 No Content\r\n{}Content-Length: 0\r\n\r\n", validators(number))
        }
    }
}

/// RFC 9110 §13.2.2, in its order.
fn refused(request: &Message, version: Option<u32>, etag: Option<&str>, read: bool) -> Option<String> {
    let shown = version.map(validators).unwrap_or_default();
    let failed = || Some(format!("HTTP/1.1 412 Precondition Failed\r\n{shown}Content-Length: 0\r\n\r\n"));
    let not_modified = || Some(format!("HTTP/1.1 304 Not Modified\r\n{shown}\r\n"));
    let if_match = request.head.values("If-Match").join(",");
    if !if_match.is_empty() {
        // §13.1.1: strong comparison; a weak tag is in no such list.
        let matches = etag.is_some_and(|etag| if_match == "*" || tags(&if_match).contains(&etag));
        if !matches {
            return failed();
        }
    } else if let Some(since) = request.head.value("If-Unmodified-Since")
        && version.is_some_and(|number| last_modified(number) != since)
    {
        return failed();
    }
    let if_none_match = request.head.values("If-None-Match").join(",");
    if !if_none_match.is_empty() {
        // §13.1.2: weak comparison.
        let weakly = |tag: &str| etag.is_some_and(|etag| tag.trim_start_matches("W/") == etag);
        let matches = etag.is_some() && (if_none_match == "*" || tags(&if_none_match).into_iter().any(weakly));
        if matches {
            return if read { not_modified() } else { failed() };
        }
    } else if read && version.is_some_and(|number| request.value("If-Modified-Since") == Some(&last_modified(number))) {
        return not_modified();
    }
    None
}

fn tags(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).collect()
}

fn validators(number: u32) -> String {
    format!("ETag: \"v{number}\"\r\nLast-Modified: {}\r\n", last_modified(number))
}

fn last_modified(number: u32) -> String {
    format!("{DATE}:{number:02} GMT")
}

fn representation(number: u32) -> String {
    let items: Vec<String> =
        (0..120).map(|item| format!("{{\"item\":{item},\"version\":{number},\"name\":\"something\"}}")).collect();
    format!("[{}]", items.join(","))
}
