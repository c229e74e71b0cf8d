//! What is remembered between exchanges, one shard of it, and the judgement of each exchange against it.
//!
//! A shard holds all resources of a path, so that siblings (the same path with another query) are found without
//! another lock. Only the question "which other resource issued this tag?" concerns other shards: it is asked for 412s
//! alone, shard after shard, before the exchange is judged ([`Elsewhere`]).

mod history;
mod issues;
mod open;
mod remember;
mod routes;
mod seen;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::diagnosis::causes::current_validator_refused;
use super::diagnosis::{Case, Evidence, judge};
use super::digest::DigestKey;
use super::exchange::{Exchange, ExchangeId, Role, Scheme};
use super::far_side::{SeenReports, Testimony};
use super::judgement::{Amendment, Confidence, Current, Judgement};
use super::pairing::CarriedValue;
pub use super::resource::shard_hash;
use super::resource::{ResourceKey, path_of};
use super::semantics::conditions::{Conditions, tags_of};
use super::semantics::entity_tag::EntityTag;
use super::semantics::fields::FieldName;
use super::time::Time;
pub use history::{Absence, Refusal, Resource, Shown, Sighting, Variant, Write, WriteOutcome};
pub use issues::{Issued, is_distinctive};
use issues::{Issues, IssuesLimit};
use open::Open;
pub use routes::{Guard, ReportHabit, RouteHabits, RouteNews};
pub use seen::{CARRIED, accepts_coding, carried, concerns, destination_hash, is_write, negotiated, variant};
use table::Table;

/// How much may be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Resources, in this shard.
    pub resources: usize,
    /// Sightings per resource.
    pub sightings: usize,
    /// Bytes, in this shard, as well as they can be counted.
    pub bytes: usize,
}

/// What other shards know of the validators that a 412 was sent for.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// One entry for each tag that was found.
    pub issued: Vec<Issued>,
    /// Tags that arrived at the origin and had been sent for another resource.
    pub sent: Vec<Issued>,
    /// The tag that the 412 names, where another resource was seen to have it.
    pub judged_by: Option<Issued>,
    /// When the mark of the exchange had come with a request for another path; at an inner instance.
    pub mark_used: Option<Time>,
    /// Which answers of the route come with a report, where this one came without; at an outer instance.
    pub reports: ReportHabit,
    /// How the route is read and written, over the resources of all shards, before this exchange.
    pub route: RouteHabits,
}

impl Elsewhere {
    /// Nothing but the habits of the route.
    pub fn of_route(route: RouteHabits) -> Self {
        Self { route, ..Self::default() }
    }

    /// Whether it is worth asking the other shards before this exchange is judged: a 412 to a request with a tag, or one
    /// in a pair.
    pub fn is_wanted(exchange: &Exchange<'_>) -> bool {
        let is_paired = exchange.role == Role::Outer || exchange.far_side.mark.is_some();
        exchange.status() == Some(412) && (exchange.forwarded.contains(FieldName::IfMatch) || is_paired)
    }

    /// Whether a rule may ask how the route is read and written: of a write and of a 412.
    pub fn needs_habits(exchange: &Exchange<'_>) -> bool {
        exchange.status() == Some(412) || is_write(&exchange.request.method)
    }

    fn add(&mut self, issued: &Issued) {
        match self.issued.iter_mut().find(|known| known.opaque == issued.opaque) {
            Some(known) => known.several |= known.path != issued.path || issued.several,
            None => self.issued.push(issued.clone()),
        }
    }
}

/// One shard of the memory. Resources of one path, whatever their query, belong into the same shard: they are siblings.
#[derive(Debug)]
pub struct Memory {
    limits: MemoryLimits,
    /// Random: what is hashed under it cannot be made to collide from outside.
    key: DigestKey,
    table: Table,
    issues: Issues,
    /// Tags that were sent in If-Match, and for what; of an outer instance.
    sent: Issues,
    /// Reports that were seen; of an inner instance, marks.
    reports: SeenReports,
    /// Exchanges of which a report may still say more.
    open: Open,
    /// Which answers of each route come with a report; of an outer instance.
    reporting: HashMap<u16, ReportHabit>,
    evictions: u64,
}

