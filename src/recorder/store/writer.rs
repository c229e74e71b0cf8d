//! The store's thread: takes messages, writes batches, answers, and tells feed, log and metrics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tracing::{error, info};

use super::database::{Database, Entry, Limits};
use super::{Message, Question, StoreError, Stored};
use crate::analysis::exchange::{Comparison, ExchangeId};
use crate::analysis::judgement::Diagnosis;
use crate::analysis::probing::Probed;
use crate::analysis::time::Time;
use crate::clock;
use crate::recorder::capture::Captured;
use crate::recorder::feed::{Event, Feed};
use crate::recorder::metrics::Metrics;
use crate::recorder::probe;
use crate::recorder::record::{self, Record, id_text, time_text};
use crate::recorder::redact::Redaction;
use crate::recorder::repeats::Repeats;

/// How long the first record of a batch waits for others. Part of the 100 ms within which a record is readable.
const BATCH_TIME: Duration = Duration::from_millis(10);

/// How long changed counts of repeats wait to be written, unless somebody asks for records before.
const REPEATS_TIME: Duration = Duration::from_millis(500);

/// Records of one batch.
const BATCH_MAX: usize = 256;

/// What the store's thread works with.
pub(in crate::recorder) struct Sinks {
    pub(in crate::recorder) file: Option<PathBuf>,
    pub(in crate::recorder) limits: Limits,
    pub(in crate::recorder) instance: String,
    pub(in crate::recorder) redaction: Arc<ArcSwap<Redaction>>,
    pub(in crate::recorder) repeats: Arc<Repeats>,
    pub(in crate::recorder) metrics: Arc<Metrics>,
    pub(in crate::recorder) feed: Arc<Feed>,
}

/// Works until the store is closed or everybody who could send is gone.
pub(super) fn run(receiver: &Receiver<Message>, sinks: Sinks, waiting_bytes: &AtomicUsize) {
    let database = Database::open(sinks.file.as_deref(), sinks.limits);
    let mut writer = Writer { database, sinks, failing: false, repeats_due: None };
    writer.tell_sizes();
    while let Some(message) = writer.next(receiver) {
        let (batch, then) = batch_from(receiver, message, waiting_bytes, &writer.sinks.redaction);
        writer.write(batch);
        match then {
            Some(Message::Close) => break,
            Some(other) => writer.handle(other),
            None => {}
        }
    }
    writer.take_repeats();
}

/// Gathers exchanges until the batch is full, its time is over, or something else is to be done.
fn batch_from(
    receiver: &Receiver<Message>,
    first: Message,
    waiting_bytes: &AtomicUsize,
    redaction: &ArcSwap<Redaction>,
) -> (Vec<Captured>, Option<Message>) {
    let mut batch = Vec::new();
    let mut next = first;
    let until = clock::now().plus(BATCH_TIME);
    loop {
        match next {
            Message::Keep(captured) => {
                waiting_bytes.fetch_sub(captured.weight(), Ordering::AcqRel);
                batch.push(*captured);
            }
            // Does not end the batch, for there may be many of them.
            Message::Log(line) => line.log(&redaction.load()),
            Message::Amend { .. } | Message::RepeatsChanged | Message::Ask { .. } | Message::Close => {
                return (batch, Some(next));
            }
        }
        let left = until.since(clock::now());
        if batch.len() >= BATCH_MAX || left.is_zero() {
            return (batch, None);
        }
        next = match receiver.recv_timeout(left) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return (batch, None),
        };
    }
}

struct Writer {
    database: Database,
    sinks: Sinks,
    /// The last write failed, and that has been said.
    failing: bool,
    /// When counts of repeats are to be written: seldom, however often they change.
    repeats_due: Option<Time>,
}

