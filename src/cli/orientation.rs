//! `why412` alone: where to begin.

use std::process::ExitCode;

use clap::CommandFactory as _;

use super::CliError;
use super::arguments::Arguments;
use super::layout::padded;
use super::output::{Output, Tone};

/// Where to begin.
const BEGINNINGS: [(&str, &str); 3] = [
    ("why412 demo", "see it at work, with nothing to set up"),
    ("why412 run --upstream URL", "put it in front of your server and watch"),
    ("why412 diagnose URL", "find out why one request gets 412, without a proxy"),
];

/// Says what this is and where to begin.
pub(super) fn orientation(output: &Output) -> Result<ExitCode, CliError> {
    let about = Arguments::command().get_about().map(ToString::to_string).unwrap_or_default();
    let mut lines = vec![format!("{} {about}.", output.toned(Tone::Strong, "why412:")), String::new()];
    lines.extend(BEGINNINGS.map(|(command, what)| format!("  {}{what}", padded(command, 27))));
    lines.extend([String::new(), "All commands: why412 --help. More of one: why412 COMMAND --help.".to_owned()]);
    output.data(&lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}
