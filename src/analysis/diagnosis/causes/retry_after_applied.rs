//! The same write had already succeeded; this 412 answers its repetition.

use std::time::Duration;

use crate::analysis::diagnosis::products::KeepFrom;
use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence, products};
use crate::analysis::exchange::{RequestBody, Role};
use crate::analysis::far_side;
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::memory::{Write, WriteOutcome};
use crate::analysis::pairing::Report;
use crate::analysis::principal::ToldApartBy;
use crate::analysis::semantics::entity_tag::TagList;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "retry-after-applied",
    party: Party::Client,
    other_parties: &[Party::Gateway],
    title: "The write had already succeeded; this 412 answers its repetition",
    explanation: "The same write, with the same condition, had been sent before, and by what was seen it was \
        carried out: its success was seen, or it went without an answer and nothing speaks against it; the \
        evidence says which, and whether the bodies could be compared. Then it was sent again, as happens after \
        a timeout, a closed connection or a restart, and by that time its condition was false because of the \
        first attempt itself. In that case nothing is lost and the change is in effect; telling the user that \
        somebody else won would be wrong.",
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
            explanation: "The client sent the request once; a gateway sent it to the origin again, as many do \
                when a connection dies.",
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
    by_gateway(case, condition).or_else(|| repeated(case, condition)).or_else(|| refused_again(case))
}

/// The client had sent it before, by what was seen of its writes.
fn repeated(case: &Case<'_>, condition: u128) -> Option<Finding> {
    let exchange = case.exchange;
    let demands_absence = case.conditions.if_none_match.valid() == Some(&TagList::Any);
    let (attempt, same) = case.resource?.writes.iter().rev().find_map(|write| {
        let repeats = write.condition == Some(condition)
            && write.method == exchange.request.method
            && (write.by == exchange.client || is_interchangeable(write.by.by.max(exchange.client.by)))
            && write.ended <= exchange.ended
            // What was created and deleted since is not there because of the first attempt.
            && !(demands_absence && case.was_gone_after(write.ended));
        let same = same_body(&write.body, &exchange.request_body).filter(|_| repeats)?;
        // Under another credential only the very same body speaks for the same client.
        (write.by == exchange.client || same == Body::Same).then_some((write, same))
    })?;
    let confidence = match attempt.outcome {
        // It came too late, or the client has read again and was handed the same tag once more.
        WriteOutcome::Applied { delivered: true, .. }
            if exchange.at.since(attempt.ended) > REPETITION_MAX || was_handed_again(case, attempt) =>
        {
            return None;
        }
        // Behind a gateway it is not seen whether its store handed the old tag out again.
        WriteOutcome::Applied { delivered: true, .. } if exchange.role == Role::Inner => Confidence::Likely,
        WriteOutcome::Applied { .. } if same == Body::Same => Confidence::Proven,
        WriteOutcome::Applied { .. } => Confidence::Likely,
        WriteOutcome::ClientGone | WriteOutcome::NoAnswer => may_have_been_applied(case, attempt)?,
    };
    let (sure, told_apart) = case.told_apart(attempt.by);
    let mut evidence = vec![
        Evidence::wrote(attempt, case.client(), false),
        Evidence::SameRequest { body: same == Body::Same },
        case.named_evidence(),
        told_apart,
    ];
    let sure = if attempt.by == exchange.client { sure } else { Confidence::Possible };
    if let (Some(_), WriteOutcome::Applied { status, .. }) = (attempt.learned, attempt.outcome) {
        evidence.push(Evidence::OriginAnswered { status, earlier: true, later: false });
    }
    let finding = Finding::new(confidence.min(sure).min(attempt.learned.unwrap_or(Confidence::Proven)), evidence);
    // Two marks are two requests of the client; what an outer instance sees twice, the client sent twice.
    let sent_twice = match (exchange.far_side.mark, attempt.mark) {
        (Some((mark, _)), Some(other)) => mark.exchange != other,
        (Some(_) | None, _) => exchange.role == Role::Outer && !case.is_behind_gateway(),
    };
    if sent_twice {
        return Some(finding.detail("by-client"));
    }
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

/// The client was handed the tag that it sends, once more after the attempt.
fn was_handed_again(case: &Case<'_>, attempt: &Write) -> bool {
    let again = |tag| case.issue(tag).is_some_and(|issue| issue.to_client && issue.at > attempt.ended);
    case.if_match().into_iter().any(again)
}

/// One and the same request arrived at the origin's side more than once.
fn by_gateway(case: &Case<'_>, condition: u128) -> Option<Finding> {
    let most = case.testimony.most;
    let (confidence, fact) = match (case.testimony.own_report(), case.exchange.far_side.mark) {
        (Some(report), _) => by_report(case, report, condition)?,
        (None, Some((mark, _))) => {
            let arrived = |write: &&Write| {
                write.mark == Some(mark.exchange)
                    && write.method == case.exchange.request.method
                    && write.condition == Some(condition)
                    && same_body(&write.body, &case.exchange.request_body).is_some()
            };
            let attempt = case.resource?.writes.iter().rev().find(arrived)?;
            let confidence = match attempt.outcome {
                WriteOutcome::Applied { .. } => Confidence::Proven,
                WriteOutcome::ClientGone | WriteOutcome::NoAnswer => may_have_been_applied(case, attempt)?,
            };
            (confidence, Evidence::wrote(attempt, case.client(), false))
        }
        (None, None) => return None,
    };
    let says = "The same request, by its mark, arrived more than once; the client had sent it once.";
    let evidence = vec![fact, Evidence::Fact { kind: "arrived-again", says }, case.named_evidence()];
    let finding = Finding::new(confidence.min(most), evidence).detail("by-gateway").party(Party::Gateway);
    Some(finding.advise(case, KeepFrom::Resending))
}

/// The client was refused, asks the same again, and the instance at the origin has seen that it was applied before.
fn refused_again(case: &Case<'_>) -> Option<Finding> {
    let refusal = case.refused_before()?;
    case.testimony.own_report().filter(|report| is_repetition_there(report))?;
    let says = "The instance at the origin saw a repetition in this request.";
    let before = Evidence::RefusedBefore { times: refusal.times, at: refusal.at };
    let evidence = vec![Evidence::Fact { kind: "repeated", says }, before, case.named_evidence()];
    Some(Finding::new(Confidence::Likely.min(case.testimony.most), evidence).detail("by-client"))
}

fn is_repetition_there(report: &Report) -> bool {
    report.status == 412 && report.cause.as_deref() == Some(CAUSE.id)
}

/// What the report of an outer instance's exchange says of earlier arrivals of the same request.
fn by_report(case: &Case<'_>, report: &Report, condition: u128) -> Option<(Confidence, Evidence)> {
    if let Some(status) = far_side::arrived_before(case.exchange, report) {
        let fact = Evidence::OriginAnswered { status, earlier: true, later: false };
        return matches!(status, 200..=299).then_some((Confidence::Proven, fact));
    }
    // The other instance saw a repetition, and the client has sent it only once: the outcome of the first is not known.
    let seen_there = is_repetition_there(report) && case.refused_before().is_none();
    let writes = case.resource.map(|resource| resource.writes.as_slice()).unwrap_or_default();
    let sent_before = writes.iter().any(|write| write.condition == Some(condition));
    let says = "The instance at the origin saw a repetition in this request, and the client has sent it only once.";
    (seen_there && !sent_before).then_some((Confidence::Likely, Evidence::Fact { kind: "repeated", says }))
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
