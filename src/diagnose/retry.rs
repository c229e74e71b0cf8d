//! Sending the refreshed request, under rules that never overwrite what its author has not read: only where the
//! representation is still the one that the refused condition named, and never on and on.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use super::asked::Asked;
use super::observed::{Observed, Step};
use super::procedure::Means;
use super::refreshed::{NoneBecause, Refreshed, Version, refreshed};
use super::steps::{self, Kind, Way};
use super::wire::{self, Answer, Failure};
use crate::analysis::semantics::fields::FieldName;
use crate::clock;

/// The rules of one retry.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How often at most.
    pub times: u32,
    /// Also where the resource has changed.
    pub overwrite: bool,
}

/// Why no more is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The request was carried out.
    Succeeded {
        /// The status.
        status: u16,
    },
    /// The resource is not what the refused condition named any more.
    Changed {
        /// What differs.
        differs: Vec<String>,
    },
    /// No condition that holds is known.
    NoCondition {
        /// Why.
        because: NoneBecause,
    },
    /// Another answer than 412.
    OtherAnswer {
        /// Its status.
        status: u16,
    },
    /// The same condition got the same 412 twice.
    SameTwice,
    /// As often as was allowed.
    Exhausted,
    /// No answer: the request may have been carried out.
    NoAnswer {
        /// What happened.
        says: String,
    },
}

impl Stopped {
    /// Whether the request was carried out.
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Succeeded { .. })
    }

    /// As a sentence.
    pub fn says(&self) -> String {
        match self {
            Self::Succeeded { status } => format!("the refreshed request succeeded ({status})"),
            Self::Changed { .. } => {
                "not sent: the resource is no longer what your condition named, and sending would overwrite what you \
                 have not read; read it, or pass --overwrite"
                    .to_owned()
            }
            Self::NoCondition { because } => format!("not sent: {}", because.says()),
            Self::OtherAnswer { status } => format!("stopped: the answer is {status}, no 412"),
            Self::SameTwice => "stopped: the same condition got the same 412 twice".to_owned(),
            Self::Exhausted => "stopped: still 412 after as many attempts as were allowed".to_owned(),
            Self::NoAnswer { says } => format!("stopped: {says}; the request may have been carried out"),
        }
    }
}

/// What makes a refusal the same: its condition, and what the answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Refusal {
    condition: Vec<u8>,
    etag: Option<Vec<u8>>,
    last_modified: Option<Vec<u8>>,
    body: Vec<u8>,
}

impl Refusal {
    fn of(condition: &[u8], answer: &Answer) -> Self {
        let line = |name| answer.head.fields.first(name).map(<[u8]>::to_vec);
        Self {
            condition: condition.to_vec(),
            etag: line(FieldName::ETag),
            last_modified: line(FieldName::LastModified),
            body: answer.body.clone(),
        }
    }
}

/// Waits and sends until a rule stops it. `asked` was refused in `observed`, to which every further exchange is added.
pub async fn retry(asked: &Asked, means: &Means, rules: Rules, observed: &mut Observed) -> Stopped {
    let field =
        if asked.fields.contains(FieldName::IfMatch) { FieldName::IfMatch } else { FieldName::IfUnmodifiedSince };
    let given = asked.fields.first(field).unwrap_or_default();
    let mut last = observed.answer(Kind::Asked, Way::Through).map(|answer| Refusal::of(given, answer));
    for attempt in 0..rules.times {
        tokio::time::sleep(pause(attempt)).await;
        if attempt > 0 {
            read_again(asked, means, observed).await;
        }
        let fresh = match allowed(refreshed(asked, observed), rules) {
            Ok(fresh) => fresh,
            Err(stopped) => return stopped,
        };
        let request = steps::refreshed(asked, means.trust.as_ref(), (fresh.field, &fresh.value));
        let at = clock::now();
        let result = wire::send(&request, means.timeouts, means.limits).await;
        let verdict = judge(&result, &fresh.value, &mut last);
        observed.steps.push(Step { kind: Kind::Refreshed, way: Way::Through, at, request, result });
        if let Some(stopped) = verdict {
            return stopped;
        }
    }
    Stopped::Exhausted
}

/// Whether the refreshed condition may be sent.
fn allowed(fresh: Result<Refreshed, NoneBecause>, rules: Rules) -> Result<Refreshed, Stopped> {
    let fresh = fresh.map_err(|because| Stopped::NoCondition { because })?;
    match &fresh.version {
        Version::Same => Ok(fresh),
        Version::Other(_) if rules.overwrite => Ok(fresh),
        Version::Other(differs) => Err(Stopped::Changed { differs: differs.clone() }),
    }
}

/// Whether an answer ends it.
fn judge(result: &Result<Answer, Failure>, condition: &[u8], last: &mut Option<Refusal>) -> Option<Stopped> {
    let answer = match result {
        Err(failure) => return Some(Stopped::NoAnswer { says: failure.to_string() }),
        Ok(answer) => answer,
    };
    let status = answer.head.status;
    if (200..300).contains(&status) {
        return Some(Stopped::Succeeded { status });
    }
    if status != 412 {
        return Some(Stopped::OtherAnswer { status });
    }
    let refusal = Refusal::of(condition, answer);
    if last.as_ref() == Some(&refusal) {
        return Some(Stopped::SameTwice);
    }
    *last = Some(refusal);
    None
}

async fn read_again(asked: &Asked, means: &Means, observed: &mut Observed) {
    let ways = if observed.has_direct() { &[Way::Direct, Way::Through][..] } else { &[Way::Through][..] };
    for way in ways {
        let mut request = steps::request(asked, Kind::Again, *way, means.trust.as_ref(), None);
        if let Some(step) = observed.step(Kind::Plain, *way) {
            request.authority.clone_from(&step.request.authority);
        }
        let at = clock::now();
        let result = wire::send(&request, means.timeouts, means.limits).await;
        observed.steps.push(Step { kind: Kind::Again, way: *way, at, request, result });
    }
}

/// Exponential backoff with full jitter: anything up to a bound that doubles.
fn pause(attempt: u32) -> Duration {
    const FIRST: u64 = 200;
    const MOST: u64 = 10_000;
    let bound = FIRST.saturating_mul(1 << attempt.min(16)).min(MOST);
    // The hasher's keys are random.
    Duration::from_millis(RandomState::new().hash_one(attempt) % (bound + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_bounded_by_what_doubles() {
        for (attempt, bound) in [(0, 200), (1, 400), (3, 1600), (10, 10_000), (60, 10_000)] {
            let pauses: Vec<_> = (0..100).map(|_| pause(attempt)).collect();
            assert!(pauses.iter().all(|pause| *pause <= Duration::from_millis(bound)), "{attempt}");
            assert!(pauses.iter().any(|pause| *pause != pauses[0]), "full jitter");
        }
    }
}
