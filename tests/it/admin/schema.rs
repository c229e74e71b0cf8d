//! The API held to its own description by schemathesis: whatever the description allows, and whatever it does not, is
//! asked for, and every answer has to be one that it tells of.

use std::path::Path;
use std::process::Command;

use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

/// Seconds that one run may take.
const SECONDS: &str = "15";

#[test]
fn every_answer_is_as_the_description_says() {
    let origin = Origin::always("HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nContent-Length: 0\r\n\r\n");
    holds(&Instance::before(origin.address()), None);
}

#[test]
fn so_it_is_where_a_token_is_needed() {
    let origin = Origin::always("HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nContent-Length: 0\r\n\r\n");
    let token = "a-token-of-the-tests";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, token).unwrap();
    let upstream = origin.address();
    let file = format!(
        "[admin]\ntoken_file = {:?}\n[upstream.api]\nurl = \"http://{upstream}\"\n",
        file.display().to_string()
    );
    let instance = Instance::configured(&file);
    holds(&instance, Some(token));
    assert!(!instance.said().contains(token), "a secret is in the output");
}

/// Runs schemathesis against an instance with a record in it.
#[track_caller]
fn holds(instance: &Instance, token: Option<&str>) {
    instance.ask(
        "PUT /orders/7 HTTP/1.1\r\nHost: api.test\r\nIf-Match: \"v1\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    let id = crate::harness::eventually("the record", || {
        let listed = asked(instance, "/api/v1/exchanges", token);
        listed["exchanges"][0]["id"].as_str().map(str::to_owned)
    });
    let folder = tempfile::tempdir().unwrap();
    // Ids and URLs that there are; without them every answer would be a 404.
    let settings = format!("[parameters]\n\"path.id\" = \"{id}\"\n\"query.url\" = \"http://api.test/orders/7\"\n");
    std::fs::write(folder.path().join("schemathesis.toml"), settings).unwrap();
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/schemathesis/bin/schemathesis");
    let mut command = Command::new(program);
    command
        .current_dir(folder.path())
        .args(["--config-file", "schemathesis.toml", "run"])
        .arg(format!("http://{}/api/v1/openapi.json", instance.admin()))
        // The feed does not end; its own tests read it.
        .args(["--exclude-path", "/api/v1/events"])
        // No schema says which routes there are, so that some values it allows are refused, with a reason.
        .args(["--exclude-checks", "positive_data_acceptance"])
        .args([
            "--phases",
            "coverage,fuzzing",
            "--max-examples",
            "20",
            "--max-time",
            SECONDS,
            "--request-timeout",
            "10",
        ])
        .args(["--seed", "412", "--no-color", "--continue-on-failure"]);
    if let Some(token) = token {
        command.arg("--header").arg(format!("Authorization: Bearer {token}"));
    }
    let output = command.output().expect("schemathesis is installed; `tests/schemathesis.sh` installs it");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let passed = said.lines().find(|line| line.contains("generated") && line.contains("passed"));
    assert!(passed.is_some(), "nothing was asked:\n{said}");
    assert!(asked(instance, "/api/v1/status", token)["started_at"].is_string(), "it is still there");
}

fn asked(instance: &Instance, path: &str, token: Option<&str>) -> serde_json::Value {
    let credentials = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let host = instance.admin();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{credentials}Connection: close\r\n\r\n");
    crate::harness::wire::Wire::to(host).ask(request).json()
}
