//! Records in the words of other tools, judged by these tools.

mod bundle;
mod cli;
mod curl;
mod har;

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

const REFUSED: &str = "HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nContent-Length: 0\r\n\r\n";

/// Runs a program that must end well; what it wrote.
#[track_caller]
fn run(directory: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(directory).output();
    let output = output.unwrap_or_else(|fault| panic!("{program} does not run ({fault}); see tests/setup.sh"));
    let said =
        [output.stdout.as_slice(), output.stderr.as_slice()].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(output.status.success(), "{program} {arguments:?}: {}", said.concat());
    said[0].clone()
}
