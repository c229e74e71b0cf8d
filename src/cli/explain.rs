//! `why412 explain`: the catalogue, or one entry of it, as text or JSON. Nothing is said here that the entries do not
//! say.

use std::process::ExitCode;

use super::CliError;
use super::arguments::ExplainArguments;
use super::layout::{padded, wrapped};
use super::output::{Output, Tone};
use crate::analysis::diagnosis::reference::{self, Entry, Kind};
use crate::analysis::judgement::Party;
use crate::recorder::catalogue;

/// Explains what is asked for; lists everything without a name.
pub(super) fn explain(arguments: &ExplainArguments, output: &Output) -> Result<ExitCode, CliError> {
    let entry = arguments.name.as_deref().and_then(reference::entry);
    let text = match (&entry, arguments.json) {
        (None, false) => index(*output),
        (None, true) => pretty(&catalogue::view())?,
        (Some(entry), false) => text(entry, *output),
        (Some(entry), true) => pretty(&catalogue::entry_view(entry))?,
    };
    output.data(text.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

fn pretty(view: &impl serde::Serialize) -> Result<String, CliError> {
    serde_json::to_string_pretty(view).map_err(|error| CliError::Failed(format!("writing JSON: {error}")))
}

/// All entries, one line each, or two where the terminal is narrow.
fn index(output: Output) -> String {
    let columns = output.prose_columns();
    let width = reference::entries().map(|entry| entry.id.len()).max().unwrap_or_default();
    let mut lines = Vec::new();
    for (kind, heading) in [(Kind::Cause, "Causes of a 412"), (Kind::Hazard, "Hazards: damage or waste without a 412")]
    {
        lines.push(output.toned(Tone::Strong, heading));
        for entry in reference::entries().filter(|entry| entry.kind == kind) {
            let further = " ".repeat(width + 4);
            let line = wrapped(entry.title, &format!("  {}  ", padded(entry.id, width)), &further, columns);
            lines.push(line);
        }
        lines.push(String::new());
    }
    lines.push("`why412 explain NAME` tells more of one.".to_owned());
    lines.join("\n")
}

/// One entry.
fn text(entry: &Entry, output: Output) -> String {
    let columns = output.prose_columns();
    let title = |text: &str| output.toned(Tone::Strong, text);
    let what = match entry.party {
        Some(party) => format!("a cause of 412; to act: {}", output.toned(tone_of(party), &entry.parties_in_words())),
        None => "a hazard: damage or waste without a 412".to_owned(),
    };
    let mut lines = vec![
        title(&wrapped(&format!("{}: {}", entry.id, entry.title), "", "", columns)),
        what,
        String::new(),
        wrapped(entry.explanation, "", "", columns),
        String::new(),
        title("For example"),
    ];
    lines.extend(entry.example.lines().map(|line| format!("  {line}")));
    lines.extend([String::new(), title("What to do")]);
    lines.extend(entry.fix.iter().map(|fix| wrapped(fix, "  - ", "    ", columns)));
    for detail in entry.details {
        lines.extend([String::new(), title(&format!("{}/{}", entry.id, detail.id))]);
        lines.push(wrapped(detail.explanation, "  ", "  ", columns));
        lines.extend(detail.fix.iter().map(|fix| wrapped(fix, "  - ", "    ", columns)));
    }
    lines.extend([String::new(), wrapped(&entry.specification.join(", "), "See ", "    ", columns)]);
    lines.join("\n")
}

const fn tone_of(party: Party) -> Tone {
    match party {
        Party::Client | Party::OtherClient => Tone::Client,
        Party::Gateway => Tone::Gateway,
        Party::Origin => Tone::Origin,
        Party::Unknown => Tone::Faint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_every_entry() {
        for output in [Output::plain(), Output::terminal(60, false), Output::terminal(200, false)] {
            let list = index(output);
            for entry in reference::entries() {
                assert!(list.lines().any(|line| line.starts_with(&format!("  {} ", entry.id))), "{}", entry.id);
            }
            assert!(list.lines().all(|line| line.chars().count() <= output.prose_columns()), "{list}");
        }
    }

    #[test]
    fn the_text_of_an_entry_says_all_of_it_within_the_width() {
        for entry in reference::entries() {
            for output in [Output::plain(), Output::terminal(60, false)] {
                let text = text(&entry, output);
                let words: Vec<_> = text.split_whitespace().collect();
                for said in [entry.title, entry.explanation].into_iter().chain(entry.fix.iter().copied()) {
                    let wanted: Vec<_> = said.split_whitespace().collect();
                    assert!(words.windows(wanted.len()).any(|window| window == wanted), "{}: {said}", entry.id);
                }
                // An example is shown as it stands, and a long word on a line of its own.
                let prose = text.lines().filter(|line| !entry.example.contains(line.trim()));
                let fits = |line: &str| line.chars().count() <= output.prose_columns() || !line.trim().contains(' ');
                assert!(prose.clone().all(fits), "{text}");
            }
        }
    }
}