/// What is known of a route that nothing was seen of.
static NO_REPORTS: ReportHabit = ReportHabit::NONE;

impl Memory {
    /// An empty one.
    pub fn new(limits: MemoryLimits) -> Self {
        let random = RandomState::new();
        let bits = u128::from(random.hash_one(1_u8)) << 64 | u128::from(random.hash_one(2_u8));
        Self {
            limits,
            key: DigestKey::new(bits.to_le_bytes()),
            table: Table::new(),
            issues: Issues::default(),
            sent: Issues::default(),
            reports: SeenReports::default(),
            open: Open::default(),
            reporting: HashMap::new(),
            evictions: 0,
        }
    }

    /// Adds to `found` what this shard knows of the validators of an exchange that belongs to any shard. The recorder
    /// asks every shard in turn, one short lock after the other, where [`Elsewhere::is_wanted`]; 412s are rare.
    pub fn elsewhere(&self, exchange: &Exchange<'_>, found: &mut Elsewhere) {
        let conditions = Conditions::of(exchange.forwarded);
        // The path is not excluded by its hash in other shards, for none of them holds it.
        let own = ResourceKey::of(exchange, &self.key).path;
        for tag in tags_of(&conditions.if_match) {
            if let Some(issued) = self.issues.elsewhere(tag.opaque, Some(own)) {
                found.add(issued);
            }
        }
        let named = exchange.answer().and_then(|answer| EntityTag::parse(answer.head.fields.first(FieldName::ETag)?));
        if let Some(issued) = named.and_then(|named| self.issues.elsewhere(named.opaque, Some(own))) {
            let several = found.judged_by.is_some() || issued.several;
            found.judged_by = Some(Issued { several, ..issued.clone() });
        }
        for value in arrived_tags(exchange) {
            let Some(tag) = EntityTag::parse(value) else { continue };
            if let Some(sent) = self.sent.elsewhere(tag.opaque, Some(own)) {
                found.sent.push(sent.clone());
            }
        }
        if let Some((mark, _)) = exchange.far_side.mark {
            found.mark_used = found.mark_used.or_else(|| self.reports.seen_elsewhere(mark.exchange, own));
        }
        if let Some(reports) = self.reporting.get(&exchange.route) {
            found.reports.merge(reports);
        }
    }

    /// Takes in what the report of an exchange says of others that are remembered here, and returns the verdicts that
    /// it changes. The recorder asks every shard before the exchange is judged, where there are such `outcomes`.
    pub fn learn(&mut self, outcomes: &[(ExchangeId, u16, Confidence)], now: Time) -> Vec<Amendment> {
        let mut amendments = Vec::new();
        for (exchange, status, sure) in outcomes {
            let Some(entry) = self.open.take(*exchange) else { continue };
            amendments.extend(entry.amendment(*exchange, *status, *sure));
            if self.table.find(entry.key.whole).is_some() {
                self.table.change(entry.key, now, |resource| entry.settle(resource, *status, *sure));
            }
        }
        amendments
    }

    /// Judges an exchange by what is remembered, then remembers what it shows.
    pub fn observe(&mut self, exchange: &Exchange<'_>, elsewhere: &Elsewhere) -> Judgement {
        let key = ResourceKey::of(exchange, &self.key);
        let condition = seen::condition_digest(exchange, &self.key);
        let testimony = self.testimony(exchange, elsewhere);
        let mut judgement = self.judge(exchange, elsewhere, &testimony, key, condition);
        self.note_pairing(exchange, key, condition, &testimony, &judgement);
        self.remember(exchange, key, condition, &testimony, &mut judgement);
        self.make_room();
        judgement
    }

    /// Judges an exchange by what is remembered, and remembers nothing of it.
    pub fn verdict(&self, exchange: &Exchange<'_>, elsewhere: &Elsewhere) -> Judgement {
        let key = ResourceKey::of(exchange, &self.key);
        let condition = seen::condition_digest(exchange, &self.key);
        self.judge(exchange, elsewhere, &self.testimony(exchange, elsewhere), key, condition)
    }

