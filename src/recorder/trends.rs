//! How the counters of each route moved within the last hour, for the page's charts: sampled every few seconds by the
//! control plane, never by an exchange. A restart begins anew.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::metrics::{Families, PairCounts};
use super::record::time_text;
use super::routes::each_series;
use crate::analysis::time::Time;

/// From one sample to the next.
pub const STEP: Duration = Duration::from_secs(10);

/// As far as the samples reach back.
pub const REACH: Duration = Duration::from_secs(3600);

/// Samples that are kept.
const SAMPLES_MAX: usize = (REACH.as_secs() / STEP.as_secs()) as usize;

/// Counts that all samples hold together. At eight bytes each they take 4 MiB at most; ten busy routes with six
/// causes each take 0.2 MiB. What does not fit shortens the reach.
const COUNTS_MAX: usize = 512 * 1024;

/// What the routes counted in each step of the time asked for. All lists are equally long.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TrendsView {
    /// How long a step is meant to be, in seconds.
    pub step_seconds: u64,
    /// When the first step begins: at most an hour ago, and not before the start of the instance.
    pub from: String,
    /// When the last step ends: now.
    pub until: String,
    /// When each step ended. The last one is still going on.
    pub at: Vec<String>,
    /// How long each step really was, in seconds: longer than meant where nobody could look in time.
    pub seconds: Vec<f64>,
    /// The routes that had a request in that time, by name.
    pub routes: Vec<RouteTrend>,
}

/// What one route counted in each step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct RouteTrend {
    /// The configured name.
    pub route: String,
    /// Exchanges.
    pub requests: Vec<u64>,
    /// Answers with 412.
    pub precondition_failed: Vec<u64>,
    /// 412s by cause; those that were not seen are left out.
    pub causes: BTreeMap<String, Vec<u64>>,
    /// Hazards by name; those that were not seen are left out.
    pub hazards: BTreeMap<String, Vec<u64>>,
}

/// What is counted of a route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum What {
    Requests,
    Cause(String),
    Hazard(String),
}

/// A series: its route, and what is counted.
type Series = (String, What);

/// The samples.
#[derive(Debug)]
pub(super) struct Trends {
    /// Each series under a number, given when it first moved. As many as the metrics have at most.
    numbers: HashMap<Series, u32>,
    series: Vec<Series>,
    /// What each series had counted at the latest sample.
    totals: Vec<u64>,
    latest: Time,
    /// By time, oldest first.
    samples: VecDeque<Sample>,
    /// In all samples.
    counts: usize,
}

/// What moved within one step.
#[derive(Debug)]
struct Sample {
    began: Time,
    ended: Time,
    /// The number of a series, and by how much it grew; those that did not are not here.
    moved: Box<[(u32, u32)]>,
    /// The totals of the pair at the end.
    pair: PairCounts,
}

impl Trends {
    /// Begins now, with everything counted so far as given.
    pub(super) fn new(now: Time) -> Self {
        Self {
            numbers: HashMap::new(),
            series: Vec::new(),
            totals: Vec::new(),
            latest: now,
            samples: VecDeque::new(),
            counts: 0,
        }
    }

    /// Takes the next sample.
    pub(super) fn sample(&mut self, families: &Families, pair: PairCounts, now: Time) {
        let moved = self.moved(families);
        for (number, count) in &moved {
            if let Some(total) = self.totals.get_mut(*number as usize) {
                *total += u64::from(*count);
            }
        }
        self.counts += moved.len();
        let began = std::mem::replace(&mut self.latest, now);
        self.samples.push_back(Sample { began, ended: now, moved: moved.into_boxed_slice(), pair });
        while self.samples.len() > SAMPLES_MAX || (self.counts > COUNTS_MAX && self.samples.len() > 1) {
            if let Some(gone) = self.samples.pop_front() {
                self.counts -= gone.moved.len();
            }
        }
    }

