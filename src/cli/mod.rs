//! The command line: one file per command. Data goes to standard output, messages to standard error.

mod arguments;
mod bypass;
mod check;
mod client;
mod demo;
mod diagnose;
mod exchanges;
mod explain;
mod healthcheck;
mod layout;
mod names;
mod orientation;
mod output;
mod progress;
mod record;
pub mod reference;
mod run;
mod scripts;
mod tail;

use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _};

use arguments::{Arguments, Command};
use output::{ColourChoice, Output};

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
enum CliError {
    /// It failed; the sentence says why, and what to do.
    #[error("{0}")]
    Failed(String),
    /// It was asked for in a way that cannot be.
    #[error("{0}")]
    Usage(String),
    /// The configuration keeps an instance from starting.
    #[error("{0}")]
    Configuration(String),
    /// Nobody reads our output any more.
    #[error("standard output: {0}")]
    Output(#[from] std::io::Error),
}

impl CliError {
    const fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Output(_) => 1,
            Self::Usage(_) => 2,
            // EX_CONFIG of sysexits.h.
            Self::Configuration(_) => 78,
        }
    }
}

/// Does what the arguments say.
pub fn main() -> ExitCode {
    let mut command = Arguments::command().color(match colour_asked_for(std::env::args()) {
        ColourChoice::Auto => ColorChoice::Auto,
        ColourChoice::Always => ColorChoice::Always,
        ColourChoice::Never => ColorChoice::Never,
    });
    let parsed = command.try_get_matches_from_mut(std::env::args_os());
    let parsed = parsed.and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed.map_err(|error| error.format(&mut command)) {
        Ok(arguments) => arguments,
        Err(asked) => {
            // Help and version are data, and everything else a message; clap knows which.
            let _ = asked.print();
            return u8::try_from(asked.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    let output = Output::of_process(arguments.color);
    match dispatch(arguments.command, &output) {
        Ok(code) => code,
        // Whoever pipes into `head` wants no more: that is no failure.
        Err(CliError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            output.message(&error.to_string());
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(command: Option<Command>, output: &Output) -> Result<ExitCode, CliError> {
    match command {
        None => Ok(orientation::orientation(output)),
        Some(Command::Run(arguments)) => run::run(&arguments),
        Some(Command::Check(arguments)) => check::check(&arguments, output),
        Some(Command::Demo(arguments)) => demo::demo(&arguments, output),
        Some(Command::Diagnose(arguments)) => diagnose::diagnose(&arguments, *output),
        Some(Command::Explain(arguments)) => explain::explain(&arguments, output),
        Some(Command::Tail(arguments)) => tail::tail(&arguments, output),
        Some(Command::Exchanges(arguments)) => exchanges::exchanges(&arguments, output),
        Some(Command::Bypass(arguments)) => bypass::bypass(&arguments, output),
        Some(Command::Healthcheck(arguments)) => healthcheck::healthcheck(&arguments, output),
        Some(Command::Completions { shell }) => scripts::completions(shell, output),
        Some(Command::Man { output: directory }) => scripts::man(directory.as_deref(), output),
    }
}

/// The colour that help and complaints about the arguments are to have, which are written before arguments are read.
fn colour_asked_for(arguments: impl Iterator<Item = String>) -> ColourChoice {
    let arguments: Vec<String> = arguments.collect();
    let of = |pair: &[String]| match pair {
        [flag, value] if flag == "--color" => Some(value.clone()),
        [flag, ..] => flag.strip_prefix("--color=").map(str::to_owned),
        [] => None,
    };
    let asked = (0..arguments.len()).find_map(|at| of(arguments.get(at..(at + 2).min(arguments.len()))?));
    asked.and_then(|word| clap::ValueEnum::from_str(&word, false).ok()).unwrap_or_default()
}

/// Today, in UTC: `2026-11-22`.
fn today() -> String {
    crate::recorder::record::time_text(crate::clock::now()).chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_colour_is_known_before_the_arguments_are_read() {
        let of = |line: &str| colour_asked_for(line.split(' ').map(str::to_owned));
        assert_eq!(of("why412 --color never --help"), ColourChoice::Never);
        assert_eq!(of("why412 explain --color=always"), ColourChoice::Always);
        assert_eq!(of("why412 explain --color"), ColourChoice::Auto);
        assert_eq!(of("why412"), ColourChoice::Auto);
    }
}
