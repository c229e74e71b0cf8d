//! `docs/metrics.md`, made of the declarations.

use std::fmt::Write;

use super::declared::{self, Kind};

/// The whole document.
pub fn document() -> String {
    let mut out = String::from(
        "# Metrics\n\n\
         <!-- Written by the code: UPDATE=1 cargo test documents -->\n\n\
         `GET /metrics` on the admin address, and on `admin.telemetry`, answers in Prometheus text 0.0.4, or in \
         OpenMetrics with exemplars where the scrape asks for it.\n\n\
         `route` is the configured name: `default` where none is configured, `unmatched` where none fits. Nothing a \
         client sends becomes a label. The series of every cause (with the confidence `likely`) and of every hazard \
         exist at 0 from the start for every route, so that a rate over them sees the first one; the others appear \
         when they first count.\n\n\
         | name | kind | labels | what it counts |\n|---|---|---|---|\n",
    );
    for declared in declared::ALL {
        let labels = declared.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        // Writing to a String does not fail.
        let _ = writeln!(out, "| `{}` | {} | {labels} | {} |", declared.name, kind(declared.kind), declared.help);
    }
    out.push_str("\n## Buckets\n\nUpper bounds in seconds.\n\n| name | buckets |\n|---|---|\n");
    for declared in declared::ALL {
        if let Kind::Histogram(buckets) = declared.kind {
            let bounds = buckets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let _ = writeln!(out, "| `{}` | {bounds} |", declared.name);
        }
    }
    out
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram(_) => "histogram",
    }
}
