//! Conditions and validators as each station of an exchange's way had them, side by side; what a station did not tell
//! is said to be unknown.

use std::collections::BTreeSet;

use super::text::{heading, line, paragraph, shown};
use crate::recorder::far_side::FarSideRecord;
use crate::recorder::record::{HeaderLines, Record};

/// A place on the way, and what is known of the fields there.
struct Station<'a> {
    name: &'static str,
    lines: Known<'a>,
}

enum Known<'a> {
    /// Every field line.
    All(&'a HeaderLines),
    /// Conditions or validators only.
    Part(&'a HeaderLines),
}

/// Fields that make a request conditional, or that conditions are made of.
const REQUEST_FIELDS: &[&str] =
    &["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "cache-control"];
const RESPONSE_FIELDS: &[&str] =
    &["etag", "last-modified", "oc-etag", "content-encoding", "age", "cache-status", "via"];

/// Both sides of an exchange as text.
pub fn text(record: &Record) -> String {
    let mut out = String::new();
    paragraph(
        &mut out,
        "",
        "What each station of the way had, as far as it is known. Field values are shown as ISO-8859-1, secrets as \u{2026}.",
    );
    heading(&mut out, "Request");
    side(&mut out, record, "request", &request_stations(record), REQUEST_FIELDS);
    heading(&mut out, "Answer");
    statuses(&mut out, record);
    side(&mut out, record, "response", &response_stations(record), RESPONSE_FIELDS);
    if let Some(far_side) = &record.far_side {
        about_the_other(&mut out, record, far_side);
    }
    out
}

fn request_stations(record: &Record) -> Vec<Station<'_>> {
    let request = &record.request;
    let here = |name| Station { name, lines: Known::All(&request.headers) };
    let sent_on = Station { name: "sent on by this instance", lines: Known::All(&request.forwarded_headers) };
    match (record.role.as_str(), told(record)) {
        ("outer", Some(far)) => {
            let arrived = Station { name: "arrived at the inner instance", lines: Known::Part(&far.conditions) };
            vec![here("sent by the client"), sent_on, arrived]
        }
        ("inner", Some(far)) => {
            let sent = Station { name: "sent by the outer instance", lines: Known::Part(&far.conditions) };
            vec![sent, here("arrived at this instance"), sent_on]
        }
        _ => vec![here("arrived at this instance"), sent_on],
    }
}

fn response_stations(record: &Record) -> Vec<Station<'_>> {
    let mut stations = Vec::new();
    if record.role == "outer"
        && let Some(far) = told(record)
    {
        stations.push(Station { name: "given by the origin", lines: Known::Part(&far.validators) });
    }
    if let Some(response) = &record.response {
        let name = if record.role == "inner" { "given by the origin" } else { "arrived at this instance" };
        stations.push(Station { name, lines: Known::All(&response.headers) });
    }
    stations
}

/// What the other instance told, where it had room for it.
fn told(record: &Record) -> Option<&FarSideRecord> {
    record.far_side.as_ref().filter(|far| far.exchange.is_some() && !far.reduced)
}

