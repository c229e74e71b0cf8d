//! What the judge of exchanges makes of the run: its reads are remembered as one client's, and the refusal is judged
//! against them.

use std::time::Duration;

use crate::analysis::diagnosis::causes;
use crate::analysis::exchange::{
    Answer, Exchange, ExchangeId, FarSide, Outcome, RequestBody, Role, RoutePolicy, Scheme,
};
use crate::analysis::judgement::{Confidence, Judgement};
use crate::analysis::memory::{Elsewhere, Memory, MemoryLimits};
use crate::analysis::principal::{Principal, ToldApartBy};
use crate::analysis::semantics::fields::Fields;
use crate::analysis::semantics::message::{RequestHead, ResponseHead, Version};
use crate::analysis::time::Time;
use crate::diagnose::asked::Asked;
use crate::diagnose::findings::Found;
use crate::diagnose::observed::{Observed, Step};
use crate::diagnose::steps::{Kind, Way};

/// Room for one run.
const LIMITS: MemoryLimits = MemoryLimits { resources: 8, sightings: 32, bytes: 1 << 20 };

/// Hazards that reads alone show. Others need traffic, or compare what only the two ways can tell.
const ON_READS: [&str; 4] = ["shared-strong-tag", "malformed-validator", "validator-unstable", "not-modified-mismatch"];

/// What cannot be said of a refusal that did not happen.
const NEEDS_REFUSAL: [&str; 7] = [
    "current-validator-refused",
    "date-precision",
    "gateway-answered",
    "list-unsupported",
    "no-precondition",
    "node-disagreement",
    "unstable-validator",
];

/// The causes that fit the refusal, best first; `refused` says that there was one, and else it is supposed. Without
/// `unexplained`, which is no cause, and without what rests on less than it.
pub(super) fn causes(asked: &Asked, observed: &Observed, refused: bool) -> Vec<Found> {
    let mut memory = Memory::new(LIMITS);
    let at = remember(&mut memory, observed, |_| {});
    let refusal = observed.answer(Kind::Asked, Way::Through).filter(|_| refused);
    let supposed =
        ResponseHead { status: 412, reason: Vec::new(), version: Version::Http11, fields: Fields::default() };
    let head = refusal.map_or(&supposed, |answer| &answer.head);
    let url = &asked.url;
    let request = head_of(&asked.method, &url.target, url.authority.as_bytes(), &asked.fields);
    let body = refusal.map_or(&[][..], |answer| answer.body.as_slice());
    let judgement = observe(&mut memory, &request, head, body, (at, at.plus(Duration::from_millis(1))));
    let Some(diagnosis) = judgement.diagnosis else { return Vec::new() };
    let all = std::iter::once((diagnosis.cause, diagnosis.finding)).chain(diagnosis.others);
    let fits = all
        .take_while(|(cause, _)| cause.id != causes::unexplained::CAUSE.id)
        .filter(|(cause, _)| refused || !NEEDS_REFUSAL.contains(&cause.id));
    fits.map(|(cause, mut finding)| {
        // That we have read the newer version ourselves says nothing of the client.
        if cause.id == causes::stale_validator::CAUSE.id {
            finding.detail = None;
        }
        Found::of_judge(cause, &finding)
    })
    .collect()
}

/// Hazards that the reads show.
pub(super) fn hazards(observed: &Observed) -> Vec<Found> {
    let mut memory = Memory::new(LIMITS);
    let mut found: Vec<Found> = Vec::new();
    remember(&mut memory, observed, |judgement| {
        for hazard in judgement.hazards.iter().filter(|hazard| ON_READS.contains(&hazard.hazard.id)) {
            let is_new = !found.iter().any(|known| known.id == hazard.hazard.id);
            // What may be is worth a word where a client suffers from it, and here is none.
            if is_new && hazard.finding.confidence > Confidence::Possible {
                found.push(Found::of_hazard(hazard.hazard, &hazard.finding));
            }
        }
    });
    found
}

/// Has the memory see what the URL gave; returns the time after the last of it.
fn remember(memory: &mut Memory, observed: &Observed, mut seen: impl FnMut(&Judgement)) -> Time {
    let mut last = observed.steps.first().map_or_else(Time::default, |step| step.at);
    let is_read = |step: &&Step| {
        let shows_state = !matches!(step.kind, Kind::Asked | Kind::Refreshed | Kind::CannotHold | Kind::SameCondition);
        step.way == Way::Through && shows_state
    };
    for step in observed.steps.iter().filter(is_read) {
        let Ok(answer) = &step.result else { continue };
        let ended = answer.at.plus(answer.took);
        let sent = &step.request;
        let request = head_of(&sent.method, &sent.target, &sent.authority, &sent.fields);
        seen(&observe(memory, &request, &answer.head, &[], (answer.at, ended)));
        last = last.max(ended);
    }
    last.plus(Duration::from_millis(1))
}

fn observe(
    memory: &mut Memory,
    request: &RequestHead,
    head: &ResponseHead,
    body: &[u8],
    (at, ended): (Time, Time),
) -> Judgement {
    let policy = RoutePolicy::default();
    let answer = Answer { head, returned: &head.fields, body_prefix: body.get(..4096).unwrap_or(body), complete: true };
    let exchange = Exchange {
        id: ExchangeId(u128::from(at.unix_micros())),
        at,
        ended,
        upstream_time: ended.since(at),
        role: Role::Alone,
        policy: &policy,
        route: 0,
        // Everything here is asked by one and the same.
        client: Principal { key: 1, by: ToldApartBy::Configured },
        scheme: Scheme::Http,
        request,
        forwarded: &request.fields,
        request_body: RequestBody::default(),
        outcome: Outcome::Answered(answer),
        bypass: None,
        upstream: None,
        far_side: FarSide::default(),
    };
    memory.observe(&exchange, &Elsewhere::default())
}

fn head_of(method: &http::Method, target: &[u8], authority: &[u8], fields: &Fields) -> RequestHead {
    RequestHead {
        method: method.clone(),
        target: target.to_vec(),
        authority: authority.to_vec(),
        version: Version::Http11,
        fields: fields.clone(),
    }
}
