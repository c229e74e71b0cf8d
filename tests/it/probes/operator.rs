//! `POST /api/v1/exchanges/{id}/probe` and `why412 exchanges probe`.

use std::fs;

use serde_json::{Value, json};

use super::{before, configured, put, reads, refusing, tagged, verdict};
use crate::harness::command::why412;
use crate::harness::instance::Instance;
use crate::harness::wire::Wire;

const TAG: &str = "If-Match: \"v1\"\r\n";

fn id(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}

#[test]
fn an_operator_is_given_the_amended_record() {
    let origin = refusing(|_| tagged("\"v1\""));
    let instance = before(&origin, "");
    instance.ask(put(&format!("{TAG}Authorization: Bearer s3cret\r\nAccept: text/html\r\n")));
    let record = instance.record_of_412("PUT");
    assert_eq!(verdict(&record), "unexplained possible");

    let answer = instance.control(&format!("POST /api/v1/exchanges/{}/probe", id(&record)));

    assert_eq!(answer.status(), 200, "{}", answer.text());
    let amended = answer.json();
    assert_eq!(verdict(&amended), "current-validator-refused likely");
    let probe = &amended["probe"];
    assert_eq!((&probe["by"], &probe["credentials"]), (&"operator".into(), &"withheld".into()), "{probe:#}");
    assert_eq!((&probe["through"]["method"], &probe["through"]["status"]), (&"GET".into(), &200.into()));
    assert_eq!(instance.control(&format!("GET /api/v1/exchanges/{}", id(&record))).json(), amended);
    let asked = reads(&origin).remove(0);
    assert_eq!(asked.head.lines_without(&["Host", "User-Agent"]), ["Accept: text/html"]);
    assert_eq!(asked.value("Host"), Some("shop.test"));

    // Again: what was learned is replaced, not piled up.
    let again = instance.control(&format!("POST /api/v1/exchanges/{}/probe", id(&record))).json();
    let facts = |record: &Value| {
        let evidence = record["diagnosis"]["evidence"].as_array().unwrap().clone();
        evidence.into_iter().filter(|fact| fact["kind"] == "probed").count()
    };
    assert_eq!((facts(&amended), facts(&again)), (1, 1));
}

#[test]
fn the_command_shows_what_was_learned() {
    let origin = refusing(|_| tagged("\"v1\""));
    let instance = before(&origin, "");
    instance.ask(put(TAG));
    instance.record_of_412("PUT");
    let admin = format!("http://{}", instance.admin());
    let ran = why412(&["exchanges", "probe", "last-412", "--admin", &admin]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for expected in ["current-validator-refused", "through the path: GET http://", "ETag: \"v1\""] {
        assert!(ran.data.contains(expected), "{expected} in {ran:?}");
    }
    let ran = why412(&["exchanges", "probe", "01JD0Z00000000000000000000", "--admin", &admin]);
    assert_eq!(ran.code, 1);
}

#[test]
fn what_is_not_recorded_is_not_found() {
    let origin = refusing(|_| tagged("\"v1\""));
    let instance = before(&origin, "");
    for unknown in ["01JD0Z00000000000000000000", "nonsense"] {
        let answer = instance.control(&format!("POST /api/v1/exchanges/{unknown}/probe"));
        assert_eq!((answer.status(), answer.value("Content-Type")), (404, Some("application/problem+json")));
    }
    assert_eq!(instance.control("GET /api/v1/exchanges/01JD0Z00000000000000000000/probe").status(), 405);
    assert_eq!(reads(&origin).len(), 0);
}

#[test]
fn what_the_record_hides_cannot_be_asked_for() {
    let origin = refusing(|_| tagged("\"v1\""));
    let instance = before(&origin, "");
    instance.ask(put(TAG).replace("/orders/7", "/orders/7?access_token=s3cret"));
    let record = instance.record_of_412("PUT");
    let answer = instance.control(&format!("POST /api/v1/exchanges/{}/probe", id(&record)));
    assert_eq!(answer.status(), 409);
    assert!(answer.json()["detail"].as_str().unwrap().contains("hides the secrets"), "{}", answer.text());
    assert_eq!(reads(&origin).len(), 0);
}

#[test]
fn a_route_that_is_gone_is_said() {
    let origin = refusing(|_| tagged("\"v1\""));
    let instance = before(&origin, "");
    instance.ask(put(TAG));
    let record = instance.record_of_412("PUT");
    let file = fs::read_to_string(instance.file()).unwrap();
    fs::write(instance.file(), file.replace("name = \"orders\"", "name = \"other\"")).unwrap();
    assert_eq!(instance.control("POST /-/reload").status(), 200);
    let answer = instance.control(&format!("POST /api/v1/exchanges/{}/probe", id(&record)));
    assert_eq!(answer.status(), 409);
    assert!(answer.json()["detail"].as_str().unwrap().contains("\"orders\""), "{}", answer.text());
}

#[test]
fn operators_are_limited_as_well() {
    let origin = refusing(|_| tagged("\"v1\""));
    let instance = before(&origin, "probes_per_minute = 1");
    instance.ask(put(TAG));
    let record = instance.record_of_412("PUT");
    let probe = || instance.control(&format!("POST /api/v1/exchanges/{}/probe", id(&record)));
    assert_eq!((probe().status(), probe().status()), (200, 429));
    assert_eq!(reads(&origin).len(), 1);
}

#[test]
fn strangers_send_no_probes() {
    let origin = refusing(|_| tagged("\"v1\""));
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    fs::write(&token, "t0ken-of-the-tests-that-is-long-enough").unwrap();
    let file = configured(&format!("url = [\"http://{}\"]", origin.address()), "");
    let instance = Instance::configured(&format!("[admin]\ntoken_file = {token:?}\n{file}"));
    instance.ask(put(TAG));
    let ask = |line: &str, fields: &str| {
        let host = instance.admin();
        Wire::to(host).ask(format!("{line} HTTP/1.1\r\nHost: {host}\r\n{fields}Connection: close\r\n\r\n"))
    };
    let authorized = "Authorization: Bearer t0ken-of-the-tests-that-is-long-enough\r\n";
    let listed = crate::harness::eventually("the record", || {
        let listed = ask("GET /api/v1/exchanges", authorized).json();
        listed["exchanges"].get(0).cloned()
    });
    let line = format!("POST /api/v1/exchanges/{}/probe", id(&listed));
    assert_eq!(ask(&line, "").status(), 401);
    assert_eq!(ask(&line, &format!("{authorized}Origin: http://evil.test\r\n")).status(), 403);
    assert_eq!(reads(&origin).len(), 0);
    assert_eq!(ask(&line, authorized).json()["probe"]["by"], json!("operator"));
}
