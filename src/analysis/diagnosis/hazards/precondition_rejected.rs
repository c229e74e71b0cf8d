//! A legal condition was itself refused.

use crate::analysis::diagnosis::{Case, Evidence, Hazard};
use crate::analysis::judgement::{Confidence, Finding};
use crate::analysis::semantics::conditions::{CONDITION_NAMES, Field};
use crate::analysis::semantics::entity_tag::TagList;
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "precondition-rejected",
    title: "A correct precondition was refused as if it were an error",
    explanation: "The condition was well-formed and legal, and the answer was an error that is neither success nor \
        412: a server error, or a 400 that the request's content does not explain. Something on the way cannot read \
        this condition. Clients then tend to leave it out, and lose their protection.",
    example: r#"client  PUT /x | If-None-Match: * -> 400"#,
    fix: &[
        "Correct or update the component that cannot read the condition; run the same request by the direct address \
            to see whether it is the gateway or the service.",
        "Keep the condition in the client and report the error: leaving it out turns a visible failure into silent \
            overwriting.",
    ],
    specification: &["RFC 9110 §13.1", "RFC 9110 §13.2.1"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let conditions = &case.conditions;
    if !all_legal(case) || case.exchange.bypass.is_some_and(|bypass| bypass.preconditions_removed) {
        return None;
    }
    let star = [&conditions.if_match, &conditions.if_none_match].iter().any(|it| it.valid() == Some(&TagList::Any));
    let confidence = match case.status() {
        // What a service does not implement is what is special about the request: here, its condition. On a method
        // that it does not know at all, it is the method.
        501 if case.resource.is_some() || star => Confidence::Likely,
        501 => Confidence::Possible,
        400 if star => Confidence::Likely,
        400 if has_no_content(case) => Confidence::Possible,
        _ => return None,
    };
    let lines = case.exchange.forwarded.iter().filter(|line| CONDITION_NAMES.contains(&line.name));
    let evidence =
        lines.map(|line| Evidence::Sent { field: line.name_bytes.to_vec(), value: line.value.to_vec() }).collect();
    let refused = Evidence::Fact { kind: "refused", says: "The condition is well-formed, and the answer is an error." };
    Some(Finding::new(confidence, evidence).and(refused))
}

/// At least one condition, and each well-formed and in one line.
fn all_legal(case: &Case<'_>) -> bool {
    fn legal<T>(field: &Field<'_, T>) -> bool {
        matches!(field, Field::Absent | Field::Valid { .. })
    }
    let conditions = &case.conditions;
    conditions.is_any_present()
        && legal(&conditions.if_match)
        && legal(&conditions.if_none_match)
        && legal(&conditions.if_modified_since)
        && legal(&conditions.if_unmodified_since)
        && legal(&conditions.if_range)
}

/// Nothing in the request but its head could be wrong.
fn has_no_content(case: &Case<'_>) -> bool {
    let fields = case.exchange.forwarded;
    matches!(case.exchange.request_body.announced, None | Some(0))
        && !fields.contains(FieldName::TransferEncoding)
        && !fields.contains(FieldName::ContentType)
}
