//! What is named first, in stories that several causes could explain.

use crate::analysis::exchange::{Comparison, Role};
use crate::analysis::judgement::{Confidence, Judgement};
use crate::analysis::testing::{Stage, name};

#[track_caller]
fn check(script: &str, expected: &str) {
    check_on(&mut Stage::new(), script, expected);
}

#[track_caller]
fn check_on(stage: &mut Stage, script: &str, expected: &str) {
    let judgement = stage.play(script);
    assert_eq!(judgement.rules_failed, 0, "{script}");
    let diagnosis = judgement.diagnosis.as_ref().unwrap_or_else(|| panic!("no 412 at the end of {script}"));
    let others: Vec<_> = diagnosis
        .others
        .iter()
        .map(|(cause, finding)| format!("{} {}", cause.id, finding.confidence.as_str()))
        .collect();
    assert_eq!(name(diagnosis), expected, "{script}\nothers: {others:?}");
}

#[track_caller]
fn check_silent(script: &str) {
    let judgement = Stage::new().play(script);
    let hazards: Vec<_> = judgement.hazards.iter().map(|found| (found.hazard.id, found.finding.detail)).collect();
    assert!(!judgement.is_worth_a_record(), "{script}\n{hazards:?} {:?}", judgement.alterations);
}

#[test]
fn first_sight_is_unexplained() {
    check(r#"a PUT /r | If-Match: "v1x" -> 412"#, "unexplained possible");
    check(r#"a PUT /r | If-Match: "v1x" -> 412 | ETag: "v2x""#, "stale-validator likely");
    check(r#"a PUT /r | If-Match: "abc-gzip" -> 412"#, "unexplained possible");
    check(r#"a PUT /r | If-Unmodified-Since: Mon, 05 Jan 2026 08:00:00 GMT -> 412"#, "unexplained possible");
    check(r#"a GET /r | If-None-Match: "v1x" -> 412"#, "unexplained possible");
    check(r#"a PUT /r -> 412"#, "no-precondition likely");
}

#[test]
fn another_client_wrote_in_between() {
    let story = |other: &str| {
        format!(
            r#"a GET /r -> 200 | ETag: "v1x"
            {other}
            a PUT /r#mine | If-Match: "v1x" -> 412 | ETag: "v2x""#
        )
    };
    check(&story(r#"b PUT /r | If-Match: "v1x" -> 204 | ETag: "v2x""#), "concurrent-update proven");
    check(&story(r#"b PUT /r -> 204"#), "concurrent-update likely");
    check(&story(r#"b PUT /r?x=1 -> 204 | ETag: "v2x""#), "concurrent-update likely");
    // What failed, and what was only read, is no write.
    check(&story(r#"b PUT /r | If-Match: "v0x" -> 409"#), "stale-validator likely");
    check(&story(r#"b GET /r -> 200 | ETag: "v2x""#), "stale-validator likely");
    check(&story(r#"b PUT /other -> 204"#), "stale-validator likely");
}

#[test]
fn a_read_that_overlaps_a_write_is_older_than_it() {
    check(
        r#"b GET /r -> 200 | ETag: "v1x"
        b PUT /r | If-Match: "v1x" -> 204 | ETag: "v2x"
        slow a GET /r -> 200 | ETag: "v1x"
        a PUT /r#m | If-Match: "v1x" -> 412 | ETag: "v2x""#,
        "concurrent-update proven",
    );
}

#[test]
fn an_unchanged_validator_refutes_what_is_out_of_date() {
    check(
        r#"a GET /r -> 200 | ETag: "v1x"
        b PUT /r -> 204
        a PUT /r | If-Match: "v1x" -> 412 | ETag: "v1x""#,
        "current-validator-refused likely",
    );
}

#[test]
fn opaque_tokens_and_addresses_are_less_sure() {
    check(
        r#"token:a GET /r -> 200 | ETag: "v1x"
        token:b PUT /r -> 204 | ETag: "v2x"
        token:a PUT /r | If-Match: "v1x" -> 412 | ETag: "v2x""#,
        "concurrent-update likely",
    );
    let by_address = r#"addr:a GET /r -> 200 | ETag: "v1x"
        addr:b PUT /r -> 204 | ETag: "v2x"
        addr:a PUT /r | If-Match: "v1x" -> 412"#;
    check(by_address, "concurrent-update possible");
    let mut inner = Stage::new();
    inner.role = Role::Inner;
    check_on(&mut inner, by_address, "unexplained possible");
    check(
        &format!("{by_address} | Via: 1.1 x").replace("\"v1x\" -> 412", "\"v1x\" | Via: 1.1 x -> 412"),
        "unexplained possible",
    );
}

#[test]
fn from_the_second_refusal_on_the_client_knows_better() {
    let story = r#"a GET /r -> 200 | ETag: "v1x"
        b PUT /r -> 204 | ETag: "v2x"
        a PUT /r#m | If-Match: "v1x" -> 412 | ETag: "v2x""#;
    check(story, "concurrent-update proven");
    let again = format!("{story}\na PUT /r#m | If-Match: \"v1x\" -> 412 | ETag: \"v2x\"");
    check(&again, "stale-validator/ignores-new-tag likely");
    // Handed the new tag by a read, but not refused before.
    check(
        r#"a GET /r -> 200 | ETag: "v1x"
        b PUT /r -> 204
        a GET /r -> 200 | ETag: "v2x"
        a PUT /r | If-Match: "v1x" -> 412 | ETag: "v2x""#,
        "concurrent-update likely",
    );
}

#[test]
fn the_clients_own_writes() {
    // The answer gave no validator, and the next edit goes on with the old one.
    check(
        r#"a GET /r -> 200 | ETag: "v1x"
        a PUT /r#one | If-Match: "v1x" -> 204
        a PUT /r#two | If-Match: "v1x" -> 412"#,
        "stale-validator/own-write-untracked likely",
    );
    // It gave one, and the client did not take it.
    check(
        r#"a GET /r -> 200 | ETag: "v1x"
        a PUT /r#one | If-Match: "v1x" -> 204 | ETag: "v2x"
        a PUT /r#two | If-Match: "v1x" -> 412"#,
        "stale-validator/ignores-new-tag likely",
    );
    // The same once more.
    check(
        r#"a PUT /r#one | If-Match: "v1x" -> 204 | ETag: "v2x"
        a PUT /r#one | If-Match: "v1x" -> 412 | ETag: "v2x""#,
        "retry-after-applied proven",
    );
    check(
        r#"a PUT /r#one | If-Match: "v1x" -> gone
        a PUT /r#one | If-Match: "v1x" -> 412 | ETag: "v2x""#,
        "retry-after-applied/by-client likely",
    );
    check(
        r#"a PUT /r#one | If-Match: "v1x" -> 504
        a PUT /r#one | If-Match: "v1x" -> 412"#,
        "retry-after-applied likely",
    );
    check(
        r#"a PUT /r#one | If-None-Match: * -> lost
        a PUT /r#one | If-None-Match: * -> 412"#,
        "retry-after-applied likely",
    );
    // The attempt was not applied: the old version was seen afterwards.
    check(
        r#"a GET /r -> 200 | ETag: "v1x"
        a PUT /r#one | If-Match: "v1x" -> lost
        a GET /r -> 200 | ETag: "v1x"
        a PUT /r#one | If-Match: "v1x" -> 412"#,
        "current-validator-refused possible",
    );
    // Another body after an attempt that may have been applied.
    check(
        r#"a GET /r -> 200 | ETag: "v1x"
        a PUT /r#one | If-Match: "v1x" -> gone
        a PUT /r#two | If-Match: "v1x" -> 412"#,
        "stale-validator/own-write-untracked possible",
    );
    // Somebody else's repetition is nobody's own.
    check(
        r#"b PUT /r#one | If-Match: "v1x" -> 204 | ETag: "v2x"
        a PUT /r#one | If-Match: "v1x" -> 412 | ETag: "v2x""#,
        "concurrent-update proven",
    );
}

#[test]
fn creates() {
    check(r#"a PUT /r | If-None-Match: * -> 412 | ETag: "x1y""#, "create-conflict likely");
    check(
        r#"a PUT /r#one | If-None-Match: * -> 201
        a PUT /r#two | If-None-Match: * -> 412"#,
        "create-conflict/own-earlier-create likely",
    );
    check(
        r#"b PUT /r#one | If-None-Match: * -> 201
        a PUT /r#two | If-None-Match: * -> 412"#,
        "create-conflict likely",
    );
    check(r#"a PUT /r | If-None-Match: * | If-Match: "x1y" -> 412"#, "create-conflict/contradiction likely");
    check(r#"a POST /b?ifGenerationMatch=0 -> 412"#, "create-conflict/lock-held likely");
    check(r#"a POST /b | x-goog-if-generation-match: 0 -> 412"#, "create-conflict/lock-held likely");
    check(r#"a POST /b | x-goog-if-generation-match: 17 -> 412"#, "vendor-precondition likely");
    check(r#"a PUT /b | x-ms-lease-id: z -> 412"#, "vendor-precondition/lease-lost likely");
    check(r#"a PUT /b -> 412 | x-ms-error-code: LeaseIdMissing"#, "vendor-precondition/lease-missing likely");
    check(r#"a PUT /b | If-Modified-Since: Mon, 05 Jan 2026 08:00:00 GMT -> 412"#, "vendor-precondition likely");
    check(r#"a MOVE /b | Overwrite: F | Destination: /c -> 412"#, "vendor-precondition likely");
}

#[test]
fn gone_and_elsewhere() {
    check(
        r#"b DELETE /r -> 204
        a PUT /r | If-Match: "v1x" -> 412"#,
        "missing-resource likely",
    );
    check(
        r#"a GET /r -> 200 | ETag: "v1x"
        b DELETE /r -> 204
        a PUT /r | If-Match: "v1x" -> 412"#,
        "missing-resource likely",
    );
    // Deleted, and created anew.
    check(
        r#"a GET /r -> 200 | ETag: "v1x"
        b DELETE /r -> 204
        b PUT /r -> 201 | ETag: "n1x"
        a PUT /r | If-Match: "v1x" -> 412 | ETag: "n1x""#,
        "concurrent-update proven",
    );
    check(r#"a PUT /r | If-Match: * -> 412"#, "missing-resource likely");
    check(
        r#"a GET /one -> 200 | ETag: "k-77a"
        a PUT /two | If-Match: "k-77a" -> 412"#,
        "wrong-target likely",
    );
    // The same path on another name of the host is the same thing by all that is known.
    let mut stage = Stage::new();
    stage.play(r#"a GET http://other/two -> 200 | ETag: "k-77a""#);
    check_on(&mut stage, r#"a PUT /two/ | If-Match: "k-77a" -> 412"#, "unexplained possible");
    // Counters belong to nobody, and siblings are no other resource.
    check(
        r#"a GET /one -> 200 | ETag: "7"
        a PUT /two | If-Match: "7" -> 412"#,
        "unexplained possible",
    );
    check(
        r#"a GET /one?v=1 -> 200 | ETag: "k-77a"
        b PUT /one -> 204
        a PUT /one | If-Match: "k-77a" -> 412"#,
        "concurrent-update likely",
    );
    // A 201 tells of what it created.
    check(
        r#"a POST /list -> 201 | Location: /list/1 | ETag: "k-77a"
        b PUT /list/1 -> 204
        a PUT /list/1 | If-Match: "k-77a" -> 412"#,
        "unexplained possible",
    );
}

#[test]
fn what_is_moved_or_copied_is_written() {
    check(
        r#"a GET /r -> 200 | ETag: "v1x"
        b MOVE /upload/.file | Destination: http://h/r -> 204 | ETag: "v2x"
        a PUT /r | If-Match: "v1x" -> 412 | ETag: "v2x""#,
        "concurrent-update proven",
    );
    check(
        r#"a GET /r -> 200 | ETag: "v1x"
        b MOVE /r | Destination: /elsewhere -> 201
        a PUT /r | If-Match: "v1x" -> 412"#,
        "missing-resource likely",
    );
    check(
        r#"a GET /r -> 200 | ETag: "v1x"
        b COPY /r | Destination: /elsewhere -> 201
        a PUT /r | If-Match: "v1x" -> 412 | ETag: "v2x""#,
        "stale-validator likely",
    );
}

#[test]
fn alterations_come_first() {
    let weak = r#"a GET /r | Accept-Encoding: gzip -> 200 | ETag: W/"v1x" | Content-Encoding: gzip
        a PUT /r | If-Match: W/"v1x" -> 412"#;
    check(weak, "weak-etag-in-if-match likely");
    check(&format!("{weak} | ETag: \"v1x\""), "etag-weakened likely");
    // Altered and outdated is altered first.
    check(
        r#"a GET /r -> 200 | ETag: "v1x"
        b PUT /r -> 204 | ETag: "v2x"
        a PUT /r | If-Match: W/"v1x" -> 412 | ETag: "v2x""#,
        "etag-weakened likely",
    );
    check(
        r#"a GET /r -> 200 | ETag: "v1x-gzip" | OC-ETag: "v1x" | Content-Encoding: gzip
        b PUT /r -> 204 | ETag: "v2x"
        a PUT /r | If-Match: "v1x-gzip" -> 412 | ETag: "v2x""#,
        "etag-suffixed proven",
    );
    // A service that takes weak tags refuses them for another reason.
    check(
        r#"b PUT /q | If-Match: W/"a1x" -> 204
        a GET /r -> 200 | ETag: W/"v1x"
        b PUT /r | If-Match: W/"v1x" -> 204 | ETag: W/"v2x"
        a PUT /r | If-Match: W/"v1x" -> 412 | ETag: W/"v2x""#,
        "concurrent-update proven",
    );
    // A suffix that the service itself has taken back is its own.
    check(
        r#"a GET /r | Accept-Encoding: gzip -> 200 | ETag: "v1x-gzip" | Content-Encoding: gzip
        b PUT /r | If-Match: "v1x-gzip" -> 204
        a PUT /r#mine | If-Match: "v1x-gzip" -> 412"#,
        "concurrent-update likely",
    );
    let double = Stage::new().play(r#"a GET /r -> 200 | ETag: W/"v1x" | OC-ETag: "v1x""#);
    assert_eq!(double.alterations.len(), 1);
}

#[test]
fn weak_by_design() {
    let mut stage = Stage::new();
    stage.policy.comparison = Comparison::Weak;
    let story = r#"a GET /r -> 200 | ETag: W/"7"
        b PUT /r | If-Match: W/"7" -> 200 | ETag: W/"8"
        a PUT /r | If-Match: W/"7" -> 412 | ETag: W/"8""#;
    check_on(&mut stage, story, "concurrent-update proven");
}

#[test]
fn tags_that_clients_make() {
    check(
        r#"a GET /r -> 200 | ETag: "Ab3F-9x"
        a PUT /r | If-Match: "ab3f-9x" -> 412"#,
        "client-derived-validator likely",
    );
    check(
        r#"a GET /r | Accept-Encoding: gzip -> 200 | ETag: "v1xy-gzip" | Content-Encoding: gzip
        a PUT /r | If-Match: "v1xy" -> 412"#,
        "client-derived-validator possible",
    );
    // A counter's successor is not made of it.
    check(
        r#"a GET /r -> 200 | ETag: "1001"
        a PUT /r | If-Match: "10012" -> 412"#,
        "unexplained possible",
    );
    // W/ dropped: on a route that compares strongly a gateway may have added it.
    check(
        r#"a GET /r -> 200 | ETag: W/"v1xy"
        a PUT /r | If-Match: "v1xy" -> 412"#,
        "strength-mismatch possible",
    );
}

#[test]
fn caches_and_nodes() {
    // The write was seen, and then a store gave the old version out again.
    check(
        r#"a GET /r -> 200 | ETag: "v1x"
        b PUT /r -> 204 | ETag: "v2x"
        a GET /r -> 200 | ETag: "v1x" | Age: 40
        a PUT /r | If-Match: "v1x" -> 412 | ETag: "v2x""#,
        "stale-cache likely",
    );
    // The store had it from before this instance began to watch.
    check(
        r#"b PUT /r -> 204 | ETag: "v2x"
        a GET /r -> 200 | ETag: "v1x" | Age: 40
        a PUT /r | If-Match: "v1x" -> 412 | ETag: "v2x""#,
        "stale-cache likely",
    );
    // One, the other, the first again: nobody wrote.
    check(
        r#"a GET /r -> 200 | ETag: "n1x"
        a GET /r -> 200 | ETag: "n2x"
        a GET /r -> 200 | ETag: "n1x"
        a PUT /r | If-Match: "n1x" -> 412 | ETag: "n2x""#,
        "node-disagreement likely",
    );
    check(
        r#"a GET /r -> 200 | ETag: "r1x"
        a GET /r -> 200 | ETag: "r2x"
        a GET /r -> 200 | ETag: "r3x"
        a PUT /r | If-Match: "r3x" -> 412 | ETag: "r4x""#,
        "unstable-validator likely",
    );
    check(r#"a GET /r -> 412 | Age: 12"#, "gateway-answered/from-store likely");
}

#[test]
fn dates() {
    const JAN: &str = "Mon, 05 Jan 2026 08:00:00 GMT";
    const FEB: &str = "Thu, 05 Feb 2026 08:00:00 GMT";
    check(&format!("a PUT /r | If-Unmodified-Since: {JAN} -> 412 | Last-Modified: {FEB}"), "outdated-date likely");
    check(&format!("a PUT /r | If-Unmodified-Since: {JAN} -> 412 | Last-Modified: {JAN}"), "date-precision likely");
    check(
        &format!(
            "a GET /r -> 200 | Last-Modified: {JAN}\nb PUT /r -> 204\na PUT /r | If-Unmodified-Since: {JAN} -> 412"
        ),
        "concurrent-update likely",
    );
    check(
        &format!(
            "a GET /r -> 200 | Last-Modified: {FEB}\na PUT /r | If-Unmodified-Since: {JAN} -> 412 | Last-Modified: {FEB}"
        ),
        "outdated-date likely",
    );
    check(
        r#"a GET /r -> 200 | Last-Modified: Sun, 22 Nov 2026 05:59:00 GMT
        a PUT /r | If-Unmodified-Since: Sun, 22 Nov 2026 05:50:03 GMT -> 412 | Date: Sun, 22 Nov 2026 06:00:03 GMT"#,
        "clock-skew likely",
    );
}

#[test]
fn malformed_conditions() {
    check(r#"a PUT /r | If-Match: v1x -> 412"#, "malformed-precondition/unquoted likely");
    check(
        r#"a GET /r -> 200 | ETag: v1x
        a PUT /r | If-Match: v1x -> 412"#,
        "malformed-origin-validator likely",
    );
    check(
        r#"a GET /r -> 200 | ETag: v1x
        a PUT /r | If-Match: "v1x" -> 412"#,
        "malformed-origin-validator likely",
    );
    check(
        r#"a PUT /r | If-Match: "c1x" -> 204 | OC-ETag: "c2x"
        a PUT /r | If-Match: null -> 412"#,
        "etag-stripped/on-write-response likely",
    );
    check(r#"a PUT /r | If-Match: "a1x" | If-Match: null -> 412"#, "malformed-precondition/unquoted likely");
}

#[test]
fn values_that_say_there_was_none() {
    check(r#"a PUT /r | If-Match: "null" -> 412"#, "malformed-precondition/js-value likely");
    check(r#"a PUT /r | If-Match: "" -> 412"#, "malformed-precondition/js-value likely");
    check(r#"a PUT /r | If-Match: "undefined" -> 412 | ETag: "v1x""#, "malformed-precondition/js-value likely");
    check(
        r#"a GET /r -> 200 | ETag: "null"
        a PUT /r | If-Match: "null" -> 412 | ETag: "v1x""#,
        "stale-validator likely",
    );
    // A service that takes such values refuses this one for another reason.
    check(
        r#"a PUT /r#1 | If-Match: v1x -> 204
        a PUT /r#2 | If-Match: v1x -> 412"#,
        "malformed-precondition/unquoted possible",
    );
}

#[test]
fn a_renewed_token_is_hardly_another_client() {
    check(
        r#"token:a PUT /r#one | If-Match: "v1x" -> 204 | ETag: "v2x"
        token:b PUT /r#one | If-Match: "v1x" -> 412 | ETag: "v2x""#,
        "retry-after-applied possible",
    );
    check(
        r#"token:a PUT /r#one | If-Match: "v1x" -> 204 | ETag: "v2x"
        token:b PUT /r#two | If-Match: "v1x" -> 412 | ETag: "v2x""#,
        "concurrent-update likely",
    );
}

#[test]
fn what_never_stays_the_same() {
    check(
        r#"a GET /r -> 200 | ETag: "t1x"
        a PUT /r | If-Match: "t1x" -> 412 | ETag: "t2x"
        a GET /r -> 200 | ETag: "t3x"
        a PUT /r | If-Match: "t3x" -> 412 | ETag: "t4x""#,
        "unstable-validator likely",
    );
    // Written in between, it may well change.
    check(
        r#"a GET /r -> 200 | ETag: "t1x"
        a GET /r -> 200 | ETag: "t2x"
        b PUT /r -> 204
        a GET /r -> 200 | ETag: "t3x"
        a PUT /r | If-Match: "t3x" -> 412 | ETag: "t4x""#,
        "stale-validator likely",
    );
}

#[test]
fn what_is_not_what_it_looks_like() {
    // Created, deleted, and created by somebody unseen.
    check(
        r#"a PUT /r | If-None-Match: * -> 201 | ETag: "c1x"
        a DELETE /r -> 204
        a PUT /r | If-None-Match: * -> 412"#,
        "create-conflict likely",
    );
    check(
        r#"a GET /r -> 200 | Last-Modified: Mon, 05 Jan 2026 08:00:00 GMT
        a PUT /r#1 | If-Unmodified-Since: Mon, 05 Jan 2026 08:00:00 GMT -> 204
        a PUT /r#2 | If-Unmodified-Since: Mon, 05 Jan 2026 08:00:00 GMT -> 412"#,
        "stale-validator/own-write-untracked likely",
    );
    check(r#"a PUT /r | If-Match: "&quot;v1x&quot;" -> 412"#, "malformed-precondition/xml-entity likely");
    check(
        r#"a GET /r -> 200 | ETag: W/"v1xy"
        a PUT /r | If-Match: "W/v1xy" -> 412"#,
        "client-derived-validator likely",
    );
    check(
        r#"a GET /r -> 200 | ETag: "n1x"
        a GET /r -> 200 | ETag: "n2x"
        a PUT /r | If-Match: "n2x" -> 412 | ETag: "n1x""#,
        "node-disagreement likely",
    );
    check(
        r#"b PUT /r -> 200 | ETag: "w2x"
        a GET /r -> 200 | ETag: "w1x" | X-Cache: HIT
        a PUT /r | If-Match: "w1x" -> 412"#,
        "stale-cache likely",
    );
    // What the store holds is what the last write has made.
    check(
        r#"b PUT /r -> 200 | ETag: "w2x"
        a GET /r -> 200 | ETag: "w2x" | X-Cache: HIT
        a PUT /r | If-Match: "w2x" -> 412"#,
        "unexplained possible",
    );
}

#[test]
fn clean_traffic_is_silent() {
    check_silent(r#"a GET /r -> 200 | ETag: "v1x""#);
    check_silent("a GET /r -> 200 | ETag: \"v1x\"\na PUT /r | If-Match: \"v1x\" -> 204 | ETag: \"v2x\"");
    check_silent("a GET /r -> 200 | ETag: \"v1x\"\na GET /r | If-None-Match: \"v1x\" -> 304 | ETag: \"v1x\"");
    check_silent("a PUT /r | If-None-Match: * -> 201 | ETag: \"v1x\"");
    check_silent("a DELETE /r -> 204");
    check_silent("a GET /r -> 404");
    check_silent("a POST /r -> 200");
    // A client that cuts what a gateway had added, and is right.
    check_silent(
        "a GET /r | Accept-Encoding: gzip -> 200 | ETag: \"v1x-gzip\" | Content-Encoding: gzip\n\
         a PUT /r | If-Match: \"v1x\" -> 204",
    );
    check_silent(
        "a GET /r | Accept-Encoding: gzip -> 200 | ETag: W/\"v1x\" | Content-Encoding: gzip\n\
         a PUT /r | If-Match: \"v1x\" -> 204",
    );
    // Two representations, each revalidated with its own tag.
    check_silent(
        "a GET /r | Accept-Encoding: gzip -> 200 | ETag: \"v1x.gz\" | Content-Encoding: gzip | Vary: Accept-Encoding\n\
         a GET /r -> 200 | ETag: \"v1x\" | Vary: Accept-Encoding\n\
         a GET /r | Accept-Encoding: gzip | If-None-Match: \"v1x.gz\" -> 304 | ETag: \"v1x.gz\" | Vary: Accept-Encoding",
    );
}

#[test]
fn verdicts_are_amended_in_hindsight() {
    let amended = |script: &str| -> Vec<(u128, Option<&'static str>, Confidence)> {
        let judgement: Judgement = Stage::new().play(script);
        let amendment = |amendment: &crate::analysis::judgement::Amendment| {
            let finding = &amendment.diagnosis.finding;
            (amendment.exchange.0, finding.detail, finding.confidence)
        };
        judgement.amendments.iter().map(amendment).collect()
    };
    let refused = "a GET /r -> 200 | ETag: \"v1x\"\na PUT /r | If-Match: \"v1x\" -> 412";
    let success = "a PUT /r | If-Match: \"v1x\" -> 204";
    assert_eq!(amended(&format!("{refused}\n{success}")), [(2, Some("recovered-by-itself"), Confidence::Likely)]);
    let read = "a GET /r -> 200 | ETag: \"v1x\"";
    assert_eq!(amended(&format!("{refused}\n{read}\n{success}")), [(2, Some("recovered-by-read"), Confidence::Likely)]);
    // What nobody had seen was true all along, too.
    let unseen = "a PUT /r | If-Match: \"v1x\" -> 412";
    assert_eq!(amended(&format!("{unseen}\n{success}")), [(1, Some("recovered-by-itself"), Confidence::Likely)]);
    let created = "a PUT /r | If-None-Match: * -> 412\na PUT /r | If-None-Match: * -> 201";
    assert_eq!(amended(created), []);
    let written = "b PUT /r -> 204";
    assert_eq!(amended(&format!("{refused}\n{written}\n{success}")), []);
}

#[test]
fn times_and_repetitions() {
    let judgement = Stage::new().play("a GET /r -> 200 | ETag: \"v1x\"\n+60\na PUT /r | If-Match: \"v1x\" -> 412");
    assert_eq!(judgement.validator_age.map(|age| age.as_secs()), Some(61));
    assert!(!judgement.repeated_failure);
    let twice = "a PUT /r | If-Match: \"v1x\" -> 412\n+30\na PUT /r | If-Match: \"v1x\" -> 412";
    assert!(Stage::new().play(twice).repeated_failure);
    let recovered = Stage::new().play(&format!("{twice}\n+10\na PUT /r | If-Match: \"v2x\" -> 204"));
    assert_eq!(recovered.recovered_after.map(|after| after.as_secs()), Some(11));
    assert!(recovered.diagnosis.is_none());
}
