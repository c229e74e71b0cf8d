//! The store: order, pages, eviction, amendment, and what goes wrong with files.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::Method;

use super::*;
use crate::analysis::diagnosis::{causes, hazards};
use crate::analysis::exchange::Exchange;
use crate::analysis::judgement::{Confidence, Finding, HazardFound, Judgement};
use crate::recorder::feed::{Feed, Received};
use crate::recorder::id_text;
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
        let route = RouteSeries::new((0, Arc::default()), "orders", "api", metrics.families());
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

    fn time(second: u64) -> Time {
        Time::from_unix_micros(1_795_327_200_000_000 + second * 1_000_000)
    }

    fn refused_at(&self, id: u128, second: u64) {
        let mut sample = Sample::new(Method::PUT, &format!("/orders/{id}"), &[], 412, &[]);
        sample.id = id;
        let exchange = Exchange { at: Self::time(second), ..sample.exchange() };
        assert!(self.store.keep(Captured::of(&exchange, verdict("unexplained"), &self.route, Duration::ZERO)));
    }

    /// Whether there was room for it.
    fn kept(&self, id: u128) -> bool {
        let mut sample = Sample::new(Method::PUT, &format!("/orders/{id}"), &[], 412, &[]);
        sample.id = id;
        self.store.keep(Captured::of(&sample.exchange(), verdict("unexplained"), &self.route, Duration::ZERO))
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
    assert!(first.next == Some(id_text(ExchangeId(3))) && first.records.len() == 2);
    assert_eq!(fixture.page(Query { limit: 3, ..all() }).next, None);
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
fn times_bound_by_when_the_exchange_began() {
    let fixture = Fixture::new(100, u64::MAX);
    // The first to be readable is not the first that began.
    for (id, second) in [(1, 50), (2, 10), (3, 20), (4, 30)] {
        fixture.refused_at(id, second);
    }
    let at = |second: u64| Some(Fixture::time(second));
    assert_eq!(fixture.listed(Query { since: at(20), ..all() }), [4, 3, 1]);
    assert_eq!(fixture.listed(Query { until: at(30), ..all() }), [3, 2]);
    assert_eq!(fixture.listed(Query { since: at(20), until: at(30), ..all() }), [3]);
    assert_eq!(fixture.listed(Query { since: at(60), ..all() }), [] as [u128; 0]);
    let after = Some(ExchangeId(1));
    assert_eq!(fixture.listed(Query { since: at(20), after, ..all() }), [3, 4]);
    assert_eq!(fixture.listed(Query { since: at(0), before: Some(ExchangeId(3)), ..all() }), [2, 1]);
}

#[test]
fn texts_are_found_in_what_was_sent() {
    let fixture = Fixture::new(100, u64::MAX);
    fixture.refused(11);
    fixture.keep(12, Method::PUT, 412, verdict("stale-validator"));
    fixture.hazardous(13, Method::GET);
    let with = |text: &str| Query { text: Some(text.to_owned()), ..all() };
    assert_eq!(fixture.listed(with("ORDERS/12")), [12]);
    assert_eq!(fixture.listed(with("stale-")), [12]);
    assert_eq!(fixture.listed(with(hazards::CATALOGUE[0].id)), [13]);
    assert_eq!(fixture.listed(with(&id_text(ExchangeId(11)).to_lowercase())), [11]);
    assert_eq!(fixture.listed(with("")), [13, 12, 11]);
    assert_eq!(fixture.listed(with("amended_at")), [] as [u128; 0]);
    assert_eq!(fixture.listed(Query { status: Some(412), ..with("orders") }), [12, 11]);
}

#[test]
fn a_search_ends_in_time_and_says_where_to_go_on() {
    let fixture = Fixture::new(1_000_000, u64::MAX);
    for id in 1..=3000 {
        while !fixture.kept(id) {
            thread::yield_now();
        }
    }
    let query = Query { text: Some("/orders/1".to_owned()), limit: 1, ..Query::default() };
    let mut scan = Scan::new(query.clone());
    let mut found = Vec::new();
    let mut asked = 0;
    // As if each search were cut off after its first slice.
    loop {
        asked += 1;
        let (sender, receiver) = oneshot::channel();
        let asking = fixture.store.ask(Question::Search(Box::new(scan), sender), receiver);
        let page = runtime().block_on(asking).unwrap().page();
        found.extend(page.records.iter().map(|stored| stored.id.clone()));
        let Some(next) = page.next else { break };
        let before = crate::recorder::record::id_of_text(&next);
        scan = Scan::new(Query { before, ..query.clone() });
    }
    let expected = (1..=3000_u128).rev().filter(|id| id.to_string().starts_with('1')).map(|id| id_text(ExchangeId(id)));
    assert_eq!(found, expected.collect::<Vec<_>>());
    assert!(asked >= found.len());
}

#[test]
fn what_leaves_out_most_is_found_by_an_index_and_nothing_is_sorted() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("why412.db");
    drop(Fixture::with_file(Some(file.clone()), 100, u64::MAX).listed(all()));
    let database = rusqlite::Connection::open(&file).unwrap();
    let plan = |query: &Query| {
        let (statement, _) = scan::statement(query);
        let mut explain = database.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
        let mut rows = explain.raw_query();
        let mut said = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            said.push(row.get::<_, String>(3).unwrap());
        }
        said.join("; ")
    };
    let text = |text: &str| Some(text.to_owned());
    let key = "key>? AND key<?";
    for (query, expected) in [
        (all(), "SEARCH exchange USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)".to_owned()),
        (
            Query { route: text("a"), ..all() },
            format!("SEARCH exchange USING INDEX exchange_route (route=? AND {key})"),
        ),
        (
            Query { status: Some(412), ..all() },
            format!("SEARCH exchange USING INDEX exchange_status (status=? AND {key})"),
        ),
        (
            Query { cause: text("a"), route: text("b"), ..all() },
            format!("SEARCH exchange USING INDEX exchange_cause (cause=? AND {key})"),
        ),
        (
            Query { resource: text("/a"), after: Some(ExchangeId(1)), ..all() },
            format!("SEARCH exchange USING INDEX exchange_path (path=? AND {key})"),
        ),
        (
            Query { resource: text("http://h/a"), ..all() },
            format!("SEARCH exchange USING INDEX exchange_url (url=? AND {key})"),
        ),
    ] {
        assert_eq!(plan(&query), expected, "{query:?}");
    }
}

#[test]
fn a_file_of_the_layout_before_is_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("why412.db");
    let fixture = Fixture::with_file(Some(file.clone()), 100, u64::MAX);
    fixture.refused_at(1, 10);
    fixture.refused_at(2, 20);
    assert_eq!(fixture.listed(all()), [2, 1]);
    fixture.store.close();
    let before = "DROP INDEX exchange_at; DROP INDEX exchange_path; DROP INDEX exchange_status;
        ALTER TABLE exchange DROP COLUMN at; PRAGMA user_version = 1;";
    rusqlite::Connection::open(&file).unwrap().execute_batch(before).unwrap();
    let taken_over = Fixture::with_file(Some(file.clone()), 100, u64::MAX);
    assert_eq!(taken_over.listed(Query { since: Some(Fixture::time(20)), ..all() }), [2]);
    assert_eq!(taken_over.listed(Query { until: Some(Fixture::time(20)), ..all() }), [1]);
    taken_over.refused_at(3, 30);
    assert_eq!(taken_over.listed(Query { since: Some(Fixture::time(11)), ..all() }), [3, 2]);
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
    assert_eq!(record["id"], id_text(ExchangeId(1)));
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
