//! What the memory knows of one resource, for people.

use serde::Serialize;
use utoipa::ToSchema;

use super::record::{client_text, id_text, time_text};
use super::redact::latin1;
use crate::analysis::far_side::AsGiven;
use crate::analysis::memory::{Absence, Refusal, Resource, Sighting, Write, WriteOutcome};
use crate::analysis::pairing::CarriedValue;

/// What is remembered of one resource, each list in the order in which it was last seen.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ResourceView {
    /// Its URL, as asked for, secrets hidden.
    pub url: String,
    /// When anything was first seen of it.
    pub since: String,
    /// The validators it has shown.
    pub validators: Vec<SightingView>,
    /// Writes that succeeded or may have.
    pub writes: Vec<WriteView>,
    /// 412s.
    pub refusals: Vec<RefusalView>,
    /// Set where it was last seen not to be there.
    pub absence: Option<AbsenceView>,
    /// It was seen to serve ranges.
    pub serves_ranges: bool,
}

/// One validator in one variant by one kind of answer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SightingView {
    /// The tag as the upstream gave it.
    pub etag: Option<String>,
    /// The date as the upstream gave it.
    pub last_modified: Option<String>,
    /// The tag in a vendor's field, and the field.
    pub double: Option<DoubleView>,
    /// When it was first shown so.
    pub first: String,
    /// When last.
    pub last: String,
    /// How often.
    pub times: u32,
    /// By which kind of answer.
    pub by: &'static str,
    /// With which status.
    pub status: u16,
    /// The Content-Encoding of the representation.
    pub coding: Option<String>,
    /// Its Content-Type.
    pub content_type: Option<String>,
    /// To whom it was given, and when last.
    pub given_to: Vec<GivenView>,
    /// The address that answered last.
    pub upstream: Option<String>,
    /// A sign that the last answer came out of a store.
    pub from_store: Option<String>,
    /// The product that the answer named.
    pub product: Option<&'static str>,
    /// The validators as the origin gave them, where the other instance of a pair said so.
    pub origin: Option<OriginView>,
    /// The last exchange that showed it.
    pub exchange: String,
}

/// What the origin gave, before a gateway could alter it. Long values appear as their length and digest.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OriginView {
    /// The tag; null if it gave none.
    pub etag: Option<String>,
    /// The date; null if it gave none.
    pub last_modified: Option<String>,
}

/// A tag in a vendor's field.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DoubleView {
    /// The field.
    pub field: &'static str,
    /// Its value.
    pub value: String,
}

/// To whom a validator was given.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GivenView {
    /// The client, as records name it.
    pub client: String,
    /// When last.
    pub at: String,
}

/// A write.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WriteView {
    /// When it ended.
    pub at: String,
    /// Whose.
    pub client: String,
    /// How.
    pub method: String,
    /// applied, client-gone or no-answer.
    pub outcome: &'static str,
    /// The status of its answer.
    pub status: Option<u16>,
    /// It carried a condition.
    pub conditional: bool,
    /// Its If-Match.
    pub if_match: Option<String>,
    /// The tag its answer gave.
    pub etag: Option<String>,
    /// It went around the gateway.
    pub direct: bool,
    /// Its name.
    pub exchange: String,
}

/// A 412.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RefusalView {
    /// When it ended, the last time.
    pub at: String,
    /// How often the same was refused.
    pub times: u32,
    /// Whose request it was.
    pub client: String,
    /// With which method.
    pub method: String,
    /// The tag that the 412 named.
    pub etag: Option<String>,
    /// The client has had success since.
    pub recovered: bool,
    /// Its name, the last time.
    pub exchange: String,
}

/// That the resource was not there.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AbsenceView {
    /// When it was seen.
    pub at: String,
    /// It was deleted, else it was only not found.
    pub deleted: bool,
    /// Who deleted it or asked.
    pub client: String,
    /// The status that showed it.
    pub status: u16,
}

impl ResourceView {
    pub(super) fn of(url: String, resource: &Resource) -> Self {
        Self {
            url,
            since: time_text(resource.since),
            validators: resource.sightings.iter().map(sighting).collect(),
            writes: resource.writes.iter().map(write).collect(),
            refusals: resource.refusals.iter().map(refusal).collect(),
            absence: resource.absence.as_ref().map(absence),
            serves_ranges: resource.serves_ranges,
        }
    }
}

fn text(value: Option<&[u8]>) -> Option<String> {
    value.map(latin1)
}

fn sighting(sighting: &Sighting) -> SightingView {
    let given = sighting.given_to.iter();
    SightingView {
        etag: text(sighting.etag.as_deref()),
        last_modified: text(sighting.last_modified.as_deref()),
        double: sighting
            .double
            .as_ref()
            .map(|(field, value)| DoubleView { field: field.as_str(), value: latin1(value) }),
        first: time_text(sighting.first),
        last: time_text(sighting.last),
        times: sighting.times,
        by: sighting.by.says(),
        status: sighting.status,
        coding: text(sighting.variant.coding.as_deref()),
        content_type: text(sighting.variant.content_type.as_deref()),
        given_to: given.map(|(client, at)| GivenView { client: client_text(*client), at: time_text(*at) }).collect(),
        upstream: sighting.upstream.map(|address| address.to_string()),
        from_store: sighting.store.map(|store| store.says()),
        product: sighting.product.map(|product| product.as_str()),
        origin: sighting.origin.as_deref().map(origin),
        exchange: id_text(sighting.exchange),
    }
}

fn origin(given: &AsGiven) -> OriginView {
    let value = |value: &Option<CarriedValue>| value.as_ref().map(|value| latin1(&value.to_text()));
    OriginView { etag: value(&given.etag), last_modified: value(&given.last_modified) }
}

fn write(write: &Write) -> WriteView {
    let (outcome, status) = match write.outcome {
        WriteOutcome::Applied { status, .. } => ("applied", Some(status)),
        WriteOutcome::ClientGone => ("client-gone", None),
        WriteOutcome::NoAnswer => ("no-answer", None),
    };
    WriteView {
        at: time_text(write.ended),
        client: client_text(write.by),
        method: write.method.to_string(),
        outcome,
        status,
        conditional: write.condition.is_some(),
        if_match: text(write.if_match.as_deref()),
        etag: text(write.etag.as_deref()),
        direct: write.direct,
        exchange: id_text(write.exchange),
    }
}

fn refusal(refusal: &Refusal) -> RefusalView {
    RefusalView {
        at: time_text(refusal.at),
        times: refusal.times,
        client: client_text(refusal.by),
        method: refusal.method.to_string(),
        etag: text(refusal.etag.as_deref()),
        recovered: refusal.recovered,
        exchange: id_text(refusal.exchange),
    }
}

fn absence(absence: &Absence) -> AbsenceView {
    AbsenceView {
        at: time_text(absence.at),
        deleted: absence.deleted,
        client: client_text(absence.by),
        status: absence.status,
    }
}
