//! None of the causes fits; says what was missing to know.

use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::exchange::Role;
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::conditions::CONDITION_NAMES;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "unexplained",
    party: Party::Unknown,
    other_parties: &[],
    title: "Not enough was seen to say why this 412 happened",
    explanation: "None of the known causes fits well enough what this instance has seen of the resource. Usually \
        too little was seen: it has just started, the validator was given out before that or by another way, or \
        the deciding part lies where no instance stands: a pair, one on either side of a gateway, sees both sides of \
        it. The evidence says what was missing. Anything more \
        would be a guess, and a wrong accusation costs more than none.",
    example: r#"client  PUT /orders/7 | If-Match: "v1" -> 412   (the first that is seen of /orders/7)"#,
    fix: &[
        DIAGNOSE,
        READ,
        "Ask for the current validators: `why412 exchanges probe ID` does so once, `probe = \"get\"` on the route right \
            after each 412, through the path and around the gateway where the upstream has a `direct` address.",
    ],
    specification: &["RFC 9110 §15.5.13"],
    details: &[],
    examine,
};

const DIAGNOSE: &str = "Run `why412 diagnose` with the request as the client sends it, and with `--direct` and the way \
    around the gateway: it compares by reads alone what both ways give and answer.";
const READ: &str = "Read the resource through this instance and repeat the work once: the next 412 can then be judged \
    against what was seen.";

/// Where one instance stands alone.
const PAIR: &str = "Pair a second instance on the other side of the gateway, with a shared secret: what was altered or \
    answered on the way is then proven.";
/// Where the other instance of a pair should have spoken.
const SILENT: &str = "Find out why no word of the other instance of the pair came with this exchange: it does not run, \
    it has another secret, or a gateway drops fields that it does not know; the page shows the state of the pair.";
/// Where it has.
const PAIRED: &str = "Look up the moment of the refusal in the service's own log: both instances of the pair have seen \
    this exchange, and why the service refused what arrived is known to it alone.";

/// Always fits. Says what was missing to know more.
fn examine(case: &Case<'_>) -> Option<Finding> {
    let mut evidence: Vec<Evidence> = CONDITION_NAMES
        .into_iter()
        .filter(|field| case.exchange.forwarded.contains(*field))
        .map(|field| case.sent(field))
        .collect();
    evidence.push(case.named_evidence());
    let tags = case.if_match();
    let unknown = !tags.is_empty() && !tags.iter().any(|tag| case.is_known(*tag));
    if unknown {
        evidence.push(Evidence::Missing {
            what: "Who was given this tag, and when, was not seen: a read through this instance before the write \
                would show it.",
        });
    }
    if case.named().is_none() {
        evidence
            .push(Evidence::Missing { what: "What is current is not known: a read after the refusal would show it." });
    }
    // Where the other instance has spoken, nothing of that kind is left to know.
    let has_spoken = case.testimony.own_report().is_some() || case.exchange.far_side.mark.is_some();
    if !has_spoken {
        evidence.push(Evidence::Missing {
            what: "Whether a gateway altered or answered something is not known from one instance: a pair, one on \
                either side of it, would show it.",
        });
    }
    let fix = match case.exchange.role {
        Role::Outer | Role::Inner if has_spoken => vec![PAIRED],
        Role::Outer | Role::Inner => vec![SILENT],
        Role::Alone => vec![DIAGNOSE, READ, PAIR],
    };
    Some(Finding { fix, ..Finding::new(Confidence::Possible, evidence) })
}
