//! What happened to a resource, in order: what the ledger remembers of it and what records tell, each exchange once.

use std::collections::HashSet;

use serde::Serialize;

use super::text::{line, shown};
use super::verdict::entry;
use crate::recorder::record::Record;
use crate::recorder::resources::{ResourceView, SightingView, WriteView};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// When.
    pub at: String,
    /// Who did it, or to whom it was given; null where nobody is known.
    pub client: Option<String>,
    /// What happened.
    pub what: String,
    /// The exchange in which it did, as far as it is remembered.
    pub exchange: Option<String>,
    /// Where this is known from: a record, or the ledger.
    pub known_from: &'static str,
}

/// Everything that is known, oldest first.
pub fn events(ledger: Option<&ResourceView>, records: &[&Record]) -> Vec<Event> {
    let recorded: HashSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
    let mut events: Vec<Event> = records.iter().map(|record| of_record(record)).collect();
    if let Some(resource) = ledger {
        events.extend(of_ledger(resource).filter(|event| {
            // The record of the same exchange says more.
            !event.exchange.as_deref().is_some_and(|exchange| recorded.contains(exchange))
        }));
    }
    events.sort_by(|a, b| (&a.at, &a.exchange).cmp(&(&b.at, &b.exchange)));
    events.dedup();
    events
}

/// The same as text; `marked` is the exchange that all is about.
pub fn text(events: &[Event], marked: &str) -> String {
    let mut out = String::new();
    line(&mut out, "What happened to the resource, oldest first. > marks the exchange that this is about.");
    line(&mut out, "Times are this instance's: of a record when its request came, of the ledger when its answer did.");
    line(&mut out, "");
    for event in events {
        let mark = if event.exchange.as_deref() == Some(marked) { '>' } else { ' ' };
        let (at, client) = (&event.at, event.client.as_deref().unwrap_or("-"));
        line(&mut out, &format!("{mark} {at}  {client:<9} {}", shown(&event.what)));
    }
    if events.is_empty() {
        line(&mut out, "  Nothing is known of it any more.");
    }
    out
}

fn of_record(record: &Record) -> Event {
    let sent = |wanted: &str| {
        let lines = record.request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        lines.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ")
    };
    let conditions = ["If-Match", "If-None-Match", "If-Unmodified-Since", "If-Modified-Since", "If-Range"];
    let with: Vec<_> = conditions
        .into_iter()
        .filter_map(|name| Some((name, sent(name))).filter(|(_, value)| !value.is_empty()))
        .map(|(name, value)| format!(" {name}: {value}"))
        .collect();
    let mut what = format!("{}{}", record.request.method, with.concat());
    match &record.response {
        Some(response) => {
            what.push_str(&format!(" -> {}", response.status));
            for (name, value) in response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("etag")) {
                what.push_str(&format!(" {name}: {value}"));
            }
        }
        None => what.push_str(" -> no answer"),
    }
    if let Some(diagnosis) = &record.diagnosis {
        let confidence = &diagnosis.confidence;
        what.push_str(&format!("; {} ({confidence})", entry(&diagnosis.cause, diagnosis.detail.as_deref())));
    }
    for hazard in &record.hazards {
        what.push_str(&format!("; hazard {}", entry(&hazard.hazard, hazard.detail.as_deref())));
    }
    for altered in &record.alterations {
        what.push_str(&format!("; {} of the {} {}", altered.field, altered.on, altered.change));
    }
    Event {
        at: record.at.clone(),
        client: Some(record.client.clone()),
        what,
        exchange: Some(record.id.clone()),
        known_from: "record",
    }
}

fn of_ledger(resource: &ResourceView) -> impl Iterator<Item = Event> {
    let event = |at: &str, client: Option<&str>, what: String, exchange: Option<&str>| Event {
        at: at.to_owned(),
        client: client.map(str::to_owned),
        what,
        exchange: exchange.map(str::to_owned),
        known_from: "ledger",
    };
    let sightings = resource.validators.iter().flat_map(move |sighting| {
        let shown = validators(sighting);
        let times = sighting.times;
        let first = event(&sighting.first, None, format!("first shown by {}: {shown}", sighting.by), None);
        let last = event(
            &sighting.last,
            None,
            format!("last shown by {}, of {times} times: {shown}", sighting.by),
            Some(&sighting.exchange),
        );
        let given = sighting.given_to.iter();
        let given = given.map(move |given| event(&given.at, Some(&given.client), format!("last given {shown}"), None));
        let last = (times > 1).then_some(last);
        [first].into_iter().chain(last).chain(given).collect::<Vec<_>>()
    });
    let writes = resource
        .writes
        .iter()
        .map(move |write| event(&write.at, Some(&write.client), written(write), Some(&write.exchange)));
    let refusals = resource.refusals.iter().map(move |refusal| {
        let what = format!("{} -> 412, {} times the same", refusal.method, refusal.times);
        event(&refusal.at, Some(&refusal.client), what, Some(&refusal.exchange))
    });
    let absence = resource.absence.iter().map(move |absence| {
        let what = if absence.deleted { "deleted" } else { "not found" };
        event(&absence.at, Some(&absence.client), format!("{what} ({})", absence.status), None)
    });
    sightings.chain(writes).chain(refusals).chain(absence)
}

