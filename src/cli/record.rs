//! A record as text, for people. It takes JSON as it comes: the instance may be of another version.

use std::fmt::Write as _;

use serde_json::Value;

use super::output::{Output, Tone, printable};

/// Columns that text is wrapped to.
const WIDTH: usize = 100;

/// A record in one line: when, what, and why.
pub(super) fn line(record: &Value, output: Output) -> String {
    let status = status(record);
    let shown = if status == "412" { output.toned(Tone::Bad, &status) } else { status };
    let mut said: Vec<String> = Vec::new();
    if let Some(diagnosis) = record.get("diagnosis").filter(|diagnosis| !diagnosis.is_null()) {
        let confidence = text(diagnosis, "/confidence");
        said.push(format!("{} ({confidence})", output.toned(Tone::Strong, &named(diagnosis, "cause"))));
    }
    said.extend(list(record, "/hazards").iter().map(|hazard| format!("hazard {}", named(hazard, "hazard"))));
    said.extend(list(record, "/alterations").iter().map(alteration));
    if record.get("amended_at").is_some_and(|at| !at.is_null()) {
        said.push("amended".to_owned());
    }
    format!(
        "{} {shown} {} {} [{}] {} {}",
        output.toned(Tone::Faint, &text(record, "/at")),
        text(record, "/request/method"),
        text(record, "/request/url"),
        text(record, "/route"),
        said.join(", "),
        output.toned(Tone::Faint, &text(record, "/id")),
    )
}

/// All about one record.
pub(super) fn whole(record: &Value, output: Output) -> String {
    let mut shown = String::new();
    let mut add = |line: &str| {
        shown.push_str(line);
        shown.push('\n');
    };
    add(&format!("{} {} {}", status(record), text(record, "/request/method"), text(record, "/request/url")));
    add(&output.toned(
        Tone::Faint,
        &format!(
            "{}, route {}, client {}, role {}, at {}",
            text(record, "/id"),
            text(record, "/route"),
            text(record, "/client"),
            text(record, "/role"),
            text(record, "/at")
        ),
    ));
    if let Some(diagnosis) = record.get("diagnosis").filter(|diagnosis| !diagnosis.is_null()) {
        add("");
        diagnosed(diagnosis, output, &mut add);
    }
    for hazard in list(record, "/hazards") {
        let title = format!("Hazard: {} ({})", named(hazard, "hazard"), text(hazard, "/confidence"));
        add("");
        add(&output.toned(Tone::Strong, &title));
        explained(hazard, &mut add);
    }
    let alterations = list(record, "/alterations");
    if !alterations.is_empty() {
        add("");
        add(&output.toned(Tone::Strong, "Alterations"));
        for one in alterations {
            let (before, after) = (text(one, "/before"), text(one, "/after"));
            add(&format!("  {}: {before} became {after}, known by {}", alteration(one), text(one, "/known_by")));
        }
    }
    far_side(record, output, &mut add);
    fields(record, "/request/headers", "Request", output, &mut add);
    if record.pointer("/request/headers") != record.pointer("/request/forwarded_headers") {
        fields(record, "/request/forwarded_headers", "Sent on", output, &mut add);
    }
    fields(record, "/response/headers", "Response", output, &mut add);
    shown
}

fn diagnosed(diagnosis: &Value, output: Output, add: &mut impl FnMut(&str)) {
    let title = format!("{}: {}", named(diagnosis, "cause"), text(diagnosis, "/title"));
    add(&output.toned(Tone::Strong, &title));
    add(&format!("{}; to act: {}", text(diagnosis, "/confidence"), text(diagnosis, "/party")));
    explained(diagnosis, add);
    let others = list(diagnosis, "/others");
    if !others.is_empty() {
        let names: Vec<_> =
            others.iter().map(|other| format!("{} ({})", named(other, "cause"), text(other, "/confidence"))).collect();
        add("");
        add(&format!("Also possible: {}", names.join(", ")));
    }
}

/// What a cause and a hazard have in common.
fn explained(finding: &Value, add: &mut impl FnMut(&str)) {
    let explanation = text(finding, "/explanation");
    if !explanation.is_empty() {
        add("");
        add(&wrapped(&explanation, "", ""));
    }
    let evidence: Vec<String> = list(finding, "/evidence").iter().map(|evidence| text(evidence, "/says")).collect();
    let fix: Vec<String> = list(finding, "/fix").iter().filter_map(Value::as_str).map(printable).collect();
    for (title, entries) in [("How we know", evidence), ("What to do", fix)] {
        if !entries.is_empty() {
            add("");
            add(title);
            for entry in entries {
                add(&wrapped(&entry, "  - ", "    "));
            }
        }
    }
}

