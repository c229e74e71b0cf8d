//! `why412 completions` and `why412 man`: what the arguments say of themselves, for shells and for `man`.

use std::path::Path;
use std::process::ExitCode;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use super::CliError;
use super::arguments::Arguments;
use super::output::Output;

/// Writes the script for `shell`.
pub(super) fn completions(shell: Shell, output: &Output) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "why412", &mut script);
    output.data(String::from_utf8_lossy(&script).trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the page of why412 itself, or those of all commands into a directory.
pub(super) fn man(directory: Option<&Path>, output: &Output) -> Result<ExitCode, CliError> {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    let Some(directory) = directory else {
        output.data(page(&command)?.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    };
    let failed = |path: &Path, error: &std::io::Error| CliError::Failed(format!("{}: {error}", path.display()));
    std::fs::create_dir_all(directory).map_err(|error| failed(directory, &error))?;
    for (name, page) in pages(&command)? {
        let path = directory.join(format!("{name}.1"));
        std::fs::write(&path, page).map_err(|error| failed(&path, &error))?;
        output.data(&path.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The pages of a command and of those below it, by name: `why412-exchanges-show`.
fn pages(command: &Command) -> Result<Vec<(String, String)>, CliError> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut all = vec![(name, page(command)?)];
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        all.extend(pages(below)?);
    }
    Ok(all)
}

fn page(command: &Command) -> Result<String, CliError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
