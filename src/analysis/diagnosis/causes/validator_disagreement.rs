//! The tag handed out and the tag judged against come from different places.

use crate::analysis::diagnosis::{Case, Cause, Detail};
use crate::analysis::judgement::{Finding, Party};

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "validator-disagreement",
    party: Party::Origin,
    title: "The service hands out one tag and judges against another",
    explanation: "The tag was handed out for this resource, nothing was written since, and it is refused; the tag \
        that the service judges by comes from another representation or another component than the one that issued \
        it. The same request with the other representation selected, or the tag that the refusal itself carries, \
        shows it.",
    example: r#"client  GET /r/1 | Accept: application/vnd.v2+json -> 200 | ETag: "h2"
client  PATCH /r/1 | If-Match: "h2" | Accept: */* -> 412"#,
    fix: &[
        "Make one function of the service answer the question \"what is the current tag of this representation?\" \
            and use it for answers and for conditions alike.",
        "Escalate with the record: it shows which answer issued the tag and which request refused it.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §8.8.3.3"],
    details: &[
        Detail {
            id: "variant",
            explanation: "The write is judged against the representation that its own Accept, Accept-Encoding or \
                Accept-Language selects, and that is another one than was read.",
            fix: &[
                "Send the write with the same Accept fields as the read, as a workaround.",
                "Make the service judge If-Match against any current representation of the resource, or use one tag \
                    per version of the data.",
            ],
        },
        Detail {
            id: "component",
            explanation: "One component issues tags (a framework's ETag filter, a cache, a file server), another \
                judges conditions (the application, the database).",
            fix: &["Switch the generated tags off for this route and issue the application's own."],
        },
        Detail {
            id: "wrong-object",
            explanation: "The tag is that of another object, such as the collection instead of the record in it.",
            fix: &["Issue the record's own tag on the record's URL."],
        },
    ],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
