//! `why412 completions` and `why412 man`: what the arguments say of themselves, for shells and for `man`.

use std::path::Path;
use std::process::ExitCode;

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::Shell;

use super::CliError;
use super::arguments::Arguments;
use super::layout::wrapped;
use super::output::Output;

/// The date of the pages, in place of that on which they are written: the same version writes the same bytes.
const DATE: &str = "2026-11-25";
/// Columns of the source of a page, and those of text in which some characters become several.
const ROFF_COLUMNS: usize = 78;
const NOTES_COLUMNS: usize = 64;

/// Writes the script for `shell`.
pub(super) fn completions(shell: Shell, output: &Output) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    clap_complete::generate(shell, &mut command, "why412", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Fish {
        for below in command.get_subcommands() {
            positional_for_fish(&mut script, below);
        }
    }
    output.data(script.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// The values of a command's own arguments, which clap's script for fish leaves out.
fn positional_for_fish(script: &mut String, command: &Command) {
    let values = command.get_positionals().flat_map(Arg::get_possible_values).filter(|value| !value.is_hide_set());
    for value in values {
        let help = value.get_help().map(ToString::to_string).unwrap_or_default().replace('\'', "\\'");
        let (name, value) = (command.get_name(), value.get_name());
        let when = format!("__fish_why412_using_subcommand {name}");
        script.push_str(&format!("complete -c why412 -n \"{when}\" -f -a '{value}' -d '{help}'\n"));
    }
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

/// A page of section 1, as `man` sets it.
fn page(command: &Command) -> Result<String, CliError> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let man = clap_mangen::Man::new(command.clone())
        .title(name.to_uppercase())
        .section("1")
        .date(DATE)
        .source(format!("why412 {}", env!("CARGO_PKG_VERSION")))
        .manual("why412");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut page = tidy(&String::from_utf8_lossy(&page));
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let (examples, notes) = after.split_once("\n\n").unwrap_or((&after, ""));
    if let Some(examples) = examples.strip_prefix("Examples:\n") {
        page.push_str(&format!(".SH EXAMPLES\n.nf\n{}\n.fi\n", roff(examples)));
    }
    if !notes.is_empty() {
        page.push_str(&format!(".SH NOTES\n{}\n", roff(&wrapped(notes, "", "", NOTES_COLUMNS))));
    }
    Ok(page)
}

/// Text that `man` shows as it is: nothing in it is a request or an escape (groff_char(7)).
fn roff(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-").replace('`', "\\(ga").replace('\'', "\\(aq");
    let line = |line: &str| if line.starts_with('.') { format!("\\&{line}") } else { line.to_owned() };
    escaped.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// What mandoc(1) finds untidy in pages that clap writes: white space at the end of lines, empty lines, long lines.
fn tidy(page: &str) -> String {
    let mut tidied = String::new();
    for line in page.replace(".br\n\n.br\n", ".sp\n").lines() {
        let line = line.trim_end();
        let shown = if line.starts_with('.') { line.to_owned() } else { wrapped(line, "", "", ROFF_COLUMNS) };
        tidied.push_str(&shown);
        tidied.push('\n');
    }
    tidied
}
