//! The date comes from a clock that disagrees with the origin's.

use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "clock-skew",
    party: Party::Client,
    other_parties: &[],
    title: "The date sent comes from a clock that disagrees with the server's",
    explanation: "The date in the condition was not seen to be served as Last-Modified, and it is close to the \
        time of the exchange: the client took it from its own clock, which disagrees with the server's (its Date \
        field). A condition by date only means something with a date that the server itself gave out.",
    example: r#"client  PUT /f | If-Unmodified-Since: Tue, 27 Jan 2026 10:58:00 GMT -> 412 | Date: Tue, 27 Jan 2026 11:08:21 GMT"#,
    fix: &[
        "Send the Last-Modified of the last answer, unchanged, instead of a time from the local clock.",
        "Synchronise the clocks (NTP) on the machine that the evidence names.",
        "Prefer If-Match with an ETag: it needs no clock.",
    ],
    specification: &["RFC 9110 §13.1.4", "RFC 9110 §8.8.2.1"],
    details: &[],
    examine,
};

/// How far a clock is plausibly wrong, in seconds.
const SKEW_MAX: i64 = 86_400;

fn examine(case: &Case<'_>) -> Option<Finding> {
    let date = *case.conditions.if_unmodified_since.valid().filter(|_| !case.conditions.if_match.is_present())?;
    // A date that the server gave out is the server's.
    if case.issue_of_date(date).is_some() {
        return None;
    }
    let client = case.client();
    let (read, at) = case
        .own_sightings()
        .filter(|seen| seen.date().is_some())
        .filter_map(|seen| Some((seen, seen.given_at(client)?)))
        .max_by_key(|(_, at)| *at)?;
    let modified = read.date()?;
    // The client has read this very version, and names a date before it.
    let unchanged = case.named_date().is_none_or(|named| named == modified);
    let skew = [at, case.exchange.at].map(|at| (at.unix_seconds() - date.0).abs()).into_iter().min()?;
    if !unchanged || date >= modified || skew >= SKEW_MAX || case.write_after(at, None, |_| true).is_some() {
        return None;
    }
    let origin = case.answer_fields()?.first(FieldName::Date).unwrap_or_default().to_vec();
    let clocks = Evidence::Clocks { sent: case.conditions.if_unmodified_since.raw(), origin };
    let confidence = if is_usual(skew) { Confidence::Likely } else { Confidence::Possible };
    Some(Finding::new(confidence, vec![clocks, Evidence::given(read, client, false)]))
}

/// Clocks are wrong by less than an hour, or by a time zone that was taken for GMT. Other dates may be those of an
/// older copy.
const fn is_usual(skew: i64) -> bool {
    const HALF_HOUR: i64 = 1800;
    let beside = skew % HALF_HOUR;
    skew <= 2 * HALF_HOUR || beside < 90 || HALF_HOUR - beside < 90
}
