//! What a pair must not change, and what it must say: the truth, the whole truth, nothing but the truth.

use std::collections::BTreeSet;

use serde_json::Value;

use super::truth::{Alteration, Seen, Truth};
use super::way::{Exchange, Way};
use crate::harness::message::Head;

/// Where the same stories first went otherwise by the pair than by the bare gateway.
pub(super) fn same(bare: &Way, pair: &Way) -> Option<String> {
    let (without, with) = (shown(bare), shown(pair));
    let differing = without.iter().zip(&with).find(|(one, other)| one != other);
    let fault = differing.map(|(one, other)| format!("bare: {one:#?}\nby the pair: {other:#?}"));
    assert!(fault.is_some() || without.len() == with.len(), "as long until one of them differs");
    fault
}

/// The bytes that must not change: conditions, validators, status and body, at both ends.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    request: Head,
    status: u16,
    fields: Vec<String>,
    body: Vec<u8>,
    arrivals: Vec<(Vec<String>, u16)>,
}

fn shown(way: &Way) -> Vec<Shown> {
    let seen = Seen { exchanges: way.exchanges(), arrivals: way.arrivals() };
    let lines = |head: &Head, names: &[&str]| {
        let named =
            names.iter().flat_map(|name| head.values(name).into_iter().map(move |value| format!("{name}: {value}")));
        named.collect::<Vec<_>>()
    };
    let one = |exchange: &Exchange| {
        let arrivals = seen.arrivals_of(exchange).into_iter();
        let status = exchange.answer.status();
        Shown {
            request: Head {
                lines: lines(&exchange.request, &["X-Exchange", "X-User", "If-Match", "If-None-Match"]),
                ..exchange.request.clone()
            },
            status,
            fields: lines(&exchange.answer.head, &["ETag", "Last-Modified", "Content-Encoding", "X-Answer"]),
            // The error pages of gateways name a request.
            body: if status < 500 { exchange.answer.body.clone() } else { Vec::new() },
            arrivals: arrivals
                .map(|(_, arrival)| {
                    let conditions = ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"];
                    (lines(&arrival.request, &conditions), arrival.answer.status())
                })
                .collect(),
        }
    };
    seen.exchanges.iter().map(one).collect()
}

/// Where a pair said otherwise than it was.
pub(super) fn told(way: &Way) -> Vec<String> {
    let pair = way.pair().expect("a pair");
    let seen = Seen { exchanges: way.exchanges(), arrivals: way.arrivals() };
    let (outer, inner) = (pair.outer.settled_records(), pair.inner.settled_records());
    let told = |exchange| [by_outer(&outer, exchange, &seen), by_inner(&inner, exchange, &seen)];
    seen.exchanges.iter().flat_map(told).flatten().collect()
}

/// Everything that went wrong on the way, in the words of the records.
pub(super) fn happened(way: &Way) -> BTreeSet<String> {
    let seen = Seen { exchanges: way.exchanges(), arrivals: way.arrivals() };
    let words = |exchange: &Exchange| {
        let truth = seen.truth(exchange);
        let altered = truth.alterations.iter().map(|one| format!("{} {} {}", one.on, one.field, one.change));
        let cause = truth.cause.map(|(cause, by_both)| if by_both { format!("proven {cause}") } else { cause });
        altered.chain(cause).chain(truth.hazards).collect::<Vec<_>>()
    };
    seen.exchanges.iter().flat_map(words).collect()
}

/// What is wrong with what the outer instance says of an exchange.
fn by_outer(records: &[Value], exchange: &Exchange, seen: &Seen) -> Option<String> {
    let truth = seen.truth(exchange);
    let records: Vec<_> = of(records, exchange).collect();
    let is_told = match records.as_slice() {
        [] => truth.is_silence(),
        [record] => !truth.is_silence() && said(record) == what(&truth) && is_sure(record, &truth),
        _ => false,
    };
    (!is_told).then(|| fault("outer", exchange, &truth, &records))
}

