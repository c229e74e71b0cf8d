//! Range with a current If-Range got 200, or with an old or weak one got 206.

use crate::analysis::diagnosis::{Case, Detail, Hazard};
use crate::analysis::judgement::Finding;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "if-range-ignored",
    title: "If-Range was not judged: a partial answer does not fit the copy",
    explanation: "If-Range asks for the rest of a download only if it is still the same version, and for the whole \
        otherwise. Here the answer was the other one of the two: a part of another version (the client's file is \
        now corrupt), or the whole although the part would have done.",
    example: r#"client  GET /disk.img | Range: bytes=500- | If-Range: "d1" -> 206 | ETag: "d2""#,
    fix: &[
        "Judge If-Range by strong comparison before a range is served (RFC 9110 §13.1.5); where it is false, send \
            the whole.",
        "Verify downloads that were resumed by a checksum until that is done.",
    ],
    specification: &["RFC 9110 §13.1.5", "RFC 9110 §14.2"],
    details: &[
        Detail {
            id: "current-got-200",
            explanation: "The validator was current and the whole was sent again: time and bandwidth are lost, no \
                data.",
            fix: &[
                "Check whether a compressor on the way removes `Accept-Ranges` or ignores Range; switch it off for \
                    this content.",
            ],
        },
        Detail {
            id: "old-got-206",
            explanation: "The validator was out of date and a part came: the client's file is now joined from two \
                versions.",
            fix: &["Fetch the whole again, and treat files resumed this way as corrupt."],
        },
        Detail {
            id: "weak-got-206",
            explanation: "The validator was weak, which promises nothing about bytes, and a part came.",
            fix: &["Issue strong tags for what is served in ranges."],
        },
    ],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
