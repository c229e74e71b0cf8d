//! Searching the records through the API, and what is said of a search that cannot be.

use super::{Plane, id};

#[test]
fn records_are_found_by_time_and_by_text() {
    let plane = Plane::start();
    plane.refused(1, "/orders/1", &[("If-Match", "\"Alpha\"")]);
    plane.refused(2, "/orders/2?access_token=s3cret", &[("If-Match", "\"beta\""), ("Authorization", "Bearer s3cret")]);
    assert_eq!(plane.listed("?text=alpha"), [1]);
    assert_eq!(plane.listed("?text=IF-MATCH%3A+%22beta%22"), [2]);
    assert_eq!(plane.listed("?text=orders/"), [2, 1]);
    assert_eq!(plane.listed("?text=s3cret"), [] as [u128; 0], "what is hidden is not found");
    assert_eq!(plane.listed("?text=?access_token=s3cret"), [2], "an address that is pasted is");
    assert_eq!(plane.listed(&format!("?text={}", id(1))), [1]);
    assert_eq!(plane.listed("?since=1m"), [2, 1]);
    assert_eq!(plane.listed("?until=1m"), [] as [u128; 0]);
    assert_eq!(plane.listed("?since=2020-01-01T00:00:00Z&until=2020-01-02T01:00:00+01:00"), [] as [u128; 0]);
    let at = plane.ask(&format!("GET /api/v1/exchanges/{}", id(2))).json()["at"].as_str().unwrap().to_owned();
    assert!(plane.listed(&format!("?since={at}")).contains(&2), "since is inclusive");
    assert!(!plane.listed(&format!("?until={at}")).contains(&2), "until is not");
}

#[test]
fn what_cannot_be_searched_for_is_told_with_what_can() {
    let plane = Plane::start();
    for (query, says) in [
        ("since=yesterday", "2026-11-22T06:00:00Z"),
        ("until=15", "15m"),
        ("since=5m&until=10m", "before until"),
        ("cause=bad-luck", "catalogue"),
        ("txt=a", "text"),
    ] {
        let answer = plane.ask(&format!("GET /api/v1/exchanges?{query}"));
        assert_eq!(answer.status(), 400, "{query}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says), "{detail}");
    }
}
