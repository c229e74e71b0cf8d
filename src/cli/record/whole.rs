//! All about one record: its way first, then the verdict and how it is known, then everything else that is there.

use serde_json::Value;

use super::line::toned;
use super::summary::alteration;
use super::way::{compared, shows, way};
use super::{confidence_tone, list, member, named, party_in_words, party_tone, status, status_tone, text};
use crate::cli::layout::{length, padded, wrapped};
use crate::cli::output::{Output, Tone, printable};

/// Collects the lines of what is shown.
struct Page {
    output: Output,
    columns: usize,
    lines: Vec<String>,
}

/// All about one record.
pub(in crate::cli) fn whole(record: &Value, output: Output) -> String {
    let mut page = Page { output, columns: output.prose_columns(), lines: Vec::new() };
    page.head(record);
    page.section(&way(record, output, page.columns));
    page.alterations(record);
    if let Some(diagnosis) = member(record, "diagnosis") {
        page.diagnosed(diagnosis);
    }
    for hazard in list(record, "/hazards") {
        page.hazard(hazard);
    }
    page.current(record);
    page.probe(record);
    page.far_side(record);
    let (came, went) = (list(record, "/request/headers"), list(record, "/request/forwarded_headers"));
    let is_changed = came.iter().any(|line| !went.contains(line)) || went.iter().any(|line| !came.contains(line));
    let note = if is_changed { " (- not sent on, + added)" } else { "" };
    page.fields(&format!("Request, every field{note}"), came, went);
    let answer = list(record, "/response/headers");
    page.fields("Answer, every field", answer, answer);
    page.more(record);
    page.lines.join("\n")
}

