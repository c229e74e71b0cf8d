//! How what an exchange shows changes what is known of its resource.

use super::history::{Absence, Refusal, Resource, Shown, Write};
use super::seen::Glimpse;
use super::{MemoryLimits, amendment, seen};
use crate::analysis::exchange::{Answer, Exchange};
use crate::analysis::far_side::Testimony;
use crate::analysis::judgement::{Diagnosis, Judgement};
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::semantics::validators::Validators;

/// Writes kept of one resource.
pub(super) const WRITES_MAX: usize = 16;
/// 412s kept of one resource.
const REFUSALS_MAX: usize = 8;
/// Clients kept for one sighting.
const CLIENTS_MAX: usize = 8;

/// What there is to remember of one exchange.
pub(super) struct News<'a> {
    glimpse: Option<Glimpse<'a>>,
    write: Option<Write>,
    absence: Option<Option<Absence>>,
    refusal: Option<Refusal>,
    condition: Option<u128>,
}

impl<'a> News<'a> {
    pub(super) fn of(exchange: &Exchange<'a>, condition: Option<u128>, testimony: &Testimony<'_>) -> Self {
        let answer = exchange.answer();
        let refusal = answer.filter(|answer| answer.head.status == 412).map(|answer| Refusal {
            at: exchange.ended,
            times: 1,
            by: exchange.client,
            method: exchange.request.method.clone(),
            condition,
            by_tag: exchange.forwarded.contains(FieldName::IfMatch),
            etag: answer.head.fields.first(FieldName::ETag).and_then(seen::kept),
            recovered: false,
            read_since: false,
            exchange: exchange.id,
            diagnosis: None,
        });
        Self {
            glimpse: Glimpse::of(exchange, testimony),
            write: seen::write(exchange, condition, testimony),
            absence: answer.and_then(|answer| seen::absence(exchange, answer)),
            refusal,
            condition,
        }
    }

    /// Unconditional POSTs to what is not known otherwise (calls, forms, log-ins) leave no trace.
    pub(super) fn is_worth_keeping(&self, is_known: bool) -> bool {
        let writes =
            self.write.as_ref().is_some_and(|write| write.condition.is_some() || write.method != http::Method::POST);
        is_known || self.glimpse.is_some() || writes || self.refusal.is_some() || matches!(self.absence, Some(Some(_)))
    }
}

/// The tag of a resource that was created under another name, and that name.
pub(super) fn created<'a>(exchange: &Exchange<'a>) -> Option<(&'a [u8], EntityTag<'a>)> {
    let Exchange { outcome: crate::analysis::exchange::Outcome::Answered(answer), .. } = exchange else { return None };
    seen::created_elsewhere(exchange, answer)?;
    let fields = &answer.head.fields;
    Some((fields.first(FieldName::Location)?, EntityTag::parse(fields.first(FieldName::ETag)?)?))
}

/// Takes in what there is, and what follows for earlier and later verdicts. Returns the tags that were not known yet.
pub(super) fn take(
    resource: &mut Resource,
    exchange: &Exchange<'_>,
    news: News<'_>,
    judgement: &mut Judgement,
    limits: MemoryLimits,
) -> Vec<Box<[u8]>> {
    let mut learned = Vec::new();
    follow_refusals(resource, exchange, news.condition, judgement);
    if let Some(answer) = exchange.answer() {
        let ranges = answer.head.status == 206
            || answer.head.fields.first(FieldName::AcceptRanges).is_some_and(|value| value == b"bytes");
        resource.serves_ranges |= ranges;
    }
    if let Some(absence) = news.absence {
        resource.absence = absence;
    }
    if let Some(write) = news.write {
        learned.extend(accepted(&write));
        push_bounded(&mut resource.writes, write, WRITES_MAX);
    }
    if let (Some(glimpse), Some(answer)) = (&news.glimpse, exchange.answer()) {
        learned.extend(see(resource, glimpse, exchange, answer, limits.sightings.max(1)));
    }
    if let Some(refusal) = news.refusal {
        refuse(resource, refusal, judgement);
    }
    learned
}

/// Takes in what a MOVE or COPY has written at its destination.
pub(super) fn take_at_destination(
    resource: &mut Resource,
    exchange: &Exchange<'_>,
    condition: Option<u128>,
    limits: MemoryLimits,
) {
    resource.absence = None;
    let Some(answer) = exchange.answer() else { return };
    if let Some(write) = seen::written(exchange, condition, &Testimony::none()) {
        // Its If-Match was about the source (RFC 9110 §13.1.1).
        push_bounded(&mut resource.writes, Write { if_match: None, ..write }, WRITES_MAX);
    }
    if Validators::any(&answer.head.fields) {
        let glimpse = Glimpse::shown_by(exchange, answer, Shown::Written, &Testimony::none());
        see(resource, &glimpse, exchange, answer, limits.sightings.max(1));
    }
}

