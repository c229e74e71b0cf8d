//! Records as HTTP Archive 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>). What the format has no place for is in
//! `_why412`, as the format wants it of fields of one's own.
//!
//! A record of a pair gives two entries: what this instance saw, and what the other one told of the same exchange. A
//! report tells little, so the second entry lists what is known of it and holds nothing beside that.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::text::shown;
use crate::recorder::far_side::FarSideRecord;
use crate::recorder::record::{HeaderLines, Record, TimingRecord};

/// The archive of one record.
pub fn archive(record: &Record) -> Value {
    archive_of(&[record])
}

/// The archive of these records, in their order.
pub fn archive_of(records: &[&Record]) -> Value {
    let entries: Vec<Value> = records.iter().flat_map(|record| entries(record)).collect();
    json!({ "log": {
        "version": "1.2",
        "creator": { "name": "why412", "version": env!("CARGO_PKG_VERSION") },
        "pages": [],
        "entries": entries,
        "comment": "Secrets are redacted: \u{2026} stands where one was. Bodies are not recorded.",
    } })
}

/// In the order in which the request passed: an outer instance comes before the inner one.
fn entries(record: &Record) -> Vec<Value> {
    let own = own(record);
    match record.far_side.as_ref().filter(|far| far.exchange.is_some()) {
        None => vec![own],
        Some(far) if record.role == "inner" => vec![of_mark(record, far), own],
        Some(far) => vec![own, of_report(record, far)],
    }
}

/// What this instance saw.
fn own(record: &Record) -> Value {
    let role = &record.role;
    json!({
        "startedDateTime": record.at,
        "time": total(&record.timing_us),
        "request": request(record),
        "response": response(record),
        "cache": {},
        "timings": timings(&record.timing_us),
        "comment": format!("as the {role} instance {} saw it", shown(&record.instance)),
        "_why412": {
            "id": record.id,
            "instance": record.instance,
            "role": record.role,
            "route": record.route,
            "client": record.client,
            "url": record.request.url,
            "forwarded_headers": headers(&record.request.forwarded_headers),
            "far_side": record.far_side,
            "diagnosis": record.diagnosis,
            "hazards": record.hazards,
            "alterations": record.alterations,
            "current": record.current,
            "bypass": record.bypass,
            "probe": record.probe,
            "amended_at": record.amended_at,
            "repeated": record.repeated,
            "inspection_us": record.timing_us.inspection,
        },
    })
}

/// The inner instance's exchange with the origin, as far as its report tells.
fn of_report(record: &Record, far: &FarSideRecord) -> Value {
    let earlier = far.marked.as_ref().is_some_and(|marked| *marked != record.id);
    let says = if earlier {
        "what the inner instance reported of an EARLIER exchange, whose answer came out of a store"
    } else {
        "what the inner instance reported of its exchange with the origin"
    };
    let mut known = vec!["response.status"];
    if far.at.is_some() {
        known.push("startedDateTime (when the origin answered, by the inner instance's clock)");
    }
    if !far.reduced {
        known.extend(["request.headers (conditions only)", "response.headers (validators only)"]);
    }
    let status = far.status.unwrap_or_default();
    far_entry(
        record,
        far,
        says,
        &known,
        &json!({
            "status": status,
            "statusText": reason(status),
            "httpVersion": "unknown",
            "cookies": [],
            "headers": headers(&far.validators),
            "content": { "size": 0, "mimeType": "x-unknown", "comment": "not reported" },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        }),
    )
}

/// The request as it left the outer instance, as far as its mark tells.
fn of_mark(record: &Record, far: &FarSideRecord) -> Value {
    let says = "what the outer instance's mark tells of the request as it left there";
    let known: &[&str] = if far.reduced { &[] } else { &["request.headers (conditions only)"] };
    far_entry(record, far, says, known, &no_response("a mark tells nothing of the answer"))
}

/// Method and URL are those that this instance saw: nobody told that the other one had the same.
fn far_entry(record: &Record, far: &FarSideRecord, says: &str, known: &[&str], response: &Value) -> Value {
    json!({
        "startedDateTime": far.at.as_ref().unwrap_or(&record.at),
        "time": 0,
        "request": {
            "method": record.request.method,
            "url": uri(&record.request.url),
            "httpVersion": "unknown",
            "cookies": [],
            "headers": headers(&far.conditions),
            "queryString": query(&record.request.url),
            "headersSize": -1,
            "bodySize": -1,
            "comment": "method and URL as this instance saw them; of the fields, only conditions are told",
        },
        "response": response,
        "cache": {},
        "timings": {
            "blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": 0, "receive": 0,
            "comment": "not told; 0 stands for unknown where the format allows no -1",
        },
        "comment": says,
        "_why412": {
            "id": far.exchange,
            "of": record.id,
            "role": if record.role == "inner" { "outer" } else { "inner" },
            "signed": far.signed,
            "reduced": far.reduced,
            "marked": far.marked,
            "cause": far.cause,
            "known": known,
            "assumed": ["request.method", "request.url"],
        },
    })
}

