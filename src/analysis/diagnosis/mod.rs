//! The catalogue: why a 412 happened (causes), and what damage is done without one (hazards).
//!
//! An entry is a value: its texts and the function that examines a case. Documentation, `why412 explain`, records and
//! metrics all read the same values.

pub mod case;
pub mod causes;
pub mod evidence;
pub mod hazards;
pub mod hindsight;
mod judge;
pub mod products;
pub mod reference;
pub mod spelling;
pub mod suffix;
#[cfg(test)]
mod tests;
mod wording;

pub use case::{Case, Issue};
pub use evidence::{Evidence, Whom};
pub use judge::{diagnose, judge};

use super::judgement::{Confidence, Finding, Party};
use products::KeepFrom;

/// A cause of 412s. Texts are for the person on call: what happened, how we know, who has to act.
#[derive(Debug)]
pub struct Cause {
    /// Stable, lower case with hyphens.
    pub id: &'static str,
    /// Who has to act, unless a finding says otherwise.
    pub party: Party,
    /// Whom a finding can name instead: then only the record of a 412 says who has to act.
    pub other_parties: &'static [Party],
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

impl Finding {
    /// A finding with its evidence.
    pub const fn new(confidence: Confidence, evidence: Vec<Evidence>) -> Self {
        Self { confidence, detail: None, party: None, evidence, fix: Vec::new() }
    }

    /// With a detail of its catalogue entry.
    #[must_use]
    pub fn detail(self, detail: &'static str) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// With another party than its catalogue entry names.
    #[must_use]
    pub fn party(self, party: Party) -> Self {
        Self { party: Some(party), ..self }
    }

    /// At most that sure.
    #[must_use]
    pub fn at_most(self, confidence: Confidence) -> Self {
        Self { confidence: self.confidence.min(confidence), ..self }
    }

    /// With one more fact.
    #[must_use]
    pub fn and(mut self, fact: Evidence) -> Self {
        self.evidence.push(fact);
        self
    }

    /// With what to change in the product that the case shows, where there is such advice.
    #[must_use]
    pub fn advise(mut self, case: &Case<'_>, from: KeepFrom) -> Self {
        if let Some(product) = case.product() {
            let advice = products::advice(product, from);
            self.fix.extend(advice);
            if advice.is_some() {
                self.evidence.push(Evidence::Recognised { product });
            }
        }
        self
    }
}
