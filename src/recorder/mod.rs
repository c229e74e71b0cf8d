//! What is remembered. The data plane writes here, the control plane reads; they meet nowhere else.

mod access;
mod capture;
pub mod catalogue;
pub mod export;
pub mod far_side;
pub mod feed;
mod habits;
pub mod metrics;
pub mod probe;
pub mod record;
pub mod redact;
mod repeats;
pub mod resources;
pub mod routes;
mod search;
mod shards;
pub mod status;
pub mod store;
#[cfg(test)]
mod testing;
pub mod trends;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use sha2::{Digest, Sha256};
use tracing::warn;

use crate::analysis::exchange::{Exchange, ExchangeId, Scheme};
use crate::analysis::judgement::Judgement;
use crate::analysis::memory;
use crate::analysis::pairing::{EarlierWrite, EarlierWrites, SeenMarks};
use crate::analysis::principal::PrincipalKey;
use crate::analysis::time::Time;
use crate::bypass::Active;
use crate::clock::{self, Stopwatch};
use crate::config::Config;
use access::{AccessLine, Sampling};
use capture::Captured;
use feed::{Feed, Subscription};
use habits::Habits;
use metrics::{Format, Metrics, RouteSeries};
use record::id_text;
use redact::Redaction;
use repeats::{Admission, Repeats};
use resources::ResourceView;
use routes::RouteSummary;
use shards::Shards;
use status::{CapturesStatus, FeedStatus, LedgerStatus, PairSetting, PairTraffic, PairingStatus};
use store::{Page, Query, Sinks, Store, StoreError, Stored};
use trends::{Trends, TrendsView};

/// Why a recorder cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// A metric could not be declared.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// A thread could not be started.
    #[error("the store's thread: {0}")]
    Thread(#[from] std::io::Error),
    /// No random key could be made.
    #[error("the system gives no random numbers")]
    Random,
}

/// So that threads rarely wait for each other.
const MARK_SETS: usize = 8;

/// Remembers exchanges: judges them against the ledger, counts them, keeps those worth a record.
#[derive(Debug)]
pub struct Recorder {
    shards: Shards,
    metrics: Arc<Metrics>,
    store: Store,
    feed: Arc<Feed>,
    repeats: Arc<Repeats>,
    sampling: Sampling,
    redaction: Arc<ArcSwap<Redaction>>,
    principal_key: PrincipalKey,
    /// Guards the outcomes of writes that an inner instance repeats. Short: a few dozen of one route are looked at.
    earlier: Mutex<EarlierWrites>,
    /// Each guards its share of the marks that an inner instance has seen. Short: one is looked up.
    marks: [Mutex<SeenMarks>; MARK_SETS],
    /// Guards the numbers of the routes, and how each is read and written. Short, and only taken when a configuration
    /// begins.
    numbers: Mutex<HashMap<String, (u16, Arc<Habits>)>>,
    /// Guards the samples of the counters. Only the control plane takes it.
    trends: Mutex<Trends>,
    instance: String,
    started_at: Time,
    /// Probes that wait to be sent.
    probes: probe::Queue,
}

impl Recorder {
    /// Begins with nothing remembered but what the capture file holds.
    pub fn start(config: &Config) -> Result<Arc<Self>, RecorderError> {
        let metrics = Arc::new(Metrics::new()?);
        let (instance, started_at) = (instance_name(config), clock::now());
        let feed = Arc::new(Feed::new());
        let repeats = Arc::new(Repeats::default());
        let redaction = Arc::new(ArcSwap::from_pointee(Redaction::new(&config.capture)));
        let store = Store::start(Sinks {
            file: config.capture.file.clone(),
            limits: store::Limits { records: config.capture.records, bytes: config.capture.bytes },
            instance: instance.clone(),
            redaction: Arc::clone(&redaction),
            repeats: Arc::clone(&repeats),
            metrics: Arc::clone(&metrics),
            feed: Arc::clone(&feed),
        })?;
        let recorder = Self {
            shards: Shards::new(&config.ledger),
            metrics,
            store,
            feed,
            repeats,
            sampling: Sampling::default(),
            redaction,
            principal_key: principal_key(config)?,
            earlier: Mutex::default(),
            marks: Default::default(),
            numbers: Mutex::default(),
            probes: probe::Queue::default(),
            trends: Mutex::new(Trends::new(started_at)),
            instance,
            started_at,
        };
        recorder.reconfigure(config);
        Ok(Arc::new(recorder))
    }