fn request(record: &Record) -> Value {
    let request = &record.request;
    json!({
        "method": request.method,
        "url": uri(&request.url),
        "httpVersion": request.version,
        "cookies": lines(&request.headers, "cookie").flat_map(cookies).collect::<Vec<_>>(),
        "headers": headers(&request.headers),
        "queryString": query(&request.url),
        // Sizes are of the messages as they stood on the wire, which hidden values would falsify.
        "headersSize": -1,
        "bodySize": request_body_size(&request.headers),
    })
}

fn response(record: &Record) -> Value {
    let Some(response) = &record.response else { return no_response("the upstream gave no answer") };
    let value = |name: &'static str| lines(&response.headers, name).next().unwrap_or_default();
    let media_type = value("content-type");
    let body = response_body_size(&record.request.method, response.status, &response.headers);
    let coded = lines(&response.headers, "content-encoding").any(|coding| !coding.eq_ignore_ascii_case("identity"));
    // The size of the content without its coding, which nothing tells where there is one.
    let size = if coded { 0 } else { body.max(0) };
    json!({
        "status": response.status,
        "statusText": reason(response.status),
        "httpVersion": response.version,
        "cookies": lines(&response.headers, "set-cookie").map(set_cookie).collect::<Vec<_>>(),
        "headers": headers(&response.headers),
        "content": {
            "size": size,
            "mimeType": if media_type.is_empty() { "x-unknown" } else { media_type },
            "comment": "bodies are not recorded",
        },
        "redirectURL": value("location"),
        "headersSize": -1,
        "bodySize": body,
    })
}

/// The usual way to say that there was none: the format demands a response.
fn no_response(why: &str) -> Value {
    json!({
        "status": 0, "statusText": "", "httpVersion": "unknown", "cookies": [], "headers": [],
        "content": { "size": 0, "mimeType": "x-unknown" }, "redirectURL": "", "headersSize": -1, "bodySize": -1,
        "comment": why,
    })
}

/// What is not measured apart is -1; `time` is the sum of the rest, as the format has it.
fn timings(timing: &TimingRecord) -> Value {
    let wait = timing.upstream.min(timing.total);
    json!({
        "blocked": -1,
        "dns": -1,
        "connect": -1,
        "ssl": -1,
        "send": 0,
        "wait": millis(wait),
        "receive": millis(timing.total) - millis(wait),
        "comment": "wait is from sending the request on to the head of its answer; all the rest of the exchange is in \
                    receive",
    })
}