impl Writer {
    /// Waits for the next message, and writes the counts of repeats when they are due; `None` when there will be none.
    fn next(&mut self, receiver: &Receiver<Message>) -> Option<Message> {
        loop {
            let Some(due) = self.repeats_due else { return receiver.recv().ok() };
            let left = due.since(clock::now());
            if left.is_zero() {
                self.take_repeats();
                continue;
            }
            match receiver.recv_timeout(left) {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn write(&mut self, batch: Vec<Captured>) {
        if batch.is_empty() {
            return;
        }
        let redaction = self.sinks.redaction.load_full();
        let mut entries = Vec::with_capacity(batch.len());
        for captured in batch {
            // What evidence says is made of what strangers sent; a panic there must cost this record, not the store.
            let rendered = catch_unwind(AssertUnwindSafe(|| {
                let record = Record::of(&captured, &self.sinks.instance, &redaction);
                log(&record);
                Entry::of(&record, captured.is_precious())
            }));
            match rendered {
                Ok(Ok(entry)) => entries.push(entry),
                Ok(Err(fault)) => self.lost(1, &StoreError::Failed(fault.to_string())),
                Err(_) => self.lost(1, &StoreError::Failed("a record could not be put into words".to_owned())),
            }
        }
        match self.database.insert(&entries) {
            Ok(inserted) => {
                if std::mem::take(&mut self.failing) {
                    info!("records can be written again");
                }
                for stored in inserted {
                    self.publish(stored, false);
                }
            }
            Err(fault) => self.lost(entries.len(), &fault),
        }
        self.evict();
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Amend { exchange, diagnosis, at } => self.amend(exchange, &diagnosis, at),
            Message::RepeatsChanged => self.repeats_due = Some(clock::now().plus(REPEATS_TIME)),
            Message::Ask { question, deadline } => self.answer(question, deadline),
            Message::Keep(_) | Message::Log(_) | Message::Close => {}
        }
    }

    fn amend(&mut self, exchange: ExchangeId, diagnosis: &Diagnosis, at: Time) {
        let redaction = self.sinks.redaction.load_full();
        let rendered = catch_unwind(AssertUnwindSafe(|| record::diagnosis_record(diagnosis, &redaction)));
        let Ok(rendered) = rendered else { return };
        let amended = self.change(exchange, |record| {
            record.diagnosis = Some(rendered);
            record.amended_at = Some(time_text(at));
        });
        if let Some(stored) = amended {
            self.publish(stored, true);
        }
    }

    fn probed(&mut self, id: ExchangeId, probed: &Probed, comparison: Comparison) -> Option<Stored> {
        let redaction = self.sinks.redaction.load_full();
        let amended = self.change(id, |record| {
            // What is said is made of what strangers sent; a panic there must cost this amendment, not the store.
            let amended = catch_unwind(AssertUnwindSafe(|| {
                let mut amended = record.clone();
                probe::amend(&mut amended, probed, comparison, &redaction);
                amended
            }));
            if let Ok(amended) = amended {
                *record = amended;
            }
        })?;
        self.publish(amended.clone(), true);
        Some(amended)
    }

    fn take_repeats(&mut self) {
        self.repeats_due = None;
        for (exchange, count) in self.sinks.repeats.take_changed() {
            // No event: the feed would be as full as if each had a record of its own.
            self.change(exchange, |record| record.repeated = Some(count));
        }
    }

    /// Changes a record that is still kept.
    fn change(&mut self, exchange: ExchangeId, change: impl FnOnce(&mut Record)) -> Option<Stored> {
        let changed = self.database.one(&id_text(exchange)).and_then(|stored| {
            let Some(stored) = stored else { return Ok(None) };
            let mut record: Record =
                serde_json::from_str(&stored.json).map_err(|fault| StoreError::Failed(fault.to_string()))?;
            change(&mut record);
            self.database.update(stored.key, &record).map(Some)
        });
        match changed {
            Ok(stored) => {
                self.tell_sizes();
                stored
            }
            Err(fault) => {
                self.lost(1, &fault);
                None
            }
        }
    }

    fn answer(&mut self, question: Question, deadline: Time) {
        // Nobody waits any more.
        if clock::now() > deadline {
            return;
        }
        // Counts that changed since they were last taken belong to the answer.
        self.take_repeats();
        match question {
            Question::Search(mut scan, to) => {
                let searched = self.database.search(&mut scan);
                let _ = to.send(searched.map(|()| scan));
            }
            Question::One(id, to) => {
                let _ = to.send(self.database.one(&id_text(id)));
            }
            Question::Probed(asked, to) => {
                let (id, probed, comparison) = *asked;
                let _ = to.send(Ok(self.probed(id, &probed, comparison)));
            }
        }
    }

    fn evict(&mut self) {
        match self.database.evict() {
            Ok(evicted) => self.sinks.metrics.captures_evicted(evicted),
            Err(fault) => self.lost(0, &fault),
        }
        self.tell_sizes();
    }

    fn publish(&self, stored: Stored, amended: bool) {
        let event = Event { key: stored.key, id: Arc::from(stored.id), json: stored.json, amended };
        self.sinks.feed.publish(event);
    }

    fn tell_sizes(&self) {
        let (records, bytes) = self.database.size();
        self.sinks.metrics.captures_are(records, bytes);
    }

    fn lost(&mut self, records: usize, fault: &StoreError) {
        self.sinks.metrics.captures_lost(records as u64);
        if !self.failing {
            self.failing = true;
            error!(%fault, "records cannot be written and are lost; this is said once, until they can be again");
        }
    }
}

/// One line per kept exchange.
fn log(record: &Record) {
    let exchange = record.id.as_str();
    let (route, client) = (record.route.as_str(), record.client.as_str());
    let (method, url) = (record.request.method.as_str(), record.request.url.as_str());
    let status = record.response.as_ref().map(|response| response.status);
    let hazards = record.hazards.iter().map(|found| found.hazard.as_str()).collect::<Vec<_>>().join(" ");
    let alterations =
        record.alterations.iter().map(|altered| format!("{}:{}:{}", altered.on, altered.field, altered.change));
    let alterations = alterations.collect::<Vec<_>>().join(" ");
    if let Some(diagnosis) = &record.diagnosis {
        let (cause, detail) = (diagnosis.cause.as_str(), diagnosis.detail.as_deref());
        let (confidence, party) = (diagnosis.confidence.as_str(), diagnosis.party.as_str());
        info!(
            exchange,
            route, cause, detail, confidence, party, client, method, url, status, hazards, alterations, "412 diagnosed"
        );
    } else if record.hazards.is_empty() {
        info!(exchange, route, alterations, client, method, url, status, "alteration seen");
    } else {
        info!(exchange, route, hazards, alterations, client, method, url, status, "hazard seen");
    }
}
