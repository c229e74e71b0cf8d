//! The store: order, pages, eviction, amendment, and what goes wrong with files.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::Method;

use super::*;
use crate::analysis::diagnosis::{causes, hazards};
use crate::analysis::judgement::{Confidence, Finding, HazardFound, Judgement};
use crate::recorder::feed::{Feed, Received};
use crate::recorder::metrics::{Format, Metrics, RouteSeries};
use crate::recorder::redact::Redaction;
use crate::recorder::repeats::Repeats;
use crate::recorder::testing::Sample;

struct Fixture {
    store: Store,
    feed: Arc<Feed>,
    metrics: Arc<Metrics>,
    route: RouteSeries,
}

impl Fixture {
    fn new(records: u64, bytes: u64) -> Self {
        Self::with_file(None, records, bytes)
    }

    fn with_file(file: Option<std::path::PathBuf>, records: u64, bytes: u64) -> Self {
        let metrics = Arc::new(Metrics::new().unwrap());
        let feed = Arc::new(Feed::new());
        let route = RouteSeries::new(0, "orders", "api", metrics.families());
        let store = Store::start(Sinks {
            file,
            limits: Limits { records, bytes },
            instance: "test:1".to_owned(),
            redaction: Arc::new(ArcSwap::from_pointee(Redaction::default())),
            repeats: Arc::new(Repeats::default()),
            metrics: Arc::clone(&metrics),
            feed: Arc::clone(&feed),
        });
        Self { store: store.unwrap(), feed, metrics, route }
    }

    fn keep(&self, id: u128, method: Method, status: u16, judgement: Judgement) {
        let mut sample = Sample::new(method, &format!("/orders/{id}"), &[], status, &[]);
        sample.id = id;
        assert!(self.store.keep(Captured::of(&sample.exchange(), judgement, &self.route, Duration::ZERO)));
    }

    fn refused(&self, id: u128) {
        self.keep(id, Method::PUT, 412, verdict("unexplained"));
    }

    fn hazardous(&self, id: u128, method: Method) {
        let found = HazardFound { hazard: hazards::CATALOGUE[0], finding: finding() };
        self.keep(id, method, 200, Judgement { hazards: vec![found], ..Judgement::default() });
    }

    fn page(&self, query: Query) -> Page {
        runtime().block_on(self.store.list(query)).unwrap()
    }

    fn listed(&self, query: Query) -> Vec<u128> {
        self.page(query).records.iter().map(|stored| stored.id.parse::<ulid::Ulid>().unwrap().0).collect()
    }

