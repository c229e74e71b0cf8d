//! `why412 diagnose` by its own means: the real binary against origins written to the byte and against real gateways.

mod documents;
mod gateways;
mod hostile;
mod means;
mod retry;
mod two_ways;
mod verdicts;

use std::net::SocketAddr;

use serde_json::Value;

use crate::harness::command::{Ran, why412};

/// Runs the command with `--json`; what it says, and the exit code.
#[track_caller]
fn diagnose(arguments: &[&str]) -> (Value, i32) {
    let ran = run(&[arguments, &["--json"]].concat());
    let said = serde_json::from_str(&ran.data).unwrap_or_else(|fault| panic!("{fault} in {ran:#?}"));
    (said, ran.code)
}

fn run(arguments: &[&str]) -> Ran {
    why412(&[&["diagnose"], arguments].concat())
}

fn url(address: SocketAddr, path: &str) -> String {
    format!("http://{address}{path}")
}

/// `cause/detail confidence` of the verdict; empty without one.
fn verdict(said: &Value) -> String {
    named(&said["verdict"], "cause")
}

fn named(found: &Value, key: &str) -> String {
    let text = |member: &str| found[member].as_str().map(str::to_owned);
    let detail = text("detail").map_or_else(String::new, |detail| format!("/{detail}"));
    text(key).map_or_else(String::new, |id| format!("{id}{detail} {}", found["confidence"].as_str().unwrap()))
}

/// Every accusation but the verdict.
fn also(said: &Value) -> Vec<String> {
    let list = |member: &str, key: &'static str| {
        let found = said[member].as_array().unwrap().iter();
        found.map(move |one| named(one, key)).collect::<Vec<_>>()
    };
    [list("path", "cause"), list("hazards", "hazard")].concat()
}

/// The methods of what was sent.
fn methods(said: &Value) -> Vec<String> {
    let steps = said["steps"].as_array().unwrap().iter();
    steps.map(|step| step["request"]["method"].as_str().unwrap().to_owned()).collect()
}
