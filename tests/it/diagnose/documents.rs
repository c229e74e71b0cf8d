//! What `docs/diagnose.md` says can be done can be done.

use std::process::Command;
use std::{env, fs};

use crate::harness::gateway::Gateway;
use crate::harness::versioned;

#[test]
fn the_commands_of_the_page_do_what_it_says() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/diagnose.md")).unwrap();
    let blocks: Vec<&str> = page.split("<!-- run: ").skip(1).collect();
    assert!(blocks.len() >= 3);
    for block in blocks {
        let (code, rest) = block.split_once(" -->\n```sh\n").expect("a marked block");
        let (script, rest) = rest.split_once("```").expect("a block ends");
        let origin = versioned::origin();
        let gateway = Gateway::nginx("gzip on; gzip_types *; gzip_proxied any;", "", origin.address());
        let script = script
            .replace("127.0.0.1:8080", &gateway.address().to_string())
            .replace("10.0.0.7:8080", &origin.address().to_string());
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("order.json"), "{}").unwrap();
        let programs = env!("CARGO_BIN_EXE_why412").rsplit_once('/').unwrap().0;
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &script])
            .current_dir(directory.path())
            .env("PATH", format!("{programs}:{}", env::var("PATH").unwrap()))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            output.status.code(),
            code.parse().ok(),
            "{script}\n{told}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let Some(shown) = rest.trim_start().strip_prefix("<!-- shown -->\n```console\n") else { continue };
        let lines: Vec<&str> = shown.split("```").next().unwrap().lines().collect();
        assert!(lines.len() > 5);
        for line in lines {
            assert!(told.lines().any(|said| said == line), "the page says {line:?}:\n{told}");
        }
    }
}
