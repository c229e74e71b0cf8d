//! A weak tag in If-Match never matches, for If-Match compares strongly.

use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence};
use crate::analysis::exchange::Role;
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "weak-etag-in-if-match",
    party: Party::Client,
    other_parties: &[Party::Origin],
    title: "A weak tag was sent in If-Match, which compares strongly",
    explanation: "If-Match is compared strongly, and a weak tag (W/\"…\") never matches strongly, not even \
        itself. As long as the client has nothing but a weak tag, this write fails every time. Weak tags are \
        issued by the service itself, or made of strong ones on the way, mostly by compressing gateways; unless \
        the verdict names the service, it was not seen which of the two it is here.",
    example: r#"client  PUT /doc | If-Match: W/"v1" -> 412"#,
    fix: &[
        "Find out who made the tag weak: read the resource directly at the origin and compare, or pair a second \
            instance on the origin's side; a compressing gateway is the usual answer.",
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
    if !all_weak || case.compares_weakly() || case.route.weak_accepted {
        return None;
    }
    // What arrived was no weak tag.
    let arrived = case.testimony.altered(FieldName::IfMatch).map(|altered| altered.arrived.as_slice());
    if arrived.is_some_and(|lines| !lines.iter().any(|line| line.starts_with(b"W/"))) {
        return None;
    }
    let mut evidence = vec![case.sent(FieldName::IfMatch)];
    let told = tags.iter().find_map(|tag| Some((*tag, case.as_origin_gave(*tag)?)));
    if let Some((tag, (seen, given))) = told {
        // Where the origin gave another one, it is not the client's tag that is to blame.
        given.etag.as_ref().filter(|value| value.is_of(&tag.to_bytes()))?;
        evidence.extend([Evidence::origin_gave(seen, given, FieldName::ETag), case.named_evidence()]);
        return Some(Finding::new(given.sure, evidence).detail("origin-issues-weak").party(Party::Origin));
    }
    let issue = tags.iter().find_map(|tag| case.issue(*tag));
    evidence.extend(issue.map(|issue| Evidence::given(issue.sighting, case.client(), issue.sibling)));
    evidence.push(case.named_evidence());
    let finding = Finding::new(Confidence::Likely, evidence);
    // What the inner instance saw given out, the origin gave. From one side alone it is not known who made it weak.
    let is_origins = case.exchange.role == Role::Inner && issue.is_some_and(|issue| issue.sighting.store.is_none());
    Some(if is_origins { finding.detail("origin-issues-weak").party(Party::Origin) } else { finding })
}