    /// Takes over what a reload may change: redaction, the limit of repeats, the share of the access log.
    pub fn reconfigure(&self, config: &Config) {
        self.redaction.store(Arc::new(Redaction::new(&config.capture)));
        self.repeats.limit(config.capture.repeats_per_minute);
        self.sampling.set(config.log.access_sample);
    }

    /// The series of a route, for as long as a configuration lasts. The same name gets the same number and habits again.
    pub fn series(&self, route: &str, upstream: &str) -> Arc<RouteSeries> {
        let (number, habits) = {
            let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
            let next = u16::try_from(numbers.len()).unwrap_or(u16::MAX);
            numbers.entry(route.to_owned()).or_insert_with(|| (next, Arc::default())).clone()
        };
        Arc::new(RouteSeries::new((number, habits), route, upstream, self.metrics.families()))
    }

    /// The metrics, for what is counted outside of an exchange.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The key under which principals and bodies are hashed.
    pub const fn principal_key(&self) -> &PrincipalKey {
        &self.principal_key
    }

    /// Takes an exchange that has ended. Never fails, never waits.
    pub fn record(&self, exchange: &Exchange<'_>, route: &RouteSeries) {
        let stopwatch = Stopwatch::start();
        route.count(exchange);
        if EarlierWrites::concerns(exchange) {
            self.earlier.lock().unwrap_or_else(PoisonError::into_inner).note(exchange);
        }
        if !memory::concerns(exchange) {
            self.metrics.inspected(stopwatch.elapsed());
            self.log_plain(exchange, route);
            return;
        }
        let mut judgement = self.shards.observe(exchange, route.habits());
        route.count_judgement(&judgement);
        self.amend(exchange, &mut judgement);
        let inspection = stopwatch.elapsed();
        self.metrics.inspected(inspection);
        if judgement.rules_failed > 0 {
            let (exchange, rules) = (id_text(exchange.id), judgement.rules_failed);
            warn!(exchange, rules, "rules panicked while they judged an exchange; it was judged without them");
        }
        if judgement.is_worth_a_record() {
            self.keep(exchange, judgement, route, inspection);
        } else {
            self.log_plain(exchange, route);
        }
    }

