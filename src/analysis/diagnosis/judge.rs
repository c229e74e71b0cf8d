//! Runs the rules over a case: which cause is named first, which hazards there are, what was altered.

use std::panic::{AssertUnwindSafe, catch_unwind};

use http::Method;

use super::case::originally;
use super::{Case, Cause, Evidence, causes, hazards, suffix};
use crate::analysis::far_side::Altered;
use crate::analysis::judgement::{
    Alteration, Change, Confidence, Diagnosis, Direction, Finding, HazardFound, Judgement, KnownBy,
};
use crate::analysis::semantics::entity_tag::{EntityTag, TagList};
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::semantics::http_date::HttpDate;

/// Everything that is concluded from a case.
pub fn judge(case: &Case<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    if case.status() == 412 {
        let diagnosis = diagnose(case, &mut judgement.rules_failed);
        judgement.validator_age = validator_age(case);
        if !is_told(case) {
            judgement.alterations.extend(shown_by_diagnosis(case, &diagnosis));
        }
        judgement.diagnosis = Some(Box::new(diagnosis));
    }
    for hazard in hazards::CATALOGUE {
        if let Some(finding) = guarded(case, hazard.examine, &mut judgement.rules_failed) {
            judgement.hazards.push(HazardFound { hazard, finding });
        }
    }
    judgement.alterations.extend(shown_by_pairing(case));
    if !is_told(case) {
        judgement.alterations.extend(shown_by_double(case));
    }
    judgement
}

/// Whether the validators are known as the origin gave them: then nothing need be concluded.
fn is_told(case: &Case<'_>) -> bool {
    case.testimony.as_given(case.status()).is_some()
}

/// What the two sides of a pair show to have been altered on this exchange.
fn shown_by_pairing(case: &Case<'_>) -> Vec<Alteration> {
    let altered = case.testimony.altered.iter().filter(|altered| !is_right_of_caches(case, altered));
    let on_request = altered.map(|altered| Alteration {
        on: Direction::Request,
        field: altered.field,
        change: altered.change,
        before: altered.before(),
        after: altered.after(),
        known_by: KnownBy::Pairing,
    });
    let validators = case.answer_fields().map(|came| case.testimony.altered_validators(case.status(), came));
    let on_response = validators.into_iter().flatten().map(|altered| Alteration {
        on: Direction::Response,
        field: altered.field,
        change: altered.change,
        before: altered.before,
        after: altered.after,
        known_by: KnownBy::Pairing,
    });
    on_request.chain(on_response).collect()
}

/// RFC 9111 §4.3.1: a cache fills itself unconditionally, and confirms its copy with the validator that it keeps.
fn is_right_of_caches(case: &Case<'_>, altered: &Altered) -> bool {
    let method = &case.exchange.request.method;
    if *method != Method::GET && *method != Method::HEAD {
        return false;
    }
    let may_be_its_own =
        matches!(altered.field, FieldName::IfNoneMatch | FieldName::IfModifiedSince | FieldName::IfRange);
    match altered.change {
        Change::Stripped => true,
        Change::Added => may_be_its_own,
        Change::Replaced if may_be_its_own && case.resource.is_none() => true,
        Change::Replaced
        | Change::Weakened
        | Change::Strengthened
        | Change::Suffixed
        | Change::Unquoted
        | Change::Requoted
        | Change::Reformatted
        | Change::Merged
        | Change::Truncated => may_be_its_own && altered.arrived.iter().all(|line| is_issued(case, line)),
    }
}

/// Whether a condition is made of nothing but validators that the origin gave out for the resource.
fn is_issued(case: &Case<'_>, line: &[u8]) -> bool {
    if let Ok(date) = HttpDate::parse(line) {
        return case.sightings().any(|(_, seen)| seen.date() == Some(date));
    }
    let Some(list) = TagList::parse(line) else { return false };
    let issued =
        |tag: &EntityTag<'_>| case.sightings().any(|(_, seen)| originally(seen).or_else(|| seen.tag()) == Some(*tag));
    !list.tags().is_empty() && list.tags().iter().all(issued)
}

