//! A block of exchanges, put before a fresh memory one after the other.

use std::fmt::Display;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use http::Method;
use why412::analysis::diagnosis::Cause;
use why412::analysis::exchange::{
    Answer, BypassApplied, BypassScope, Exchange, ExchangeId, FarSide, Outcome, RequestBody, RoutePolicy, Scheme,
};
use why412::analysis::far_side;
use why412::analysis::judgement::{Diagnosis, Finding, Judgement};
use why412::analysis::memory::{Elsewhere, Memory, MemoryLimits, RouteHabits, RouteNews};
use why412::analysis::principal::Principal;
use why412::analysis::semantics::fields::Fields;
use why412::analysis::semantics::message::{RequestHead, ResponseHead, Version};
use why412::analysis::time::Time;

use super::notation::{Block, Ending, Expected, Told};
use super::pair::Pair;

/// What was found and not told, or told and not found.
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) says: String,
}

/// Saturday, 10 January 2026, 12:00:00 GMT.
const BEGIN: u64 = 1_768_046_400_000_000;

/// Plays a block.
pub(crate) fn play(block: &Block) -> Vec<Fault> {
    let mut memory = Memory::new(MemoryLimits { resources: 100, sightings: 32, bytes: 1 << 20 });
    let mut habits = RouteHabits::default();
    let mut now = Time::from_unix_micros(BEGIN);
    let mut faults = Vec::new();
    let mut reports = Vec::new();
    for (index, told) in block.exchanges.iter().enumerate() {
        now = now.plus(Duration::from_millis(told.after));
        let pair = Pair::of(block, index, told, now, &reports);
        let judgement = observe((&mut memory, &mut habits), block, index, told, now, &pair);
        reports.push(pair.report);
        compare(told, &judgement, &mut faults);
    }
    faults
}

fn observe(
    (memory, habits): (&mut Memory, &mut RouteHabits),
    block: &Block,
    index: usize,
    told: &Told,
    now: Time,
    pair: &Pair,
) -> Judgement {
    let bypassed = given(&told.request, ":bypass").is_some();
    let request = request_head(told);
    let mut forwarded = request.fields.clone();
    if bypassed {
        forwarded.push(b"Cache-Control", b"no-cache");
        forwarded.push(b"Pragma", b"no-cache");
    }
    let head = response_head(told);
    let body_prefix = given(&told.response, ":body").unwrap_or_default().as_bytes();
    let answered = |complete| Outcome::Answered(Answer { head: &head, returned: &head.fields, body_prefix, complete });
    let outcome = match told.ending {
        Ending::Answered(_) => answered(true),
        Ending::Cut(_) => answered(false),
        Ending::Lost => Outcome::NoAnswer { sent: true, status: 502 },
        Ending::Unsent => Outcome::NoAnswer { sent: false, status: 502 },
        Ending::Gone => Outcome::ClientGone { sent: true },
    };
    let policy: &RoutePolicy = &block.policy;
    let exchange = Exchange {
        id: name(now, index),
        at: now,
        ended: now.plus(Duration::from_millis(20)),
        upstream_time: Duration::from_millis(15),
        role: block.role,
        policy,
        route: 0,
        client: Principal { key: hash(&told.client), by: told.told_apart_by },
        scheme: Scheme::Http,
        request: &request,
        forwarded: &forwarded,
        request_body: request_body(index, told),
        outcome,
        bypass: bypassed.then_some(BypassApplied {
            by: BypassScope::Route,
            direct: false,
            preconditions_removed: false,
        }),
        upstream: Some(node(told)),
        far_side: FarSide { mark: pair.mark.as_ref(), report: pair.report.as_ref(), unauthentic: false },
    };
    let outcomes = far_side::outcomes(&exchange);
    let amendments = memory.learn(&outcomes, exchange.ended);
    let mut elsewhere = Elsewhere::of_route(*habits);
    if Elsewhere::is_wanted(&exchange) {
        memory.elsewhere(&exchange, &mut elsewhere);
    }
    let mut judgement = memory.observe(&exchange, &elsewhere);
    judgement.amendments.extend(amendments);
    RouteNews::of(&exchange).into_iter().for_each(|news| habits.take(news));
    habits.told(&judgement);
    judgement
}

/// The name of an exchange: a ULID, as instances make them.
pub(super) fn name(at: Time, index: usize) -> ExchangeId {
    ExchangeId(u128::from(at.unix_micros() / 1000) << 80 | (index as u128 + 1))
}

fn request_head(told: &Told) -> RequestHead {
    let mut fields = Fields::default();
    fields.push(b"Host", b"api.example.com");
    push_all(&mut fields, &told.request);
    RequestHead {
        method: Method::from_bytes(told.method.as_bytes()).unwrap(),
        target: told.target.clone().into_bytes(),
        authority: b"api.example.com".to_vec(),
        version: Version::Http11,
        fields,
    }
}

fn response_head(told: &Told) -> ResponseHead {
    let status = match told.ending {
        Ending::Answered(status) | Ending::Cut(status) => status,
        Ending::Lost | Ending::Unsent | Ending::Gone => 0,
    };
    let mut fields = Fields::default();
    push_all(&mut fields, &told.response);
    ResponseHead { status, reason: Vec::new(), version: Version::Http11, fields }
}

pub(super) fn push_all(fields: &mut Fields, told: &[(String, String)]) {
    for (name, value) in told.iter().filter(|(name, _)| !name.starts_with(':')) {
        fields.push(name.as_bytes(), value.as_bytes());
    }
}

