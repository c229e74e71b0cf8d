//! One strong tag names two different representations.

use crate::analysis::diagnosis::{Case, Hazard};
use crate::analysis::judgement::Finding;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "shared-strong-tag",
    title: "One strong ETag names two different representations",
    explanation: "The same strong tag came with two different content codings or media types. A strong tag promises \
        identical bytes; a client that resumes a download, or a cache that stores variants, will join parts of the \
        two.",
    example: r#"client  GET /f.tif | Accept-Encoding: gzip -> 200 | ETag: "s" | Content-Encoding: gzip
client  GET /f.tif | Range: bytes=5000- | If-Range: "s" -> 206 | ETag: "s""#,
    fix: &[
        "Give each encoding its own strong tag where it is produced, or a weak one; and send `Vary: \
            Accept-Encoding`.",
        "Switch compression off for content that is fetched in ranges (downloads, media): it is mostly compressed \
            already.",
        "Review `DeflateAlterETag NoChange` and `BrotliAlterETag NoChange` in Apache httpd: they keep writes \
            working at this price, so use them on routes that are written, not on downloads.",
    ],
    specification: &["RFC 9110 §8.8.1", "RFC 9110 §8.8.3.3"],
    details: &[],
    examine,
};

fn examine(_case: &Case<'_>) -> Option<Finding> {
    None
}
