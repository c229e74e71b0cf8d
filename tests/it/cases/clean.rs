//! Clean traffic: clients that return what they were given, and an origin that judges conditions as RFC 9110 demands.
//! Nothing may be found in it but what its 412s deserve, and those never accuse a gateway or the origin.

use std::collections::HashMap;
use std::fmt::Write;

use proptest::prelude::*;

use super::{notation, play};

/// One step of one client on one resource.
#[derive(Clone, Copy, Debug)]
enum Step {
    Read,
    Head,
    Revalidate,
    RevalidateByDate,
    Resume,
    Update(u8),
    UpdateByDate(u8),
    Create(u8),
    Remove,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Read),
        1 => Just(Step::Head),
        3 => Just(Step::Revalidate),
        1 => Just(Step::RevalidateByDate),
        1 => Just(Step::Resume),
        4 => (0..4_u8).prop_map(Step::Update),
        1 => (0..4_u8).prop_map(Step::UpdateByDate),
        2 => (0..4_u8).prop_map(Step::Create),
        1 => Just(Step::Remove),
    ]
}

/// A step with its circumstances.
#[derive(Clone, Copy, Debug)]
struct Moment {
    client: usize,
    resource: usize,
    compressed: bool,
    pause: u64,
    /// The answer is lost on its way; what was asked for is done.
    lost: bool,
    step: Step,
}

fn moment() -> impl Strategy<Value = Moment> {
    let parts = (0..3_usize, 0..=OWN, any::<bool>(), 0..4_u64, prop::bool::weighted(0.1), step());
    parts.prop_map(|(client, resource, compressed, pause, lost, step)| Moment {
        client,
        resource,
        compressed,
        pause,
        lost,
        step,
    })
}

/// The resource of which every client has its own.
const OWN: usize = 2;

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_found_in_clean_traffic(
        steps in prop::collection::vec(moment(), 1..40),
        by_content in any::<bool>(),
    ) {
        let mut world = World { by_content, ..World::default() };
        for moment in steps {
            world.take(moment);
        }
        let text = format!("```exchanges\n{}```\n", world.told);
        let blocks = notation::blocks(&text).unwrap();
        let found: Vec<_> = play::play(&blocks[0]).into_iter().map(|fault| fault.says).collect();
        let accused = found.iter().filter(|says| !is_deserved(says)).collect::<Vec<_>>();
        prop_assert!(accused.is_empty(), "{accused:?} in\n{}", world.told);
    }
}

/// What a 412 of clean traffic may be.
fn is_deserved(says: &str) -> bool {
    const CAUSES: [&str; 7] = [
        "concurrent-update",
        "stale-validator",
        "missing-resource",
        "create-conflict",
        "outdated-date",
        "retry-after-applied",
        "unexplained",
    ];
    let Some(cause) = says.strip_prefix("found: cause ") else { return false };
    // What is merely possible accuses nobody.
    cause.ends_with(" possible") || CAUSES.iter().any(|id| cause.starts_with(id))
}

#[derive(Clone)]
struct Version {
    tag: String,
    date: u64,
    content: u8,
}

/// An origin, what its clients hold, and what they told each other.
#[derive(Default)]
struct World {
    /// Tags are made of the content, so that they come back with it; else of a counter.
    by_content: bool,
    versions: u32,
    seconds: u64,
    now: HashMap<(usize, usize), Version>,
    held: HashMap<(usize, usize, bool), Version>,
    told: String,
}

const CLIENTS: [&str; 3] = ["alice", "bob", "carol"];

impl World {
    fn take(&mut self, moment: Moment) {
        // Dates have whole seconds: what is written within one is not told apart by them.
        self.seconds += moment.pause + 1;
        let _ = writeln!(self.told, "wait {}", moment.pause + 1);
        let held = self.held.get(&moment.holder()).cloned();
        let now = self.now.get(&moment.place()).cloned();
        let compressed = moment.compressed;
        match (moment.step, held) {
            (Step::Head, _) => self.read(moment, "HEAD", ""),
            (Step::Revalidate, Some(held)) => {
                let condition = format!(" | If-None-Match: {}", tag(&held, compressed));
                self.revalidate(moment, &condition, now.is_some_and(|now| now.tag == held.tag));
            }
            (Step::RevalidateByDate, Some(held)) => {
                let condition = format!(" | If-Modified-Since: {}", date(held.date));
                self.revalidate(moment, &condition, now.is_some_and(|now| now.date <= held.date));
            }
            (Step::Resume, Some(held)) => self.resume(moment, &held),
            (Step::Update(content), Some(held)) => {
                let condition = format!("If-Match: {}", tag(&held, compressed));
                let holds = now.is_some_and(|now| now.tag == held.tag);
                self.write(moment, &condition, holds, Some(content));
            }
            (Step::UpdateByDate(content), Some(held)) => {
                let condition = format!("If-Unmodified-Since: {}", date(held.date));
                // Without a representation there is no date that could be later.
                self.write(moment, &condition, now.is_none_or(|now| now.date <= held.date), Some(content));
            }
            (Step::Create(content), _) => self.write(moment, "If-None-Match: *", now.is_none(), Some(content)),
            (Step::Remove, Some(held)) => {
                let condition = format!("If-Match: {}", tag(&held, compressed));
                self.write(moment, &condition, now.is_some_and(|now| now.tag == held.tag), None);
            }
            // Who holds nothing reads first.
            (
                Step::Read
                | Step::Revalidate
                | Step::RevalidateByDate
                | Step::Resume
                | Step::Update(_)
                | Step::UpdateByDate(_)
                | Step::Remove,
                _,
            ) => self.read(moment, "GET", ""),
        }
    }

