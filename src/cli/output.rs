//! The one place that writes: data to standard output, messages to standard error.

use std::io::{self, IsTerminal as _, Write as _};

use clap::ValueEnum;
use terminal_size::{Height, Width, terminal_size_of};

use super::progress::Progress;

/// Columns of prose where there is no terminal.
const COLUMNS_DEFAULT: usize = 80;
/// Prose is never set narrower or wider than this: shorter lines fall apart, longer ones lose the eye.
const PROSE_COLUMNS_MIN: usize = 60;
const PROSE_COLUMNS_MAX: usize = 100;

/// Where a command's data and messages go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    colour: bool,
    /// The terminal's columns, where data goes to one.
    terminal: Option<usize>,
    /// Whether somebody watches the messages.
    watched: bool,
}

/// When output has colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ColourChoice {
    /// On a terminal, unless `NO_COLOR` is set; elsewhere where `CLICOLOR_FORCE` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What a piece of text means to whoever reads it on a terminal. Colour never says anything that words do not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// What went wrong.
    Bad,
    /// What is less than sure, or wants attention.
    Warning,
    /// What is certain.
    Good,
    /// What the eye should find first.
    Strong,
    /// What is there for completeness.
    Faint,
    /// Bytes that changed.
    Mark,
    /// A client.
    Client,
    /// A gateway.
    Gateway,
    /// An origin.
    Origin,
}

impl Output {
    /// Of this process: colour as chosen and as the environment wants it, width as the terminal has it.
    pub(super) fn of_process(choice: ColourChoice) -> Self {
        let terminal = io::stdout().is_terminal().then(columns);
        let colour = has_colour(choice, terminal.is_some(), |name| std::env::var(name).ok());
        Self { colour, terminal, watched: io::stderr().is_terminal() }
    }

    /// Without colour, and not to a terminal.
    #[cfg(test)]
    pub(super) const fn plain() -> Self {
        Self { colour: false, terminal: None, watched: false }
    }

    /// To a terminal that is so wide.
    #[cfg(test)]
    pub(super) const fn terminal(columns: usize, colour: bool) -> Self {
        Self { colour, terminal: Some(columns), watched: false }
    }

    /// Columns that prose is wrapped to.
    pub(super) fn prose_columns(self) -> usize {
        self.terminal.unwrap_or(COLUMNS_DEFAULT).clamp(PROSE_COLUMNS_MIN, PROSE_COLUMNS_MAX)
    }

    /// Columns that a table has to fit in; `None` where it may be as wide as its values.
    pub(super) fn table_columns(self) -> Option<usize> {
        self.terminal.map(|columns| columns.max(PROSE_COLUMNS_MIN))
    }

    /// Whether data goes to a terminal, where lines that stand there can be written anew.
    pub(super) const fn is_terminal(self) -> bool {
        self.terminal.is_some()
    }

    /// Writes data and a line end, at once.
    pub(super) fn data(self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(format!("{text}\n").as_bytes())?;
        stdout.flush()
    }

    /// Writes a line in the place of the one before; on a terminal only.
    pub(super) fn data_again(self, text: &str) -> io::Result<()> {
        // One line up, to its beginning, and away with it (ECMA-48 CPL and EL).
        let over = if self.is_terminal() { "\u{1b}[1F\u{1b}[2K" } else { "" };
        self.data(&format!("{over}{text}"))
    }

    /// Writes a message. That nobody reads messages is nobody's failure.
    pub(super) fn message(self, text: &str) {
        let mut stderr = io::stderr().lock();
        for line in text.lines() {
            let _ = writeln!(stderr, "why412: {line}");
        }
    }

