//! The one place that writes: data to standard output, messages to standard error.

use std::io::{self, IsTerminal as _, Write as _};

/// Where a command's data and messages go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    colour: bool,
}

/// What a piece of text means to whoever reads it on a terminal.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tone {
    /// What went wrong.
    Bad,
    /// What the eye should find first.
    Strong,
    /// What is there for completeness.
    Faint,
}

impl Output {
    /// Of this process: colour only on a terminal, and never under `NO_COLOR` (https://no-color.org).
    pub(super) fn of_process() -> Self {
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colour: io::stdout().is_terminal() && !forbidden }
    }

    /// Without colour.
    #[cfg(test)]
    pub(super) const fn plain() -> Self {
        Self { colour: false }
    }

    /// Writes data and a line end, at once.
    pub(super) fn data(self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.write_all(b"\n")?;
        stdout.flush()
    }

    /// Writes a message. That nobody reads messages is nobody's failure.
    pub(super) fn message(self, text: &str) {
        let mut stderr = io::stderr().lock();
        for line in text.lines() {
            let _ = writeln!(stderr, "why412: {line}");
        }
    }

    /// `text` in a tone, where tones can be shown.
    pub(super) fn toned(self, tone: Tone, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Bad => "31",
            Tone::Strong => "1",
            Tone::Faint => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// Text that came over the network, made harmless for a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_reach_no_terminal() {
        assert_eq!(printable("\"v1\"\u{1b}[31m\u{9b}ü\n"), "\"v1\"\\u{1b}[31m\\u{9b}ü\\n");
    }

    #[test]
    fn without_a_terminal_there_is_no_colour() {
        let plain = Output { colour: false };
        assert_eq!(plain.toned(Tone::Bad, "412"), "412");
        assert_eq!(Output { colour: true }.toned(Tone::Bad, "412"), "\u{1b}[31m412\u{1b}[0m");
    }
}
