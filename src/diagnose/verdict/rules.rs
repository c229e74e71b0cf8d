//! Why a request is refused, by what only asking can show: the same read by two ways and in several codings, the state
//! after the refusal, the same condition on a read.

use super::is_given_altered;
use crate::analysis::diagnosis::products::KeepFrom;
use crate::analysis::diagnosis::spelling::{shown, title};
use crate::analysis::diagnosis::{causes, suffix};
use crate::analysis::judgement::{Change, Confidence, Party};
use crate::analysis::semantics::conditions::{Conditions, tags_of};
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;
use crate::diagnose::asked::Asked;
use crate::diagnose::compare::{self, Altered, Outdated};
use crate::diagnose::findings::{Found, Said, of_alteration, of_outdated};
use crate::diagnose::observed::Observed;
use crate::diagnose::steps::{Kind, Way};

/// The causes that fit. `refused`: the request was sent and got 412; else it would be.
pub(super) fn causes(
    asked: &Asked,
    observed: &Observed,
    refused: bool,
    altered: &[Altered],
    outdated: Option<&Outdated>,
) -> Vec<Found> {
    let conditions = asked.conditions();
    let tags = tags_of(&conditions.if_match);
    let mut found = Vec::new();
    found.extend(altered.iter().filter_map(|altered| by_alteration(asked, &conditions, &tags, altered)));
    found.extend(outdated.and_then(|outdated| by_old_copy(asked, outdated)));
    found.extend(weak_at_origin(observed, &tags));
    found.extend(moved_on(observed, &tags));
    found.extend(current_refused(asked, observed, &tags, refused));
    found
}