/// What is wrong with what the inner instance says of an exchange, which may have arrived more than once.
fn by_inner(records: &[Value], exchange: &Exchange, seen: &Seen) -> Option<String> {
    let truth = seen.truth_behind(exchange);
    let records: Vec<_> = of(records, exchange).collect();
    let (mut alterations, mut causes, mut hazards) = <(BTreeSet<_>, Vec<_>, BTreeSet<_>)>::default();
    for record in &records {
        let (altered, cause, found) = said(record);
        // What its verdict shows of an earlier answer has to be true of that one.
        let (on_request, on_response): (Vec<_>, Vec<_>) = altered.into_iter().partition(|one| one.on == "request");
        let is_known =
            |one: &Alteration| seen.exchanges.iter().any(|other| seen.truth(other).alterations.contains(one));
        alterations.extend(on_request);
        alterations.extend(on_response.into_iter().filter(|one| !is_known(one)));
        causes.extend(cause.map(|cause| (cause, record["diagnosis"]["confidence"] == "possible")));
        hazards.extend(found);
    }
    let is_right = |(cause, is_guess): &(String, bool), right: &str| {
        // What a store handed out is hidden from it; it must not accuse anybody else of it.
        cause == right || (right == "stale-cache" && *is_guess)
    };
    let is_told = match (&causes[..], &truth.cause) {
        ([], None) => true,
        ([cause], Some((right, _))) => is_right(cause, right),
        _ => false,
    };
    let is_silent = records.is_empty() == truth.is_silence();
    let is_told = is_told && is_silent && (alterations, hazards) == (truth.alterations.clone(), truth.hazards.clone());
    (!is_told).then(|| fault("inner", exchange, &truth, &records))
}

fn fault(whose: &str, exchange: &Exchange, truth: &Truth, records: &[&Value]) -> String {
    let said: Vec<_> = records.iter().map(|record| (said(record), record["diagnosis"]["confidence"].clone())).collect();
    let (request, answer) = (&exchange.request, &exchange.answer.head);
    format!("{request:?}\n  was answered: {answer:?}\n  the truth: {truth:?}\n  {whose} says: {said:?}")
}

fn of<'a>(records: &'a [Value], exchange: &Exchange) -> impl Iterator<Item = &'a Value> {
    records.iter().filter(|record| number_of(record) == Some(exchange.number))
}

fn what(truth: &Truth) -> (BTreeSet<Alteration>, Option<String>, BTreeSet<String>) {
    (truth.alterations.clone(), truth.cause.as_ref().map(|(cause, _)| cause.clone()), truth.hazards.clone())
}

/// What both sides saw is proven.
fn is_sure(record: &Value, truth: &Truth) -> bool {
    truth.cause.as_ref().is_none_or(|(_, by_both)| !by_both || record["diagnosis"]["confidence"] == "proven")
}

fn said(record: &Value) -> (BTreeSet<Alteration>, Option<String>, BTreeSet<String>) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let alterations = record["alterations"].as_array().unwrap().iter().map(|one| Alteration {
        on: text(&one["on"]).unwrap(),
        field: text(&one["field"]).unwrap(),
        change: text(&one["change"]).unwrap(),
        before: text(&one["before"]),
        after: text(&one["after"]),
    });
    let cause = text(&record["diagnosis"]["cause"]).map(|cause| match cause.as_str() {
        // Who repeated it is the verdict.
        "retry-after-applied" => format!("{cause}/{}", record["diagnosis"]["detail"].as_str().unwrap_or_default()),
        _ => cause,
    });
    let hazards = record["hazards"].as_array().unwrap().iter().map(|one| text(&one["hazard"]).unwrap());
    (alterations.collect(), cause, hazards.collect())
}

/// The number of the exchange that a record is about.
fn number_of(record: &Value) -> Option<usize> {
    let headers = record["request"]["headers"].as_array()?;
    let line =
        headers.iter().find(|line| line[0].as_str().is_some_and(|name| name.eq_ignore_ascii_case("X-Exchange")))?;
    line[1].as_str()?.parse().ok()
}
