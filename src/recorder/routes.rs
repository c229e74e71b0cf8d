//! What was counted per route, read from the metrics.

use std::collections::BTreeMap;

use prometheus::core::Collector;
use prometheus::proto::{LabelPair, Metric};
use serde::Serialize;
use utoipa::ToSchema;

use super::metrics::Families;

/// The totals of one route since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct RouteSummary {
    /// The configured name.
    pub route: String,
    /// Exchanges.
    pub requests: u64,
    /// Exchanges by code: exact for 304, 409, 412, 416 and 428, else the class.
    pub codes: BTreeMap<String, u64>,
    /// Conditional requests, by field.
    pub conditional: BTreeMap<String, u64>,
    /// Answers with 412.
    pub precondition_failed: u64,
    /// Their share of all exchanges, 0 to 1.
    pub precondition_failed_rate: f64,
    /// 412s by cause; those that were not seen are left out.
    pub causes: BTreeMap<String, u64>,
    /// Hazards by name; those that were not seen are left out.
    pub hazards: BTreeMap<String, u64>,
    /// Alterations.
    pub alterations: Vec<AlterationCount>,
}

/// How often something was altered.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AlterationCount {
    /// request or response.
    pub on: String,
    /// The field.
    pub field: String,
    /// What became of it.
    pub change: String,
    /// How often.
    pub count: u64,
}

pub(super) fn summaries(families: &Families) -> Vec<RouteSummary> {
    let mut routes: BTreeMap<String, RouteSummary> = BTreeMap::new();
    let mut each = |collector: &dyn Collector, add: Add<'_>| {
        each_series(collector, &mut |label, count| {
            let route = label("route");
            let summary = routes.entry(route.clone()).or_default();
            summary.route = route;
            add(summary, label, count);
        });
    };
    each(&families.requests, &|summary, label, count| {
        summary.requests += count;
        *summary.codes.entry(label("code")).or_default() += count;
    });
    each(&families.conditional, &|summary, label, count| {
        *summary.conditional.entry(label("field")).or_default() += count;
    });
    each(&families.precondition_failed, &|summary, label, count| {
        summary.precondition_failed += count;
        if count > 0 {
            *summary.causes.entry(label("cause")).or_default() += count;
        }
    });
    each(&families.hazards, &|summary, label, count| {
        if count > 0 {
            *summary.hazards.entry(label("hazard")).or_default() += count;
        }
    });
    each(&families.alterations, &|summary, label, count| {
        let [on, field, change] = ["on", "field", "change"].map(label);
        summary.alterations.push(AlterationCount { on, field, change, count });
    });
    let rate = |summary: &RouteSummary| {
        if summary.requests == 0 { 0.0 } else { summary.precondition_failed as f64 / summary.requests as f64 }
    };
    routes.into_values().map(|summary| RouteSummary { precondition_failed_rate: rate(&summary), ..summary }).collect()
}

/// Adds the count of one series, whose labels can be asked for, to the summary of its route.
type Add<'a> = &'a dyn Fn(&mut RouteSummary, Label<'_>, u64);
type Label<'a> = &'a dyn Fn(&str) -> String;

/// Calls `with` for every series of a counter, with its labels and its count.
pub(super) fn each_series(collector: &dyn Collector, with: &mut dyn FnMut(Label<'_>, u64)) {
    for family in collector.collect() {
        for metric in family.get_metric() {
            with(&|name: &str| label_of(metric, name), metric.get_counter().get_value() as u64);
        }
    }
}

fn label_of(metric: &Metric, name: &str) -> String {
    let value = metric.get_label().iter().find(|label| label.name() == name).map(LabelPair::value);
    value.unwrap_or_default().to_owned()
}