    fn testimony<'e>(&self, exchange: &Exchange<'e>, elsewhere: &Elsewhere) -> Testimony<'e> {
        let own = self.reporting.get(&exchange.route).unwrap_or(&NO_REPORTS);
        // Asked of every shard, it counts for the whole route.
        let habit = if elsewhere.reports.shown > 0 { &elsewhere.reports } else { own };
        Testimony::of(exchange, &self.reports, habit)
    }

    fn judge(
        &self,
        exchange: &Exchange<'_>,
        elsewhere: &Elsewhere,
        testimony: &Testimony<'_>,
        key: ResourceKey,
        condition: Option<u128>,
    ) -> Judgement {
        let resource = self.table.find(key.whole);
        let needs_siblings = exchange.status() == Some(412) || condition.is_some();
        let case = Case {
            exchange,
            conditions: Conditions::of(exchange.forwarded),
            condition,
            resource,
            siblings: if needs_siblings { self.table.siblings(key).collect() } else { Vec::new() },
            route: &elsewhere.route,
            elsewhere,
            testimony,
        };
        judge(&case)
    }

    /// Remembers what a MOVE or COPY has written at its destination (RFC 4918 §9.8.3, §9.9.4), which may belong to
    /// another shard than its source; see [`destination_hash`].
    pub fn observe_destination(&mut self, exchange: &Exchange<'_>) {
        let Some((scheme, authority, target)) = seen::destination(exchange) else { return };
        let key = ResourceKey::new(scheme, authority, target, &self.key);
        let condition = seen::condition_digest(exchange, &self.key);
        let limits = self.limits;
        self.table.change(key, exchange.ended, |resource| {
            remember::take_at_destination(resource, exchange, condition, limits);
        });
        self.make_room();
    }

    /// Remembers what a probe shows, our own or one of the other instance that passes here. It was given to nobody, and
    /// follows no client's conditions.
    pub fn observe_probe(&mut self, exchange: &Exchange<'_>) {
        let key = ResourceKey::of(exchange, &self.key);
        let testimony = self.testimony(exchange, &Elsewhere::default());
        let limits = self.limits;
        self.table.change(key, exchange.ended, |resource| {
            remember::take_probe(resource, exchange, &testimony, limits);
        });
        self.make_room();
    }

    /// What is remembered of one resource.
    pub fn resource(&self, scheme: Scheme, authority: &[u8], target: &[u8]) -> Option<&Resource> {
        self.table.find(ResourceKey::new(scheme, authority, target, &self.key).whole)
    }

    /// Resources remembered.
    pub fn resources(&self) -> usize {
        self.table.len()
    }

    /// Bytes they take, as well as they can be counted.
    pub const fn bytes(&self) -> usize {
        self.table.bytes() + self.issues.bytes()
    }

    /// How many resources have been forgotten to stay within the limits.
    pub const fn evictions(&self) -> u64 {
        self.evictions
    }

    fn remember(
        &mut self,
        exchange: &Exchange<'_>,
        key: ResourceKey,
        condition: Option<u128>,
        testimony: &Testimony<'_>,
        judgement: &mut Judgement,
    ) {
        if let Some(answer) = exchange.answer().filter(|_| exchange.role == Role::Outer) {
            self.reporting.entry(exchange.route).or_default().note(exchange, answer.head.status);
        }
        let news = remember::News::of(exchange, condition, testimony);
        if !news.is_worth_keeping(self.table.find(key.whole).is_some()) {
            return;
        }
        let limits = self.limits;
        // A quarter of the bytes is for the index of tags, the rest for the resources.
        let limit = IssuesLimit { tags: limits.resources, bytes: limits.bytes / 4 };
        let learned = self.table.change(key, exchange.ended, |resource| {
            let learned = remember::take(resource, exchange, news, judgement, limits);
            if judgement.is_worth_a_record() {
                judgement.current = current(resource);
            }
            learned
        });
        for tag in learned.unwrap_or_default() {
            let path = path_of(&exchange.request.target);
            let Some(tag) = EntityTag::parse(&tag) else { continue };
            // A refusal that names the tag of another resource does not make it one of this resource as well.
            let is_foreign = || self.issues.elsewhere(tag.opaque, Some(key.path)).is_some();
            if exchange.status() != Some(412) || !is_foreign() {
                self.issues.note(tag.opaque, key.path, path, exchange.ended, limit);
            }
        }
        if let Some((location, tag)) = remember::created(exchange) {
            let group = ResourceKey::new(exchange.scheme, &exchange.request.authority, location, &self.key).path;
            self.issues.note(tag.opaque, group, path_of(location), exchange.ended, limit);
        }
    }

    /// Remembers what only a pair needs: reports and marks, tags that were sent, exchanges without a word of their own.
    fn note_pairing(
        &mut self,
        exchange: &Exchange<'_>,
        key: ResourceKey,
        condition: Option<u128>,
        testimony: &Testimony<'_>,
        judgement: &Judgement,
    ) {
        if let Some((mark, _)) = exchange.far_side.mark {
            self.reports.note(mark.exchange, key.path, exchange.ended, REPORTS_MAX);
        }
        if exchange.role != Role::Outer {
            return;
        }
        if let Some((report, _)) = exchange.far_side.report {
            self.reports.note(report.exchange, key.path, exchange.ended, REPORTS_MAX);
        }
        if let Some(entry) = open::entry(exchange, key, condition, testimony, judgement) {
            self.open.add(exchange.id, entry);
        }
        let path = path_of(&exchange.request.target);
        for tag in exchange.forwarded.all(FieldName::IfMatch).filter_map(EntityTag::parse) {
            self.sent.note_any(tag.opaque, key.path, path, exchange.ended, SENT_LIMIT);
        }
    }

    fn make_room(&mut self) {
        while self.table.len() > self.limits.resources.max(1) || self.bytes() > self.limits.bytes {
            if !self.table.evict() {
                return;
            }
            self.evictions += 1;
        }
    }
}

