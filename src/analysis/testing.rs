//! Plays scripts against a memory, for tests.
//!
//! A line is `WHO METHOD TARGET | Field: value … -> STATUS | Field: value …`; `gone` for the status means that the
//! client left, `lost` that no answer came. `slow` before it all: the request came three seconds earlier. `WHO` is told apart by Basic credentials, `token:WHO` by an opaque token,
//! `addr:WHO` by the address alone. `+SECONDS` alone on a line lets time pass. `#` after the target gives the body.

use http::Method;

use super::digest::DigestKey;
use super::exchange::{Answer, Exchange, ExchangeId, FarSide, Outcome, RequestBody, Role, RoutePolicy, Scheme};
use super::judgement::{Diagnosis, Judgement};
use super::memory::{Elsewhere, Memory, MemoryLimits, RouteHabits, RouteNews};
use super::principal::{Principal, ToldApartBy};
use super::semantics::fields::Fields;
use super::semantics::message::{RequestHead, ResponseHead, Version};
use super::time::Time;

const KEY: DigestKey = DigestKey::new([3; 16]);

pub(crate) struct Stage {
    pub(crate) memory: Memory,
    pub(crate) policy: RoutePolicy,
    pub(crate) role: Role,
    habits: RouteHabits,
    now: u64,
    count: u128,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let limits = MemoryLimits { resources: 100, sightings: 16, bytes: 1 << 20 };
        let now = 1_795_327_200_000_000;
        let (policy, habits) = (RoutePolicy::default(), RouteHabits::default());
        Self { memory: Memory::new(limits), policy, role: Role::Alone, habits, now, count: 0 }
    }

    /// Plays a script and returns what was concluded from its last line.
    pub(crate) fn play(&mut self, script: &str) -> Judgement {
        let mut last = Judgement::default();
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(seconds) = line.strip_prefix('+') {
                self.now += seconds.parse::<u64>().unwrap() * 1_000_000;
            } else {
                last = self.line(line);
            }
        }
        last
    }

    fn line(&mut self, line: &str) -> Judgement {
        let (line, slow) = line.strip_prefix("slow ").map_or((line, 0), |line| (line, 3_000_000));
        let (request, answer) = line.split_once(" -> ").unwrap_or_else(|| panic!("no answer in {line}"));
        let (start, request_fields) = split_fields(request);
        let (status, answer_fields) = split_fields(answer);
        let (start, body) = start.split_once('#').unwrap_or((start, ""));
        let mut words = start.split_whitespace();
        let (who, method, target) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        let request = RequestHead {
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            target: target.as_bytes().to_vec(),
            authority: b"h".to_vec(),
            version: Version::Http11,
            fields: request_fields,
        };
        let head = ResponseHead {
            status: status.parse().unwrap_or(0),
            reason: Vec::new(),
            version: Version::Http11,
            fields: answer_fields,
        };
        let outcome = match status {
            "gone" => Outcome::ClientGone { sent: true },
            "lost" => Outcome::NoAnswer { sent: true, status: 502 },
            _ => Outcome::Answered(Answer { head: &head, returned: &head.fields, body_prefix: b"", complete: true }),
        };
        self.observe(who, &request, (body, slow), outcome)
    }

    /// A request with these fields, answered with those.
    pub(crate) fn exchange(&mut self, method: Method, sent: Fields, status: u16, given: Fields) -> Judgement {
        let version = Version::Http11;
        let request = RequestHead { method, target: b"/r".to_vec(), authority: b"h".to_vec(), version, fields: sent };
        let head = ResponseHead { status, reason: Vec::new(), version, fields: given };
        let answer = Answer { head: &head, returned: &head.fields, body_prefix: b"<Error>", complete: true };
        self.observe("a", &request, ("", 0), Outcome::Answered(answer))
    }

    fn observe(&mut self, who: &str, request: &RequestHead, body: (&str, u64), outcome: Outcome<'_>) -> Judgement {
        self.count += 1;
        self.now += 1_000_000;
        let (body, slow) = body;
        let at = Time::from_unix_micros(self.now - slow);
        let exchange = Exchange {
            id: ExchangeId(self.count),
            at,
            ended: Time::from_unix_micros(self.now + 5000),
            upstream_time: std::time::Duration::from_millis(2),
            role: self.role,
            policy: &self.policy,
            route: 0,
            client: principal(who),
            scheme: Scheme::Http,
            request,
            forwarded: &request.fields,
            request_body: RequestBody {
                digest: Some(KEY.digest(&[body.as_bytes()])),
                announced: Some(body.len() as u64),
            },
            outcome,
            bypass: None,
            upstream: None,
            far_side: FarSide::default(),
        };
        let mut elsewhere = Elsewhere::of_route(self.habits);
        if Elsewhere::is_wanted(&exchange) {
            self.memory.elsewhere(&exchange, &mut elsewhere);
        }
        let judgement = self.memory.observe(&exchange, &elsewhere);
        self.memory.observe_destination(&exchange);
        RouteNews::of(&exchange).into_iter().for_each(|news| self.habits.take(news));
        self.habits.told(&judgement);
        judgement
    }
}

fn principal(who: &str) -> Principal {
    let by = match who.split_once(':') {
        Some(("token", _)) => ToldApartBy::Authorization,
        Some(("addr", _)) => ToldApartBy::Address,
        _ => ToldApartBy::BasicUser,
    };
    Principal { key: KEY.digest(&[who.as_bytes()]), by }
}

fn split_fields(text: &str) -> (&str, Fields) {
    let mut parts = text.split(" | ");
    let start = parts.next().unwrap().trim();
    let mut fields = Fields::default();
    for part in parts {
        let (name, value) = part.split_once(':').unwrap_or_else(|| panic!("no colon in {part}"));
        fields.push(name.trim().as_bytes(), value.trim().as_bytes());
    }
    (start, fields)
}

/// `cause/detail confidence` of a diagnosis.
pub(crate) fn name(diagnosis: &Diagnosis) -> String {
    let detail = diagnosis.finding.detail.map_or_else(String::new, |detail| format!("/{detail}"));
    format!("{}{detail} {}", diagnosis.cause.id, diagnosis.finding.confidence.as_str())
}
