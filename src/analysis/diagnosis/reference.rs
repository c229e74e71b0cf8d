//! The catalogue for readers: one view of causes and hazards alike, as a page (`docs/causes.md`).
//! Nothing is said here that the entries do not say.

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
    /// Who has to act instead in some cases.
    pub other_parties: &'static [Party],
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

impl Entry {
    /// Who has to act, the usual one first: "the client or the origin". Empty for a hazard.
    pub fn parties_in_words(&self) -> String {
        let parties: Vec<_> = self.party.iter().chain(self.other_parties).map(|party| party_in_words(*party)).collect();
        parties.join(" or ")
    }
}

impl From<&'static Cause> for Entry {
    fn from(cause: &'static Cause) -> Self {
        Self {
            kind: Kind::Cause,
            id: cause.id,
            party: Some(cause.party),
            other_parties: cause.other_parties,
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
            other_parties: &[],
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
        let party = entry.parties_in_words();
        let _ = writeln!(page, "| [`{0}`](#{0}) | {party} | {1} |", entry.id, entry.title);
    }
}

fn section(page: &mut String, entry: &Entry) {
    let _ = write!(page, "\n### {}\n\n**{}**\n\n", entry.id, entry.title);
    if entry.party.is_some() {
        let _ = write!(page, "To act: {}.\n\n", entry.parties_in_words());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_detail_names_its_entry() {
        assert_eq!(entry("etag-suffixed/inside-origin").unwrap().id, "etag-suffixed");
        assert_eq!(entry("missed-304").unwrap().kind, Kind::Hazard);
        assert!(entry("etag").is_none());
    }
}
