//! A terminal: what a command shows on one that is so wide. It is util-linux' `script`, which every Debian has, so that
//! no crate is needed for a pseudo-terminal.

use std::process::{Command, Stdio};

/// What was shown, and how it ended.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The exit code.
    pub(crate) code: i32,
    /// Everything that reached the terminal, data and messages, with line feeds alone.
    pub(crate) text: String,
}

/// Runs it on a terminal of so many columns, with these variables in its environment.
pub(crate) fn on_terminal(columns: usize, arguments: &[&str], variables: &[(&str, &str)]) -> Shown {
    shown(columns, "", arguments, variables)
}

/// Runs what does not end by itself, and interrupts it after so many seconds.
pub(crate) fn on_terminal_for(seconds: usize, columns: usize, arguments: &[&str]) -> Shown {
    shown(columns, &format!("timeout --foreground --preserve-status -s INT {seconds}"), arguments, &[])
}

fn shown(columns: usize, before: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Shown {
    let quoted: Vec<_> = arguments.iter().map(|word| format!("'{word}'")).collect();
    let (binary, arguments) = (env!("CARGO_BIN_EXE_why412"), quoted.join(" "));
    let script = format!("stty cols {columns} rows 50 && exec {before} '{binary}' {arguments}");
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &script, "/dev/null"]).stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WHY412_")) {
        command.env_remove(name);
    }
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(name);
    }
    let output = command.env("TERM", "xterm").env("SHELL", "/bin/sh").envs(variables.iter().copied()).output();
    let output = output.expect("util-linux is there");
    let text = String::from_utf8(output.stdout).expect("UTF-8").replace("\r\n", "\n");
    Shown { code: output.status.code().expect("no signal ended it"), text }
}

/// Without the sequences that colour it.
pub(crate) fn uncoloured(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shown, part| shown + part.split_once('m').map_or(part, |(_, rest)| rest))
}
