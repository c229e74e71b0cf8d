//! The formats of a scrape: Prometheus text 0.0.4, and OpenMetrics 1.0 with exemplars, which the metrics library
//! cannot write.

use std::collections::HashMap;
use std::fmt::Write;

use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};

use super::declared;
use crate::analysis::exchange::ExchangeId;
use crate::analysis::time::Time;
use crate::recorder::record::id_text;

/// How a scrape wants to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text 0.0.4.
    Text,
    /// OpenMetrics 1.0, with exemplars.
    OpenMetrics,
}

impl Format {
    /// The media type of the answer.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The format to answer a request with that carries this Accept.
    pub fn negotiated(accept: &str) -> Self {
        let quality = |wanted: &str| -> Option<f32> {
            let range = accept.split(',').find(|range| range.split(';').next().map(str::trim) == Some(wanted))?;
            let weight = range.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
            Some(weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
        };
        let plain = quality("text/plain").unwrap_or(0.0);
        match quality("application/openmetrics-text") {
            Some(open) if open > 0.0 && open >= plain => Self::OpenMetrics,
            Some(_) | None => Self::Text,
        }
    }
}

/// The latest exchange of a series.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exemplar {
    pub(super) id: ExchangeId,
    pub(super) at: Time,
}

/// By the values of the labels route, cause and confidence. As many as there are series, and labels are bounded.
pub(super) type Exemplars = HashMap<[String; 3], Exemplar>;

pub(super) fn render(families: &[MetricFamily], format: Format, exemplars: &Exemplars) -> String {
    let mut out = String::with_capacity(64 * 1024);
    for family in families {
        render_family(&mut out, family, format, exemplars);
    }
    if format == Format::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}

fn render_family(out: &mut String, family: &MetricFamily, format: Format, exemplars: &Exemplars) {
    let name = family.name();
    let kind = family.get_field_type();
    // OpenMetrics 1.0 §5.1: `_total` belongs to the sample of a counter, not to its family.
    let family_name = match format {
        Format::OpenMetrics if kind == MetricType::COUNTER => name.strip_suffix("_total").unwrap_or(name),
        Format::OpenMetrics | Format::Text => name,
    };
    let kind_name = if kind == MetricType::COUNTER {
        "counter"
    } else if kind == MetricType::HISTOGRAM {
        "histogram"
    } else {
        "gauge"
    };
    // Writing to a String does not fail.
    let _ = writeln!(out, "# HELP {family_name} {}", escaped_help(family.help(), format));
    let _ = writeln!(out, "# TYPE {family_name} {kind_name}");
    for metric in family.get_metric() {
        if kind == MetricType::HISTOGRAM {
            render_histogram(out, name, metric);
        } else if kind == MetricType::COUNTER {
            sample(out, name, metric.get_label(), None, metric.get_counter().get_value());
            if format == Format::OpenMetrics && name == declared::PRECONDITION_FAILED.name {
                render_exemplar(out, metric, exemplars);
            }
            out.push('\n');
        } else {
            sample(out, name, metric.get_label(), None, metric.get_gauge().get_value());
            out.push('\n');
        }
    }
}

fn render_histogram(out: &mut String, name: &str, metric: &Metric) {
    let histogram = metric.get_histogram();
    let bucket_name = format!("{name}_bucket");
    for bucket in histogram.get_bucket() {
        let bound = number(bucket.upper_bound());
        sample(out, &bucket_name, metric.get_label(), Some(("le", &bound)), bucket.cumulative_count() as f64);
        out.push('\n');
    }
    let count = histogram.get_sample_count() as f64;
    sample(out, &bucket_name, metric.get_label(), Some(("le", "+Inf")), count);
    out.push('\n');
    sample(out, &format!("{name}_sum"), metric.get_label(), None, histogram.get_sample_sum());
    out.push('\n');
    sample(out, &format!("{name}_count"), metric.get_label(), None, count);
    out.push('\n');
}

fn sample(out: &mut String, name: &str, labels: &[LabelPair], extra: Option<(&str, &str)>, value: f64) {
    out.push_str(name);
    let labels = labels.iter().map(|label| (label.name(), label.value())).chain(extra);
    let mut opened = false;
    for (label, value) in labels {
        out.push(if opened { ',' } else { '{' });
        opened = true;
        let _ = write!(out, "{label}=\"{}\"", escaped_value(value));
    }
    if opened {
        out.push('}');
    }
    let _ = write!(out, " {}", number(value));
}