fn side(out: &mut String, record: &Record, on: &str, stations: &[Station<'_>], usual: &[&str]) {
    let altered = record.alterations.iter().filter(|altered| altered.on == on).map(|altered| altered.field.clone());
    let mut fields: BTreeSet<String> = usual.iter().map(|field| (*field).to_owned()).collect();
    fields.extend(altered);
    for station in stations {
        if let Known::Part(lines) = station.lines {
            fields.extend(lines.iter().map(|(name, _)| name.to_ascii_lowercase()));
        }
    }
    let mut any = false;
    for field in &fields {
        let values: Vec<_> = stations.iter().map(|station| (station.name, value(station, field))).collect();
        if !values.iter().any(|(_, value)| matches!(value, FieldThere::Value(_))) {
            continue;
        }
        any = true;
        line(out, &format!("  {field}"));
        for (name, value) in values {
            let said = match value {
                FieldThere::Value(value) => shown(&value),
                FieldThere::NotThere => "(not there)".to_owned(),
                FieldThere::Unknown => "(unknown)".to_owned(),
            };
            line(out, &format!("    {name:<30}  {said}"));
        }
    }
    if !any {
        line(out, "  No condition or validator was seen.");
    }
}

/// What is known of a field at a station.
enum FieldThere {
    /// All its lines, one after another.
    Value(String),
    NotThere,
    /// The station tells some fields only, and this is none of them.
    Unknown,
}

fn value(station: &Station<'_>, field: &str) -> FieldThere {
    let (lines, all) = match station.lines {
        Known::All(lines) => (lines, true),
        Known::Part(lines) => (lines, false),
    };
    let found: Vec<_> =
        lines.iter().filter(|(name, _)| name.eq_ignore_ascii_case(field)).map(|(_, value)| value.as_str()).collect();
    match (found.is_empty(), all || is_reported(field)) {
        (false, _) => FieldThere::Value(found.join("  |  ")),
        (true, true) => FieldThere::NotThere,
        (true, false) => FieldThere::Unknown,
    }
}

/// What marks and reports always tell, where it is there.
fn is_reported(field: &str) -> bool {
    REQUEST_FIELDS.iter().take(5).chain(RESPONSE_FIELDS.iter().take(3)).any(|known| *known == field)
}

fn statuses(out: &mut String, record: &Record) {
    let status = |status: Option<u16>| status.map_or_else(|| "(unknown)".to_owned(), |status| status.to_string());
    line(out, "  status");
    if record.role == "outer"
        && let Some(far) = &record.far_side
    {
        line(out, &format!("    {:<30}  {}", "given by the origin", status(far.status)));
    }
    let here = record.response.as_ref().map_or_else(|| "(no answer)".to_owned(), |answer| answer.status.to_string());
    let name = if record.role == "inner" { "given by the origin" } else { "arrived at this instance" };
    line(out, &format!("    {name:<30}  {here}"));
}

fn about_the_other(out: &mut String, record: &Record, far: &FarSideRecord) {
    heading(out, "The other instance");
    let named = far.exchange.as_deref().unwrap_or("(nothing that could be read)");
    line(out, &format!("  its exchange    {named}"));
    if let Some(at) = &far.at {
        line(out, &format!("  its time        {at}"));
    }
    if let Some(cause) = &far.cause {
        line(out, &format!("  its verdict     {}", shown(cause)));
    }
    line(out, &format!("  signed          {}", if far.signed { "yes" } else { "no: it proves nothing" }));
    if far.marked.as_ref().is_some_and(|marked| *marked != record.id) {
        paragraph(out, "  ", "The report is that of an earlier exchange: the answer came out of a store.");
    }
    if far.reduced {
        paragraph(out, "  ", "It had no room for conditions and validators.");
    }
    if far.unauthentic {
        paragraph(out, "  ", "Something came under the name of a mark or report that could not be believed.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::testing::record;

    fn lines(lines: &[(&str, &str)]) -> HeaderLines {
        lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_differs_stands_side_by_side() {
        let mut record = record("PUT", "http://h/a");
        record.role = "outer".to_owned();
        record.request.headers = lines(&[("If-Match", "\"v1\""), ("IF-MATCH", "\"v2\""), ("X-Other", "1")]);
        record.request.forwarded_headers = record.request.headers.clone();
        record.response.as_mut().unwrap().headers = lines(&[("ETag", "W/\"v1\""), ("Via", "1.1 gw")]);
        record.far_side = Some(FarSideRecord {
            exchange: Some("01B".to_owned()),
            status: Some(412),
            validators: lines(&[("ETag", "\"v1\"")]),
            signed: true,
            ..FarSideRecord::default()
        });
        let text = text(&record);
        for said in [
            "  if-match\n    sent by the client              \"v1\"  |  \"v2\"\n",
            "    arrived at the inner instance   (not there)\n",
            "  etag\n    given by the origin             \"v1\"\n    arrived at this instance        W/\"v1\"\n",
            "  via\n    given by the origin             (unknown)\n",
        ] {
            assert!(text.contains(said), "{said:?} is not in\n{text}");
        }
        assert!(!text.contains("x-other"), "{text}");
    }

    #[test]
    fn a_reduced_report_tells_nothing_of_fields() {
        let mut record = record("PUT", "http://h/a");
        record.role = "outer".to_owned();
        record.request.headers = lines(&[("If-Match", "\"v1\"")]);
        record.far_side =
            Some(FarSideRecord { exchange: Some("01B".to_owned()), reduced: true, ..FarSideRecord::default() });
        let text = text(&record);
        assert!(!text.contains("arrived at the inner instance"), "{text}");
        assert!(text.contains("no room for conditions"), "{text}");
    }
}