/// Takes in what a probe shows.
pub(super) fn take_probe(
    resource: &mut Resource,
    exchange: &Exchange<'_>,
    testimony: &Testimony<'_>,
    limits: MemoryLimits,
) {
    let Some(answer) = exchange.answer().filter(|answer| matches!(answer.head.status, 200 | 203)) else { return };
    resource.absence = None;
    // A service that learns its tags from reads has learned them now.
    resource.refusals.iter_mut().for_each(|refusal| refusal.read_since = true);
    if Validators::any(&answer.head.fields) {
        let glimpse = Glimpse::shown_by(exchange, answer, Shown::Probed, testimony);
        see(resource, &glimpse, exchange, answer, limits.sightings.max(1));
    }
}

/// The only tag of an If-Match that was accepted: it was current.
fn accepted(write: &Write) -> Option<Box<[u8]>> {
    let raw = write.if_match.as_deref().filter(|_| write.is_applied())?;
    EntityTag::parse(raw).map(|_| raw.into())
}

/// Adds a sighting, or renews the one that is the same. Returns its tag if it is new.
fn see(
    resource: &mut Resource,
    seen: &Glimpse<'_>,
    exchange: &Exchange<'_>,
    answer: &Answer<'_>,
    most: usize,
) -> Option<Box<[u8]>> {
    // What is read again and again is the latest.
    let Some(at) = resource.sightings.iter().rposition(|known| seen.is(known)) else {
        let sighting = seen.keep(exchange, answer);
        let tag = sighting.etag.clone();
        push_bounded(&mut resource.sightings, sighting, most);
        return tag;
    };
    let newest_first = resource.sightings.get_mut(at..).unwrap_or_default();
    newest_first.rotate_left(1);
    let known = resource.sightings.last_mut()?;
    let client = exchange.client;
    (known.last, known.times) = (exchange.ended, known.times.saturating_add(1));
    (known.upstream, known.store, known.exchange) = (exchange.upstream, seen.store(), exchange.id);
    known.made = seen.made();
    (known.carried, known.status) = (seen::carried(&answer.head.fields), answer.head.status);
    if known.by != Shown::Probed {
        known.given_to.retain(|(principal, _)| *principal != client);
        push_bounded(&mut known.given_to, (client, exchange.at), CLIENTS_MAX);
    }
    None
}

fn refuse(resource: &mut Resource, refusal: Refusal, judgement: &Judgement) {
    // Only a verdict that later exchanges can change is kept.
    let diagnosis = judgement.diagnosis.as_ref();
    let may_change = |diagnosis: &Diagnosis| {
        let is_open = diagnosis.cause.id == "unexplained" && refusal.by_tag;
        is_open || diagnosis.cause.id == "current-validator-refused"
    };
    let diagnosis = diagnosis.filter(|diagnosis| may_change(diagnosis)).cloned();
    let same = |known: &Refusal| {
        known.by == refusal.by && known.method == refusal.method && known.condition == refusal.condition
    };
    let times = resource.refusals.iter().find(|known| same(known)).map_or(0, |known| known.times);
    resource.refusals.retain(|known| !same(known));
    let refusal = Refusal { times: times.saturating_add(1), diagnosis, ..refusal };
    push_bounded(&mut resource.refusals, refusal, REFUSALS_MAX);
}

/// What an exchange means for earlier 412s of the resource.
fn follow_refusals(
    resource: &mut Resource,
    exchange: &Exchange<'_>,
    condition: Option<u128>,
    judgement: &mut Judgement,
) {
    let Some(status) = exchange.status() else { return };
    let (client, method) = (exchange.client, &exchange.request.method);
    let is_write = seen::is_write(method);
    let succeeded = matches!(status, 200..=299);
    let written_since = |at| resource.writes.iter().any(|write| write.ended > at);
    for refusal in &mut resource.refusals {
        if status == 412 && refusal.by == client && refusal.condition == condition && condition.is_some() {
            judgement.repeated_failure = true;
        }
        if !succeeded {
            continue;
        }
        if !is_write {
            refusal.read_since = true;
        }
        if refusal.by != client || refusal.recovered || seen::is_write(&refusal.method) != is_write {
            continue;
        }
        refusal.recovered = true;
        let after = exchange.ended.since(refusal.at);
        judgement.recovered_after = Some(judgement.recovered_after.map_or(after, |known| known.max(after)));
        // The very condition that was refused holds, and nothing was written in between: it was true all along.
        if condition.is_some() && refusal.condition == condition && !written_since(refusal.at) {
            let detail = if refusal.read_since { "recovered-by-read" } else { "recovered-by-itself" };
            judgement.amendments.extend(amendment(refusal, detail));
            refusal.diagnosis = None;
        }
    }
}

fn push_bounded<T>(list: &mut Vec<T>, item: T, most: usize) {
    if list.len() >= most {
        list.remove(0);
    }
    list.push(item);
}
