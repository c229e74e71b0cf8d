//! None of the causes fits; says what was missing to know.

use crate::analysis::diagnosis::{Case, Cause};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "unexplained",
    party: Party::Unknown,
    title: "Not enough was seen to say why this 412 happened",
    explanation: "None of the known causes fits what this instance has seen of the resource. Usually too little was \
        seen: it has just started, the validator was given out before that or by another way, or the deciding part \
        lies on the other side of a gateway. The evidence says what was missing. Anything more would be a guess, \
        and a wrong accusation costs more than none.",
    example: r#"client  PUT /orders/7 | If-Match: "v1" -> 412   (the first that is seen of /orders/7)"#,
    fix: &[
        "Read the resource through this instance and repeat the work once: the next 412 can then be judged against \
            what was seen.",
        "Pair a second instance on the other side of the gateway, with a shared secret: what was altered or \
            answered on the way is then proven.",
        "Set `probe = \"get\"` on the route, or run `why412 diagnose URL`, to learn the current validators right \
            after the refusal.",
    ],
    specification: &["RFC 9110 §15.5.13"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
