//! The list holds the current tag; the origin does not read lists.

use std::time::Duration;

use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "list-unsupported",
    party: Party::Origin,
    other_parties: &[],
    title: "The current tag was in the list; the service does not read lists",
    explanation: "If-Match may carry several tags, and one of them was, by what was seen, the current one: then \
        the condition is true. A service that refuses it all the same compares the whole field value as one \
        string.",
    example: r#"client  GET /b/k -> 200 | ETag: "k2"
client  PUT /b/k | If-Match: "k1", "k2" -> 412"#,
    fix: &[
        "Make the service split the field at commas outside of quotes and compare each member (RFC 9110 §13.1.1).",
        "Send the one tag that the client's copy is based on; that is nearly always what is meant.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §5.6.1"],
    details: &[],
    examine,
};

/// For how long what was seen as current is taken to be so.
const RECENT: Duration = Duration::from_secs(600);

fn examine(case: &Case<'_>) -> Option<Finding> {
    let tags = case.if_match();
    if tags.len() < 2 || case.route.lists_accepted {
        return None;
    }
    let comparable = |weak: bool| !weak || case.compares_weakly();
    let sent = case.sent(FieldName::IfMatch);
    if tags.iter().any(|tag| comparable(tag.weak) && case.names(*tag)) {
        return Some(Finding::new(Confidence::Likely, vec![sent, case.named_evidence()]));
    }
    let (tag, issue) = tags
        .iter()
        .filter(|tag| comparable(tag.weak))
        .filter_map(|tag| Some((*tag, case.issue(*tag)?)))
        .max_by_key(|(_, issue)| issue.sighting.last)?;
    let moved_on = case.names_other(tag).is_some()
        || case.newer_than(tag, issue.sighting.last).is_some()
        || case.write_after(issue.sighting.last, Some(tag), |_| true).is_some()
        || case.maybe_written_after(issue.sighting.last).is_some();
    let is_recent = case.exchange.ended.since(issue.sighting.last) < RECENT;
    let given = Evidence::given(issue.sighting, case.client(), issue.sibling);
    (!moved_on && is_recent).then(|| Finding::new(Confidence::Possible, vec![sent, given]))
}
