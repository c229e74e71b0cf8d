//! The date sent is the date served; the origin compares fractions of a second.

use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "date-precision",
    party: Party::Origin,
    other_parties: &[],
    title: "The date sent equals the date served; fractions of a second differ",
    explanation: "If-Unmodified-Since carried exactly the Last-Modified that was served, no later change was \
        seen, and the service refused: it compares the date, which has whole seconds, with a stored time that \
        has fractions. The stored time is then mostly a little later, so that the condition can hardly ever be \
        true.",
    example: r#"client  GET /sync.json -> 200 | Last-Modified: Tue, 27 Jan 2026 11:08:21 GMT
client  PUT /sync.json | If-Unmodified-Since: Tue, 27 Jan 2026 11:08:21 GMT -> 412"#,
    fix: &[
        "Issue an ETag made from the full time or from a version number, and use If-Match: a date cannot tell apart \
            two changes within one second.",
        "Make the service judge If-Unmodified-Since by the Last-Modified that it serves, and issue that as a strong \
            date only when the second has passed (RFC 9110 §8.8.2.2).",
        "Leave the date as it is in the client: adding a second there would let a real change slip through.",
    ],
    specification: &["RFC 9110 §13.1.4", "RFC 9110 §5.6.7", "RFC 9110 §8.8.2.2"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let date = *case.conditions.if_unmodified_since.valid().filter(|_| !case.conditions.if_match.is_present())?;
    let sent = case.sent(FieldName::IfUnmodifiedSince);
    match case.named_date() {
        Some(named) if named == date => {
            let named = Evidence::Named {
                status: case.status(),
                field: FieldName::LastModified,
                value: named.to_imf().into_bytes(),
            };
            return Some(Finding::new(Confidence::Likely, vec![sent, named]));
        }
        Some(_) => return None,
        None => {}
    }
    let issue = case.issue_of_date(date)?;
    let newer = case.own_sightings().any(|seen| seen.date().is_some_and(|seen| seen > date));
    let written = case.write_after(issue.at, None, |_| true).is_some() || case.maybe_written_after(issue.at).is_some();
    if newer || written {
        return None;
    }
    let given = Evidence::given(issue.sighting, case.client(), issue.sibling);
    Some(Finding::new(Confidence::Possible, vec![sent, given, Evidence::NoWriteSince { since: issue.at }]))
}
