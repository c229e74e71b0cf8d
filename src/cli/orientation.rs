//! `why412` alone: where to begin.

use std::process::ExitCode;

use clap::CommandFactory as _;

use super::arguments::Arguments;
use super::layout::padded;
use super::output::Output;

/// Where to begin.
const BEGINNINGS: [(&str, &str); 3] = [
    ("why412 demo", "see it at work, with nothing to set up"),
    ("why412 run --upstream URL", "put it in front of your server and watch"),
    ("why412 diagnose URL", "find out why one request gets 412, without a proxy"),
];

/// The exit code of wrong usage.
const USAGE: u8 = 2;

/// Says what this is and where to begin. No command was named: that is wrong usage, for a script most of all.
pub(super) fn orientation(output: &Output) -> ExitCode {
    let about = Arguments::command().get_about().map(ToString::to_string).unwrap_or_default();
    let mut lines = vec![format!("why412: {about}."), String::new()];
    lines.extend(BEGINNINGS.map(|(command, what)| format!("  {}{what}", padded(command, 27))));
    lines.extend([String::new(), "All commands: why412 --help. More of one: why412 COMMAND --help.".to_owned()]);
    output.instead_of_data(&lines.join("\n"));
    ExitCode::from(USAGE)
}
