//! A command of the real binary that ends by itself.

use std::process::{Command, Stdio};

/// What it wrote, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) data: String,
    /// Standard error.
    pub(crate) messages: String,
}

/// Runs it without any of our variables in its environment.
pub(crate) fn why412(arguments: &[&str]) -> Ran {
    let output = command(arguments).output().expect("the binary runs");
    Ran {
        code: output.status.code().expect("no signal ended it"),
        data: String::from_utf8(output.stdout).expect("UTF-8"),
        messages: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// The command, for tests that want more of it than that it ends.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_why412"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WHY412_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}