    /// What was counted in the latest `reach`, the step that is still going on included.
    pub(super) fn view(&mut self, families: &Families, reach: Duration, now: Time) -> TrendsView {
        let going_on = self.moved(families);
        // A step belongs to the time asked for if it ended within.
        let within: Vec<&Sample> = self.samples.iter().filter(|sample| now.since(sample.ended) < reach).collect();
        let steps = within.len() + 1;
        let mut at: Vec<String> = within.iter().map(|sample| time_text(sample.ended)).collect();
        at.push(time_text(now));
        let seconds = within.iter().map(|sample| sample.ended.since(sample.began)).chain([now.since(self.latest)]);
        let mut routes = BTreeMap::new();
        for (step, sample) in within.iter().enumerate() {
            self.add(&mut routes, &sample.moved, step, steps);
        }
        self.add(&mut routes, &going_on, steps - 1, steps);
        TrendsView {
            step_seconds: STEP.as_secs(),
            from: time_text(within.first().map_or(self.latest, |sample| sample.began)),
            until: time_text(now),
            at,
            seconds: seconds.map(|long| (long.as_secs_f64() * 1000.0).round() / 1000.0).collect(),
            routes: routes.into_values().collect(),
        }
    }

    /// The totals of the pair at the latest sample that is `ago` old or older; nothing where none is.
    pub(super) fn pair_before(&self, ago: Duration, now: Time) -> PairCounts {
        let old = self.samples.iter().rev().find(|sample| now.since(sample.ended) >= ago);
        old.map(|sample| sample.pair).unwrap_or_default()
    }

    /// How much each series grew since the latest sample.
    fn moved(&mut self, families: &Families) -> Vec<(u32, u32)> {
        let mut totals: HashMap<u32, u64> = HashMap::new();
        let mut count = |route: String, what: What, count: u64| {
            // A series that never counted needs no number.
            if count > 0 {
                *totals.entry(self.number((route, what))).or_default() += count;
            }
        };
        each_series(&families.requests, &mut |label, total| count(label("route"), What::Requests, total));
        each_series(&families.precondition_failed, &mut |label, total| {
            count(label("route"), What::Cause(label("cause")), total);
        });
        each_series(&families.hazards, &mut |label, total| {
            count(label("route"), What::Hazard(label("hazard")), total);
        });
        let grew = |(number, total): (u32, u64)| {
            let before = self.totals.get(number as usize).copied().unwrap_or_default();
            let by = u32::try_from(total.saturating_sub(before)).unwrap_or(u32::MAX);
            (by > 0).then_some((number, by))
        };
        totals.into_iter().filter_map(grew).collect()
    }

    fn number(&mut self, series: Series) -> u32 {
        if let Some(number) = self.numbers.get(&series) {
            return *number;
        }
        let number = u32::try_from(self.series.len()).unwrap_or(u32::MAX);
        self.numbers.insert(series.clone(), number);
        self.series.push(series);
        self.totals.push(0);
        number
    }

    fn add(&self, routes: &mut BTreeMap<String, RouteTrend>, moved: &[(u32, u32)], step: usize, steps: usize) {
        for (number, by) in moved {
            let Some((route, what)) = self.series.get(*number as usize) else { continue };
            let trend = routes.entry(route.clone()).or_insert_with(|| RouteTrend {
                route: route.clone(),
                requests: vec![0; steps],
                precondition_failed: vec![0; steps],
                ..RouteTrend::default()
            });
            let line = match what {
                What::Requests => &mut trend.requests,
                What::Cause(cause) => {
                    add_at(&mut trend.precondition_failed, step, *by);
                    trend.causes.entry(cause.clone()).or_insert_with(|| vec![0; steps])
                }
                What::Hazard(hazard) => trend.hazards.entry(hazard.clone()).or_insert_with(|| vec![0; steps]),
            };
            add_at(line, step, *by);
        }
    }
}