impl Page {
    fn add(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Lines after an empty one.
    fn section(&mut self, lines: &str) {
        self.add("");
        self.add(lines);
    }

    fn title(&mut self, title: &str) {
        self.section(&self.output.toned(Tone::Strong, title));
    }

    fn prose(&mut self, text: &str, first: &str, further: &str) {
        self.add(wrapped(text, first, further, self.columns));
    }

    fn head(&mut self, record: &Value) {
        let status = status(record);
        let status = toned(self.output, status_tone(&status), &status);
        let (method, url) = (text(record, "/request/method"), text(record, "/request/url"));
        self.add(format!("{status} {method} {url}"));
        let mut said = vec![text(record, "/id")];
        said.push(text(record, "/at"));
        for (word, pointer) in [("route", "/route"), ("client", "/client"), ("role", "/role")] {
            said.push(format!("{word} {}", text(record, pointer)));
        }
        said.extend(member(record, "amended_at").map(|_| format!("amended at {}", text(record, "/amended_at"))));
        if let Some(repeated) = record.get("repeated").and_then(Value::as_u64) {
            said.push(format!("{repeated} more of the kind within the minute, counted only"));
        }
        if let Some(bypass) = member(record, "bypass") {
            said.push(format!("bypass: {}", text(bypass, "/scope")));
        }
        let lines = wrapped(&said.join(", "), "", "", self.columns);
        let faint: Vec<_> = lines.lines().map(|line| self.output.toned(Tone::Faint, line)).collect();
        self.add(faint.join("\n"));
    }

    fn diagnosed(&mut self, diagnosis: &Value) {
        let title = format!("{}: {}", named(diagnosis, "cause"), text(diagnosis, "/title"));
        self.title(&wrapped(&title, "", "", self.columns));
        let (confidence, party) = (text(diagnosis, "/confidence"), text(diagnosis, "/party"));
        let confidence = toned(self.output, confidence_tone(&confidence), &confidence);
        let who = toned(self.output, party_tone(&party), party_in_words(&party));
        self.add(format!("{confidence}; to act: {who}"));
        self.explained(diagnosis);
        let others: Vec<_> = list(diagnosis, "/others")
            .iter()
            .map(|other| format!("{} ({})", named(other, "cause"), text(other, "/confidence")))
            .collect();
        if !others.is_empty() {
            self.add("");
            self.prose(&format!("Also possible: {}", others.join(", ")), "", "  ");
        }
    }

    fn hazard(&mut self, hazard: &Value) {
        let title = format!("Hazard {}: {}", named(hazard, "hazard"), text(hazard, "/title"));
        self.title(&wrapped(title.trim_end_matches([':', ' ']), "", "", self.columns));
        let confidence = text(hazard, "/confidence");
        self.add(toned(self.output, confidence_tone(&confidence), &confidence));
        self.explained(hazard);
    }

    /// What a cause and a hazard have in common.
    fn explained(&mut self, finding: &Value) {
        let explanation = text(finding, "/explanation");
        if !explanation.is_empty() {
            self.add("");
            self.prose(&explanation, "", "");
        }
        let evidence = list(finding, "/evidence").iter().map(|evidence| text(evidence, "/says")).collect();
        let fix = list(finding, "/fix").iter().filter_map(Value::as_str).map(printable).collect();
        self.bullets("How we know", evidence);
        self.bullets("What to do", fix);
    }

    fn bullets(&mut self, title: &str, entries: Vec<String>) {
        if entries.is_empty() {
            return;
        }
        self.section(title);
        for entry in entries {
            self.prose(&entry, "  - ", "    ");
        }
    }

    /// Those that the picture of the way does not show.
    fn alterations(&mut self, record: &Value) {
        let known: Vec<_> = list(record, "/alterations").iter().filter(|altered| !shows(record, altered)).collect();
        if known.is_empty() {
            return;
        }
        self.title("Altered on the way");
        for altered in known {
            let by = match text(altered, "/known_by").as_str() {
                "ledger" => "known by what was seen before".to_owned(),
                "pairing" => "known by what the other instance saw".to_owned(),
                "double" => "known by the vendor's double of it in the same message".to_owned(),
                // A foreign string.
                other => format!("known by {other}"),
            };
            self.add(format!("  {}, {by}", alteration(altered)));
            let value = |name: &str| member(altered, name).and_then(Value::as_str).map(printable);
            self.add(compared(("left as", value("before")), ("arrived as", value("after")), self.output));
        }
    }

    fn current(&mut self, record: &Value) {
        let Some(current) = member(record, "current") else { return };
        self.title(&format!("The resource, as last seen at {}", text(current, "/seen_at")));
        for (name, pointer) in [("ETag", "/etag"), ("Last-Modified", "/last_modified")] {
            let value = text(current, pointer);
            if !value.is_empty() {
                self.add(format!("  {name}: {value}"));
            }
        }
    }

    fn probe(&mut self, record: &Value) {
        let Some(probe) = member(record, "probe") else { return };
        let withheld = text(probe, "/credentials") == "withheld";
        let how = if withheld { ", without the client's credentials" } else { "" };
        self.title(&format!("Asked for the current validators at {}{how}", text(probe, "/at")));
        for (way, name) in [("through the path", "through"), ("directly", "direct")] {
            let Some(answer) = member(probe, name) else { continue };
            let (method, url, error) = (text(answer, "/method"), text(answer, "/url"), text(answer, "/error"));
            let status = answer.get("status").and_then(Value::as_u64).map(|status| status.to_string());
            let outcome: Vec<_> = status.into_iter().chain(Some(error).filter(|error| !error.is_empty())).collect();
            self.prose(&format!("{way}: {method} {url} {}", outcome.join(": ")), "  ", "    ");
            for line in list(answer, "/validators") {
                self.add(format!("    {}: {}", text(line, "/0"), text(line, "/1")));
            }
        }
    }

    /// What the other instance of a pair said beside what the picture shows.
    fn far_side(&mut self, record: &Value) {
        let Some(far) = member(record, "far_side") else { return };
        let is = |name: &str| far.get(name).and_then(Value::as_bool).unwrap_or_default();
        self.title("The other instance");
        if is("unauthentic") {
            self.add("  What came under its name was not authentic.");
        }
        let exchange = text(far, "/exchange");
        if exchange.is_empty() {
            return;
        }
        let mut said = vec![format!("exchange {exchange}")];
        said.push(if is("signed") { "signed" } else { "unsigned" }.to_owned());
        said.extend(far.get("status").and_then(Value::as_u64).map(|status| format!("answered {status}")));
        said.extend(Some(text(far, "/cause")).filter(|cause| !cause.is_empty()).map(|cause| format!("says {cause}")));
        if is("reduced") {
            said.push("had no room for conditions and validators".to_owned());
        }
        let marked = text(far, "/marked");
        if !marked.is_empty() && marked != text(record, "/id") {
            said.push(format!("is about the earlier exchange {marked}: the answer came from a store"));
        }
        self.prose(&said.join(", "), "  ", "  ");
    }

    /// The field lines of a message as they came, and what differs of them as they were sent on.
    fn fields(&mut self, title: &str, came: &[Value], went: &[Value]) {
        if came.is_empty() && went.is_empty() {
            return;
        }
        self.title(title);
        let added = went.iter().filter(|line| !came.contains(line)).map(|line| ("+", line));
        let marked = came.iter().map(|line| (if went.contains(line) { " " } else { "-" }, line));
        for (mark, line) in marked.chain(added) {
            self.add(format!("{mark} {}: {}", text(line, "/0"), text(line, "/1")));
        }
    }

    fn more(&mut self, record: &Value) {
        let id = text(record, "/id");
        let mut commands = vec![(format!("why412 exchanges export {id} --as curl"), "the request again")];
        let finding = record.pointer("/diagnosis/cause").or_else(|| record.pointer("/hazards/0/hazard"));
        if let Some(finding) = finding.and_then(Value::as_str) {
            commands.push((format!("why412 explain {}", printable(finding)), "what it means, with an example"));
        }
        self.title("More");
        let width = commands.iter().map(|(command, _)| length(command)).max().unwrap_or_default();
        for (command, what) in commands {
            let explained = format!("  {}   # {what}", padded(&command, width));
            // A command is to be copied: rather without its comment than over two lines.
            self.add(if length(&explained) <= self.columns { explained } else { format!("  {command}") });
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in crate::cli::record) fn record() -> Value {
        json!({
            "id": "01J", "at": "2026-11-22T06:00:00.123Z", "role": "alone", "route": "orders", "client": "c-7f3a12",
            "request": { "method": "PUT", "url": "http://a/orders/7",
                         "headers": [["If-Match", "W/\"v1\""], ["Accept", "*/*"]],
                         "forwarded_headers": [["If-Match", "W/\"v1\""], ["Accept", "*/*"]] },
            "response": { "status": 412, "headers": [["ETag", "\"v1\""]] },
            "diagnosis": { "cause": "etag-suffixed", "detail": "inside-origin", "confidence": "likely", "party": "origin",
                           "title": "A compressor changed the tag", "explanation": "It did.",
                           "evidence": [{ "kind": "k", "says": "The tag ends with -gzip." }], "fix": ["Stop it."],
                           "others": [{ "cause": "stale-validator", "detail": null, "confidence": "possible" }] },
            "hazards": [{ "hazard": "missed-304", "detail": null, "confidence": "likely", "evidence": [] }],
            "alterations": [{ "on": "response", "field": "etag", "change": "weakened", "before": "\"v1\"",
                              "after": "W/\"v1\"", "known_by": "ledger" }],
            "far_side": null,
        })
    }

    fn of_pair() -> Value {
        let mut record = record();
        record["role"] = json!("outer");
        record["diagnosis"]["party"] = json!("gateway");
        record["alterations"] = json!([{ "on": "request", "field": "if-match", "change": "strengthened",
            "before": "W/\"v1\"", "after": "\"v1\"", "known_by": "pairing" }]);
        record["far_side"] = json!({ "exchange": "01K", "at": "2026-11-22T06:00:00.100Z", "status": 412, "signed": true,
            "conditions": [["If-Match", "\"v1\""]], "validators": [["ETag", "\"v1\""], ["Last-Modified", "today"]],
            "cause": "stale-validator", "marked": "01J" });
        record
    }

    #[test]
    fn one_instance_shows_what_it_saw() {
        insta::assert_snapshot!(whole(&record(), Output::plain()), @r##"
412 PUT http://a/orders/7
01J, 2026-11-22T06:00:00.123Z, route orders, client c-7f3a12, role alone

  client c-7f3a12 ──► why412 ──► upstream
                                 ^^^^^^^^ has to act

Request      as it came, passed on unchanged
  If-Match   W/"v1"

Answer 412   as it came, passed on unchanged
  ETag       "v1"

Altered on the way
  response etag weakened, known by what was seen before
    left as      "v1"
    arrived as   W/"v1"
                 ^^

etag-suffixed/inside-origin: A compressor changed the tag
likely; to act: the origin

It did.

How we know
  - The tag ends with -gzip.

What to do
  - Stop it.

Also possible: stale-validator (possible)

Hazard missed-304
likely

Request, every field
  If-Match: W/"v1"
  Accept: */*

Answer, every field
  ETag: "v1"

More
  why412 exchanges export 01J --as curl   # the request again
  why412 explain etag-suffixed            # what it means, with an example
"##);
    }

    #[test]
    fn a_pair_shows_both_sides_in_columns() {
        insta::assert_snapshot!(whole(&of_pair(), Output::terminal(80, false)), @r##"
412 PUT http://a/orders/7
01J, 2026-11-22T06:00:00.123Z, route orders, client c-7f3a12, role outer

  client c-7f3a12 ──► why412 (outer) ──► gateway ──► why412 (inner) ──► origin
                                         ^^^^^^^ has to act

Request      outer sent   inner received
  If-Match   W/"v1"       "v1"
             ^^                            strengthened

Answer 412        outer received   origin answered
  ETag            "v1"             "v1"
  Last-Modified   (absent)         today
                  ^^^^^^^^

etag-suffixed/inside-origin: A compressor changed the tag
likely; to act: the gateway

It did.

How we know
  - The tag ends with -gzip.

What to do
  - Stop it.

Also possible: stale-validator (possible)

Hazard missed-304
likely

The other instance
  exchange 01K, signed, answered 412, says stale-validator

Request, every field
  If-Match: W/"v1"
  Accept: */*

Answer, every field
  ETag: "v1"

More
  why412 exchanges export 01J --as curl   # the request again
  why412 explain etag-suffixed            # what it means, with an example
"##);
    }

    #[test]
    fn long_values_stand_one_above_the_other_and_are_never_shortened() {
        let mut record = of_pair();
        let tag = "0123456789abcdef".repeat(4);
        record["request"]["headers"] = json!([["If-Match", format!("W/\"{tag}\"")]]);
        record["request"]["forwarded_headers"] = record["request"]["headers"].clone();
        record["far_side"]["conditions"] = json!([["If-Match", format!("\"{tag}-gzip\"")]]);
        insta::assert_snapshot!(way(&record, Output::terminal(60, false), 60), @r##"
  client c-7f3a12 → outer → gateway → inner → origin
                            ^^^^^^^ has to act

Request
  If-Match, strengthened
    outer sent       W/"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                     ^^
    inner received   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef-gzip"
                                                                                      ^^^^^

Answer 412        outer received   origin answered
  ETag            "v1"             "v1"
  Last-Modified   (absent)         today
                  ^^^^^^^^
"##);
    }

    #[test]
    fn the_report_of_another_exchange_says_nothing_of_this_ones_conditions() {
        let mut record = of_pair();
        record["far_side"]["marked"] = json!("01A");
        let shown = whole(&record, Output::plain());
        assert!(!shown.contains("inner received"), "{shown}");
        assert!(shown.contains("origin answered earlier"), "{shown}");
        let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("is about the earlier exchange 01A"), "{shown}");
        assert!(shown.contains("request if-match strengthened, known by what the other instance saw"), "{shown}");
    }

    #[test]
    fn hostile_values_are_written_out() {
        let mut record = record();
        record["request"]["headers"] = json!([["If-Match", "\"\u{1b}]0;x\u{7}\u{202e}\""]]);
        record["request"]["url"] = json!("http://a/\u{9b}2J");
        let shown = whole(&record, Output::terminal(80, false));
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{shown}");
        assert!(shown.contains("\\u{202e}") && shown.contains("\\u{9b}2J"), "{shown}");
    }
}
