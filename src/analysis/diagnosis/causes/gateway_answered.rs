//! The 412 was made on the way, not by the origin.

use crate::analysis::diagnosis::products::KeepFrom;
use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence, products};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::caching::from_store;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "gateway-answered",
    party: Party::Gateway,
    title: "The gateway made this 412; the origin did not refuse the request",
    explanation: "The answer did not come from the origin. The instance on the origin's side either never saw the \
        request, or saw the origin give another answer than the client received; or the 412 carries the marks of a \
        stored answer (Age, a cache hit) or of the gateway's own error page. The gateway judged the condition \
        itself, against its own copy of the resource or against a validator that it had altered. Changing the \
        client's tag or the origin's data cures nothing as long as the gateway keeps judging.",
    example: r#"client  GET /reports/9 | If-Match: "r3" -> 412 | Server: nginx
(the origin saw no request, or answered 200)"#,
    fix: &[
        "Stop the gateway from caching or filtering this route, so that conditions reach the origin: conditional \
            writes and reads with If-Match are the origin's to judge.",
        products::NGINX_CACHE_ANSWERS,
        products::HTTPD_CACHE_ANSWERS,
        products::VARNISH_CACHE_ANSWERS,
        "Read the resource before writing again: whether the change was applied is not known from this 412.",
    ],
    specification: &["RFC 9110 §13.2.1", "RFC 9111 §4.3.2"],
    details: &[
        Detail {
            id: "after-write-applied",
            explanation: "The origin had carried out the write and answered with success; the gateway replaced that \
                answer by a 412. The change is in effect although the client was told otherwise.",
            fix: &[
                "Treat the write as done: read the resource and compare before anything is sent again.",
                "Remove the step that judges If-Match in the response phase of the gateway (a plugin, a script, a \
                    header filter); a condition has to be judged before the write.",
            ],
        },
        Detail {
            id: "from-store",
            explanation: "The 412 is a stored answer to an earlier request, given again to a request that did not \
                deserve it.",
            fix: &[
                "Make the origin send `Cache-Control: no-store` with 412 answers, and purge the stored one from the \
                    gateway.",
            ],
        },
    ],
    examine,
};

/// From one side, only a refusal that came out of a store shows it.
fn examine(case: &Case<'_>) -> Option<Finding> {
    let sign = from_store(case.answer_fields()?).filter(|_| !case.is_write())?;
    let evidence = vec![Evidence::Stored { sign, at: case.exchange.ended }];
    let finding = if case.condition.is_none() {
        // Nothing could fail: it is somebody else's refusal.
        Finding::new(Confidence::Likely, evidence).and(Evidence::SentNone).detail("from-store")
    } else {
        Finding::new(Confidence::Possible, evidence)
    };
    Some(finding.advise(case, KeepFrom::Answering))
}