fn validators(sighting: &SightingView) -> String {
    let mut parts = Vec::new();
    parts.extend(sighting.etag.as_ref().map(|tag| format!("ETag {tag}")));
    parts.extend(sighting.last_modified.as_ref().map(|date| format!("Last-Modified {date}")));
    parts.extend(sighting.coding.as_ref().map(|coding| format!("coded as {coding}")));
    parts.extend(sighting.from_store.as_ref().map(|sign| format!("out of a store ({sign})")));
    if parts.is_empty() { "no validator".to_owned() } else { parts.join(", ") }
}

fn written(write: &WriteView) -> String {
    let mut what = write.method.clone();
    match (&write.if_match, write.conditional) {
        (Some(tag), _) => what.push_str(&format!(" If-Match: {tag}")),
        (None, true) => what.push_str(" with a condition"),
        (None, false) => what.push_str(" without a condition"),
    }
    match write.status {
        Some(status) => what.push_str(&format!(" -> {status}")),
        None => what.push_str(&format!(" -> {}, and may have been applied", write.outcome)),
    }
    what.push_str(&write.etag.as_ref().map_or_else(String::new, |tag| format!(" ETag: {tag}")));
    if write.direct {
        what.push_str("; around the gateway");
    }
    what
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::resources::{GivenView, RefusalView};
    use crate::recorder::testing::record;

    fn at(second: u32) -> String {
        format!("2026-11-22T06:00:{second:02}.000Z")
    }

    fn ledger() -> ResourceView {
        ResourceView {
            url: "http://h/a".to_owned(),
            since: at(0),
            validators: vec![SightingView {
                etag: Some("\"v1\"".to_owned()),
                last_modified: None,
                double: None,
                first: at(1),
                last: at(3),
                times: 2,
                by: "an answer to GET",
                status: 200,
                coding: None,
                content_type: None,
                given_to: vec![GivenView { client: "c-000001".to_owned(), at: at(2) }],
                upstream: None,
                from_store: None,
                product: None,
                origin: None,
                exchange: "A".to_owned(),
            }],
            writes: vec![WriteView {
                at: at(5),
                client: "c-000002".to_owned(),
                method: "PUT".to_owned(),
                outcome: "no-answer",
                status: None,
                conditional: true,
                if_match: Some("\"v1\"".to_owned()),
                etag: None,
                direct: false,
                exchange: "B".to_owned(),
            }],
            refusals: vec![RefusalView {
                at: at(7),
                times: 1,
                client: "c-000001".to_owned(),
                method: "PUT".to_owned(),
                etag: None,
                recovered: false,
                exchange: record("PUT", "http://h/a").id,
            }],
            absence: None,
            serves_ranges: false,
        }
    }

    #[test]
    fn ledger_and_records_make_one_story_with_each_exchange_once() {
        let mut record = record("PUT", "http://h/a");
        record.at = at(6);
        record.client = "c-000001".to_owned();
        record.request.headers = vec![("If-Match".to_owned(), "\"v1\"".to_owned())];
        let events = events(Some(&ledger()), &[&record]);
        let story: Vec<_> = events.iter().map(|event| (event.at.as_str(), event.what.as_str())).collect();
        assert_eq!(
            story,
            [
                (&*at(1), "first shown by an answer to GET: ETag \"v1\""),
                (&*at(2), "last given ETag \"v1\""),
                (&*at(3), "last shown by an answer to GET, of 2 times: ETag \"v1\""),
                (&*at(5), "PUT If-Match: \"v1\" -> no-answer, and may have been applied"),
                (&*at(6), "PUT If-Match: \"v1\" -> 412"),
            ]
        );
        let text = text(&events, &record.id);
        assert!(text.contains("> 2026-11-22T06:00:06.000Z  c-000001  PUT If-Match"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("> ")).count(), 1);
    }
}
