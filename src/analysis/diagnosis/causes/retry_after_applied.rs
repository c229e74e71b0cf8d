//! The same write had already succeeded; this 412 answers its repetition.

use std::time::Duration;

use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence, products};
use crate::analysis::exchange::RequestBody;
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::memory::{Write, WriteOutcome};
use crate::analysis::principal::ToldApartBy;
use crate::analysis::semantics::entity_tag::TagList;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "retry-after-applied",
    party: Party::Client,
    title: "The write had already succeeded; this 412 answers its repetition",
    explanation: "The same write, with the same condition and body, had been carried out before. Its answer never \
        reached the client (a timeout, a closed connection, a restart), so it was sent again; by then the validator \
        had moved on, because of the first attempt itself. By what was seen nothing was lost and nobody else wrote: the change is in \
        effect. Telling the user that somebody else won would be wrong.",
    example: r#"client  PUT /ledger/42 | If-Match: "g1" -> (connection lost after it was sent)
client  PUT /ledger/42 | If-Match: "g1" -> 412 | ETag: "g2""#,
    fix: &[
        "Read the resource after an attempt whose answer was lost, before repeating it; where the content is \
            already what was to be written, treat the write as done and take the new validator from that read.",
        "Give writes an idempotency key, or a version in the body, so that the service can recognise its own \
            repetition.",
        "Raise the client's timeout above the time the service needs for this write, so that answers are not given \
            up too early.",
    ],
    specification: &["RFC 9110 §9.2.2", "RFC 9110 §13.1.1"],
    details: &[
        Detail {
            id: "by-client",
            explanation: "The client, its library or its SDK repeated the request.",
            fix: &["Take conditional writes out of the library's automatic retries; retry them only by reading first."],
        },
        Detail {
            id: "by-gateway",
            explanation: "The client sent the request once; a gateway sent it to the origin again after a \
                connection had died.",
            fix: &[
                products::NGINX_RESEND,
                products::HAPROXY_RESEND,
                products::ENVOY_RESEND,
                products::VARNISH_RESEND,
                "Fix the origin that closes connections without answering: keep its idle timeout longer than that \
                    of the gateway.",
            ],
        },
    ],
    examine,
};

/// How long after an answer that went out whole the same request is still taken for its repetition.
const REPETITION_MAX: Duration = Duration::from_secs(600);

fn examine(case: &Case<'_>) -> Option<Finding> {
    let condition = case.condition.filter(|_| case.is_write())?;
    let tags = case.if_match();
    // What was asked for still holds: nothing has been applied.
    if tags.iter().any(|tag| case.names(*tag)) {
        return None;
    }
    let exchange = case.exchange;
    let (attempt, same) = case.resource?.writes.iter().rev().find_map(|write| {
        let repeats = write.condition == Some(condition)
            && write.method == exchange.request.method
            && (write.by == exchange.client || is_interchangeable(write.by.by.max(exchange.client.by)))
            && write.ended <= exchange.ended;
        let same = same_body(&write.body, &exchange.request_body).filter(|_| repeats)?;
        // Under another credential only the very same body speaks for the same client.
        (write.by == exchange.client || same == Body::Same).then_some((write, same))
    })?;
    let confidence = match attempt.outcome {
        WriteOutcome::Applied { delivered: true, .. } if exchange.at.since(attempt.ended) > REPETITION_MAX => {
            return None;
        }
        WriteOutcome::Applied { .. } if same == Body::Same => Confidence::Proven,
        WriteOutcome::Applied { .. } => Confidence::Likely,
        WriteOutcome::ClientGone | WriteOutcome::NoAnswer => may_have_been_applied(case, attempt)?,
    };
    let (sure, told_apart) = case.told_apart(attempt.by);
    let evidence = vec![
        Evidence::wrote(attempt, case.client(), false),
        Evidence::SameRequest { body: same == Body::Same },
        case.named_evidence(),
        told_apart,
    ];
    let sure = if attempt.by == exchange.client { sure } else { Confidence::Possible };
    let finding = Finding::new(confidence.min(sure), evidence);
    let left = match attempt.outcome {
        WriteOutcome::ClientGone | WriteOutcome::Applied { delivered: false, .. } => true,
        WriteOutcome::Applied { delivered: true, .. } | WriteOutcome::NoAnswer => false,
    };
    // Who hung up and asks again is the client, unless a gateway stands in between.
    Some(if left && !case.is_behind_gateway() { finding.detail("by-client") } else { finding })
}

/// Whether the same client may come under another name: a token that was renewed, another address.
pub(super) const fn is_interchangeable(by: ToldApartBy) -> bool {
    match by {
        ToldApartBy::Authorization | ToldApartBy::Address => true,
        ToldApartBy::Mark
        | ToldApartBy::Certificate
        | ToldApartBy::JwtSubject
        | ToldApartBy::BasicUser
        | ToldApartBy::Configured => false,
    }
}

/// How sure it is that an attempt without an answer was applied; `None` if what was seen since speaks against it.
fn may_have_been_applied(case: &Case<'_>, attempt: &Write) -> Option<Confidence> {
    let tags = case.if_match();
    let seen_since = |tag| case.own_sightings().any(|seen| seen.tag() == Some(tag) && seen.last > attempt.ended);
    if tags.iter().any(|tag| seen_since(*tag)) {
        return None;
    }
    let demands_absence = case.conditions.if_none_match.valid() == Some(&TagList::Any);
    if demands_absence && case.own_sightings().any(|seen| seen.first < attempt.at) {
        return None;
    }
    // A write of somebody else may be the reason just as well.
    let others = case.applied().any(|(_, write)| write.by != attempt.by && write.ended > attempt.at);
    // The tag had been replaced before: the attempt would have been refused, too.
    let late = tags
        .iter()
        .filter_map(|tag| case.issue(*tag))
        .any(|issue| case.applied().any(|(_, write)| write.ended > issue.at && write.ended < attempt.at));
    Some(if others || late { Confidence::Possible } else { Confidence::Likely })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    Same,
    SameLength,
}

fn same_body(one: &RequestBody, other: &RequestBody) -> Option<Body> {
    match (one.digest, other.digest) {
        (Some(one), Some(other)) => (one == other).then_some(Body::Same),
        // A body that was not sent to its end has no digest; then its announced length decides.
        (None, _) | (_, None) => (one.announced == other.announced).then_some(Body::SameLength),
    }
}
