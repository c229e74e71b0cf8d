//! What stands in `deploy/` is true.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::gateway::program;

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

#[test]
fn promtool_accepts_the_alert_rules() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus-rules.yml");

    let output = Command::new(program("promtool")).args(["check", "rules"]).arg(rules).output().unwrap();

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn alert_rules_name_only_metrics_causes_and_hazards_that_there_are() {
    let (metrics, catalogue) = (read("docs/metrics.md"), read("docs/causes.md"));
    let rules = read("deploy/prometheus-rules.yml");

    let named: BTreeSet<&str> = rules
        .split(|character: char| !(character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_'))
        .filter(|word| word.starts_with("why412_"))
        .collect();
    assert!(!named.is_empty());
    for name in named {
        assert!(metrics.contains(&format!("`{name}`")), "{name} is not measured");
    }
    let ids = rules.split("=~\"").skip(1).filter_map(|rest| rest.split('"').next()).flat_map(|list| list.split('|'));
    for id in ids.filter(|id| id.contains('-')) {
        assert!(catalogue.contains(&format!("\n### {id}\n")), "{id} is not in the catalogue");
    }
}

#[test]
fn the_unit_runs_commands_that_there_are() {
    let unit = read("deploy/why412.service");
    let mut commands = 0;
    for line in unit.lines().filter(|line| line.contains("/usr/local/bin/why412")) {
        if let Some(command) = line.split_once('=').filter(|(key, _)| key.starts_with("Exec")) {
            let name = command.1.split(' ').nth(1).unwrap();
            let help = Command::new(env!("CARGO_BIN_EXE_why412")).args([name, "--help"]).output().unwrap();
            assert!(help.status.success(), "why412 {name}");
            assert!(String::from_utf8_lossy(&help.stdout).contains("--config"), "why412 {name} --config");
            commands += 1;
        }
    }
    assert_eq!(commands, 2);
}
