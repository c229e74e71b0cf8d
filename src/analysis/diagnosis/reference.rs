//! The catalogue for readers: one view of causes and hazards alike, as a page (`docs/causes.md`) and as text for a
//! terminal (`why412 explain`). Nothing is said here that the entries do not say.

use std::fmt::Write;

use super::{Cause, Detail, Hazard, causes, hazards};
use crate::analysis::judgement::Party;

/// What an entry describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Why a 412 happened.
    Cause,
    /// Damage or waste with no 412 to show for it.
    Hazard,
}

impl Kind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cause => "cause",
            Self::Hazard => "hazard",
        }
    }
}

/// One entry of the catalogue, cause or hazard.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Which of the two.
    pub kind: Kind,
    /// Its name.
    pub id: &'static str,
    /// Who has to act; a hazard names nobody.
    pub party: Option<Party>,
    /// One line.
    pub title: &'static str,
    /// What happened, and how we know.
    pub explanation: &'static str,
    /// Messages that show it.
    pub example: &'static str,
    /// What to do.
    pub fix: &'static [&'static str],
    /// What it rests on.
    pub specification: &'static [&'static str],
    /// Finer distinctions.
    pub details: &'static [Detail],
}

/// Every entry: causes in their order of precedence, then hazards.
pub fn entries() -> impl Iterator<Item = Entry> + Clone {
    let causes = causes::CATALOGUE.iter().map(|cause| Entry::from(*cause));
    causes.chain(hazards::CATALOGUE.iter().map(|hazard| Entry::from(*hazard)))
}

/// The entry of that name; a detail (`etag-suffixed/inside-origin`) names its entry.
pub fn entry(name: &str) -> Option<Entry> {
    let id = name.split('/').next().unwrap_or(name);
    entries().find(|entry| entry.id == id)
}

/// The whole of `docs/causes.md`.
pub fn page() -> String {
    let mut page = String::from(PAGE_HEAD);
    for (kind, heading) in [(Kind::Cause, "Causes of a 412"), (Kind::Hazard, "Hazards")] {
        let of_kind = || entries().filter(move |entry| entry.kind == kind);
        let _ = write!(page, "\n## {heading}\n\n");
        index_table(&mut page, of_kind());
        for entry in of_kind() {
            section(&mut page, &entry);
        }
    }
    page
}

/// The list of all entries, for a terminal.
pub fn index() -> String {
    let mut text = String::new();
    for (kind, heading) in [(Kind::Cause, "Causes of a 412"), (Kind::Hazard, "Hazards")] {
        let _ = writeln!(text, "{heading}");
        for entry in entries().filter(|entry| entry.kind == kind) {
            let _ = writeln!(text, "  {:<28} {}", entry.id, entry.title);
        }
        text.push('\n');
    }
    text.push_str("`why412 explain NAME` tells more of one.\n");
    text
}

/// One entry, for a terminal.
pub fn text(entry: &Entry) -> String {
    let mut text = format!("{} ({}", entry.id, entry.kind.as_str());
    if let Some(party) = entry.party {
        let _ = write!(text, ", to act: {}", party_in_words(party));
    }
    let _ = write!(text, ")\n{}\n\n", entry.title);
    wrap(&mut text, "", "", entry.explanation);
    text.push_str("\nFor example\n");
    for line in entry.example.lines() {
        let _ = writeln!(text, "  {line}");
    }
    text.push_str("\nWhat to do\n");
    advice(&mut text, "", entry.fix);
    for detail in entry.details {
        text.push('\n');
        let _ = writeln!(text, "{}/{}", entry.id, detail.id);
        wrap(&mut text, "  ", "  ", detail.explanation);
        advice(&mut text, "  ", detail.fix);
    }
    let _ = writeln!(text, "\nSee {}", entry.specification.join(", "));
    text
}

impl From<&'static Cause> for Entry {
    fn from(cause: &'static Cause) -> Self {
        Self {
            kind: Kind::Cause,
            id: cause.id,
            party: Some(cause.party),
            title: cause.title,
            explanation: cause.explanation,
            example: cause.example,
            fix: cause.fix,
            specification: cause.specification,
            details: cause.details,
        }
    }
}

impl From<&'static Hazard> for Entry {
    fn from(hazard: &'static Hazard) -> Self {
        Self {
            kind: Kind::Hazard,
            id: hazard.id,
            party: None,
            title: hazard.title,
            explanation: hazard.explanation,
            example: hazard.example,
            fix: hazard.fix,
            specification: hazard.specification,
            details: hazard.details,
        }
    }
}

