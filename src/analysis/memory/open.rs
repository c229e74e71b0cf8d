//! Exchanges of an outer instance of which no report of their own came: a later one may still say what the origin did.
//!
//! Writes whose client or answer was lost, and refusals that may have been made on the way. Bounded; the oldest are
//! forgotten.

use std::collections::{HashMap, VecDeque};

use super::history::{Resource, Write, WriteOutcome};
use super::seen;
use crate::analysis::diagnosis::causes::gateway_answered;
use crate::analysis::exchange::{Exchange, ExchangeId, Outcome};
use crate::analysis::far_side::{MadeBy, Testimony};
use crate::analysis::judgement::{Amendment, Confidence, Diagnosis, Judgement};
use crate::analysis::resource::ResourceKey;

/// Exchanges that are kept, in one shard.
const OPEN_MAX: usize = 256;

/// One such exchange.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: ResourceKey,
    /// The write, where it was one.
    write: Option<Write>,
    /// The verdict, where the client was answered 412.
    diagnosis: Option<Box<Diagnosis>>,
}

/// Those of a shard.
#[derive(Debug, Default)]
pub(super) struct Open {
    entries: HashMap<ExchangeId, Entry>,
    order: VecDeque<ExchangeId>,
}

impl Open {
    pub(super) fn add(&mut self, exchange: ExchangeId, entry: Entry) {
        while self.order.len() >= OPEN_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.entries.remove(&oldest);
            }
        }
        self.order.push_back(exchange);
        self.entries.insert(exchange, entry);
    }

    pub(super) fn take(&mut self, exchange: ExchangeId) -> Option<Entry> {
        let entry = self.entries.remove(&exchange)?;
        self.order.retain(|known| *known != exchange);
        Some(entry)
    }
}

/// What is to be kept of an exchange; `None` if nothing more is to be learned of it.
pub(super) fn entry(
    exchange: &Exchange<'_>,
    key: ResourceKey,
    condition: Option<u128>,
    testimony: &Testimony<'_>,
    judgement: &Judgement,
) -> Option<Entry> {
    let is_write = seen::is_write(&exchange.request.method);
    let is_lost = match &exchange.outcome {
        Outcome::NoAnswer { sent, .. } | Outcome::ClientGone { sent } => *sent && is_write,
        Outcome::Answered(answer) => answer.head.status == 412 || (is_write && answer.head.status >= 500),
        Outcome::Refused { .. } => false,
    };
    let has_word = matches!(testimony.answer, MadeBy::Origin(_) | MadeBy::Store { .. });
    (is_lost && !has_word).then(|| Entry {
        key,
        write: is_write.then(|| seen::attempt(exchange, condition, WriteOutcome::NoAnswer, None)),
        diagnosis: judgement.diagnosis.clone(),
    })
}

impl Entry {
    /// What the origin's status says of the verdict.
    pub(super) fn amendment(&self, exchange: ExchangeId, status: u16, sure: Confidence) -> Option<Amendment> {
        let before = self.diagnosis.as_deref()?;
        let diagnosis = if status == 412 {
            gateway_answered::refuted(before)?
        } else {
            gateway_answered::shown_later(before, status, self.write.is_some(), sure)
        };
        Some(Amendment { exchange, diagnosis })
    }

    /// Takes the outcome of the write into what is known of its resource.
    pub(super) fn settle(self, resource: &mut Resource, status: u16, sure: Confidence) {
        let Some(mut write) = self.write else { return };
        let known = resource.writes.iter().position(|known| known.exchange == write.exchange);
        if !matches!(status, 200..=299) {
            // Refused: it changed nothing. What failed may have changed something all the same.
            if let Some(at) = known.filter(|_| status < 500) {
                resource.writes.remove(at);
            }
            return;
        }
        write.outcome = WriteOutcome::Applied { status, delivered: false };
        write.learned = Some(sure);
        (write.etag, write.showed_validator) = (None, false);
        match known.and_then(|at| resource.writes.get_mut(at)) {
            Some(known) => *known = write,
            None => {
                // They are in the order in which they ended.
                let at = resource.writes.partition_point(|other| other.ended <= write.ended);
                resource.writes.insert(at, write);
                if resource.writes.len() > super::remember::WRITES_MAX {
                    resource.writes.remove(0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_allowed_are_kept_and_each_is_taken_once() {
        let mut open = Open::default();
        let key = ResourceKey { whole: 1, path: 1 };
        for exchange in 0..1000 {
            open.add(ExchangeId(exchange), Entry { key, write: None, diagnosis: None });
        }
        assert_eq!((open.entries.len(), open.order.len()), (OPEN_MAX, OPEN_MAX));
        assert!(open.take(ExchangeId(0)).is_none(), "forgotten");
        assert!(open.take(ExchangeId(999)).is_some());
        assert!(open.take(ExchangeId(999)).is_none(), "taken");
        assert_eq!((open.entries.len(), open.order.len()), (OPEN_MAX - 1, OPEN_MAX - 1));
    }
}