fn request_body(index: usize, told: &Told) -> RequestBody {
    let announced = given(&told.request, ":length").map(|length| length.parse().unwrap());
    let has_body = ["PUT", "PATCH", "POST"].contains(&told.method.as_str());
    let digest = match given(&told.request, ":body") {
        Some("?") => None,
        Some(text) => Some(hash(&text)),
        None if has_body => Some(hash(&("a body of its own", index))),
        None => Some(0),
    };
    RequestBody { digest, announced }
}

fn node(told: &Told) -> SocketAddr {
    let address = given(&told.request, ":node").map(|node| node.parse().unwrap());
    SocketAddr::new(address.unwrap_or(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))), 8080)
}

pub(super) fn given<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
}

fn hash(value: &impl Hash) -> u128 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    u128::from(hasher.finish())
}

fn compare(told: &Told, judgement: &Judgement, faults: &mut Vec<Fault>) {
    let mut unexpected = found(judgement);
    for (line, expected) in &told.expected {
        let wanted = match expected {
            Expected::Cause { name, confidence, party } => {
                let party = party.as_deref();
                let found = judgement.diagnosis.as_deref().map_or("", |diagnosis| party_of(diagnosis));
                if let Some(wanted) = party.filter(|wanted| *wanted != found) {
                    faults.push(Fault { line: *line, says: format!("party {wanted} wanted, found {found}") });
                }
                format!("cause {name} {confidence}")
            }
            Expected::Hazard { name, confidence } => format!("hazard {name} {confidence}"),
            Expected::Alteration { on, field, change } => format!("alteration {on} {field} {change}"),
            Expected::Amends { exchange, name, confidence } => format!("amends {exchange} {name} {confidence}"),
            Expected::Also { .. } | Expected::Fix { .. } => {
                faults.extend(missing_beside(judgement, expected).map(|says| Fault { line: *line, says }));
                continue;
            }
        };
        match unexpected.iter().position(|found| *found == wanted) {
            Some(position) => drop(unexpected.remove(position)),
            None => faults.push(Fault { line: *line, says: format!("not found: {wanted}") }),
        }
    }
    faults.extend(unexpected.into_iter().map(|says| Fault { line: told.line, says: format!("found: {says}") }));
    let all = judgement.diagnosis.iter().map(|it| (it.cause, &it.finding));
    for (cause, _) in all.filter(|(cause, finding)| !is_named_by_catalogue(cause, finding)) {
        faults.push(Fault { line: told.line, says: format!("{} names a party that its entry does not", cause.id) });
    }
    if judgement.rules_failed > 0 {
        faults.push(Fault { line: told.line, says: "a rule panicked".to_owned() });
    }
}

/// Who has to act is one of those that the catalogue names.
fn is_named_by_catalogue(cause: &Cause, finding: &Finding) -> bool {
    finding.party.is_none_or(|party| party == cause.party || cause.other_parties.contains(&party))
}

fn missing_beside(judgement: &Judgement, expected: &Expected) -> Option<String> {
    let diagnosis = judgement.diagnosis.as_deref();
    match expected {
        Expected::Also { name } => {
            let others = diagnosis.into_iter().flat_map(|diagnosis| &diagnosis.others);
            let mut names = others.map(|(cause, finding)| named(cause.id, finding));
            (!names.any(|found| found == *name)).then(|| format!("not ranked behind: {name}"))
        }
        Expected::Fix { text } => {
            let hazards = judgement.hazards.iter().map(|hazard| &hazard.finding);
            let mut fixes = diagnosis.map(|diagnosis| &diagnosis.finding).into_iter().chain(hazards);
            let there = fixes.any(|finding| finding.fix.iter().any(|fix| fix.contains(text.as_str())));
            (!there).then(|| format!("no such advice: {text}"))
        }
        Expected::Cause { .. } | Expected::Hazard { .. } | Expected::Alteration { .. } | Expected::Amends { .. } => {
            None
        }
    }
}

fn found(judgement: &Judgement) -> Vec<String> {
    let diagnosis = judgement.diagnosis.as_deref();
    let cause = diagnosis.map(|it| sure("cause", named(it.cause.id, &it.finding), &it.finding));
    let hazards = judgement.hazards.iter();
    let hazards = hazards.map(|it| sure("hazard", named(it.hazard.id, &it.finding), &it.finding));
    let alterations = judgement.alterations.iter();
    let alterations =
        alterations.map(|it| format!("alteration {} {} {}", it.on.as_str(), it.field.as_str(), it.change.as_str()));
    let amendments = judgement.amendments.iter().map(|it| {
        let name = named(it.diagnosis.cause.id, &it.diagnosis.finding);
        sure(&format!("amends {}", it.exchange.0 as u64), name, &it.diagnosis.finding)
    });
    cause.into_iter().chain(hazards).chain(alterations).chain(amendments).collect()
}

fn named(id: &str, finding: &Finding) -> String {
    finding.detail.map_or_else(|| id.to_owned(), |detail| format!("{id}/{detail}"))
}

fn sure(what: &str, name: impl Display, finding: &Finding) -> String {
    format!("{what} {name} {}", finding.confidence.as_str())
}

fn party_of(diagnosis: &Diagnosis) -> &'static str {
    diagnosis.finding.party.unwrap_or(diagnosis.cause.party).as_str()
}
