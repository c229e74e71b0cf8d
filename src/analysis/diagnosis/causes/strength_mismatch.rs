//! The opaque part is right, the strength is not what this route compares with.

use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "strength-mismatch",
    party: Party::Client,
    other_parties: &[],
    title: "The right tag was sent with the wrong strength (W/ dropped or added)",
    explanation: "The part of the tag between the quotes was given out for this resource, but with the other \
        strength: W/ was dropped or added after that, and a service that compares the whole tag refuses it. On a \
        route that compares weakly by design (FHIR, OData) the service issues and expects weak tags, W/ \
        included.",
    example: r#"client  GET /Patient/1 -> 200 | ETag: W/"7"
client  PUT /Patient/1 | If-Match: "7" -> 412"#,
    fix: &[
        "Return the tag as it was received, W/ included; do not build it from a version number.",
        "Check the library or mapping layer that stores the tag: some keep only the part between the quotes.",
    ],
    specification: &["RFC 9110 §8.8.3.2", "RFC 9110 §13.1.1"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let tag = case.only_tag()?;
    // W/ that was added on a route that compares strongly is more often a gateway's doing.
    if tag.weak && !case.compares_weakly() {
        return None;
    }
    let issue = case.issue_of_other_strength(tag)?;
    if case.issue(tag).is_some() || case.names(tag) || case.accepted_at(tag).is_some() {
        return None;
    }
    // The write whose answer gave the tag out is not one after it.
    let written = case.write_after(issue.at, issue.sighting.tag(), |_| true);
    let moved_on = case.names_other(tag).is_some() || written.is_some();
    // Where tags compare strongly, a gateway may have added the W/ that the client was right to drop.
    let is_judged_so = case.compares_weakly() || case.named().is_some_and(|named| named.weak_eq(&tag));
    let confidence = if moved_on || !is_judged_so { Confidence::Possible } else { Confidence::Likely };
    let evidence = vec![
        case.sent(FieldName::IfMatch),
        Evidence::given(issue.sighting, case.client(), issue.sibling),
        case.named_evidence(),
    ];
    Some(Finding::new(confidence, evidence))
}
