//! The description of the API held against the API itself.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Plane, id};

/// Where a description has a parameter in its path.
fn concrete(path: &str) -> String {
    path.replace("{id}", &id(1))
}

/// The paths of the router, as its source has them.
fn routed() -> BTreeSet<String> {
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/admin/mod.rs")).unwrap();
    let router = source.split("\nfn router(").nth(1).unwrap().split("\n}\n").next().unwrap();
    let mut paths = BTreeSet::new();
    for (nested, part) in router.split("Router::new()").skip(1).enumerate() {
        for route in part.split(".route(\"").skip(1) {
            let path = route.split('"').next().unwrap();
            // The exchanges are a router of their own, which comes first.
            let prefix = if nested == 0 { "/api/v1/exchanges" } else { "" };
            paths.insert(format!("{prefix}{path}").trim_end_matches('/').to_owned());
        }
    }
    // The page is for people.
    paths.remove("");
    paths
}

#[test]
fn every_path_of_the_router_is_described_and_no_other() {
    let plane = Plane::start();
    let document = plane.ask("GET /api/v1/openapi.json").json();
    let described: BTreeSet<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let routed = routed();
    assert!(routed.len() > 15, "{routed:?}");
    assert_eq!(described, routed);
}

#[test]
fn methods_are_described_as_they_are_allowed() {
    let plane = Plane::start();
    let document = plane.ask("GET /api/v1/openapi.json").json();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let refused = plane.ask(&format!("TRACE {}", concrete(path)));
        assert_eq!(refused.status(), 405, "{path}");
        let allowed: BTreeSet<_> =
            refused.value("allow").unwrap().split(',').map(|method| method.trim().to_owned()).collect();
        let mut described: BTreeSet<_> =
            operations.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        if described.contains("GET") {
            described.insert("HEAD".to_owned());
        }
        assert_eq!(described, allowed, "{path}");
    }
}

#[test]
fn parameters_are_described_as_they_are_taken() {
    let plane = Plane::start();
    let document = plane.ask("GET /api/v1/openapi.json").json();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(
                operation["responses"].as_object().is_some_and(|responses| responses.contains_key("200")),
                "{path}"
            );
            assert!(operation["summary"].is_string(), "{method} {path} says nothing of itself");
            let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
            assert!(parameters.iter().all(|parameter| parameter["description"].is_string()), "{method} {path}");
            if !path.starts_with("/api/v1/") || path == "/api/v1/openapi.json" {
                continue;
            }
            let line = format!("{} {}?no-such-parameter=1", method.to_uppercase(), concrete(path));
            let body = if method == "put" { "{}" } else { "" };
            let refused = plane.ask_with(&line, "", body);
            assert_eq!(refused.status(), 400, "{line}: {}", refused.text());
            assert_eq!(described(parameters), taken(&refused.json()), "{line}");
        }
    }
}

fn described(parameters: &[Value]) -> BTreeSet<String> {
    let of_query = parameters.iter().filter(|parameter| parameter["in"] == "query");
    of_query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
}

/// What the refusal of an unknown parameter names as known.
fn taken(refusal: &Value) -> BTreeSet<String> {
    let detail = refusal["detail"].as_str().unwrap();
    let known = detail.rsplit_once('(').unwrap().1.trim_end_matches(')');
    if known == "there are none" { BTreeSet::new() } else { known.split(", ").map(str::to_owned).collect() }
}
