//! The catalogue: why a 412 happened (causes), and what damage is done without one (hazards).
//!
//! An entry is a value: its texts and the function that examines a case. Documentation, `why412 explain`, records and
//! metrics all read the same values.

pub mod causes;
pub mod hazards;
pub mod products;
pub mod reference;

use super::judgement::{Finding, Party};

/// A cause of 412s. Texts are for the person on call: what happened, how we know, who has to act.
#[derive(Debug)]
pub struct Cause {
    /// Stable, lower case with hyphens.
    pub id: &'static str,
    /// Who has to act, unless a finding says otherwise.
    pub party: Party,
    /// At most 72 characters.
    pub title: &'static str,
    /// What happened, and how we know.
    pub explanation: &'static str,
    /// A short literal example: messages that show it.
    pub example: &'static str,
    /// What to do, most effective first; each starts with a verb.
    pub fix: &'static [&'static str],
    /// Sections of the specifications it rests on.
    pub specification: &'static [&'static str],
    /// The finer distinctions a finding can name.
    pub details: &'static [Detail],
    /// Whether it fits a case.
    pub examine: fn(&Case<'_>) -> Option<Finding>,
}

/// A hazard. Texts as for [`Cause`].
#[derive(Debug)]
pub struct Hazard {
    /// Stable, lower case with hyphens.
    pub id: &'static str,
    /// At most 72 characters.
    pub title: &'static str,
    /// What happened, and how we know.
    pub explanation: &'static str,
    /// A short literal example.
    pub example: &'static str,
    /// What to do, most effective first; each starts with a verb.
    pub fix: &'static [&'static str],
    /// Sections of the specifications it rests on.
    pub specification: &'static [&'static str],
    /// The finer distinctions a finding can name.
    pub details: &'static [Detail],
    /// Whether it fits a case.
    pub examine: fn(&Case<'_>) -> Option<Finding>,
}

/// A finer distinction within a cause or hazard.
#[derive(Debug)]
pub struct Detail {
    /// Stable, lower case with hyphens.
    pub id: &'static str,
    /// What it says beyond the entry itself, in a sentence or two.
    pub explanation: &'static str,
    /// What to do; where not empty it comes before the entry's own advice.
    pub fix: &'static [&'static str],
}

/// How we know: a fact with its values. Only renderers make sentences of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {}

impl Evidence {
    /// Which kind of fact, in lower case with hyphens.
    pub fn kind(&self) -> &'static str {
        match *self {}
    }

    /// The fact as a sentence.
    pub fn says(&self) -> String {
        match *self {}
    }
}

/// One exchange beside what is known of its resource: what the rules look at.
#[derive(Debug)]
pub struct Case<'a> {
    /// The exchange.
    pub exchange: &'a super::exchange::Exchange<'a>,
}