    /// The cause of a 412 as it looks before its answer has passed; nothing is remembered of it yet.
    pub fn verdict(&self, exchange: &Exchange<'_>, route: &RouteSeries) -> Option<&'static str> {
        self.shards.verdict(exchange, route.habits())
    }

    /// Outcomes of earlier writes to repeat on a report of that route, on the exchange of that mark.
    pub fn earlier_writes(&self, route: u16, marked: ExchangeId, now: Time) -> Vec<EarlierWrite> {
        self.earlier.lock().unwrap_or_else(PoisonError::into_inner).repeat(route, marked, now)
    }

    /// Notes a mark that came to an inner instance; whether it had come before.
    pub fn mark_came_before(&self, mark: ExchangeId) -> bool {
        // The low bits differ from one name to the next.
        let set = self.marks.get(mark.0 as usize % MARK_SETS);
        set.is_some_and(|set| set.lock().unwrap_or_else(PoisonError::into_inner).note(mark))
    }

    /// Records, as a page in the order asked for.
    pub async fn list(&self, mut query: Query) -> Result<Page, StoreError> {
        // Records hold URLs with their secrets hidden, and so are found by the same.
        let hide = |wanted: &String| self.redaction.load().text(wanted).into_owned();
        query.resource = query.resource.as_ref().map(hide);
        query.text = query.text.as_ref().map(hide);
        self.store.list(query).await
    }

    /// One record.
    pub async fn one(&self, id: ExchangeId) -> Result<Option<Stored>, StoreError> {
        self.store.one(id).await
    }

    /// Every record from now on, as it becomes readable.
    pub fn subscribe(&self) -> Subscription {
        self.feed.subscribe(Arc::clone(&self.metrics))
    }

    /// What was counted, per route.
    pub fn routes(&self) -> Vec<RouteSummary> {
        routes::summaries(self.metrics.families())
    }

    /// What is remembered of a resource: its scheme, authority, and path with query.
    pub fn resource(&self, scheme: Scheme, authority: &str, target: &str) -> Option<ResourceView> {
        let url = record::resource_url(scheme, authority.as_bytes(), target.as_bytes());
        let url = self.redaction.load().text(&url).into_owned();
        self.shards.find(scheme, authority.as_bytes(), target.as_bytes(), |found| ResourceView::of(url.clone(), found))
    }

    /// Everything that is measured, as a scrape wants it.
    pub fn scrape(&self, format: Format, bypasses: &[Active]) -> String {
        self.metrics.render(format, self.shards.size(), bypasses)
    }

    /// What tells the records of several instances apart.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// When it began to remember.
    pub const fn started_at(&self) -> Time {
        self.started_at
    }

    /// What there is of records.
    pub fn captures(&self) -> CapturesStatus {
        let [records, bytes, lost, evicted] = self.metrics.captures();
        CapturesStatus { records, bytes, lost, evicted }
    }

    /// What is remembered of resources.
    pub fn ledger(&self) -> LedgerStatus {
        self.shards.size().into()
    }

    /// Who listens to the live feed.
    pub fn feed(&self) -> FeedStatus {
        FeedStatus { readers: self.feed.readers(), dropped: self.metrics.feed_dropped_so_far() }
    }

    /// How the pair is.
    pub fn pairing(&self, setting: PairSetting) -> PairingStatus {
        let (since_start, now) = (self.metrics.pair_counts(), clock::now());
        let before = self.trends.lock().unwrap_or_else(PoisonError::into_inner).pair_before(status::RECENT, now);
        let recent = since_start.since(before);
        PairingStatus::of(setting, PairTraffic { since_start, recent, last_seen: self.metrics.pair_last_seen() })
    }

    /// Takes a sample of the counters for the trends. Meant to be called every [`trends::STEP`], off the data path.
    pub fn sample(&self) {
        let (pair, now) = (self.metrics.pair_counts(), clock::now());
        self.trends.lock().unwrap_or_else(PoisonError::into_inner).sample(self.metrics.families(), pair, now);
    }

    /// How the counters moved in the latest `reach`; at most [`trends::REACH`] is known.
    pub fn trends(&self, reach: Duration) -> TrendsView {
        let now = clock::now();
        self.trends.lock().unwrap_or_else(PoisonError::into_inner).view(self.metrics.families(), reach, now)
    }

    /// Writes what is still queued and ends the store's thread; later records are lost.
    pub fn close(&self) {
        self.store.close();
    }

    /// A line for an exchange that gets no record, where the access log wants one.
    fn log_plain(&self, exchange: &Exchange<'_>, route: &RouteSeries) {
        if self.sampling.picks(exchange.id) {
            // A line that finds no room is not worth waiting for.
            self.store.log(AccessLine::of(exchange, route));
        }
    }

    fn amend(&self, exchange: &Exchange<'_>, judgement: &mut Judgement) {
        for amendment in judgement.amendments.drain(..) {
            if !self.store.amend(amendment.exchange, amendment.diagnosis, exchange.ended) {
                self.metrics.captures_lost(1);
            }
        }
    }

    fn keep(&self, exchange: &Exchange<'_>, judgement: Judgement, route: &RouteSeries, inspection: Duration) {
        if let Some(diagnosis) = &judgement.diagnosis {
            let series = [route.name(), diagnosis.cause.id, diagnosis.finding.confidence.as_str()];
            self.metrics.exemplar(series, exchange.id, exchange.ended);
        }
        match self.repeats.admit(exchange, &judgement) {
            Admission::Recorded => {
                if !self.store.keep(Captured::of(exchange, judgement, route, inspection)) {
                    self.metrics.captures_lost(1);
                }
            }
            Admission::Counted => {
                if self.repeats.note_change() {
                    // A full queue drops the wake-up, not the counts: they are taken with the next question.
                    self.store.repeats_changed();
                }
                self.log_plain(exchange, route);
            }
        }
    }
}

/// What tells the records of several instances apart.
fn instance_name(config: &Config) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "localhost" } else { host.trim() };
    format!("{host}:{}", config.listen.address.port())
}

/// Instances of a pair hash alike, so that both know a client by the same name; one that stands alone makes up a key.
fn principal_key(config: &Config) -> Result<PrincipalKey, RecorderError> {
    let mut key = [0; 16];
    if let Some(secret) = config.pairing.secrets.first() {
        let derived = Sha256::new().chain_update(b"why412 principal key\0").chain_update(secret.expose()).finalize();
        for (to, from) in key.iter_mut().zip(derived) {
            *to = from;
        }
    } else {
        let random = rustls::crypto::ring::default_provider().secure_random;
        random.fill(&mut key).map_err(|_| RecorderError::Random)?;
    }
    Ok(PrincipalKey::new(key))
}