const PAGE_HEAD: &str = "\
# Why a 412 happened, and what to do

This page is written by the code, from the same values that records, metrics and `why412 explain` use. Do not edit it:
change the entry in `src/analysis/diagnosis`, then run `UPDATE=1 cargo test`.

A **cause** says why one 412 happened: every 412 has exactly one primary cause, and others may be ranked behind it.
Causes stand in their order of precedence. A **hazard** is damage or waste with no 412 to show for it. Each verdict says
how sure it is: `proven` (the evidence excludes the other reasons), `likely` (the usual reason, and nothing speaks
against it), `possible`.

In the examples an exchange is one line: who asked, the request and its fields, `->`, the answer and its fields.
";

fn index_table(page: &mut String, entries: impl Iterator<Item = Entry>) {
    page.push_str("| name | to act | what it says |\n|---|---|---|\n");
    for entry in entries {
        let party = entry.party.map_or("", party_in_words);
        let _ = writeln!(page, "| [`{0}`](#{0}) | {party} | {1} |", entry.id, entry.title);
    }
}

fn section(page: &mut String, entry: &Entry) {
    let _ = write!(page, "\n### {}\n\n**{}**\n\n", entry.id, entry.title);
    if let Some(party) = entry.party {
        let _ = write!(page, "To act: {}.\n\n", party_in_words(party));
    }
    let _ = write!(page, "{}\n\n```text\n{}\n```\n\n", entry.explanation, entry.example);
    page.push_str("What to do:\n\n");
    for fix in entry.fix {
        let _ = writeln!(page, "- {fix}");
    }
    for detail in entry.details {
        let _ = write!(page, "\n**`{}/{}`**: {}\n\n", entry.id, detail.id, detail.explanation);
        for fix in detail.fix {
            let _ = writeln!(page, "- {fix}");
        }
    }
    let _ = writeln!(page, "\nSee {}.", entry.specification.join(", "));
}

const fn party_in_words(party: Party) -> &'static str {
    match party {
        Party::Client => "the client",
        Party::OtherClient => "another client",
        Party::Gateway => "the gateway",
        Party::Origin => "the origin",
        Party::Unknown => "not known",
    }
}

fn advice(text: &mut String, indent: &str, fix: &[&str]) {
    for fix in fix {
        wrap(text, &format!("{indent}- "), &format!("{indent}  "), fix);
    }
}

/// Writes `sentence` in lines of at most [`WIDTH`], the first after `first`, the others after `others`.
fn wrap(text: &mut String, first: &str, others: &str, sentence: &str) {
    const WIDTH: usize = 80;
    text.push_str(first);
    let mut column = first.chars().count();
    let mut at_start = true;
    for word in sentence.split_whitespace() {
        let length = word.chars().count();
        if !at_start && column + 1 + length > WIDTH {
            text.push('\n');
            text.push_str(others);
            column = others.chars().count();
            at_start = true;
        }
        if !at_start {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
        at_start = false;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_detail_names_its_entry() {
        assert_eq!(entry("etag-suffixed/inside-origin").unwrap().id, "etag-suffixed");
        assert_eq!(entry("missed-304").unwrap().kind, Kind::Hazard);
        assert!(entry("etag").is_none());
    }

    #[test]
    fn the_text_of_an_entry_says_all_of_it_in_short_lines() {
        for entry in entries() {
            let text = text(&entry);
            let words: Vec<_> = text.split_whitespace().collect();
            for said in [entry.title, entry.explanation].into_iter().chain(entry.fix.iter().copied()) {
                let wanted: Vec<_> = said.split_whitespace().collect();
                assert!(words.windows(wanted.len()).any(|window| window == wanted), "{}: {said}", entry.id);
            }
            let prose = text.lines().filter(|line| !entry.example.contains(line.trim()));
            assert!(prose.clone().all(|line| line.chars().count() <= 80 || !line.trim().contains(' ')), "{text}");
        }
    }

    #[test]
    fn long_sentences_are_wrapped() {
        let mut text = String::new();
        wrap(&mut text, "- ", "  ", &"word ".repeat(20));
        assert_eq!(text, format!("- {}\n  {}\n", ["word"; 15].join(" "), ["word"; 5].join(" ")));
    }
}
