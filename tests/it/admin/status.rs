//! How an instance is, and how its counters moved, as the page reads it.

use std::collections::BTreeSet;

use super::Plane;

#[test]
fn the_status_tells_what_is_kept_and_who_listens() {
    let plane = Plane::start();
    let status = plane.ask("GET /api/v1/status").json();
    let members: BTreeSet<_> = status.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "captures",
        "demo",
        "feed",
        "instance",
        "ledger",
        "listen",
        "not_ready_because",
        "now",
        "pairing",
        "ready",
        "role",
        "started_at",
        "version",
    ];
    assert_eq!(members, BTreeSet::from(expected));
    assert_eq!((&status["ready"], &status["not_ready_because"]), (&false.into(), &"draining".into()));
    assert_eq!((&status["role"], &status["pairing"]["state"]), (&"alone".into(), &"alone".into()));
    assert_eq!((&status["demo"], &status["captures"]["records"]), (&false.into(), &0.into()));
    assert!(status["started_at"].as_str() <= status["now"].as_str(), "{status:#}");

    plane.refused(1, "/a", &[("If-Match", "\"v1\"")]);
    plane.listed("");
    let status = plane.ask("GET /api/v1/status").json();
    assert_eq!((&status["captures"]["records"], &status["captures"]["lost"]), (&1.into(), &0.into()));
    assert!(status["captures"]["bytes"].as_u64().unwrap() > 500, "{status:#}");
    assert_eq!(status["ledger"]["resources"], 1);
    assert!(status["ledger"]["bytes"].as_u64().unwrap() > 0, "{status:#}");
}

#[test]
fn trends_show_at_once_what_was_counted() {
    let plane = Plane::start();
    plane.refused(1, "/a", &[("If-Match", "\"v1\"")]);
    plane.refused(2, "/a", &[("If-Match", "\"v1\"")]);
    let trends = plane.ask("GET /api/v1/trends?minutes=5").json();
    assert_eq!(trends["step_seconds"], 10);
    let steps = trends["at"].as_array().unwrap().len();
    assert_eq!(trends["seconds"].as_array().unwrap().len(), steps);
    let route = &trends["routes"][0];
    assert_eq!(route["route"], "default");
    let total = |line: &serde_json::Value| {
        let line = line.as_array().unwrap();
        assert_eq!(line.len(), steps);
        line.iter().map(|count| count.as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((total(&route["requests"]), total(&route["precondition_failed"])), (2, 2));
    let causes = route["causes"].as_object().unwrap();
    assert_eq!(causes.values().map(total).sum::<u64>(), 2, "{trends:#}");
    for wrong in ["minutes=0", "minutes=61", "minutes=x", "hours=1"] {
        assert_eq!(plane.ask(&format!("GET /api/v1/trends?{wrong}")).status(), 400, "{wrong}");
    }
}