    /// Writes text for a person who got no data, as it is. That nobody reads it is nobody's failure.
    pub(super) fn instead_of_data(self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Writes a message that helps a person and that a script has no use for.
    pub(super) fn hint(self, text: &str) {
        if self.watched {
            self.message(text);
        }
    }

    /// Shows, as long as what is returned lives and once it has lived for a second, what is being waited for.
    pub(super) fn progress(self, doing: impl Into<String>) -> Progress {
        if self.watched { Progress::shown(doing.into()) } else { Progress::silent() }
    }

    /// The same without colour and width, for text that goes elsewhere.
    pub(super) const fn without_colour(self) -> Self {
        Self { colour: false, terminal: None, watched: false }
    }

    /// `text` in a tone, where tones can be shown.
    pub(super) fn toned(self, tone: Tone, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Bad => "31",
            Tone::Warning => "33",
            Tone::Good => "32",
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Mark => "1;7",
            Tone::Client => "34",
            Tone::Gateway => "35",
            Tone::Origin => "36",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// What was chosen goes first, then `NO_COLOR` (https://no-color.org), then `CLICOLOR_FORCE`, then whether there is a
/// terminal that knows colours.
fn has_colour(choice: ColourChoice, terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let is_on = |name: &str| variable(name).is_some_and(|value| !value.is_empty() && value != "0");
    match choice {
        ColourChoice::Always => true,
        ColourChoice::Never => false,
        ColourChoice::Auto if is_set("NO_COLOR") => false,
        ColourChoice::Auto if is_on("CLICOLOR_FORCE") => true,
        ColourChoice::Auto => {
            terminal && variable("CLICOLOR").as_deref() != Some("0") && variable("TERM").as_deref() != Some("dumb")
        }
    }
}

fn columns() -> usize {
    let of_terminal = terminal_size_of(io::stdout()).map(|(Width(columns), Height(_))| usize::from(columns));
    let of_environment = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    // A terminal that does not know its size says 0.
    of_terminal.filter(|columns| *columns > 0).or_else(of_environment).unwrap_or(COLUMNS_DEFAULT)
}

/// Text that came over the network, made harmless for a terminal and honest for the eye: whatever would act on the
/// terminal, turn the direction of writing, or not be seen at all, is written out.
pub(super) fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if is_seen(c) { vec![c] } else { c.escape_default().collect() }).collect()
}

/// False for control characters, for white space that is no plain space, and for what Unicode calls ignorable by default
/// or invisible: bidirectional controls, joiners, zero-width and filling characters, tags, variation selectors.
fn is_seen(c: char) -> bool {
    let is_hidden = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}');
    c == ' ' || !(is_hidden || c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_reaches_a_terminal() {
        for (text, expected) in [
            ("\"v1\"\u{1b}[31m\u{9b}ü\n", "\"v1\"\\u{1b}[31m\\u{9b}ü\\n"),
            // Latin-1 has two that look like a space or like nothing.
            ("v\u{a0}1\u{ad}", "v\\u{a0}1\\u{ad}"),
            ("\u{7f}\u{80}\u{85}\u{9f}", "\\u{7f}\\u{80}\\u{85}\\u{9f}"),
            ("a\u{202e}b\u{2066}c\u{200f}\u{61c}", "a\\u{202e}b\\u{2066}c\\u{200f}\\u{61c}"),
            ("a\u{200b}b\u{feff}\u{2060}\u{200d}", "a\\u{200b}b\\u{feff}\\u{2060}\\u{200d}"),
            ("\u{2028}\u{3000}\u{e0041}\u{fe0f}", "\\u{2028}\\u{3000}\\u{e0041}\\u{fe0f}"),
            ("plain text, W/\"1\" \u{e4}\u{4e2d}", "plain text, W/\"1\" \u{e4}\u{4e2d}"),
        ] {
            assert_eq!(printable(text), expected);
        }
    }

    #[test]
    fn without_a_terminal_there_is_no_colour() {
        assert_eq!(Output::plain().toned(Tone::Bad, "412"), "412");
        assert_eq!(Output::terminal(80, true).toned(Tone::Bad, "412"), "\u{1b}[31m412\u{1b}[0m");
    }

    #[test]
    fn colour_follows_choice_then_environment_then_terminal() {
        let check = |choice, terminal, variables: &[(&str, &str)], expected| {
            let variable =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned());
            assert_eq!(has_colour(choice, terminal, variable), expected, "{choice:?} {terminal} {variables:?}");
        };
        check(ColourChoice::Auto, true, &[], true);
        check(ColourChoice::Auto, false, &[], false);
        check(ColourChoice::Auto, true, &[("NO_COLOR", "1")], false);
        check(ColourChoice::Auto, true, &[("NO_COLOR", "")], true);
        check(ColourChoice::Auto, true, &[("TERM", "dumb")], false);
        check(ColourChoice::Auto, true, &[("CLICOLOR", "0")], false);
        check(ColourChoice::Auto, false, &[("CLICOLOR_FORCE", "1")], true);
        check(ColourChoice::Auto, false, &[("CLICOLOR_FORCE", "0")], false);
        check(ColourChoice::Auto, false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false);
        check(ColourChoice::Always, false, &[("NO_COLOR", "1")], true);
        check(ColourChoice::Never, true, &[("CLICOLOR_FORCE", "1")], false);
    }

    #[test]
    fn prose_keeps_within_bounds() {
        assert_eq!(Output::plain().prose_columns(), 80);
        for (columns, prose) in [(20, 60), (72, 72), (250, 100)] {
            assert_eq!(Output::terminal(columns, false).prose_columns(), prose);
        }
        assert_eq!(Output::plain().table_columns(), None);
        assert_eq!(Output::terminal(250, false).table_columns(), Some(250));
    }
}