fn add_at(line: &mut [u64], step: usize, by: u32) {
    if let Some(count) = line.get_mut(step) {
        *count += u64::from(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::metrics::Metrics;

    struct Sampled {
        metrics: Metrics,
        trends: Trends,
        now: Time,
    }

    impl Sampled {
        fn begin() -> Self {
            let now = Time::from_unix_micros(1_795_327_200_000_000);
            Self { metrics: Metrics::new().unwrap(), trends: Trends::new(now), now }
        }

        fn count(&self, route: &str, requests: u64, cause: &str, refused: u64) {
            let families = self.metrics.families();
            families.requests.with_label_values(&[route, "PUT", "412"]).inc_by(requests);
            families.precondition_failed.with_label_values(&[route, cause, "likely"]).inc_by(refused);
        }

        fn step(&mut self, seconds: u64) {
            self.now = self.now.plus(Duration::from_secs(seconds));
            self.trends.sample(self.metrics.families(), PairCounts::default(), self.now);
        }

        fn view(&mut self, reach: u64) -> TrendsView {
            self.trends.view(self.metrics.families(), Duration::from_secs(reach), self.now)
        }
    }

    #[test]
    fn each_step_holds_what_was_counted_within_it() {
        let mut sampled = Sampled::begin();
        sampled.count("orders", 5, "stale-validator", 2);
        sampled.step(10);
        sampled.step(10);
        sampled.count("orders", 1, "etag-weakened", 1);
        sampled.count("users", 7, "etag-weakened", 0);
        // The machine slept.
        sampled.step(300);
        sampled.count("users", 1, "etag-weakened", 0);
        sampled.now = sampled.now.plus(Duration::from_secs(4));
        let view = sampled.view(3600);
        assert_eq!(view.from, "2026-11-22T06:00:00.000Z");
        assert_eq!((view.at.len(), view.until.as_str()), (4, "2026-11-22T06:05:24.000Z"));
        assert_eq!(view.seconds, [10.0, 10.0, 300.0, 4.0]);
        let [orders, users] = &view.routes[..] else { panic!("{view:?}") };
        assert_eq!((orders.route.as_str(), &orders.requests[..]), ("orders", &[5, 0, 1, 0][..]));
        assert_eq!(orders.precondition_failed, [2, 0, 1, 0]);
        assert_eq!(orders.causes["etag-weakened"], [0, 0, 1, 0]);
        assert_eq!(users.requests, [0, 0, 7, 1]);
        assert!(users.causes.is_empty() && users.hazards.is_empty(), "{users:?}");
    }

    #[test]
    fn asking_changes_nothing_and_the_past_is_left_out_when_it_is_not_wanted() {
        let mut sampled = Sampled::begin();
        sampled.count("orders", 5, "stale-validator", 5);
        sampled.step(10);
        for _ in 0..6 {
            sampled.step(10);
        }
        sampled.count("users", 1, "stale-validator", 0);
        assert_eq!(sampled.view(60), sampled.view(60));
        let view = sampled.view(60);
        assert_eq!(view.at.len(), 7, "six steps and the one going on");
        let [users] = &view.routes[..] else { panic!("{view:?}") };
        assert_eq!((users.route.as_str(), users.requests.iter().sum::<u64>()), ("users", 1));
    }

    #[test]
    fn memory_is_bounded_in_time_and_in_counts() {
        let mut sampled = Sampled::begin();
        for _ in 0..SAMPLES_MAX + 5 {
            sampled.step(10);
        }
        assert_eq!(sampled.trends.samples.len(), SAMPLES_MAX);
        let routes: Vec<_> = (0..1000).map(|number| format!("r{number}")).collect();
        for _ in 0..300 {
            for route in &routes {
                sampled.count(route, 1, "stale-validator", 1);
            }
            sampled.step(10);
        }
        assert!(sampled.trends.counts <= COUNTS_MAX);
        let held: usize = sampled.trends.samples.iter().map(|sample| sample.moved.len()).sum();
        assert_eq!(held, sampled.trends.counts);
        assert_eq!(sampled.view(3600).routes.len(), 1000);
    }

    #[test]
    fn the_pair_is_compared_with_a_minute_ago() {
        let mut sampled = Sampled::begin();
        let minute = Duration::from_secs(60);
        for number in 1..=10 {
            sampled.now = sampled.now.plus(STEP);
            let pair = PairCounts { report: number, ..PairCounts::default() };
            sampled.trends.sample(sampled.metrics.families(), pair, sampled.now);
        }
        assert_eq!(sampled.trends.pair_before(minute, sampled.now).report, 4);
        assert_eq!(sampled.trends.pair_before(Duration::from_secs(600), sampled.now), PairCounts::default());
    }
}
