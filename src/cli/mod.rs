//! The command line: one file per command. Data goes to standard output, messages to standard error.

mod arguments;
mod bypass;
mod check;
mod client;
mod demo;
mod exchanges;
pub mod explain;
mod healthcheck;
mod output;
mod record;
mod run;
mod tail;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use output::Output;

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
    let output = Output::of_process();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(asked) => {
            // Help and version are data, and everything else a message; clap knows which.
            let _ = asked.print();
            return u8::try_from(asked.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
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

fn dispatch(command: Command, output: &Output) -> Result<ExitCode, CliError> {
    match command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Check(arguments) => check::check(&arguments, output),
        Command::Demo(arguments) => demo::demo(&arguments, output),
        Command::Explain { name, json } => explain_one(name.as_deref(), json, output),
        Command::Tail(arguments) => tail::tail(&arguments, output),
        Command::Exchanges(arguments) => exchanges::exchanges(&arguments, output),
        Command::Bypass(arguments) => bypass::bypass(&arguments, output),
        Command::Healthcheck { instance } => healthcheck::healthcheck(&instance, output),
    }
}

fn explain_one(name: Option<&str>, json: bool, output: &Output) -> Result<ExitCode, CliError> {
    let text = explain::explain(name, json).map_err(|error| CliError::Failed(error.to_string()))?;
    output.data(text.trim_end_matches('\n'))?;
    Ok(ExitCode::SUCCESS)
}
