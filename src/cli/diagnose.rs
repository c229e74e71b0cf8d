//! `why412 diagnose`: the troubleshooting procedure as a command.

pub(super) mod arguments;
mod bundle;
mod json;
mod text;

use std::process::ExitCode;

use super::CliError;
use super::output::Output;
use crate::diagnose::retry::{Rules, Stopped, retry};
use crate::diagnose::verdict::About;
use crate::diagnose::{self, Asked, Conclusion, Means, Observed};
use crate::recorder::redact::Redaction;
use arguments::DiagnoseArguments;

/// One run, as the renderings see it.
struct Ran<'a> {
    arguments: &'a DiagnoseArguments,
    asked: &'a Asked,
    observed: &'a Observed,
    conclusion: &'a Conclusion,
    stopped: Option<&'a Stopped>,
}

impl Ran<'_> {
    /// What the exit code says: a refreshed request that succeeded is what was asked for.
    fn is_problem(&self) -> bool {
        match self.stopped {
            Some(stopped) => !stopped.is_success(),
            None => self.conclusion.is_problem(),
        }
    }
}

/// Asks, judges, and says what was found.
pub(super) fn diagnose(arguments: &DiagnoseArguments, output: Output) -> Result<ExitCode, CliError> {
    let asked = arguments.asked().map_err(CliError::Usage)?;
    let means = arguments.means().map_err(CliError::Usage)?;
    let place = arguments.bundle.as_deref().map(bundle::Place::make).transpose().map_err(CliError::Usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::Failed(format!("no runtime: {error}")))?;
    let (observed, conclusion, stopped) = runtime.block_on(asking(arguments, &asked, &means, output));
    let ran = Ran { arguments, asked: &asked, observed: &observed, conclusion: &conclusion, stopped: stopped.as_ref() };
    let redaction = Redaction::default();
    if let Some((place, path)) = place.zip(arguments.bundle.as_deref()) {
        let text = text::of(&ran, output.without_colour(), Some(&redaction));
        let bundle = bundle::of(&asked, &observed, &json::of(&ran, &redaction), &text, &redaction);
        place.write(&bundle).map_err(CliError::Failed)?;
        output.message(&format!("wrote {}", path.display()));
    }
    if arguments.json {
        let pretty = serde_json::to_string_pretty(&json::of(&ran, &redaction)).unwrap_or_default();
        output.data(&pretty)?;
    } else {
        output.data(text::of(&ran, output, None).trim_end())?;
    }
    Ok(if ran.is_problem() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The procedure, with a word to whoever waits for it longer than a second.
async fn asking(
    arguments: &DiagnoseArguments,
    asked: &Asked,
    means: &Means,
    output: Output,
) -> (Observed, Conclusion, Option<Stopped>) {
    let waiting = output.progress(format!("asking {}", asked.url.server));
    let mut observed = diagnose::run(asked, means).await;
    let conclusion = diagnose::conclude(asked, &observed);
    let is_refused = conclusion.about == About::Refused;
    let rules = arguments.retry.filter(|_| is_refused).map(|times| Rules { times, overwrite: arguments.overwrite });
    let stopped = match rules {
        Some(rules) => Some(retry(asked, means, rules, &mut observed).await),
        None => None,
    };
    drop(waiting);
    (observed, conclusion, stopped)
}