fn render_exemplar(out: &mut String, metric: &Metric, exemplars: &Exemplars) {
    let label = |name: &str| {
        let value = metric.get_label().iter().find(|label| label.name() == name).map(LabelPair::value);
        value.unwrap_or_default().to_owned()
    };
    let [route, cause, confidence] = declared::PRECONDITION_FAILED_LABELS;
    if let Some(exemplar) = exemplars.get(&[label(route), label(cause), label(confidence)]) {
        let seconds = exemplar.at.unix_micros() as f64 / 1e6;
        let _ = write!(out, " # {{exchange_id=\"{}\"}} 1 {seconds:.3}", id_text(exemplar.id));
    }
}

/// The shortest form that reads back as the same number.
fn number(value: f64) -> String {
    if value.is_infinite() { (if value > 0.0 { "+Inf" } else { "-Inf" }).to_owned() } else { format!("{value}") }
}

fn escaped_help(text: &str, format: Format) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n");
    match format {
        Format::Text => escaped,
        Format::OpenMetrics => escaped.replace('"', "\\\""),
    }
}

fn escaped_value(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use prometheus::{Histogram, HistogramOpts, IntCounterVec, Opts, Registry};

    use super::*;

    fn gathered() -> Vec<MetricFamily> {
        let registry = Registry::new();
        let failed = &declared::PRECONDITION_FAILED;
        let failed = IntCounterVec::new(Opts::new(failed.name, "Why \\ how."), failed.labels).unwrap();
        failed.with_label_values(&["a\"b", "stale-validator", "likely"]).inc_by(2);
        failed.with_label_values(&["orders", "unexplained", "likely"]);
        let took = HistogramOpts::new("why412_inspection_duration_seconds", "Took.").buckets(vec![0.000_001, 0.5]);
        let took = Histogram::with_opts(took).unwrap();
        took.observe(0.25);
        registry.register(Box::new(failed)).unwrap();
        registry.register(Box::new(took)).unwrap();
        registry.gather()
    }

    fn exemplars() -> Exemplars {
        let series = ["a\"b", "stale-validator", "likely"].map(str::to_owned);
        [(series, Exemplar { id: ExchangeId(1), at: Time::from_unix_micros(1_500_000) })].into_iter().collect()
    }

    #[test]
    fn the_text_format() {
        let expected = r#"# HELP why412_inspection_duration_seconds Took.
# TYPE why412_inspection_duration_seconds histogram
why412_inspection_duration_seconds_bucket{le="0.000001"} 0
why412_inspection_duration_seconds_bucket{le="0.5"} 1
why412_inspection_duration_seconds_bucket{le="+Inf"} 1
why412_inspection_duration_seconds_sum 0.25
why412_inspection_duration_seconds_count 1
# HELP why412_precondition_failed_total Why \\ how.
# TYPE why412_precondition_failed_total counter
why412_precondition_failed_total{cause="stale-validator",confidence="likely",route="a\"b"} 2
why412_precondition_failed_total{cause="unexplained",confidence="likely",route="orders"} 0
"#;
        assert_eq!(render(&gathered(), Format::Text, &exemplars()), expected);
    }

    #[test]
    fn openmetrics_names_the_family_without_total_and_carries_exemplars() {
        let text = render(&gathered(), Format::OpenMetrics, &exemplars());
        assert!(text.contains("# TYPE why412_precondition_failed counter\n"), "{text}");
        let sample = "why412_precondition_failed_total{cause=\"stale-validator\",confidence=\"likely\",route=\"a\\\"b\"} 2 \
                      # {exchange_id=\"00000000000000000000000001\"} 1 1.500\n";
        assert!(text.contains(sample), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn openmetrics_only_where_it_is_asked_for() {
        #[track_caller]
        fn check(accept: &str, expected: Format) {
            assert_eq!(Format::negotiated(accept), expected, "{accept}");
        }
        check("", Format::Text);
        check("*/*", Format::Text);
        check("application/openmetrics-text", Format::OpenMetrics);
        check("application/openmetrics-text; version=1.0.0; charset=utf-8", Format::OpenMetrics);
        check(
            "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            Format::OpenMetrics,
        );
        check("application/openmetrics-text;q=0.3, text/plain;q=0.9", Format::Text);
        check("application/openmetrics-text;q=0", Format::Text);
    }
}
