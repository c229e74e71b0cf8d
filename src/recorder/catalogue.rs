//! The catalogue as JSON, the same for `GET /api/v1/causes` and `why412 explain --json`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::analysis::diagnosis::reference::{self, Entry, Kind};

/// All entries: causes in their order of precedence, hazards.
#[derive(Debug, Serialize, ToSchema)]
pub struct CatalogueView {
    /// Why a 412 happened.
    pub causes: Vec<EntryView>,
    /// Damage or waste with no 412 to show for it.
    pub hazards: Vec<EntryView>,
}

/// One entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// `cause` or `hazard`.
    pub kind: &'static str,
    /// Its name.
    pub id: &'static str,
    /// Who has to act; null for hazards.
    pub party: Option<&'static str>,
    /// Who has to act instead in some cases: then only the record of a 412 says who it is.
    pub other_parties: Vec<&'static str>,
    /// One line.
    pub title: &'static str,
    /// What happened, and how we know.
    pub explanation: &'static str,
    /// Messages that show it.
    pub example: &'static str,
    /// What to do, most effective first.
    pub fix: &'static [&'static str],
    /// What it rests on.
    pub specification: &'static [&'static str],
    /// Finer distinctions.
    pub details: Vec<DetailView>,
}

/// A finer distinction within an entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct DetailView {
    /// Its name.
    pub id: &'static str,
    /// What it says beyond the entry.
    pub explanation: &'static str,
    /// What to do, before the entry's own advice.
    pub fix: &'static [&'static str],
}

/// The whole catalogue.
pub fn view() -> CatalogueView {
    let of_kind = |kind| reference::entries().filter(move |entry| entry.kind == kind).map(|entry| entry_view(&entry));
    CatalogueView { causes: of_kind(Kind::Cause).collect(), hazards: of_kind(Kind::Hazard).collect() }
}

/// The entry of that name, if there is one.
pub fn view_of(name: &str) -> Option<EntryView> {
    reference::entry(name).map(|entry| entry_view(&entry))
}

/// One entry of it.
pub fn entry_view(entry: &Entry) -> EntryView {
    let details = entry.details.iter();
    EntryView {
        kind: entry.kind.as_str(),
        id: entry.id,
        party: entry.party.map(|party| party.as_str()),
        other_parties: entry.other_parties.iter().map(|party| party.as_str()).collect(),
        title: entry.title,
        explanation: entry.explanation,
        example: entry.example,
        fix: entry.fix,
        specification: entry.specification,
        details: details
            .map(|detail| DetailView { id: detail.id, explanation: detail.explanation, fix: detail.fix })
            .collect(),
    }
}
