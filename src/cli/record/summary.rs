//! What a list says of one record.

use serde_json::Value;

use super::{list, member, named, status, text};

/// One record in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Summary {
    /// The exchange's name.
    pub(in crate::cli) id: String,
    /// When its request came, RFC 3339 in UTC.
    pub(super) at: String,
    /// The status, `---` if there was no answer.
    pub(super) status: String,
    /// The method.
    pub(super) method: String,
    /// The URL.
    pub(super) url: String,
    /// The route's name.
    pub(super) route: String,
    /// Who asked.
    pub(super) client: String,
    /// The conditions as they came: what makes an attempt the repetition of another.
    pub(super) conditions: Vec<(String, String)>,
    /// The cause, or else the first hazard, or else the first alteration.
    pub(super) finding: String,
    /// How many more findings there are.
    pub(super) more: usize,
    /// How sure; empty for an alteration.
    pub(super) confidence: String,
    /// Who has to act; empty where the record names nobody.
    pub(super) party: String,
    /// Said anew since it was recorded.
    pub(super) is_amended: bool,
    /// How many of the same kind were counted on it and have no record of their own.
    pub(super) repeated: u64,
}

impl Summary {
    /// Of a record.
    pub(in crate::cli) fn of(record: &Value) -> Self {
        let (finding, confidence, party, found) = finding(record);
        Self {
            id: text(record, "/id"),
            at: text(record, "/at"),
            status: status(record),
            method: text(record, "/request/method"),
            url: text(record, "/request/url"),
            route: text(record, "/route"),
            client: text(record, "/client"),
            conditions: conditions(record),
            finding,
            more: found.saturating_sub(1),
            confidence,
            party,
            is_amended: member(record, "amended_at").is_some(),
            repeated: record.get("repeated").and_then(Value::as_u64).unwrap_or_default(),
        }
    }

    /// The time within `day` (`2026-11-22`), the date before it on other days.
    pub(super) fn time(&self, day: &str) -> String {
        let part = |from: usize, to: usize| self.at.get(from..to).unwrap_or_default();
        if self.at.starts_with(day) { part(11, 19).to_owned() } else { format!("{} {}", part(5, 10), part(11, 19)) }
    }

    /// The URL without scheme and authority.
    pub(super) fn path(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.find('/').and_then(|at| rest.get(at..)).unwrap_or(rest)
    }

    /// Scheme and authority.
    pub(super) fn server(&self) -> &str {
        self.url.strip_suffix(self.path()).unwrap_or_default()
    }

    /// The finding, and how many more there are.
    pub(super) fn findings(&self) -> String {
        if self.more == 0 { self.finding.clone() } else { format!("{} +{}", self.finding, self.more) }
    }
}

/// The finding to name, its confidence and party, and how many there are.
fn finding(record: &Value) -> (String, String, String, usize) {
    let (hazards, alterations) = (list(record, "/hazards"), list(record, "/alterations"));
    if let Some(diagnosis) = member(record, "diagnosis") {
        let (confidence, party) = (text(diagnosis, "/confidence"), text(diagnosis, "/party"));
        return (named(diagnosis, "cause"), confidence, party, 1 + hazards.len());
    }
    match (hazards.first(), alterations.first()) {
        (Some(hazard), _) => (named(hazard, "hazard"), text(hazard, "/confidence"), String::new(), hazards.len()),
        (None, Some(altered)) => (alteration(altered), String::new(), String::new(), alterations.len()),
        (None, None) => Default::default(),
    }
}

/// `response etag weakened`
pub(super) fn alteration(alteration: &Value) -> String {
    format!("{} {} {}", text(alteration, "/on"), text(alteration, "/field"), text(alteration, "/change"))
}

fn conditions(record: &Value) -> Vec<(String, String)> {
    let lines = list(record, "/request/headers").iter();
    lines
        .map(|line| (text(line, "/0").to_ascii_lowercase(), text(line, "/1")))
        .filter(|(name, _)| super::way::is_condition(name))
        .collect()
}
