//! A bypass was on, and a cache answered all the same.

use crate::analysis::diagnosis::products::KeepFrom;
use crate::analysis::diagnosis::{Case, Evidence, Hazard};
use crate::analysis::exchange::Role;
use crate::analysis::far_side::MadeBy;
use crate::analysis::judgement::{Confidence, Finding};

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "bypass-disobeyed",
    title: "A bypass is on, and a cache answered from its store all the same",
    explanation: "This instance asked the caches to step aside for this request, and the answer still shows a \
        stored copy: an Age above 0, a cache hit, or the report of an earlier exchange. What is being tested is \
        then not the origin. Some caches ignore `Cache-Control: no-cache` in requests by default, nginx and Varnish \
        among them.",
    example: r#"client  GET /r | Cache-Control: no-cache (added by the bypass) -> 200 | Age: 12"#,
    fix: &[
        "Use the bypass with `direct` where `[bypass] direct_traffic = true` and the address around the cache are \
            configured.",
        "Set `proxy_cache_bypass $http_cache_control $http_pragma;` in the nginx location for the time of the test.",
        "Set `if (req.http.Cache-Control ~ \"no-cache\") { set req.hash_always_miss = true; }` in vcl_recv of \
            Varnish for the time of the test.",
        "Purge the URL.",
    ],
    specification: &["RFC 9111 §5.2.1.4"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    // Towards clients a bypass asks nothing of what answers us.
    case.exchange.bypass.filter(|_| case.exchange.role != Role::Inner)?;
    let sign = case.store_sign()?;
    let evidence = vec![Evidence::Stored { sign, at: case.exchange.ended }];
    // A report that names an earlier exchange leaves no doubt, unless a confirmation has refreshed it.
    let confidence = match case.testimony.answer {
        MadeBy::Store { report, .. } if report.marked.is_some() && case.testimony.is_from_store() => {
            case.testimony.most
        }
        MadeBy::Store { .. } | MadeBy::Unknown | MadeBy::Unreported { .. } | MadeBy::Origin(_) => Confidence::Likely,
    };
    Some(Finding::new(confidence, evidence).advise(case, KeepFrom::OldCopies))
}
