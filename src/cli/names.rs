//! Names of the catalogue as values on the command line: completed by shells, and answered with the nearest where one is
//! misspelt.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StyledStr, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::analysis::diagnosis::reference::{self, Entry, Kind};

/// How alike two names must be to be taken for each other, from 0 to 1.
const ALIKE: f64 = 0.75;
const SUGGESTIONS_MAX: usize = 3;

/// Which names are taken.
#[derive(Clone, Copy, Debug)]
pub(super) enum Names {
    /// Those of causes.
    Causes,
    /// Those of hazards.
    Hazards,
    /// Both; and with a detail behind, as records show them.
    Entries,
}

impl TypedValueParser for Names {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        let given = value.to_string_lossy();
        let name = given.trim().to_ascii_lowercase();
        let known = match self {
            Self::Causes | Self::Hazards => {
                self.entries().find(|entry| entry.id == name).map(|entry| entry.id.to_owned())
            }
            Self::Entries => reference::entry(&name).filter(|entry| has_detail(entry, &name)).map(|_| name.clone()),
        };
        known.ok_or_else(|| self.unknown(command, argument, &given, &name))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.entries().map(|entry| PossibleValue::new(entry.id).help(entry.title))))
    }
}

impl Names {
    fn entries(self) -> impl Iterator<Item = Entry> {
        let is_wanted = move |entry: &Entry| match self {
            Self::Causes => entry.kind == Kind::Cause,
            Self::Hazards => entry.kind == Kind::Hazard,
            Self::Entries => true,
        };
        reference::entries().filter(is_wanted)
    }

    fn unknown(self, command: &clap::Command, argument: Option<&clap::Arg>, given: &str, name: &str) -> clap::Error {
        let mut error = clap::Error::new(ErrorKind::InvalidValue).with_cmd(command);
        let argument = argument.map(ToString::to_string).unwrap_or_default();
        error.insert(ContextKind::InvalidArg, ContextValue::String(argument));
        error.insert(ContextKind::InvalidValue, ContextValue::String(given.to_owned()));
        let near = nearest(name, self.entries().map(|entry| entry.id));
        if !near.is_empty() {
            let near = near.into_iter().map(str::to_owned).collect();
            error.insert(ContextKind::SuggestedValue, ContextValue::Strings(near));
        }
        let what = match self {
            Self::Causes => "causes",
            Self::Hazards => "hazards",
            Self::Entries => "causes and hazards",
        };
        let list = StyledStr::from(format!("`why412 explain` lists all {what}"));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![list]));
        error
    }
}

fn has_detail(entry: &Entry, name: &str) -> bool {
    name.split_once('/').is_none_or(|(_, wanted)| entry.details.iter().any(|detail| detail.id == wanted))
}

/// Names that resemble `name`: spelt alike, or sharing the beginning of a word with it; the most alike first.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let id = name.split('/').next().unwrap_or(name);
    let words: Vec<_> = id.split(['-', '_', ' ']).filter(|word| word.len() > 2).collect();
    let shares = |known: &str| known.split('-').any(|part| words.iter().any(|word| part.starts_with(word)));
    let alike = |known: &'a str| (strsim::jaro_winkler(id, known), known);
    let mut near: Vec<_> = known.map(alike).filter(|(likeness, known)| *likeness > ALIKE || shares(known)).collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    near.truncate(SUGGESTIONS_MAX);
    near.into_iter().map(|(_, known)| known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: Names, given: &str, expected: Result<&str, &str>) {
        let command = clap::Command::new("test");
        let parsed = names.parse_ref(&command, None, OsStr::new(given));
        match expected {
            Ok(name) => assert_eq!(parsed.expect(given), name),
            Err(near) => {
                let said = parsed.expect_err(given).to_string();
                assert!(said.contains(near), "{given}: {near:?} in\n{said}");
            }
        }
    }

    #[test]
    fn names_are_known() {
        check(Names::Causes, "etag-weakened", Ok("etag-weakened"));
        check(Names::Causes, " ETag-Weakened", Ok("etag-weakened"));
        check(Names::Hazards, "missed-304", Ok("missed-304"));
        check(Names::Entries, "etag-suffixed/inside-origin", Ok("etag-suffixed/inside-origin"));
    }

    #[test]
    fn a_misspelt_name_is_answered_with_the_nearest() {
        check(Names::Causes, "etag-weakend", Err("'etag-weakened'"));
        check(Names::Entries, "weakened", Err("'etag-weakened'"));
        check(Names::Hazards, "missed304", Err("'missed-304'"));
        check(Names::Entries, "etag-suffixed/nonsense", Err("'etag-suffixed'"));
        // A hazard is no cause, and what resembles nothing is answered with where the list is.
        check(Names::Causes, "missed-304", Err("`why412 explain` lists all causes"));
        check(Names::Entries, "zzz", Err("`why412 explain` lists all causes and hazards"));
    }
}