/// Reports that are remembered, in this shard.
const REPORTS_MAX: usize = 2048;

/// Tags that were sent and are remembered, in this shard.
const SENT_LIMIT: IssuesLimit = IssuesLimit { tags: 1024, bytes: 256 * 1024 };

/// The tags of If-Match that arrived, where a report says so and they were not what was sent.
fn arrived_tags<'a>(exchange: &Exchange<'a>) -> impl Iterator<Item = &'a [u8]> {
    let report = exchange.far_side.report.map(|(report, _)| report);
    let carried = report.and_then(|report| report.conditions.iter().find(|one| one.name == FieldName::IfMatch));
    carried.into_iter().flat_map(|one| &one.values).filter_map(|value| match value {
        CarriedValue::Whole(bytes) => Some(bytes.as_slice()),
        CarriedValue::Digest { .. } => None,
    })
}

/// The validators of the resource as last seen.
fn current(resource: &Resource) -> Option<Current> {
    let newest = resource.newest()?;
    Some(Current {
        etag: newest.etag.as_deref().map(<[u8]>::to_vec),
        last_modified: newest.last_modified.as_deref().map(<[u8]>::to_vec),
        seen_at: newest.last,
    })
}

/// A verdict on an earlier exchange, as it is now.
fn amendment(refusal: &Refusal, detail: &'static str) -> Option<Amendment> {
    let mut diagnosis = *refusal.diagnosis.clone()?;
    let says = "The same condition of the same client was accepted later, and no write was seen in between.";
    diagnosis.finding.evidence.push(Evidence::Fact { kind: "accepted-later", says });
    diagnosis.finding.detail = Some(detail);
    diagnosis.finding.confidence = Confidence::Likely;
    if diagnosis.cause.id != current_validator_refused::CAUSE.id {
        // What could not be explained is by now: the condition had been true.
        let rivals = diagnosis.others.into_iter().filter(|(cause, _)| cause.id != current_validator_refused::CAUSE.id);
        diagnosis.others = rivals.collect();
        diagnosis.cause = &current_validator_refused::CAUSE;
    }
    Some(Amendment { exchange: refusal.exchange, diagnosis })
}
