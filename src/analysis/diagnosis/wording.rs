//! The longer sentences of evidence.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::evidence::Whom;
use super::spelling::{moment, shown, title};
use crate::analysis::memory::{Shown, WriteOutcome};
use crate::analysis::semantics::caching::FromStore;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::time::Time;

pub(super) fn origin_answered_says(status: u16, earlier: bool, later: bool) -> String {
    let request = if earlier { "an earlier arrival of this request" } else { "this request" };
    let by = if later { "a later report" } else { "the report of the instance at the origin" };
    format!("The origin answered {request} with {status}, by {by}.")
}

pub(super) fn origin_gave_says(field: FieldName, value: Option<&[u8]>, came: Option<&[u8]>, at: Time) -> String {
    let (gave, came) = (line(field, value), line(field, came));
    format!("At {} the origin gave {gave}, and {came} came to the client.", moment(at))
}

pub(super) fn arrived_says(field: FieldName, sent: Option<&[u8]>, arrived: Option<&[u8]>) -> String {
    format!("Sent was {}; at the origin arrived {}.", line(field, sent), line(field, arrived))
}

pub(super) fn no_report_says(against_habit: bool) -> String {
    let habit = if against_habit { "; other answers of this class carry one without a gap" } else { "" };
    format!("The answer came without the report of the instance at the origin{habit}.")
}

pub(super) fn verdicts_says(sent: &str, arrived: &str) -> String {
    format!("By the validators that the refusal shows, the conditions as sent {sent}, as they arrived {arrived}.")
}

/// A field and its value, or that there is none.
fn line(field: FieldName, value: Option<&[u8]>) -> String {
    let name = title(field);
    value.map_or_else(|| format!("no {name}"), |value| format!("{name}: {}", shown(value)))
}

pub(super) fn given_says(
    value: &[u8],
    at: Time,
    to: &Whom,
    by: Shown,
    coding: &Option<Vec<u8>>,
    sibling: bool,
) -> String {
    let coding = coding.as_deref().map_or_else(String::new, |coding| format!(", Content-Encoding: {}", shown(coding)));
    let place = if sibling { " on the same path with another query" } else { "" };
    if by == Shown::Probed {
        return format!("{} was shown to a probe at {}{coding}.", shown(value), moment(at));
    }
    format!("{} was given to {} at {} by {}{coding}{place}.", shown(value), to.says(), moment(at), by.says())
}

pub(super) fn probed_says(
    direct: bool,
    (method, status, at): (&str, u16, Time),
    validator: Option<(FieldName, &[u8])>,
    coding: Option<&[u8]>,
    store: Option<FromStore>,
) -> String {
    let way = if direct { " around the gateway" } else { "" };
    let showed = validator.map_or_else(
        || ", without a validator".to_owned(),
        |(field, value)| format!(" with {}: {}", title(field), shown(value)),
    );
    let coding = coding.map_or_else(String::new, |coding| format!(", Content-Encoding: {}", shown(coding)));
    let store = store.map_or_else(String::new, |sign| format!(", out of a store ({})", sign.says()));
    format!("A probe by {method}{way} was answered {status}{showed}{coding}{store}, at {}.", moment(at))
}

pub(super) fn wrote_says(
    by: &Whom,
    method: &str,
    at: Time,
    outcome: WriteOutcome,
    etag: Option<&[u8]>,
    sibling: bool,
) -> String {
    let ended = match outcome {
        WriteOutcome::Applied { status, delivered: true } => format!("succeeded ({status})"),
        WriteOutcome::Applied { status, delivered: false } => {
            format!("succeeded ({status}), but the answer did not reach its end")
        }
        WriteOutcome::ClientGone => "may have been applied: the client left before the answer".to_owned(),
        WriteOutcome::NoAnswer => "may have been applied: no answer came".to_owned(),
    };
    let etag = etag.map_or_else(String::new, |etag| format!(" and gave ETag: {}", shown(etag)));
    let place = if sibling { " on the same path with another query" } else { "" };
    format!("A {} by {} at {}{place} {ended}{etag}.", shown(method.as_bytes()), by.says(), moment(at))
}

pub(super) fn sequence_says(seen: &[(Vec<u8>, Time, Option<SocketAddr>)]) -> String {
    let mut text = String::from("Without a write in between these validators were shown:");
    for (at, (value, time, upstream)) in seen.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(text, "{comma} {} at {}", shown(value), moment(*time));
        if let Some(upstream) = upstream {
            let _ = write!(text, " by {upstream}");
        }
    }
    text.push('.');
    text
}
