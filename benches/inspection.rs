//! What watching costs: the time to judge and remember one exchange, and the memory of one resource, as history grows.
//!
//!     cargo bench --bench inspection
//!
//! One line per kind of exchange and size of history. Times are medians of batches and mean something only beside each
//! other, on the same machine in the same run.

#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "a program that prints a table it has built")]
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "it measures time, and a failure ends it")]

use std::time::{Duration, Instant};

use http::Method;
use why412::analysis::exchange::{
    Answer, Exchange, ExchangeId, FarSide, Outcome, RequestBody, Role, RoutePolicy, Scheme,
};
use why412::analysis::memory::{self, Elsewhere, Memory, MemoryLimits};
use why412::analysis::principal::{Principal, ToldApartBy};
use why412::analysis::semantics::fields::Fields;
use why412::analysis::semantics::message::{RequestHead, ResponseHead, Version};
use why412::analysis::time::Time;

/// Resources in the memory while one exchange is measured.
const HISTORIES: [usize; 3] = [1_000, 10_000, 100_000];
/// Exchanges of one batch, and batches.
const BATCH: usize = 2_000;
const BATCHES: usize = 15;

fn main() {
    // First of all, while nothing that was freed can be used again.
    let before = resident_bytes();
    let memory = filled(HISTORIES[2]);
    let bytes = resident_bytes().saturating_sub(before) / memory.resources();
    let counted = memory.bytes() / memory.resources();
    println!(
        "bytes of a resource that two clients read and one of them wrote: {bytes} resident, {counted} as counted\n"
    );
    let mut memories = [filled(HISTORIES[0]), filled(HISTORIES[1]), memory];

    println!("{:<34} {:>10} {:>10} {:>10}", "ns per exchange", "1,000", "10,000", "100,000 resources in the memory");
    for kind in [Kind::Plain, Kind::Read, Kind::Revalidation, Kind::Write, Kind::Refused] {
        let nanos: Vec<u128> =
            memories.iter_mut().zip(HISTORIES).map(|(memory, resources)| measure(memory, kind, resources)).collect();
        println!("{:<34} {:>10} {:>10} {:>10}", kind.name(), nanos[0], nanos[1], nanos[2]);
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Plain,
    Read,
    Revalidation,
    Write,
    Refused,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "read without a validator",
            Self::Read => "read with an ETag",
            Self::Revalidation => "If-None-Match, 304",
            Self::Write => "If-Match, 204",
            Self::Refused => "If-Match, 412 and its diagnosis",
        }
    }

    fn told(self, resource: usize, turn: usize) -> Told {
        let tag = |version: usize| format!("\"{resource}-{version}\"");
        match self {
            Self::Plain => Told::new(Method::GET, resource, None, 200, None),
            Self::Read => Told::new(Method::GET, resource, None, 200, Some(tag(2))),
            Self::Revalidation => Told::new(Method::GET, resource, Some(("If-None-Match", tag(2))), 304, Some(tag(2))),
            Self::Write => {
                Told::new(Method::PUT, resource, Some(("If-Match", tag(turn + 1))), 204, Some(tag(turn + 2)))
            }
            Self::Refused => Told::new(Method::PUT, resource, Some(("If-Match", tag(1))), 412, Some(tag(2))),
        }
    }
}

/// A memory in which every resource was read by two clients and then written by one of them.
fn filled(resources: usize) -> Memory {
    let mut memory = Memory::new(MemoryLimits { resources: resources * 2, sightings: 16, bytes: usize::MAX });
    for resource in 0..resources {
        let first = Told::new(Method::GET, resource, None, 200, Some(format!("\"{resource}-1\"")));
        first.play(&mut memory, 1, 1);
        first.play(&mut memory, 2, 2);
        let condition = Some(("If-Match", format!("\"{resource}-1\"")));
        Told::new(Method::PUT, resource, condition, 204, Some(format!("\"{resource}-2\""))).play(&mut memory, 2, 3);
    }
    memory
}

fn measure(memory: &mut Memory, kind: Kind, resources: usize) -> u128 {
    let mut times: Vec<Duration> = (0..BATCHES)
        .map(|batch| {
            // Strides reach all of the history, so that what is measured is not one resource in the processor's cache.
            let told: Vec<Told> =
                (0..BATCH).map(|at| kind.told((batch * BATCH + at) * 7919 % resources, batch)).collect();
            let start = Instant::now();
            for (at, told) in told.iter().enumerate() {
                told.play(memory, 1 + (at % 2) as u128, (batch * BATCH + at) as u64 + 10);
            }
            start.elapsed()
        })
        .collect();
    times.sort();
    times[BATCHES / 2].as_nanos() / BATCH as u128
}

/// An exchange that owns what it is made of.
struct Told {
    request: RequestHead,
    response: ResponseHead,
    policy: RoutePolicy,
}

impl Told {
    fn new(
        method: Method,
        resource: usize,
        condition: Option<(&str, String)>,
        status: u16,
        etag: Option<String>,
    ) -> Self {
        let mut sent = Fields::default();
        sent.push(b"Host", b"api.example.com");
        sent.push(b"Accept", b"application/json");
        sent.push(b"User-Agent", b"bench/1");
        if let Some((name, value)) = condition {
            sent.push(name.as_bytes(), value.as_bytes());
        }
        let mut given = Fields::default();
        given.push(b"Date", b"Sun, 22 Nov 2026 06:00:00 GMT");
        given.push(b"Content-Type", b"application/json");
        if let Some(etag) = etag {
            given.push(b"ETag", etag.as_bytes());
        }
        Self {
            request: RequestHead {
                method,
                target: format!("/orders/{resource}").into_bytes(),
                authority: b"api.example.com".to_vec(),
                version: Version::Http11,
                fields: sent,
            },
            response: ResponseHead { status, reason: Vec::new(), version: Version::Http11, fields: given },
            policy: RoutePolicy::default(),
        }
    }

    /// What the recorder does with an exchange, without its lock.
    fn play(&self, memory: &mut Memory, client: u128, second: u64) {
        let at = Time::from_unix_micros(1_795_327_200_000_000 + second * 1000);
        let exchange = Exchange {
            id: ExchangeId(u128::from(second)),
            at,
            ended: at,
            upstream_time: Duration::from_micros(500),
            role: Role::Alone,
            policy: &self.policy,
            route: 0,
            client: Principal { key: client, by: ToldApartBy::Authorization },
            scheme: Scheme::Http,
            request: &self.request,
            forwarded: &self.request.fields,
            request_body: RequestBody::default(),
            outcome: Outcome::Answered(Answer {
                head: &self.response,
                returned: &self.response.fields,
                body_prefix: &[],
                complete: true,
            }),
            bypass: None,
            upstream: None,
            far_side: FarSide::default(),
        };
        if memory::concerns(&exchange) {
            std::hint::black_box(memory.observe(&exchange, &Elsewhere::default()));
        }
    }
}

fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