    fn metric(&self, name: &str) -> String {
        let text = self.metrics.render(Format::Text, Default::default(), &[]);
        let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap().to_owned();
        line.split(' ').nth(1).unwrap().to_owned()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

fn finding() -> Finding {
    Finding { confidence: Confidence::Likely, detail: None, party: None, evidence: vec![], fix: vec![] }
}

fn diagnosis(cause: &str) -> Diagnosis {
    let cause = causes::CATALOGUE.iter().find(|known| known.id == cause).unwrap();
    Diagnosis { cause, finding: finding(), others: vec![] }
}

fn verdict(cause: &str) -> Judgement {
    Judgement { diagnosis: Some(Box::new(diagnosis(cause))), ..Judgement::default() }
}

fn all() -> Query {
    Query { limit: 100, ..Query::default() }
}

#[test]
fn pages_go_by_the_order_of_becoming_readable_not_by_name() {
    let fixture = Fixture::new(100, u64::MAX);
    for id in [5, 3, 4] {
        fixture.refused(id);
    }
    assert_eq!(fixture.listed(all()), [4, 3, 5]);
    let after = |id| Query { after: Some(ExchangeId(id)), ..all() };
    assert_eq!(fixture.listed(after(5)), [3, 4]);
    assert_eq!(fixture.listed(Query { before: Some(ExchangeId(4)), ..all() }), [3, 5]);
    let first = fixture.page(Query { limit: 2, ..all() });
    assert!(first.more && first.records.len() == 2);
    assert!(!fixture.page(Query { limit: 3, ..all() }).more);
}

#[test]
fn filters_are_combined() {
    let fixture = Fixture::new(100, u64::MAX);
    fixture.refused(1);
    fixture.keep(2, Method::PUT, 412, verdict("stale-validator"));
    fixture.hazardous(3, Method::GET);
    assert_eq!(fixture.listed(Query { cause: Some("stale-validator".to_owned()), ..all() }), [2]);
    assert_eq!(fixture.listed(Query { status: Some(412), route: Some("orders".to_owned()), ..all() }), [2, 1]);
    assert_eq!(fixture.listed(Query { route: Some("other".to_owned()), ..all() }), [] as [u128; 0]);
    let hazard = hazards::CATALOGUE[0].id;
    assert_eq!(fixture.listed(Query { hazard: Some(hazard.to_owned()), ..all() }), [3]);
    let part = hazard[..hazard.len() - 1].to_owned();
    assert_eq!(fixture.listed(Query { hazard: Some(part), ..all() }), [] as [u128; 0], "names are whole");
    assert_eq!(fixture.listed(Query { resource: Some("/orders/2".to_owned()), ..all() }), [2]);
    let url = "http://api.example.com/orders/1".to_owned();
    assert_eq!(fixture.listed(Query { resource: Some(url), status: Some(412), ..all() }), [1]);
}

#[test]
fn what_matters_most_is_evicted_last() {
    let fixture = Fixture::new(3, u64::MAX);
    fixture.refused(1);
    fixture.hazardous(2, Method::GET);
    fixture.hazardous(3, Method::PUT);
    assert_eq!(fixture.listed(all()), [3, 2, 1]);
    fixture.refused(4);
    assert_eq!(fixture.listed(all()), [4, 3, 1], "a hazard on a read goes first");
    fixture.hazardous(5, Method::GET);
    assert_eq!(fixture.listed(all()), [4, 3, 1], "and pushes out nothing that matters more");
    fixture.refused(6);
    assert_eq!(fixture.listed(all()), [6, 4, 3], "among equals the oldest goes");
    assert_eq!(fixture.metric("why412_captures"), "3");
    assert_eq!(fixture.metric("why412_captures_evicted_total"), "3");
}

#[test]
fn bytes_are_bounded() {
    let fixture = Fixture::new(1_000_000, 20_000);
    for id in 1..=50 {
        fixture.refused(id);
    }
    let listed = fixture.listed(all());
    assert!(!listed.is_empty() && listed.len() < 30, "{listed:?}");
    assert_eq!(listed[0], 50);
    assert!(fixture.metric("why412_captures_bytes").parse::<u64>().unwrap() <= 20_000);
}

#[test]
fn a_place_is_kept_when_its_record_is_gone() {
    let fixture = Fixture::new(3, u64::MAX);
    for id in 1..=5 {
        fixture.refused(id);
    }
    assert_eq!(fixture.listed(all()), [5, 4, 3]);
    assert_eq!(fixture.listed(Query { after: Some(ExchangeId(2)), ..all() }), [3, 4, 5]);
    assert_eq!(fixture.listed(Query { before: Some(ExchangeId(2)), ..all() }), [] as [u128; 0]);
    assert_eq!(fixture.listed(Query { after: Some(ExchangeId(9)), ..all() }), [] as [u128; 0]);
    assert_eq!(fixture.listed(Query { before: Some(ExchangeId(9)), ..all() }), [5, 4, 3]);
}

#[test]
fn an_amended_record_keeps_its_place_and_is_sent_again() {
    let fixture = Fixture::new(100, u64::MAX);
    let mut feed = fixture.feed.subscribe(Arc::clone(&fixture.metrics));
    fixture.refused(1);
    fixture.refused(2);
    assert!(fixture.store.amend(ExchangeId(1), diagnosis("stale-validator"), Time::from_unix_micros(1_000_000)));
    let page = fixture.page(all());
    let record: serde_json::Value = serde_json::from_str(&page.records[1].json).unwrap();
    assert_eq!(record["id"], crate::recorder::record::id_text(ExchangeId(1)));
    assert_eq!(record["diagnosis"]["cause"], "stale-validator");
    assert_eq!(record["amended_at"], "1970-01-01T00:00:01.000Z");
    assert_eq!(fixture.listed(Query { cause: Some("stale-validator".to_owned()), ..all() }), [1]);
    let events: Vec<_> = runtime().block_on(async {
        let mut events = Vec::new();
        for _ in 0..3 {
            if let Received::Event(event) = feed.next().await {
                events.push((event.key, event.amended));
            }
        }
        events
    });
    assert_eq!(events, [(1, false), (2, false), (1, true)]);
    assert!(fixture.store.amend(ExchangeId(77), diagnosis("stale-validator"), Time::default()));
    assert_eq!(fixture.listed(all()).len(), 2, "what is gone is not amended");
}

#[test]
fn closing_writes_what_is_queued() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("why412.db");
    let fixture = Fixture::with_file(Some(file.clone()), 100, u64::MAX);
    for id in 1..=20 {
        fixture.refused(id);
    }
    fixture.store.close();
    assert!(!fixture.store.keep(Captured::of(
        &Sample::get("/").exchange(),
        Judgement::default(),
        &fixture.route,
        Duration::ZERO
    )));
    assert_eq!(Fixture::with_file(Some(file), 100, u64::MAX).listed(all()).len(), 20);
}

#[test]
fn a_file_of_somebody_else_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let garbage = directory.path().join("garbage.db");
    fs::write(&garbage, "this is no database, and it is long enough to be taken for one at first sight".repeat(20))
        .unwrap();
    let before = fs::read(&garbage).unwrap();
    let foreign = directory.path().join("foreign.db");
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    for file in [garbage.clone(), foreign, directory.path().to_path_buf()] {
        let fixture = Fixture::with_file(Some(file.clone()), 100, u64::MAX);
        fixture.refused(1);
        assert_eq!(fixture.listed(all()), [1], "{}", file.display());
    }
    assert_eq!(fs::read(&garbage).unwrap(), before);
}

#[test]
fn a_full_disk_costs_records_and_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("why412.db");
    let fixture = Fixture::with_file(Some(file.clone()), 100, u64::MAX);
    fixture.refused(1);
    assert_eq!(fixture.listed(all()), [1]);
    // Somebody else holds the file for good: to the writer it is as if it could not be written.
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    fixture.refused(2);
    assert_eq!(fixture.listed(all()), [1]);
    assert_eq!(fixture.metric("why412_captures_lost_total"), "1");
    other.execute_batch("ROLLBACK").unwrap();
    fixture.refused(3);
    assert_eq!(fixture.listed(all()), [3, 1]);
}
