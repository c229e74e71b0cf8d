//! If-Unmodified-Since lies before the resource's Last-Modified.

use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::memory::Sighting;
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "outdated-date",
    party: Party::Client,
    other_parties: &[],
    title: "The resource was modified after the date the client sent",
    explanation: "If-Unmodified-Since asks that nothing has changed since its date, and the resource has: its \
        Last-Modified is later, as the refusal or an earlier answer shows; where the evidence names neither, it \
        is supposed. Who changed it does not follow from the dates.",
    example: r#"client  PUT /f | If-Unmodified-Since: Mon, 05 Jan 2026 08:00:00 GMT -> 412 | Last-Modified: Tue, 06 Jan 2026 09:30:00 GMT"#,
    fix: &[
        "Read the resource again, apply the change to what is there now, and send the Last-Modified of that read.",
        "Prefer If-Match with an ETag where the service offers one: dates miss changes within one second.",
    ],
    specification: &["RFC 9110 §13.1.4"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    // RFC 9110 §13.1.4: ignored beside If-Match.
    let date = *case.conditions.if_unmodified_since.valid().filter(|_| !case.conditions.if_match.is_present())?;
    let sent = case.sent(FieldName::IfUnmodifiedSince);
    if let Some(named) = case.named_date() {
        let value = named.to_imf().into_bytes();
        let named_evidence = Evidence::Named { status: case.status(), field: FieldName::LastModified, value };
        return (named > date).then(|| Finding::new(Confidence::Likely, vec![sent, named_evidence]));
    }
    let dated = case.own_sightings().filter(|seen| seen.date().is_some());
    match dated.max_by_key(|seen| seen.last) {
        Some(seen) => {
            let later = seen.date().is_some_and(|modified| modified > date);
            later.then(|| Finding::new(Confidence::Likely, vec![sent, given(seen, case)]))
        }
        None => {
            let never = Evidence::NeverSeen { value: case.conditions.if_unmodified_since.raw() };
            Some(Finding::new(Confidence::Possible, vec![sent, never]))
        }
    }
}

fn given(seen: &Sighting, case: &Case<'_>) -> Evidence {
    let Some(value) = seen.last_modified.as_deref() else { return Evidence::NamedNone };
    let Evidence::Given { at, to, by, coding, sibling, .. } = Evidence::given(seen, case.client(), false) else {
        return Evidence::NamedNone;
    };
    Evidence::Given { value: value.to_vec(), at, to, by, coding, sibling }
}
