//! A legal condition was itself refused.

use crate::analysis::diagnosis::{Case, Hazard};
use crate::analysis::judgement::Finding;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "precondition-rejected",
    title: "A correct precondition was refused as if it were an error",
    explanation: "The condition was well-formed and legal, and the answer was an error that is neither success nor \
        412: a server error, or a 400 that the request's content does not explain. Something on the way cannot read \
        this condition. Clients then tend to leave it out, and lose their protection.",
    example: r#"client  PUT /x | If-None-Match: * -> 400"#,
    fix: &[
        "Correct or update the component that cannot read the condition; run the same request by the direct address \
            to see whether it is the gateway or the service.",
        "Keep the condition in the client and report the error: leaving it out turns a visible failure into silent \
            overwriting.",
    ],
    specification: &["RFC 9110 §13.1", "RFC 9110 §13.2.1"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
