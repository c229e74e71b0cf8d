//! The condition was false by what was known, and the request succeeded.

use crate::analysis::diagnosis::{Case, Detail, Hazard};
use crate::analysis::judgement::Finding;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "precondition-not-enforced",
    title: "The service carried out a write although its precondition was false",
    explanation: "By everything that was seen, the condition of this write did not hold: the resource had another \
        validator than the one sent. The write succeeded all the same. Clients believe that they are protected from \
        overwriting each other, and are not.",
    example: r#"bob    PUT /notes/1 | If-Match: "n1" -> 204 | ETag: "n2"
alice  PUT /notes/1 | If-Match: "n1" -> 204 | ETag: "n3""#,
    fix: &[
        "Make the service judge If-Match, If-None-Match and If-Unmodified-Since before it writes, in the same \
            transaction as the write.",
        "Check file servers and WebDAV modules: some implement no If-Unmodified-Since, or no conditions on PUT at \
            all.",
        "Compare the stored content with what both clients wrote; the first write is probably gone.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §13.2.1"],
    details: &[
        Detail {
            id: "star-as-tag",
            explanation: "`If-None-Match: *` was taken for a tag named `*`: a create replaced what existed.",
            fix: &["Handle `*` before comparing tags (RFC 9110 §13.1.2)."],
        },
        Detail {
            id: "weak-match-accepted",
            explanation: "A weak tag was accepted in If-Match, which compares strongly.",
            fix: &[
                "Compare strongly in If-Match, or set `comparison = \"weak\"` on the route where weak tags are the \
                    API's design.",
            ],
        },
        Detail {
            id: "ignored",
            explanation: "The service seems not to look at this condition at all.",
            fix: &["Implement the condition, or refuse what cannot be judged; until then offer clients one that is \
                    judged."],
        },
    ],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
