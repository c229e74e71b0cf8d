//! `why412` alone: where to begin.

use std::process::ExitCode;

use clap::CommandFactory as _;

use super::CliError;
use super::arguments::Arguments;
use super::output::{Output, Tone};

/// Where to begin, most useful first.
const BEGINNINGS: [(&str, &str, &str); 5] = [
    ("demo", "why412 demo", "see it at work, with nothing else installed"),
    ("diagnose", "why412 diagnose URL", "find out why one request gets 412, without a proxy"),
    ("run", "why412 run --upstream URL", "put it in front of your server and watch"),
    ("exchanges", "why412 exchanges", "list what a running instance has recorded"),
    ("explain", "why412 explain", "list the causes of 412 that it knows"),
];

/// How many of them are shown.
const SHOWN: usize = 3;

/// Says what this is and where to begin.
pub(super) fn orientation(output: &Output) -> Result<ExitCode, CliError> {
    let command = Arguments::command();
    let is_there = |name: &str| command.find_subcommand(name).is_some();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut lines = vec![format!("{} {about}.", output.toned(Tone::Strong, "why412:")), String::new()];
    for (_, line, what) in BEGINNINGS.iter().filter(|(name, ..)| is_there(name)).take(SHOWN) {
        lines.push(format!("  {line:<27}{what}"));
    }
    lines.extend([String::new(), "All commands: why412 --help. More of one: why412 COMMAND --help.".to_owned()]);
    output.data(&lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}
