//! A record as HTTP Archive 1.2. What the format has no place for is in fields that begin with an underscore, as the
//! format wants it.

use serde_json::{Value, json};

use crate::recorder::record::{HeaderLines, Record};

/// The archive with this one entry.
pub fn archive(record: &Record) -> Value {
    archive_of(&[record])
}

/// The archive with these entries.
pub fn archive_of(records: &[&Record]) -> Value {
    json!({ "log": {
        "version": "1.2",
        "creator": { "name": "why412", "version": env!("CARGO_PKG_VERSION") },
        "pages": [],
        "entries": records.iter().map(|record| entry(record)).collect::<Vec<_>>(),
    } })
}

fn entry(record: &Record) -> Value {
    let timing = &record.timing_us;
    let millis = |micros: u64| micros as f64 / 1000.0;
    json!({
        "startedDateTime": record.at,
        "time": millis(timing.total),
        "request": request(record),
        "response": response(record),
        "cache": {},
        "timings": {
            "send": 0,
            "wait": millis(timing.upstream.min(timing.total)),
            "receive": millis(timing.total.saturating_sub(timing.upstream)),
        },
        "_why412": {
            "id": record.id,
            "instance": record.instance,
            "role": record.role,
            "route": record.route,
            "client": record.client,
            "forwarded_headers": headers(&record.request.forwarded_headers),
            "far_side": record.far_side,
            "diagnosis": record.diagnosis,
            "hazards": record.hazards,
            "alterations": record.alterations,
            "current": record.current,
            "bypass": record.bypass,
            "amended_at": record.amended_at,
            "repeated": record.repeated,
            "inspection_us": timing.inspection,
        },
    })
}

fn request(record: &Record) -> Value {
    let request = &record.request;
    json!({
        "method": request.method,
        "url": request.url,
        "httpVersion": request.version,
        "cookies": [],
        "headers": headers(&request.headers),
        "queryString": query(&request.url),
        // Sizes are of the messages as they stood on the wire, which hidden values would falsify.
        "headersSize": -1,
        "bodySize": body_size(&request.headers),
    })
}

fn response(record: &Record) -> Value {
    let Some(response) = &record.response else {
        // The usual way to say that there was none.
        return json!({
            "status": 0, "statusText": "", "httpVersion": "", "cookies": [], "headers": [],
            "content": { "size": 0, "mimeType": "x-unknown" }, "redirectURL": "", "headersSize": -1, "bodySize": -1,
        });
    };
    let value = |name: &str| {
        let line = response.headers.iter().find(|(line, _)| line.eq_ignore_ascii_case(name));
        line.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let media_type = value("content-type");
    json!({
        "status": response.status,
        "statusText": reason(response.status),
        "httpVersion": response.version,
        "cookies": [],
        "headers": headers(&response.headers),
        "content": {
            "size": body_size(&response.headers).max(0),
            "mimeType": if media_type.is_empty() { "x-unknown" } else { media_type },
            "comment": "bodies are not recorded",
        },
        "redirectURL": value("location"),
        "headersSize": -1,
        "bodySize": body_size(&response.headers),
    })
}

fn headers(lines: &HeaderLines) -> Vec<Value> {
    lines.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn query(url: &str) -> Vec<Value> {
    let without_fragment = url.split('#').next().unwrap_or_default();
    let Some((_, query)) = without_fragment.split_once('?') else { return Vec::new() };
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        json!({ "name": name, "value": value })
    };
    query.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// What Content-Length announced, -1 where nothing did.
fn body_size(lines: &HeaderLines) -> i64 {
    let length = lines.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(-1)
}

fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::testing::record;

    #[test]
    fn everything_the_format_demands_is_there() {
        let mut record = record("PUT", "http://h/a?b=c&d");
        record.request.headers = vec![("If-Match".to_owned(), "\"v1\"".to_owned())];
        let archive = archive(&record);
        assert_eq!(archive["log"]["version"], "1.2");
        assert_eq!(archive["log"]["pages"], json!([]));
        let entry = &archive["log"]["entries"][0];
        for (part, keys) in [
            (
                "request",
                &["method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"][..],
            ),
            (
                "response",
                &[
                    "status",
                    "statusText",
                    "httpVersion",
                    "cookies",
                    "headers",
                    "content",
                    "redirectURL",
                    "headersSize",
                    "bodySize",
                ],
            ),
            ("timings", &["send", "wait", "receive"]),
        ] {
            for key in keys {
                assert!(!entry[part][key].is_null(), "{part}.{key}");
            }
        }
        assert_eq!(entry["request"]["headers"][0], json!({ "name": "If-Match", "value": "\"v1\"" }));
        let expected = json!([{ "name": "b", "value": "c" }, { "name": "d", "value": "" }]);
        assert_eq!(entry["request"]["queryString"], expected);
        assert_eq!(entry["response"]["status"], 412);
        assert_eq!(entry["_why412"]["id"], record.id);
    }

    #[test]
    fn an_exchange_without_an_answer_has_status_0() {
        let mut record = record("PUT", "http://h/");
        record.response = None;
        assert_eq!(archive(&record)["log"]["entries"][0]["response"]["status"], 0);
    }
}
