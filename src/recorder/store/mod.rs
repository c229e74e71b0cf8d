//! The store of records: one thread owns the only connection to the database, renders and writes what is captured in
//! batches, and answers queries in between. Whatever goes wrong with it costs records, never exchanges.

mod database;
mod scan;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{io, thread};

use tokio::sync::oneshot;

use super::access::AccessLine;
use super::capture::Captured;
use crate::analysis::exchange::{Comparison, ExchangeId};
use crate::analysis::judgement::Diagnosis;
use crate::analysis::probing::Probed;
use crate::analysis::time::Time;
use crate::clock;
pub(super) use database::Limits;
use scan::Scan;
pub(super) use writer::Sinks;

/// Messages that may wait for the store's thread.
const MESSAGES_MAX: usize = 4096;

/// Bytes of exchanges that may wait for the store's thread.
const WAITING_BYTES_MAX: usize = 32 << 20;

/// How long a query may wait for its answer.
const QUERY_DEADLINE: Duration = Duration::from_secs(5);

/// Which records are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Those that became readable after this one, oldest first.
    pub after: Option<ExchangeId>,
    /// Those that became readable before this one, newest first.
    pub before: Option<ExchangeId>,
    /// At most so many.
    pub limit: usize,
    /// Of this route.
    pub route: Option<String>,
    /// With this primary cause.
    pub cause: Option<String>,
    /// With this hazard.
    pub hazard: Option<String>,
    /// Answered with this status.
    pub status: Option<u16>,
    /// Of this resource: its URL, or its path and query.
    pub resource: Option<String>,
    /// Begun then or later.
    pub since: Option<Time>,
    /// Begun before.
    pub until: Option<Time>,
    /// With this text in what was sent, or in a name, whatever its case.
    pub text: Option<String>,
}

/// One record as it is stored.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its place in the order in which records became readable.
    pub key: i64,
    /// The exchange's name.
    pub id: String,
    /// The record as JSON.
    pub json: Arc<str>,
}

/// Some records, and where to go on.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// In the order asked for.
    pub records: Vec<Stored>,
    /// The record to go on behind in the same direction; `None` where there are no more. Where much was to be searched,
    /// there may be fewer records than wanted and this still set.
    pub next: Option<String>,
}

/// Why a query got no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store's thread is behind, or gone.
    #[error("the store does not answer in time")]
    Busy,
    /// The database failed.
    #[error("the store failed: {0}")]
    Failed(String),
}

pub(super) enum Message {
    Keep(Box<Captured>),
    Amend {
        exchange: ExchangeId,
        diagnosis: Box<Diagnosis>,
        at: Time,
    },
    /// A line for the access log.
    Log(Box<AccessLine>),
    /// Counts of repeats have changed; the thread takes them where they are kept.
    RepeatsChanged,
    Ask {
        question: Question,
        deadline: Time,
    },
    Close,
}

pub(super) enum Question {
    /// The next slice of a search.
    Search(Box<Scan>, oneshot::Sender<Result<Box<Scan>, StoreError>>),
    One(ExchangeId, oneshot::Sender<Result<Option<Stored>, StoreError>>),
    /// Amends a record by what a probe learned, and asks for it as it is then.
    Probed(Box<(ExchangeId, Probed, Comparison)>, oneshot::Sender<Result<Option<Stored>, StoreError>>),
}

/// The side of the store that everybody else holds.
#[derive(Debug)]
pub(super) struct Store {
    sender: SyncSender<Message>,
    waiting_bytes: Arc<AtomicUsize>,
    /// Guards the thread's handle, taken once to wait for its end.
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens the database and starts its thread.
    pub(super) fn start(sinks: Sinks) -> io::Result<Self> {
        let (sender, receiver): (_, Receiver<Message>) = sync_channel(MESSAGES_MAX);
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let thread = {
            let waiting_bytes = Arc::clone(&waiting_bytes);
            let work = move || writer::run(&receiver, sinks, &waiting_bytes);
            thread::Builder::new().name("why412-store".to_owned()).spawn(work)?
        };
        Ok(Self { sender, waiting_bytes, thread: Mutex::new(Some(thread)) })
    }

    /// Hands an exchange over; false if the thread is too far behind to take it.
    pub(super) fn keep(&self, captured: Box<Captured>) -> bool {
        let weight = captured.weight();
        if self.waiting_bytes.fetch_add(weight, Ordering::AcqRel) + weight > WAITING_BYTES_MAX {
            self.waiting_bytes.fetch_sub(weight, Ordering::AcqRel);
            return false;
        }
        let sent = self.sender.try_send(Message::Keep(captured)).is_ok();
        if !sent {
            self.waiting_bytes.fetch_sub(weight, Ordering::AcqRel);
        }
        sent
    }

    /// Hands a changed verdict over; false if the thread is too far behind to take it.
    pub(super) fn amend(&self, exchange: ExchangeId, diagnosis: Diagnosis, at: Time) -> bool {
        self.sender.try_send(Message::Amend { exchange, diagnosis: Box::new(diagnosis), at }).is_ok()
    }

    /// Hands a line of the access log over; false if the thread is too far behind to take it.
    pub(super) fn log(&self, line: Box<AccessLine>) -> bool {
        self.sender.try_send(Message::Log(line)).is_ok()
    }

    /// Wakes the thread to take the counts of repeats.
    pub(super) fn repeats_changed(&self) -> bool {
        self.sender.try_send(Message::RepeatsChanged).is_ok()
    }

    /// Searches slice by slice, so that what else waits for the thread is done in between.
    pub(super) async fn list(&self, query: Query) -> Result<Page, StoreError> {
        let mut scan = Box::new(Scan::new(query));
        loop {
            let (sender, receiver) = oneshot::channel();
            scan = self.ask(Question::Search(scan, sender), receiver).await?;
            if !scan.goes_on() {
                return Ok(scan.page());
            }
        }
    }

    pub(super) async fn one(&self, id: ExchangeId) -> Result<Option<Stored>, StoreError> {
        let (sender, receiver) = oneshot::channel();
        self.ask(Question::One(id, sender), receiver).await
    }

    /// Amends a record by what a probe learned.
    pub(super) async fn probed(
        &self,
        id: ExchangeId,
        probed: Probed,
        comparison: Comparison,
    ) -> Result<Option<Stored>, StoreError> {
        let (sender, receiver) = oneshot::channel();
        self.ask(Question::Probed(Box::new((id, probed, comparison)), sender), receiver).await
    }

    async fn ask<T>(
        &self,
        question: Question,
        answer: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let deadline = clock::now().plus(QUERY_DEADLINE);
        match self.sender.try_send(Message::Ask { question, deadline }) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => return Err(StoreError::Busy),
        }
        match tokio::time::timeout(QUERY_DEADLINE, answer).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(_)) | Err(_) => Err(StoreError::Busy),
        }
    }

    /// Waits until everything handed over has been written, and ends the thread.
    pub(super) fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        // Waiting for room is right here: nothing is served any more, and what is queued is to be written.
        if self.sender.send(Message::Close).is_ok() {
            // A thread that panicked has nothing left to write.
            let _ = thread.join();
        }
    }
}
