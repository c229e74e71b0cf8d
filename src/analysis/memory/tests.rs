//! Laws of the memory: it stays within its limits, forgets in the right order, and judges the same story the same way.

use proptest::prelude::*;

use super::{Memory, MemoryLimits, Shown};
use crate::analysis::exchange::Scheme;
use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::testing::{Stage, name};

fn small(resources: usize, bytes: usize) -> Stage {
    let mut stage = Stage::new();
    stage.memory = Memory::new(MemoryLimits { resources, sightings: 3, bytes });
    stage
}

/// A line of any kind, over few names so that lines meet.
fn line() -> impl Strategy<Value = String> {
    let tag = prop_oneof![
        Just("\"v1x\""),
        Just("\"v2x\""),
        Just("W/\"v1x\""),
        Just("\"v1x-gzip\""),
        Just("null"),
        Just("v1x"),
        Just("\"v1x\", \"v2x\""),
        Just("*"),
        Just("\u{e9}\"")
    ];
    let date = prop_oneof![Just("Mon, 05 Jan 2026 08:00:00 GMT"), Just("Thu, 05 Feb 2026 08:00:00 GMT"), Just("12345")];
    let field = prop_oneof![
        Just(String::new()),
        tag.clone().prop_map(|tag| format!(" | If-Match: {tag}")),
        tag.clone().prop_map(|tag| format!(" | If-None-Match: {tag}")),
        date.clone().prop_map(|date| format!(" | If-Unmodified-Since: {date}")),
        date.clone().prop_map(|date| format!(" | If-Modified-Since: {date}")),
    ];
    let shown = prop_oneof![
        Just(String::new()),
        tag.prop_map(|tag| format!(" | ETag: {tag}")),
        date.prop_map(|date| format!(" | Last-Modified: {date}")),
        Just(" | OC-ETag: \"v1x\"".to_owned()),
        Just(" | ETag: \"v1x\" | Age: 30 | Content-Encoding: gzip".to_owned()),
    ];
    let who = prop_oneof![Just("a"), Just("b"), Just("addr:c"), Just("token:d")];
    let method = prop_oneof![Just("GET"), Just("HEAD"), Just("PUT"), Just("PATCH"), Just("DELETE"), Just("POST")];
    let status = prop_oneof![
        3 => Just("200"), 2 => Just("204"), 1 => Just("201"), 1 => Just("304"), 1 => Just("404"), 3 => Just("412"),
        1 => Just("504"), 1 => Just("gone"), 1 => Just("lost")
    ];
    (who, method, 0_u8..12, field, status, shown).prop_map(|(who, method, at, field, status, shown)| {
        format!("{who} {method} /r{}?q={}{field} -> {status}{shown}", at / 3, at % 3)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_stays_within_its_limits(lines in proptest::collection::vec(line(), 1..80)) {
        let mut stage = small(4, 6000);
        for line in &lines {
            stage.play(line);
            prop_assert!(stage.memory.resources() <= 4);
            prop_assert!(stage.memory.bytes() <= 6000);
            for at in 0..12 {
                let target = format!("/r{}?q={}", at / 3, at % 3);
                if let Some(known) = stage.memory.resource(Scheme::Http, b"h", target.as_bytes()) {
                    prop_assert!(known.sightings.len() <= 3);
                }
            }
        }
    }

    #[test]
    fn every_412_has_a_cause_and_the_same_story_the_same(lines in proptest::collection::vec(line(), 1..60)) {
        let (mut one, mut other) = (Stage::new(), Stage::new());
        for line in &lines {
            let (first, second) = (one.play(line), other.play(line));
            prop_assert_eq!(first.rules_failed, 0);
            prop_assert_eq!(first.diagnosis.is_some(), line.contains("-> 412"));
            prop_assert_eq!(first.diagnosis.as_deref().map(name), second.diagnosis.as_deref().map(name));
            for finding in first.diagnosis.iter().flat_map(|found| &found.finding.evidence) {
                prop_assert!(!finding.says().is_empty() && !finding.kind().is_empty());
            }
        }
    }
}

/// A field of a name that matters with any value that a line can hold.
fn field() -> impl Strategy<Value = (FieldName, Vec<u8>)> {
    let name = (0..FieldName::ALL.len()).prop_map(|at| FieldName::ALL[at]);
    let value = prop_oneof![
        proptest::collection::vec(prop_oneof![0x20_u8..=0x7e, 0x80_u8..=0xff], 0..24),
        "(W/)?\"?[a-c]{0,2}(-gzip|--br|;zstd|:df)?\"?,? ?\\*?".prop_map(String::into_bytes),
    ];
    (name, value)
}

fn fields() -> impl Strategy<Value = Fields> {
    proptest::collection::vec(field(), 0..6).prop_map(|lines| {
        let mut fields = Fields::default();
        for (name, value) in lines {
            fields.push(name.as_str().as_bytes(), &value);
        }
        fields
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_value_breaks_a_rule(
        exchanges in proptest::collection::vec((0_usize..6, fields(), 0_usize..9, fields()), 1..24)
    ) {
        let mut stage = Stage::new();
        for (method, sent, status, given) in exchanges {
            let method = ["GET", "HEAD", "PUT", "DELETE", "MOVE", "POST"][method].parse().unwrap();
            let status = [200, 204, 201, 206, 304, 404, 412, 428, 500][status];
            let judgement = stage.exchange(method, sent, status, given);
            prop_assert_eq!(judgement.rules_failed, 0);
            let hazards = judgement.hazards.iter().map(|found| &found.finding);
            for finding in hazards.chain(judgement.diagnosis.iter().map(|found| &found.finding)) {
                for fact in &finding.evidence {
                    let says = fact.says();
                    prop_assert!(!says.chars().any(char::is_control), "{says:?}");
                }
            }
        }
    }
}

#[test]
fn what_was_written_conditionally_outlives_what_was_only_read() {
    let mut stage = small(6, 1 << 20);
    stage.play("a PUT /w | If-Match: \"v1x\" -> 204 | ETag: \"v2x\"");
    for at in 0..50 {
        stage.play(&format!("a GET /crawled{at} -> 404\na GET /read{at} -> 200 | ETag: \"v{at}x\""));
    }
    assert!(stage.memory.resource(Scheme::Http, b"h", b"/w").is_some());
    assert_eq!(stage.memory.resources(), 6);
    assert!(stage.memory.evictions() > 90);
}

#[test]
fn the_same_answer_again_takes_no_more_room() {
    let mut stage = Stage::new();
    stage.play("a GET /r -> 200 | ETag: \"v1x\"");
    let bytes = stage.memory.bytes();
    stage.play("a GET /r -> 200 | ETag: \"v1x\"\na GET /r -> 200 | ETag: \"v1x\"");
    assert_eq!(stage.memory.bytes(), bytes);
    let known = stage.memory.resource(Scheme::Http, b"H:80", b"/r").unwrap();
    let [seen] = known.sightings.as_slice() else { panic!("{known:?}") };
    assert_eq!((seen.times, seen.by), (3, Shown::Get));
    assert!(seen.last > seen.first);
}

#[test]
fn error_pages_and_redirects_say_nothing_of_the_resource() {
    let mut stage = Stage::new();
    stage.play(
        "a GET /r -> 404 | ETag: \"error\"\na GET /r -> 302 | ETag: \"redirect\"\na PUT /r -> 400 | ETag: \"error\"",
    );
    let known = stage.memory.resource(Scheme::Http, b"h", b"/r").unwrap();
    assert!(known.sightings.is_empty() && known.absence.is_some());
    stage.play("b PUT /r -> 201");
    assert!(stage.memory.resource(Scheme::Http, b"h", b"/r").unwrap().absence.is_none());
}

#[test]
fn calls_leave_no_trace() {
    let mut stage = Stage::new();
    stage.play("a POST /login -> 200\na POST /rpc -> 500\na GET /page -> 200");
    assert_eq!(stage.memory.resources(), 0);
}
