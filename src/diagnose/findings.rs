//! What is found, in the words of the catalogue, and the sentences that say how it is known.

use super::compare::{Against, Altered, Outdated};
use super::steps::{Kind, Way};
use crate::analysis::diagnosis::products::{KeepFrom, advice};
use crate::analysis::diagnosis::spelling::{shown, title};
use crate::analysis::diagnosis::{Cause, Detail, Evidence, Hazard, causes};
use crate::analysis::judgement::{Change, Confidence, Finding, Party};
use crate::analysis::semantics::caching::Product;

/// A cause or hazard of the catalogue that fits.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its id.
    pub id: &'static str,
    /// A finer distinction of it.
    pub detail: Option<&'static str>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Who has to act; nobody is named for a hazard.
    pub party: Option<Party>,
    /// The entry in a line.
    pub title: &'static str,
    /// What happened.
    pub explanation: String,
    /// How it is known.
    pub evidence: Vec<Said>,
    /// What to do, most effective first.
    pub fix: Vec<&'static str>,
}

/// A fact as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Which kind of fact.
    pub kind: &'static str,
    /// The fact.
    pub says: String,
}

impl Said {
    /// A fact.
    pub fn new(kind: &'static str, says: impl Into<String>) -> Self {
        Self { kind, says: says.into() }
    }
}

impl Found {
    /// A cause, known by these facts.
    pub fn cause(cause: &'static Cause, confidence: Confidence, evidence: Vec<Said>) -> Self {
        Self {
            id: cause.id,
            detail: None,
            confidence,
            party: Some(cause.party),
            title: cause.title,
            explanation: cause.explanation.to_owned(),
            evidence,
            fix: cause.fix.to_vec(),
        }
    }

    /// A hazard, known by these facts.
    pub fn hazard(hazard: &'static Hazard, confidence: Confidence, evidence: Vec<Said>) -> Self {
        Self {
            id: hazard.id,
            detail: None,
            confidence,
            party: None,
            title: hazard.title,
            explanation: hazard.explanation.to_owned(),
            evidence,
            fix: hazard.fix.to_vec(),
        }
    }

    /// With a finer distinction of its entry.
    #[must_use]
    pub fn detail(mut self, details: &'static [Detail], id: &'static str) -> Self {
        if let Some(detail) = details.iter().find(|detail| detail.id == id) {
            self.detail = Some(detail.id);
            self.explanation = format!("{} {}", self.explanation, detail.explanation);
            self.first(detail.fix);
        }
        self
    }

    /// With another party than its entry names.
    #[must_use]
    pub fn party(self, party: Party) -> Self {
        Self { party: Some(party), ..self }
    }

    /// At most that sure.
    #[must_use]
    pub fn at_most(self, confidence: Confidence) -> Self {
        Self { confidence: self.confidence.min(confidence), ..self }
    }

    /// With what the product can be told to keep from.
    #[must_use]
    pub fn advise(mut self, product: Option<Product>, from: KeepFrom) -> Self {
        if let Some(sentence) = product.and_then(|product| advice(product, from)) {
            self.first(&[sentence]);
        }
        self
    }

    /// A cause that the judge of exchanges found, without the facts that only traffic can show.
    pub fn of_judge(cause: &'static Cause, finding: &Finding) -> Self {
        let evidence = finding.evidence.iter().filter(|fact| is_of_use(fact));
        let said = evidence.map(|fact| Said::new(fact.kind(), fact.says())).collect();
        let mut found = Self::cause(cause, finding.confidence, said);
        found.party = finding.party.or(found.party);
        if let Some(detail) = finding.detail {
            found = found.detail(cause.details, detail);
        }
        found.first(&finding.fix);
        found
    }

    /// A hazard that the judge of exchanges found.
    pub fn of_hazard(hazard: &'static Hazard, finding: &Finding) -> Self {
        let evidence = finding.evidence.iter().filter(|fact| is_of_use(fact));
        let said = evidence.map(|fact| Said::new(fact.kind(), fact.says())).collect();
        let mut found = Self::hazard(hazard, finding.confidence, said);
        if let Some(detail) = finding.detail {
            found = found.detail(hazard.details, detail);
        }
        found.first(&finding.fix);
        found
    }

