//! The examples of every command's help are true: each is run as it stands, with the addresses and names of the test.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::instance::Instance;
use crate::harness::ports::free_address;
use crate::harness::versioned;

/// A line of help that begins with `why412`, and the command whose help it is.
fn examples() -> Vec<(String, String)> {
    let page = why412::cli::reference::document();
    let mut command = String::new();
    let mut found = Vec::new();
    for line in page.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            name.clone_into(&mut command);
        }
        found.extend(line.strip_prefix("  why412 ").map(|rest| (command.clone(), format!("why412 {rest}"))));
    }
    found
}

#[test]
fn every_command_has_examples() {
    let page = why412::cli::reference::document();
    for command in page.lines().filter_map(|line| line.strip_prefix("## ")) {
        assert!(examples().iter().any(|(of, _)| of == command), "{command} has none");
    }
}

#[test]
fn every_example_is_true() {
    let (origin, behind) = (versioned::origin(), versioned::origin());
    let instance = Instance::before(origin.address());
    instance.ask("PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\nIf-Match: v1\r\nContent-Length: 0\r\n\r\n");
    let id = instance.record_of_412("PUT")["id"].as_str().unwrap().to_owned();
    let directory = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::copy(root.join("config/why412.toml"), directory.path().join("why412.toml")).unwrap();
    fs::write(directory.path().join("order.json"), "{}").unwrap();
    fs::write(directory.path().join("key"), "a secret of the test, long enough to be one\n").unwrap();

    let examples = examples();
    assert!(examples.len() > 30, "{examples:?}");
    for (_, example) in &examples {
        let servers = [&origin, &behind].map(|origin| origin.address().to_string());
        let script = runnable(example, &servers).replace("01JD0Z…", &id);
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &script])
            .current_dir(directory.path())
            .env("PATH", path_with_us())
            .env("WHY412_ADMIN_URL", format!("http://{}", instance.admin()))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{example}\nrun as {script}\n{said}");
    }
}

/// The example as a script that ends: what runs until it is stopped is stopped, or checked instead.
fn runnable(example: &str, [origin, behind]: &[String; 2]) -> String {
    if let Some(rest) = example.strip_prefix("why412 run ") {
        // `check` takes what `run` takes, and says whether it would start.
        return format!("why412 check {}", rest.replace("/etc/why412/", ""));
    }
    if example.starts_with("why412 tail") {
        return format!("timeout --preserve-status -s INT 1 {example}");
    }
    if example.starts_with("why412 demo") {
        let example = example.replace("127.0.0.1:9000", &free_address().to_string());
        return format!("timeout --preserve-status -s INT 3 {}", example.replace("--for 1m", "--for 1s"));
    }
    if example.starts_with("why412 diagnose") {
        let example = example.replace("127.0.0.1:8080", origin).replace("10.0.0.7:8080", behind);
        // It may find a problem: that is what it is for.
        return format!("{{ {example}\n}} || [ $? -eq 1 ]");
    }
    example.to_owned()
}

fn path_with_us() -> String {
    let ours = Path::new(env!("CARGO_BIN_EXE_why412")).parent().unwrap().display();
    format!("{ours}:{}", std::env::var("PATH").unwrap())
}
