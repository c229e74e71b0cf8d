//! What the README says can be done can be done: its marked commands are run.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::harness::instance::Instance;
use crate::harness::versioned;

const BINARY: &str = env!("CARGO_BIN_EXE_why412");

#[test]
fn the_quickstart_tells_its_story() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("bash")
        .arg("examples/quickstart.sh")
        .arg("--once")
        .current_dir(root)
        .env("WHY412", BINARY)
        .output()
        .unwrap();

    let told = text(&output);
    assert!(output.status.success(), "{told}");
    let statuses: Vec<&str> = told.lines().filter_map(|line| line.trim().strip_prefix("HTTP/1.1 ")).collect();
    let refused = "412 Precondition Failed";
    assert_eq!(statuses, ["200 OK", refused, "200 OK", refused, "200 OK", "204 No Content"], "{told}");
    assert!(told.contains("etag-weakened"), "{told}");
    // The README shows the same verdict, line by line; addresses, times and tags differ from run to run.
    let readme = readme();
    let shown = readme.split("<!-- what the quickstart says -->").nth(1).and_then(|rest| rest.split("```").nth(1));
    let verdict = shown.expect("the README shows it").lines().skip_while(|line| !line.contains("exchanges show"));
    let stable =
        |line: &&str| !matches!(line.trim(), "" | "…") && !line.chars().any(|character| character.is_ascii_digit());
    let lines: Vec<&str> = verdict.skip(1).filter(stable).collect();
    assert!(lines.len() > 3, "{lines:?}");
    for line in lines {
        assert!(told.contains(line.trim()), "the README says {line:?}, the quickstart\n{told}");
    }
}

#[test]
fn the_demo_says_what_the_readme_shows() {
    let readme = readme();
    let block = |mark: &str| readme.split(mark).nth(1).and_then(|rest| rest.split("```").nth(1)).expect("a block");
    let command = block("<!-- run: demo -->").trim_start_matches("sh\n").trim();
    let arguments: Vec<&str> = command.strip_prefix("cargo run -- ").expect("from a clone").split(' ').collect();
    let output = Command::new(BINARY)
        .args(arguments)
        .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--for", "300ms"])
        .output()
        .unwrap();

    let said = text(&output);
    assert!(output.status.success(), "{said}");
    // Ports differ from run to run.
    let without_ports = |text: &str| {
        let lines = text.lines().map(|line| line.split("127.0.0.1:").next().unwrap_or_default().trim_end().to_owned());
        lines.collect::<Vec<_>>()
    };
    let (shown, said) =
        (without_ports(block("<!-- what the demo says -->").trim_start_matches("text\n")), without_ports(&said));
    assert!(shown.len() > 4 && said.starts_with(&shown), "{shown:#?}\n{said:#?}");
}

#[test]
fn marked_commands_work() {
    let origin = versioned::origin();
    let instance = Instance::before(origin.address());
    instance.ask("PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\nIf-Match: v1\r\nContent-Length: 0\r\n\r\n");
    let id = instance.record_of_412("PUT")["id"].as_str().unwrap().to_owned();

    let readme = readme();
    let blocks: Vec<&str> = readme
        .split("<!-- run -->\n```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().expect("a block ends"))
        .collect();
    assert!(blocks.len() >= 3, "{blocks:?}");
    for block in blocks {
        let script = block
            .replace("127.0.0.1:4120", &instance.admin().to_string())
            .replace("127.0.0.1:8412", &instance.address().to_string())
            .replace("01JD0Z…", &id);
        let directory = Path::new(BINARY).parent().unwrap().display();
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &script])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("PATH", format!("{directory}:{}", env::var("PATH").unwrap()))
            .env("WHY412_ADMIN_URL", format!("http://{}", instance.admin()))
            .output()
            .unwrap();
        assert!(output.status.success(), "{script}\n{}", text(&output));
    }
}

#[test]
fn files_that_the_readme_names_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in ["README.md", "deploy/README.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let target = root.join(document).parent().unwrap().join(link);
            assert!(link.is_empty() || link.starts_with("http") || target.exists(), "{document}: {link}");
        }
    }
}

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