/// What the other instance of a pair said.
fn far_side(record: &Value, output: Output, add: &mut impl FnMut(&str)) {
    let Some(far) = record.get("far_side").filter(|far| !far.is_null()) else { return };
    let is = |key: &str| far.get(key).and_then(Value::as_bool).unwrap_or(false);
    add("");
    add(&output.toned(Tone::Strong, "The other instance"));
    if is("unauthentic") {
        add("  What came under its name was not authentic.");
    }
    let exchange = text(far, "/exchange");
    if exchange.is_empty() {
        return;
    }
    let mut said = vec![format!("exchange {exchange}")];
    said.push(if is("signed") { "signed" } else { "unsigned" }.to_owned());
    said.extend(far.get("status").and_then(Value::as_u64).map(|status| format!("answered {status}")));
    said.extend(Some(text(far, "/cause")).filter(|cause| !cause.is_empty()).map(|cause| format!("says {cause}")));
    add(&format!("  {}", said.join(", ")));
    for line in list(far, "/conditions").iter().chain(list(far, "/validators")) {
        add(&format!("  {}: {}", text(line, "/0"), text(line, "/1")));
    }
}

fn fields(record: &Value, pointer: &str, title: &str, output: Output, add: &mut impl FnMut(&str)) {
    let lines = list(record, pointer);
    if lines.is_empty() {
        return;
    }
    add("");
    add(&output.toned(Tone::Strong, title));
    for line in lines {
        add(&format!("  {}: {}", text(line, "/0"), text(line, "/1")));
    }
}

fn alteration(alteration: &Value) -> String {
    format!("{} {} {}", text(alteration, "/on"), text(alteration, "/field"), text(alteration, "/change"))
}

fn status(record: &Value) -> String {
    record.pointer("/response/status").and_then(Value::as_u64).map_or_else(|| "---".to_owned(), |s| s.to_string())
}

/// `etag-suffixed/inside-origin`
fn named(finding: &Value, key: &str) -> String {
    let id = text(finding, &format!("/{key}"));
    let detail = text(finding, "/detail");
    if detail.is_empty() { id } else { format!("{id}/{detail}") }
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).map(printable).unwrap_or_default()
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn wrapped(text: &str, first: &str, further: &str) -> String {
    let mut shown = first.to_owned();
    let mut column = first.chars().count();
    for (index, word) in text.split_whitespace().enumerate() {
        let length = word.chars().count();
        if index > 0 && column + 1 + length > WIDTH {
            let _ = write!(shown, "\n{further}");
            column = further.chars().count();
        } else if index > 0 {
            shown.push(' ');
            column += 1;
        }
        shown.push_str(word);
        column += length;
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record() -> Value {
        json!({
            "id": "01J", "at": "2026-11-22T06:00:00.123Z", "role": "alone", "route": "orders", "client": "c-7f3a12",
            "request": { "method": "PUT", "url": "http://a/orders/7", "headers": [["If-Match", "W/\"v1\""]],
                         "forwarded_headers": [["If-Match", "W/\"v1\""]] },
            "response": { "status": 412, "headers": [["ETag", "\"v1\""]] },
            "diagnosis": { "cause": "etag-suffixed", "detail": "inside-origin", "confidence": "likely", "party": "origin",
                           "title": "A compressor changed the tag", "explanation": "It did.",
                           "evidence": [{ "kind": "k", "says": "The tag ends with -gzip." }], "fix": ["Stop it."],
                           "others": [{ "cause": "stale-validator", "detail": null, "confidence": "possible" }] },
            "hazards": [{ "hazard": "missed-304", "detail": null, "confidence": "likely", "evidence": [] }],
            "alterations": [{ "on": "response", "field": "etag", "change": "weakened", "before": "\"v1\"",
                              "after": "W/\"v1\"", "known_by": "ledger" }],
            "far_side": { "exchange": "01K", "at": "2026-11-22T06:00:00.100Z", "status": 412, "signed": true,
                          "conditions": [["If-Match", "W/\"v1\""]], "validators": [["ETag", "\"v1\""]],
                          "cause": "weak-etag-in-if-match" },
        })
    }

    #[test]
    fn a_line_says_what_and_why() {
        let plain = Output::plain();
        assert_eq!(
            line(&record(), plain),
            "2026-11-22T06:00:00.123Z 412 PUT http://a/orders/7 [orders] etag-suffixed/inside-origin (likely), hazard \
             missed-304, response etag weakened 01J"
        );
    }

    #[test]
    fn the_whole_shows_evidence_and_fix() {
        let shown = whole(&record(), Output::plain());
        for expected in [
            "etag-suffixed/inside-origin: A compressor changed the tag\nlikely; to act: origin\n\nIt did.\n",
            "How we know\n  - The tag ends with -gzip.\n\nWhat to do\n  - Stop it.\n",
            "Also possible: stale-validator (possible)\n",
            "response etag weakened: \"v1\" became W/\"v1\", known by ledger\n",
            "The other instance\n  exchange 01K, signed, answered 412, says weak-etag-in-if-match\n  If-Match: W/\"v1\"\n  \
             ETag: \"v1\"\n",
            "Request\n  If-Match: W/\"v1\"\n\nResponse\n  ETag: \"v1\"\n",
        ] {
            assert!(shown.contains(expected), "{expected:?} in\n{shown}");
        }
    }

    #[test]
    fn text_is_wrapped() {
        let words = ["word"; 30].join(" ");
        let shown = wrapped(&words, "  - ", "    ");
        assert!(shown.lines().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(shown.lines().count(), 2);
    }
}
