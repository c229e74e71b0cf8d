//! What several hazards ask of a case. Nothing here judges.

use http::Method;

use crate::analysis::diagnosis::case::is_other_version;
use crate::analysis::diagnosis::{Case, Evidence};
use crate::analysis::exchange::Answer;
use crate::analysis::judgement::Confidence;
use crate::analysis::memory::{Shown, Sighting, Write, WriteOutcome};
use crate::analysis::principal::Principal;
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;

/// What the answer carried in a field.
pub(super) fn named(case: &Case<'_>, field: FieldName) -> Option<Evidence> {
    let answer = case.exchange.answer()?;
    let value = answer.head.fields.first(field)?.to_vec();
    Some(Evidence::Named { status: answer.head.status, field, value })
}

/// The answer to a write that succeeded. 207 says of each member for itself how it ended (RFC 4918 §13).
pub(super) fn successful_write<'a>(case: &Case<'a>) -> Option<&'a Answer<'a>> {
    let answer = case.exchange.answer()?;
    (case.is_write() && case.succeeded() && answer.head.status != 207).then_some(answer)
}

/// A 200 or 206 to a GET: content of the resource.
pub(super) fn content<'a>(case: &Case<'a>) -> Option<&'a Answer<'a>> {
    let answer = case.exchange.answer()?;
    (case.exchange.request.method == Method::GET && matches!(answer.head.status, 200 | 206)).then_some(answer)
}

/// Whether the method is one that 304 answers (RFC 9110 §15.4.5).
pub(super) fn is_read(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

/// How sure a hazard can be that turns on `other` being the same client; `None` where the address alone, hidden by a
/// gateway, says that it is.
pub(super) fn same_client(case: &Case<'_>, other: Principal) -> Option<(Confidence, Evidence)> {
    let (confidence, evidence) = case.told_apart(other);
    let is_hidden = matches!(evidence, Evidence::ToldApart { hidden: true, .. });
    // One client cannot be told from two that share a name, so it is never proven.
    (!is_hidden).then_some((confidence.min(Confidence::Likely), evidence))
}

/// The last write of the resource, if it succeeded for certain before this request came, and nothing is known to have
/// removed what it wrote.
pub(super) fn last_write<'a>(case: &Case<'a>) -> Option<&'a Write> {
    let resource = case.resource?;
    let write = resource.writes.last()?;
    let is_there = resource.absence.is_none_or(|absence| absence.at < write.ended);
    (write.is_applied() && write.ended <= case.exchange.at && is_there).then_some(write)
}

/// How sure it is that `write` replaced what `sighting` showed. Content may differ from user to user under one URL, and
/// then what one writes says nothing of what the other holds: `None` where the writer was seen to hold something else.
pub(super) fn replaced_by(case: &Case<'_>, sighting: &Sighting, write: &Write) -> Option<Confidence> {
    let tag = sighting.tag()?;
    let differs = |other: &EntityTag<'_>| is_other_version(tag, *other);
    let based_on = write.if_match.as_deref().and_then(EntityTag::parse);
    let surest = match write.tag() {
        Some(current) => comparable(case, sighting, tag, current)?,
        None => Confidence::Likely,
    };
    let mut of_tag = case.own_sightings().filter(|seen| seen.tag() == Some(tag));
    let is_shared = of_tag.any(|seen| seen.given_at(write.by).is_some());
    if is_shared || based_on.is_some_and(|other| !differs(&other)) {
        return Some(surest);
    }
    // What the writer itself made of the older version came after it.
    let counts = |seen: &&Sighting| match seen.by {
        Shown::Get | Shown::Head => true,
        Shown::Written => seen.first < sighting.last,
        Shown::NotModified | Shown::Refused | Shown::Probed | Shown::Other => false,
    };
    let shown_before = |seen: &&Sighting| seen.given_at(write.by).is_some_and(|at| at < write.at);
    let mut shown = case.own_sightings().filter(counts).filter(shown_before);
    let holds_another = based_on.is_some() || shown.any(|seen| seen.tag().is_some_and(|other| differs(&other)));
    (!holds_another && !has_created(case, write.by)).then_some(Confidence::Possible)
}

/// Whether that client was told that it created what is under this URL: then there was nothing, where it writes.
pub(super) fn has_created(case: &Case<'_>, client: Principal) -> bool {
    let writes = case.resource.map(|resource| resource.writes.as_slice()).unwrap_or_default();
    writes.iter().any(|one| one.by == client && matches!(one.outcome, WriteOutcome::Applied { status: 201, .. }))
}

/// How much it says that the answer to a write gave `current` and `sighting` another tag: encodings have tags of their
/// own within one version. `None` where one may be spelled after the other for that reason.
fn comparable(case: &Case<'_>, sighting: &Sighting, tag: EntityTag<'_>, current: EntityTag<'_>) -> Option<Confidence> {
    let accepts = sighting.variant.accepts_coding;
    let mut written = case.own_sightings().filter(|seen| seen.by == Shown::Written && seen.tag() == Some(current));
    if written.any(|seen| seen.variant.accepts_coding == accepts) {
        return Some(Confidence::Likely);
    }
    let spelled_alike = tag.opaque.starts_with(current.opaque) || current.opaque.starts_with(tag.opaque);
    (!spelled_alike).then_some(Confidence::Possible)
}

/// Content or its head, and not out of a store.
pub(super) fn is_fresh_content(sighting: &Sighting) -> bool {
    matches!(sighting.by, Shown::Get | Shown::Head) && sighting.store.is_none()
}