fn total(timing: &TimingRecord) -> f64 {
    // In the same steps as the parts, so that they sum up to the same number.
    let wait = millis(timing.upstream.min(timing.total));
    wait + (millis(timing.total) - wait)
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

fn lines<'a>(lines: &'a HeaderLines, wanted: &'a str) -> impl Iterator<Item = &'a str> {
    lines.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
}

fn headers(lines: &HeaderLines) -> Vec<Value> {
    lines.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

/// A URL as RFC 3986 §2 allows it: what was sent beyond that, and what stands for a secret, is percent-encoded. As it was
/// sent, it is in `_why412`.
pub(super) fn uri(url: &str) -> String {
    let authority_end = authority_end(url);
    let mut encoded = String::new();
    for (at, c) in url.char_indices() {
        let rest = url.get(at + c.len_utf8()..).unwrap_or_default();
        match c {
            // Brackets stand around an IPv6 address only (§3.2.2).
            '[' | ']' if at < authority_end => encoded.push(c),
            '%' if rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2 => encoded.push(c),
            '%' | '"' | '<' | '>' | '[' | '\\' | ']' | '^' | '`' | '{' | '|' | '}' => {
                encoded.push_str(&format!("%{:02X}", u32::from(c)));
            }
            '!'..='~' => encoded.push(c),
            // A value is ISO-8859-1: the character is the byte that was sent.
            '\0'..='\u{ff}' => encoded.push_str(&format!("%{:02X}", u32::from(c))),
            _ => c.to_string().bytes().for_each(|byte| encoded.push_str(&format!("%{byte:02X}"))),
        }
    }
    encoded
}

/// Where scheme and authority of a URL end; 0 where it has none.
pub(super) fn authority_end(url: &str) -> usize {
    let Some(start) = url.find("://").map(|at| at + 3) else { return 0 };
    url.get(start..).and_then(|rest| rest.find(['/', '?'])).map_or(url.len(), |at| start + at)
}

/// The parameters as they stand in the URL, not decoded, as browsers export them.
fn query(url: &str) -> Vec<Value> {
    let without_fragment = url.split('#').next().unwrap_or_default();
    let Some((_, query)) = without_fragment.split_once('?') else { return Vec::new() };
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        json!({ "name": name, "value": value })
    };
    query.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// RFC 6265 §4.2.1.
fn cookies(value: &str) -> Vec<Value> {
    value.split(';').map(str::trim).filter(|pair| !pair.is_empty()).map(|pair| Value::Object(cookie(pair))).collect()
}

fn cookie(pair: &str) -> Map<String, Value> {
    // A pair without a sign of equality is a value without a name (RFC 6265bis §5.6).
    let (name, value) = pair.split_once('=').unwrap_or(("", pair));
    Map::from_iter([("name".to_owned(), json!(name.trim())), ("value".to_owned(), json!(value.trim()))])
}

/// RFC 6265 §5.2: attributes in any case, unknown ones without a meaning.
fn set_cookie(value: &str) -> Value {
    let mut parts = value.split(';');
    let mut cookie = cookie(parts.next().unwrap_or_default().trim());
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        let (member, value) = match name.as_str() {
            "path" => ("path", json!(value)),
            "domain" => ("domain", json!(value)),
            "samesite" => ("sameSite", json!(value)),
            "httponly" => ("httpOnly", json!(true)),
            "secure" => ("secure", json!(true)),
            "expires" => match expires(value) {
                Some(expires) => ("expires", json!(expires)),
                None => continue,
            },
            _ => continue,
        };
        cookie.insert(member.to_owned(), value);
    }
    Value::Object(cookie)
}

/// As ISO 8601, which the format wants; a date that is none says nothing.
fn expires(value: &str) -> Option<String> {
    let date = httpdate::parse_http_date(value).ok()?;
    Timestamp::try_from(date).ok().map(|stamp| stamp.to_string())
}

/// -1 where nothing told it: a request without length and coding has no body (RFC 9112 §6.3).
fn request_body_size(headers: &HeaderLines) -> i64 {
    if lines(headers, "transfer-encoding").next().is_some() {
        return -1;
    }
    lines(headers, "content-length").next().map_or(0, |length| length.trim().parse().unwrap_or(-1))
}

/// RFC 9110 §6.4.1: some answers have no content, whatever length they tell.
fn response_body_size(method: &str, status: u16, headers: &HeaderLines) -> i64 {
    if method == "HEAD" || matches!(status, 100..=199 | 204 | 304) {
        return 0;
    }
    if lines(headers, "transfer-encoding").next().is_some() {
        return -1;
    }
    lines(headers, "content-length").next().and_then(|length| length.trim().parse().ok()).unwrap_or(-1)
}

fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::testing::record;

    fn lines_of(lines: &[(&str, &str)]) -> HeaderLines {
        lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_entry_says_what_was_sent_and_answered() {
        let mut record = record("PUT", "http://h/a?b=c&d&e=%20+");
        record.request.headers =
            lines_of(&[("If-Match", "\"v1\""), ("Cookie", "a=\u{2026}; b"), ("Content-Length", "3")]);
        record.response.as_mut().unwrap().headers = lines_of(&[
            ("Set-Cookie", "s=\u{2026}; Path=/x; Expires=Sun, 06 Nov 1994 08:49:37 GMT; HttpOnly; secure; Max-Age=3"),
            ("Content-Type", "text/plain"),
            ("Content-Length", "10"),
            ("Location", "/y"),
        ]);
        let archive = archive(&record);
        assert_eq!((&archive["log"]["version"], &archive["log"]["pages"]), (&json!("1.2"), &json!([])));
        let entry = &archive["log"]["entries"][0];
        assert_eq!(entry["request"]["headers"][0], json!({ "name": "If-Match", "value": "\"v1\"" }));
        assert_eq!(
            entry["request"]["queryString"],
            json!([{ "name": "b", "value": "c" }, { "name": "d", "value": "" }, { "name": "e", "value": "%20+" }])
        );
        assert_eq!(
            entry["request"]["cookies"],
            json!([{ "name": "a", "value": "\u{2026}" }, { "name": "", "value": "b" }])
        );
        assert_eq!(entry["request"]["bodySize"], 3);
        let expected = json!([{ "name": "s", "value": "\u{2026}", "path": "/x", "expires": "1994-11-06T08:49:37Z",
            "httpOnly": true, "secure": true }]);
        assert_eq!(entry["response"]["cookies"], expected);
        assert_eq!(
            (&entry["response"]["content"]["size"], &entry["response"]["redirectURL"]),
            (&json!(10), &json!("/y"))
        );
        assert_eq!(entry["_why412"]["id"], record.id);
    }

    #[test]
    fn the_time_is_the_sum_of_its_parts() {
        for (total, upstream) in [(3000, 1000), (1, 3), (0, 0), (1_234_567, 1_234_566), (100_001, 7)] {
            let timing = TimingRecord { total, upstream, inspection: 1 };
            let parts = timings(&timing);
            let known = ["blocked", "dns", "connect", "ssl", "send", "wait", "receive"];
            let sum: f64 = known.iter().map(|part| parts[part].as_f64().unwrap()).filter(|part| *part >= 0.0).sum();
            assert!((sum - super::total(&timing)).abs() < f64::EPSILON, "{parts}");
            assert!((sum - total as f64 / 1000.0).abs() < 1e-6, "{parts}");
        }
    }

    #[test]
    fn an_exchange_without_an_answer_has_status_0() {
        let mut record = record("PUT", "http://h/");
        record.response = None;
        assert_eq!(archive(&record)["log"]["entries"][0]["response"]["status"], 0);
    }

    #[test]
    fn urls_become_uris_and_stay_as_they_were_beside() {
        let url = "http://h/caf\u{e9}/\"{x}\"?token=\u{2026}&a=%2F[1]";
        let archive = archive(&record("GET", url));
        let entry = &archive["log"]["entries"][0];
        assert_eq!(entry["request"]["url"], "http://h/caf%E9/%22%7Bx%7D%22?token=%E2%80%A6&a=%2F%5B1%5D");
        assert_eq!(entry["_why412"]["url"], url);
        assert_eq!(uri("http://[::1]:80/%zz%2"), "http://[::1]:80/%25zz%252");
    }

    #[test]
    fn a_pair_gives_two_entries_and_invents_nothing() {
        let mut record = record("PUT", "http://h/a");
        record.role = "outer".to_owned();
        record.request.headers = lines_of(&[("If-Match", "\"v1\""), ("User-Agent", "x")]);
        let far = FarSideRecord {
            exchange: Some("01B".to_owned()),
            at: Some("2026-11-22T06:00:00.002Z".to_owned()),
            status: Some(412),
            validators: lines_of(&[("ETag", "\"v1\"")]),
            marked: Some(record.id.clone()),
            signed: true,
            ..FarSideRecord::default()
        };
        record.far_side = Some(far.clone());
        let archive = archive(&record);
        let [own, inner] = archive["log"]["entries"].as_array().unwrap().as_slice() else { panic!("{archive:#}") };
        assert_eq!(own["_why412"]["role"], "outer");
        assert_eq!((&inner["_why412"]["role"], &inner["_why412"]["of"]), (&json!("inner"), &json!(record.id)));
        assert_eq!(inner["startedDateTime"], "2026-11-22T06:00:00.002Z");
        assert_eq!(inner["request"]["headers"], json!([]), "the condition did not arrive");
        assert_eq!(inner["response"]["headers"], json!([{ "name": "ETag", "value": "\"v1\"" }]));
        assert_eq!(inner["_why412"]["assumed"], json!(["request.method", "request.url"]));

        record.role = "inner".to_owned();
        record.far_side = Some(FarSideRecord { at: None, status: None, reduced: true, ..far });
        let archive = super::archive(&record);
        let [outer, own] = archive["log"]["entries"].as_array().unwrap().as_slice() else { panic!("{archive:#}") };
        assert_eq!((&outer["_why412"]["role"], &own["_why412"]["role"]), (&json!("outer"), &json!("inner")));
        assert_eq!((&outer["response"]["status"], &outer["_why412"]["known"]), (&json!(0), &json!([])));
    }

    #[test]
    fn answers_without_content_have_no_size() {
        let length = lines_of(&[("Content-Length", "7")]);
        assert_eq!(response_body_size("GET", 412, &length), 7);
        assert_eq!(response_body_size("GET", 304, &length), 0);
        assert_eq!(response_body_size("HEAD", 412, &length), 0);
        assert_eq!(response_body_size("GET", 200, &lines_of(&[("Transfer-Encoding", "chunked")])), -1);
        assert_eq!(request_body_size(&lines_of(&[])), 0);
    }
}
