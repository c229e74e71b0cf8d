//! A weak tag in If-Match never matches, for If-Match compares strongly.

use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "weak-etag-in-if-match",
    party: Party::Client,
    title: "A weak tag was sent in If-Match, which compares strongly",
    explanation: "If-Match is compared strongly, and a weak tag (W/\"…\") never matches strongly, not even itself. \
        As long as the client has nothing but a weak tag, this write fails every time. From here it cannot be seen \
        whether the service issues weak tags or something on the way made a strong one weak; compressing gateways \
        do that.",
    example: r#"client  PUT /doc | If-Match: W/"v1" -> 412"#,
    fix: &[
        "Find out who made the tag weak: run `why412 diagnose` with a direct address, or put a second instance on \
            the origin's side; a compressing gateway is the usual answer.",
        "Make the service issue strong tags for what is written conditionally (a version number or content hash, in \
            quotes, without W/).",
        "Set `comparison = \"weak\"` on this route where the API uses weak tags by design and its service is known \
            to accept them.",
        "Keep the tag as it is: removing W/ in the client asserts something that nobody promised.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §8.8.3.2"],
    details: &[Detail {
        id: "origin-issues-weak",
        explanation: "The service itself gave the tag out as weak, and judges it strongly: no client can ever \
                write with it.",
        fix: &["Make the service issue strong tags, or compare weakly where that is safe; many frameworks generate \
                    weak tags by default (Express: `app.set('etag', 'strong')`)."],
    }],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let tags = case.if_match();
    let all_weak = !tags.is_empty() && tags.iter().all(|tag| tag.weak);
    // A service that has taken weak tags before did not refuse this one for its weakness.
    if !all_weak || case.compares_weakly() || case.route.weak_accepted > 0 {
        return None;
    }
    let mut evidence = vec![case.sent(FieldName::IfMatch)];
    let issue = tags.iter().find_map(|tag| case.issue(*tag));
    evidence.extend(issue.map(|issue| Evidence::given(issue.sighting, case.client(), issue.sibling)));
    evidence.push(case.named_evidence());
    // From one side it is not known who made it weak: no detail, and not proven.
    Some(Finding::new(Confidence::Likely, evidence))
}