    fn first(&mut self, sentences: &[&'static str]) {
        self.fix.retain(|known| !sentences.contains(known));
        self.fix.splice(0..0, sentences.iter().copied());
    }
}

/// Whether a fact can be shown where nothing but this run was seen.
const fn is_of_use(fact: &Evidence) -> bool {
    !matches!(
        fact,
        Evidence::ToldApart { .. } | Evidence::NoWriteSince { .. } | Evidence::Missing { .. } | Evidence::NamedNone
    )
}

/// The finding for an altered validator.
pub fn of_alteration(altered: &Altered) -> Found {
    let mut evidence = vec![says_of(altered)];
    if let Some(product) = altered.product {
        evidence.push(recognised(product, altered.against));
    }
    let found = Found::cause(altered.cause, altered.confidence, evidence);
    let from = match altered.change {
        Change::Weakened => Some(KeepFrom::Weakening),
        Change::Suffixed => Some(KeepFrom::Suffixing),
        Change::Stripped => Some(KeepFrom::Stripping),
        Change::Added
        | Change::Strengthened
        | Change::Unquoted
        | Change::Requoted
        | Change::Reformatted
        | Change::Merged
        | Change::Truncated
        | Change::Replaced => None,
    };
    let found = from.into_iter().fold(found, |found, from| found.advise(altered.product, from));
    match altered.against {
        // At the direct address, or behind it: the service itself, unless there is a gateway there, too.
        Against::Read(_, Way::Direct) if altered.change == Change::Suffixed => {
            found.detail(altered.cause.details, "inside-origin").party(Party::Origin)
        }
        Against::Read(_, Way::Direct) => found.party(Party::Origin),
        Against::Direct | Against::Read(_, Way::Through) => found,
    }
}

fn says_of(altered: &Altered) -> Said {
    let name = title(altered.field);
    let value = |value: &Option<Vec<u8>>| {
        value.as_deref().map_or_else(|| format!("no {name}"), |value| format!("{name}: {}", shown(value)))
    };
    let reads = kinds(&altered.kinds);
    let (before, after) = (value(&altered.before), value(&altered.after));
    match altered.against {
        Against::Direct => Said::new("two-ways", format!("{reads}: directly {before}, through the URL {after}.")),
        Against::Read(of, way) => {
            let place = if way == Way::Direct { "directly" } else { "through the URL" };
            let kind = "two-codings";
            Said::new(kind, format!("{}: {before}; {reads}: {after}; both {place}.", of.title()))
        }
    }
}

fn recognised(product: Product, against: Against) -> Said {
    let says = match against {
        Against::Direct => format!("Answers through the URL name {}, direct ones do not.", product.as_str()),
        Against::Read(..) => format!("The answers name {}.", product.as_str()),
    };
    Said::new("recognised", says)
}

/// The finding for an old copy.
pub fn of_outdated(outdated: &Outdated) -> Found {
    let (given, current) = (shown(&outdated.given), shown(&outdated.current));
    let mut evidence =
        vec![Said::new("two-ways", format!("Directly a read gives {current}; through the URL it gives {given}."))];
    if let Some(sign) = outdated.store {
        evidence
            .push(Said::new("stored", format!("The answer through the URL came out of a store ({}).", sign.says())));
    }
    if outdated.refreshed {
        let says = "With Cache-Control: no-cache the URL gives the current version.";
        evidence.push(Said::new("no-cache", says));
    }
    if let Some(product) = outdated.product {
        evidence.push(recognised(product, Against::Direct));
    }
    Found::cause(&causes::stale_cache::CAUSE, outdated.confidence, evidence)
        .advise(outdated.product, KeepFrom::OldCopies)
}

/// Reads, as a sentence lists them.
fn kinds(kinds: &[Kind]) -> String {
    kinds.iter().map(|kind| kind.title()).collect::<Vec<_>>().join("; ")
}
