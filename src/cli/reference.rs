//! The command line as a page (`docs/command-line.md`): the help of every command, as the command gives it.

use clap::{Command, CommandFactory as _};

use super::arguments::Arguments;

const HEAD: &str = "\
# The command line

This page is written by the code: it is what `why412 COMMAND --help` says. Do not edit it; change `src/cli/arguments`, then
run `UPDATE=1 cargo test`.

Data goes to standard output, messages to standard error. With `--json` a command writes what the admin API answers, and
nothing else changes. On a terminal text is wrapped to its width, tables fit it, and what means something has a colour
that the words say as well; elsewhere values stand whole and without colour (`NO_COLOR`, `CLICOLOR_FORCE` and `--color`
are heeded). Characters that a terminal would act on or hide are written out, as `\\u{202e}`.
";

/// Columns of help on the page.
const COLUMNS: usize = 100;

/// The whole of `docs/command-line.md`.
pub fn document() -> String {
    let mut command = Arguments::command().term_width(COLUMNS).disable_help_subcommand(true);
    command.build();
    let mut page = HEAD.to_owned();
    section(&mut page, command, "why412");
    page
}

fn section(page: &mut String, mut command: Command, name: &str) {
    let help = command.render_help().to_string();
    page.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", help.trim_end()));
    // What is asked for rarely stands last.
    let (hidden, shown): (Vec<_>, Vec<_>) = command.get_subcommands().cloned().partition(Command::is_hide_set);
    for below in shown.into_iter().chain(hidden) {
        let name = format!("{name} {}", below.get_name());
        section(page, below.term_width(COLUMNS), &name);
    }
}