/// The tag that was sent is one that was altered on its way, or bears the same mark.
fn by_alteration(
    asked: &Asked,
    conditions: &Conditions<'_>,
    tags: &[EntityTag<'_>],
    altered: &Altered,
) -> Option<Found> {
    let field = if altered.field == FieldName::ETag { FieldName::IfMatch } else { FieldName::IfUnmodifiedSince };
    let raw = asked.fields.first(field);
    if let Some(raw) = raw.filter(|raw| is_given_altered(altered, raw)) {
        return Some(with_sent(of_alteration(altered), field, raw));
    }
    match altered.change {
        Change::Stripped => {
            // The client's condition must show that it had nothing.
            let (field, value) = conditions.absent_value()?;
            Some(with_sent(of_alteration(altered), field, &value))
        }
        // Another version, altered in the same way: it could not have held even when it was current.
        Change::Weakened if !tags.is_empty() && tags.iter().all(|tag| tag.weak) => {
            Some(with_sent(of_alteration(altered).at_most(Confidence::Likely), field, raw?))
        }
        Change::Suffixed => {
            let mark = suffix::split(EntityTag::parse(altered.after.as_deref()?)?.opaque)?.suffix;
            let is_marked = |tag: &EntityTag<'_>| suffix::split(tag.opaque).is_some_and(|split| split.suffix == mark);
            let all = !tags.is_empty() && tags.iter().all(is_marked);
            all.then(|| with_sent(of_alteration(altered).at_most(Confidence::Likely), field, raw.unwrap_or_default()))
        }
        Change::Weakened
        | Change::Added
        | Change::Strengthened
        | Change::Unquoted
        | Change::Requoted
        | Change::Reformatted
        | Change::Merged
        | Change::Truncated
        | Change::Replaced => None,
    }
}

fn with_sent(mut found: Found, field: FieldName, value: &[u8]) -> Found {
    found.evidence.insert(0, sent(field, value));
    found
}

fn sent(field: FieldName, value: &[u8]) -> Said {
    Said::new("sent", format!("The request carries {}: {}.", title(field), shown(value)))
}

/// The validator that was sent is that of an old copy.
fn by_old_copy(asked: &Asked, outdated: &Outdated) -> Option<Found> {
    let names = [FieldName::IfMatch, FieldName::IfUnmodifiedSince];
    let (field, raw) = names.into_iter().find_map(|name| {
        let raw = asked.fields.first(name)?;
        (raw == outdated.given.as_slice()).then_some((name, raw))
    })?;
    Some(with_sent(of_outdated(outdated), field, raw))
}

/// The origin itself gives nothing but the weak tag.
fn weak_at_origin(observed: &Observed, tags: &[EntityTag<'_>]) -> Option<Found> {
    let tag = tags.first().filter(|_| tags.iter().all(|tag| tag.weak))?;
    let is_weak = |raw: &[u8]| EntityTag::parse(raw).is_some_and(|tag| tag.weak);
    if !observed.has_direct() || !observed.tags(Way::Direct).all(|(_, raw)| is_weak(raw)) {
        return None;
    }
    let current = observed.origins_tag()?;
    let is_current = EntityTag::parse(current).is_some_and(|current| current.weak_eq(tag));
    let confidence = if is_current { Confidence::Proven } else { Confidence::Likely };
    let given = Said::new("two-ways", format!("Directly, too, every read gives a weak tag: {}.", shown(current)));
    let evidence = vec![sent(FieldName::IfMatch, &tag.to_bytes()), given];
    let cause = &causes::weak_etag_in_if_match::CAUSE;
    Some(Found::cause(cause, confidence, evidence).detail(cause.details, "origin-issues-weak").party(Party::Origin))
}

/// The tag is that of another version: no read shows it any more, in whatever form.
fn moved_on(observed: &Observed, tags: &[EntityTag<'_>]) -> Option<Found> {
    let [tag] = tags else { return None };
    let current = observed.origins_tag()?;
    let is_kin = |raw: &[u8]| {
        EntityTag::parse(raw).is_none_or(|seen| seen.weak_eq(tag) || suffix::differs_by_suffix(seen.opaque, tag.opaque))
    };
    let by_both = [Way::Through, Way::Direct].into_iter().flat_map(|way| observed.tags(way));
    let mut seen = by_both.map(|(_, raw)| raw).chain(named(observed));
    if seen.any(is_kin) || !observed.is_stable(Way::Through) || !observed.is_stable(Way::Direct) {
        return None;
    }
    let evidence = vec![
        sent(FieldName::IfMatch, &tag.to_bytes()),
        Said::new("current", format!("Every read gives another version; the current one is {}.", shown(current))),
    ];
    Some(Found::cause(&causes::stale_validator::CAUSE, Confidence::Likely, evidence))
}

/// The tag that the refusal itself names.
fn named(observed: &Observed) -> Option<&[u8]> {
    let refusal = observed.answer(Kind::Asked, Way::Through).filter(|answer| answer.head.status == 412)?;
    refusal.head.fields.first(FieldName::ETag)
}

/// The tag is current by every way, and was refused all the same.
fn current_refused(asked: &Asked, observed: &Observed, tags: &[EntityTag<'_>], refused: bool) -> Vec<Found> {
    let [tag] = tags else { return Vec::new() };
    let is_it = |raw: &[u8]| EntityTag::parse(raw).is_some_and(|seen| seen.strong_eq(tag));
    let same = |way| observed.status(Kind::SameCondition, way);
    let (through, direct) = (same(Way::Through), same(Way::Direct));
    let is_current = observed.origins_tag().is_some_and(is_it) && observed.is_stable(Way::Through);
    // Without a refusal nobody is to blame for one.
    if !is_current || !(refused || through == Some(412)) {
        return Vec::new();
    }
    let raw = asked.fields.first(FieldName::IfMatch).unwrap_or_default();
    let place = if observed.has_direct() { "directly" } else { "by a read" };
    let current = Said::new("current", format!("{} is current, as shown {place} after the refusal.", shown(raw)));
    let mut evidence = vec![sent(FieldName::IfMatch, raw), current];
    if through == Some(412) && direct == Some(200) {
        return between_them(observed, evidence);
    }
    let can_tell = observed.status(Kind::CannotHold, Way::Through) == Some(412);
    if can_tell && through == Some(200) {
        evidence.push(Said::new("same-condition", "A read with the same condition is let through by the URL."));
    }
    let by_origin = direct == Some(412);
    if by_origin {
        evidence.push(Said::new("same-condition", "A read with the same condition is refused directly, too."));
    }
    let confidence = if by_origin { Confidence::Likely } else { Confidence::Possible };
    let mut found = vec![Found::cause(&causes::current_validator_refused::CAUSE, confidence, evidence.clone())];
    if !by_origin {
        let rewritten = &causes::precondition_rewritten::CAUSE;
        found.push(Found::cause(rewritten, Confidence::Possible, evidence.clone()));
        found.push(Found::cause(&causes::gateway_answered::CAUSE, Confidence::Possible, evidence));
    }
    found
}

/// The same condition holds directly, and is refused through the URL.
fn between_them(observed: &Observed, mut evidence: Vec<Said>) -> Vec<Found> {
    let says = "A read with the same condition gets 412 through the URL, and 200 directly.";
    evidence.push(Said::new("same-condition", says));
    let product = observed
        .answer(Kind::SameCondition, Way::Through)
        .zip(observed.answer(Kind::SameCondition, Way::Direct))
        .and_then(|(through, direct)| compare::between(through, direct));
    let answered = &causes::gateway_answered::CAUSE;
    if observed.status(Kind::CannotHold, Way::Direct) != Some(412) {
        let says = "The service itself judges no If-Match on reads: the 412 is made in between.";
        evidence.push(Said::new("two-ways", says));
        return vec![Found::cause(answered, Confidence::Likely, evidence).advise(product, KeepFrom::Answering)];
    }
    vec![
        Found::cause(&causes::precondition_rewritten::CAUSE, Confidence::Likely, evidence.clone()),
        Found::cause(answered, Confidence::Possible, evidence).advise(product, KeepFrom::Answering),
    ]
}
