//! Documents that the code writes: each is held current here, and rewritten with `UPDATE=1 cargo test`.

use std::path::Path;

use why412::analysis::diagnosis::reference;
use why412::cli;
use why412::config;
use why412::recorder::metrics;

#[test]
fn the_page_of_causes_is_current() {
    holds("docs/causes.md", &reference::page());
}

#[test]
fn the_reference_of_metrics_is_current() {
    holds("docs/metrics.md", &metrics::reference::document());
}

#[test]
fn the_reference_of_the_configuration_is_current() {
    holds("docs/configuration.md", &config::reference::document());
}

#[test]
fn the_file_with_every_key_is_current() {
    holds("config/why412.toml", &config::reference::file());
}

#[test]
fn the_reference_of_the_command_line_is_current() {
    holds("docs/command-line.md", &cli::reference::document());
}

#[track_caller]
fn holds(name: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, wanted).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == wanted, "{name} is not what the code says; run `UPDATE=1 cargo test documents` and look at it");
}