/// The causes that fit, the one to name first in front: by confidence, then in the order of the catalogue.
pub fn diagnose(case: &Case<'_>, failed: &mut u32) -> Diagnosis {
    let mut found: Vec<(&'static Cause, Finding)> = Vec::new();
    for cause in causes::CATALOGUE {
        if let Some(finding) = guarded(case, cause.examine, failed) {
            found.push((cause, finding));
        }
    }
    // Stable: among equals the catalogue decides.
    found.sort_by_key(|(cause, finding)| (place(cause, finding), std::cmp::Reverse(finding.confidence)));
    let mut found = found.into_iter();
    let (cause, finding) =
        found.next().unwrap_or_else(|| (&causes::unexplained::CAUSE, Finding::new(Confidence::Possible, Vec::new())));
    // "None of these" is a verdict, but no rival of one.
    let others = found.filter(|(other, _)| !std::ptr::eq(*other, &causes::unexplained::CAUSE)).collect();
    Diagnosis { cause, finding, others }
}

/// Where a finding stands, before its confidence counts. What rests on a validator that was never seen, or on an address
/// that a gateway hides, is not named first: `unexplained` is more honest. That a report did not come is a hint where
/// nothing else is known.
fn place(cause: &Cause, finding: &Finding) -> u8 {
    let rests_on =
        |weak: fn(&Evidence) -> bool| finding.confidence == Confidence::Possible && finding.evidence.iter().any(weak);
    if rests_on(|fact| matches!(fact, Evidence::NeverSeen { .. } | Evidence::ToldApart { hidden: true, .. })) {
        3
    } else if std::ptr::eq(cause, &causes::unexplained::CAUSE) {
        2
    } else {
        u8::from(rests_on(|fact| matches!(fact, Evidence::NoReport { .. })))
    }
}

/// A rule that panics costs its own finding, nothing else.
fn guarded(case: &Case<'_>, examine: fn(&Case<'_>) -> Option<Finding>, failed: &mut u32) -> Option<Finding> {
    catch_unwind(AssertUnwindSafe(|| examine(case))).unwrap_or_else(|_| {
        *failed += 1;
        None
    })
}

/// How long before its 412 the refused validator had been handed out.
fn validator_age(case: &Case<'_>) -> Option<std::time::Duration> {
    let by_tag = case.if_match().into_iter().find_map(|tag| case.issue(tag));
    let issue = by_tag.or_else(|| case.issue_of_date(*case.conditions.if_unmodified_since.valid()?))?;
    Some(case.exchange.ended.since(issue.at))
}

/// What a vendor's copy of the tag on the same message shows to have happened to it on the way.
fn shown_by_double(case: &Case<'_>) -> Option<Alteration> {
    let answer = case.exchange.answer().filter(|answer| matches!(answer.head.status, 200..=299 | 304))?;
    let fields = &answer.head.fields;
    let name = [FieldName::OcETag, FieldName::XETag].into_iter().find(|name| fields.contains(*name))?;
    let before = fields.first(name)?;
    let double = EntityTag::parse(before)?;
    let after = fields.first(FieldName::ETag);
    let change = match after {
        // Only OC-ETag is known to be always a copy; others may stand alone.
        None if name == FieldName::OcETag => Change::Stripped,
        None => return None,
        Some(after) => change_between(double, after)
            .filter(|change| name == FieldName::OcETag || matches!(change, Change::Weakened | Change::Suffixed))?,
    };
    Some(Alteration {
        on: Direction::Response,
        field: FieldName::ETag,
        change,
        before: Some(before.to_vec()),
        after: after.map(<[u8]>::to_vec),
        known_by: KnownBy::Double,
    })
}

fn change_between(before: EntityTag<'_>, after: &[u8]) -> Option<Change> {
    let Some(tag) = EntityTag::parse(after) else {
        return Some(if after == before.opaque { Change::Unquoted } else { Change::Requoted });
    };
    if tag == before {
        None
    } else if tag.weak_eq(&before) {
        Some(if tag.weak { Change::Weakened } else { Change::Strengthened })
    } else if suffix::split(tag.opaque).is_some_and(|split| split.bare == before.opaque) {
        Some(Change::Suffixed)
    } else {
        Some(Change::Replaced)
    }
}

/// What a diagnosis shows to have been altered when the refused tag was given out: only where both the tag that the
/// origin knows and the one the client has were seen.
fn shown_by_diagnosis(case: &Case<'_>, diagnosis: &Diagnosis) -> Option<Alteration> {
    let change = match diagnosis.cause.id {
        "etag-weakened" => Change::Weakened,
        "etag-suffixed" => Change::Suffixed,
        _ => return None,
    };
    let after = case.only_tag()?;
    let before = if change == Change::Weakened {
        EntityTag { weak: false, ..after }
    } else {
        EntityTag { opaque: suffix::split(after.opaque)?.bare, ..after }
    };
    let was_seen = case.names(before) || case.issue(before).is_some();
    let is_sure = diagnosis.finding.confidence > Confidence::Possible;
    (was_seen && is_sure).then(|| Alteration {
        on: Direction::Response,
        field: FieldName::ETag,
        change,
        before: Some(before.to_bytes()),
        after: Some(after.to_bytes()),
        known_by: KnownBy::Ledger,
    })
}
