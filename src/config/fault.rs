//! What is wrong with a configuration, said so that whoever reads it can put it right at once.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// One thing that is wrong, or that is worth a warning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file it is in; none if it came from the command line or the environment.
    pub file: Option<PathBuf>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The key, such as `upstream.api.url`, or the flag.
    pub key: String,
    /// What is wrong.
    pub fault: String,
    /// What to do about it.
    pub remedy: String,
}

/// `why412.toml:12: upstream.api.url: "http://a/b" has a path; write "http://a" instead`
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}:", file.display())?;
        }
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        if self.file.is_some() {
            write!(f, " ")?;
        }
        write!(f, "{}: {}; {}", self.key, self.fault, self.remedy)
    }
}

/// Every fault of a configuration, and the warnings that came up beside them. There is at least one fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}", lines(.faults))]
pub struct Faults {
    /// What must be put right.
    pub faults: Vec<Fault>,
    /// What should be looked at.
    pub warnings: Vec<Fault>,
    /// Every file that was read, or should have been.
    #[serde(skip)]
    pub files: Vec<PathBuf>,
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Why one value cannot be what it should be. Whoever knows where the value stands makes a [`Fault`] of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{says}; {remedy}")]
pub struct Wrong {
    /// What is wrong.
    pub says: String,
    /// What to do about it.
    pub remedy: String,
}

impl Wrong {
    /// From its two sentences.
    pub fn new(says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { says: says.into(), remedy: remedy.into() }
    }
}

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: Option<PathBuf>,
    pub(super) line: Option<usize>,
    pub(super) key: String,
}

impl Place {
    /// A flag, or its environment variable.
    pub(super) fn flag(name: &str) -> Self {
        Self { file: None, line: None, key: name.to_owned() }
    }

    /// The directory that relative paths given here start from.
    pub(super) fn directory(&self) -> &Path {
        self.file.as_deref().and_then(Path::parent).unwrap_or_else(|| Path::new(""))
    }

    pub(super) fn fault(&self, wrong: Wrong) -> Fault {
        Fault {
            file: self.file.clone(),
            line: self.line,
            key: self.key.clone(),
            fault: wrong.says,
            remedy: wrong.remedy,
        }
    }
}
