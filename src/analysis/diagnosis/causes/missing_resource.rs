//! If-Match on a resource that is not there.

use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::entity_tag::TagList;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::semantics::validators::Validators;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "missing-resource",
    party: Party::Client,
    other_parties: &[],
    title: "The resource is not there (any more), so If-Match cannot match",
    explanation: "If-Match demands that the resource exist, and by what was seen it does not: it was deleted, \
        moved, or never created. The service answers 412, and may do so instead of 404. A read through this \
        instance or the deletion that was seen shows it, or the condition itself: `If-Match: *` fails only where \
        there is nothing.",
    example: r#"bob    DELETE /tasks/1 -> 204
alice  PUT /tasks/1 | If-Match: "t4" -> 412"#,
    fix: &[
        "Read the resource: if it answers 404, decide whether the deletion stands or the resource is to be created \
            anew with `If-None-Match: *`.",
        "Tell the user that the thing was deleted, not that somebody edited it.",
    ],
    specification: &["RFC 9110 §13.1.1"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    // A refusal that names a version has one.
    if !case.conditions.if_match.is_present() || Validators::any(case.answer_fields()?) {
        return None;
    }
    let sent = case.sent(FieldName::IfMatch);
    if let Some(absence) = case.resource.and_then(|resource| resource.absence.as_ref()) {
        // A service may hide from one client what it shows to another.
        let confidence =
            if absence.deleted || absence.by == case.client() { Confidence::Likely } else { Confidence::Possible };
        return Some(Finding::new(confidence, vec![sent, Evidence::gone(absence)]));
    }
    // RFC 9110 §13.1.1: `*` fails only where there is nothing.
    let is_any = case.conditions.if_match.valid() == Some(&TagList::Any);
    let seen = case.resource.is_some_and(|resource| !resource.sightings.is_empty() || !resource.writes.is_empty());
    (is_any && !seen).then(|| Finding::new(Confidence::Likely, vec![sent, Evidence::NamedNone]))
}