    fn read(&mut self, moment: Moment, method: &str, condition: &str) {
        let answer = match self.now.get(&moment.place()).cloned() {
            None => "404".to_owned(),
            Some(now) => {
                let coding = if moment.compressed { " | Content-Encoding: gzip" } else { "" };
                let answer = format!("200 | {}{coding}", validators(&now, moment.compressed));
                if !moment.lost {
                    self.held.insert(moment.holder(), now);
                }
                answer
            }
        };
        self.tell(moment, method, condition, &answer);
    }

    fn revalidate(&mut self, moment: Moment, condition: &str, same: bool) {
        let Some(now) = self.now.get(&moment.place()).filter(|_| same) else {
            return self.read(moment, "GET", condition);
        };
        let answer = format!("304 | {}", validators(now, moment.compressed));
        self.tell(moment, "GET", condition, &answer);
    }

    /// The rest of a plain copy.
    fn resume(&mut self, moment: Moment, held: &Version) {
        if moment.compressed {
            return self.read(moment, "GET", "");
        }
        let condition = format!(" | Range: bytes=5- | If-Range: {}", tag(held, false));
        match self.now.get(&moment.place()) {
            Some(now) if now.tag == held.tag => {
                let answer = format!("206 | {} | Content-Range: bytes 5-9/10", validators(now, false));
                self.tell(moment, "GET", &condition, &answer);
            }
            _ => self.read(moment, "GET", &condition),
        }
    }

    fn write(&mut self, moment: Moment, condition: &str, holds: bool, content: Option<u8>) {
        let (method, body) = match content {
            Some(content) => ("PUT", format!(" | :body {content}")),
            None => ("DELETE", String::new()),
        };
        let before = self.now.get(&moment.place()).cloned();
        let answer = match (holds, content) {
            (false, _) => {
                before.map_or_else(|| "412".to_owned(), |now| format!("412 | {}", validators(&now, moment.compressed)))
            }
            (true, None) => {
                self.now.remove(&moment.place());
                "204".to_owned()
            }
            (true, Some(content)) => {
                let after = self.version(moment, before.as_ref(), content);
                self.now.insert(moment.place(), after.clone());
                let status = if before.is_some() { 204 } else { 201 };
                let answer = format!("{status} | {}", validators(&after, moment.compressed));
                if !moment.lost {
                    self.held.insert(moment.holder(), after);
                }
                answer
            }
        };
        self.tell(moment, method, &format!(" | {condition}{body}"), &answer);
    }

    fn version(&mut self, moment: Moment, before: Option<&Version>, content: u8) -> Version {
        self.versions += 1;
        let whose = if moment.resource == OWN { CLIENTS[moment.client] } else { "" };
        let name = if self.by_content { format!("{whose}c{content}") } else { format!("{whose}v{}", self.versions) };
        // The same content again is the same version.
        let same = before.filter(|now| self.by_content && now.content == content);
        same.cloned().unwrap_or(Version { tag: name, date: self.seconds, content })
    }

    fn tell(&mut self, moment: Moment, method: &str, condition: &str, answer: &str) {
        let (client, resource) = (CLIENTS[moment.client], moment.resource);
        let ask = if moment.compressed { " | Accept-Encoding: gzip" } else { "" };
        let answer = if moment.lost { "lost" } else { answer };
        let _ = writeln!(self.told, "{client} {method} /r{resource}{ask}{condition} -> {answer}");
    }
}

impl Moment {
    /// Where the origin keeps it.
    const fn place(&self) -> (usize, usize) {
        (self.resource, if self.resource == OWN { self.client } else { 0 })
    }

    /// Which copy of a client it is about.
    const fn holder(&self) -> (usize, usize, bool) {
        (self.client, self.resource, self.compressed)
    }
}

/// Each encoding has a tag of its own, and both are accepted.
fn tag(version: &Version, compressed: bool) -> String {
    format!("\"{}{}\"", version.tag, if compressed { ".gz" } else { "" })
}

fn date(seconds: u64) -> String {
    format!("Sat, 10 Jan 2026 12:{:02}:{:02} GMT", seconds / 60, seconds % 60)
}

fn validators(version: &Version, compressed: bool) -> String {
    format!("ETag: {} | Last-Modified: {}", tag(version, compressed), date(version.date))
}
