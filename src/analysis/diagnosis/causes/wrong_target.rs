//! The validator belongs to another resource than the one it was sent for.

use crate::analysis::diagnosis::{Case, Cause, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::memory::is_distinctive;
use crate::analysis::resource::path_of;
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "wrong-target",
    party: Party::Client,
    other_parties: &[],
    title: "The condition was sent for another resource than the tag belongs to",
    explanation: "The validator was given out for another resource, or the condition is judged against another one \
        than the client had in mind: the URL of a chunk instead of the file, the source of a MOVE or COPY instead \
        of its destination, a list of keys that slipped by one. It cannot match there, whatever version the meant \
        resource has.",
    example: r#"client  GET /files/a -> 200 | ETag: "a-1"
client  PUT /files/b | If-Match: "a-1" -> 412"#,
    fix: &[
        "Keep each validator beside the URL it came with, and send it only there.",
        "Name the resource that is meant for MOVE and COPY with the WebDAV `If` field and its tagged list, since \
            If-Match is about the source; for chunked uploads send the condition with the step that assembles the \
            file.",
    ],
    specification: &["RFC 9110 §8.8.3", "RFC 4918 §10.4.2"],
    details: &[],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let tags = case.if_match();
    let tag = tags.first().copied()?;
    // What this resource has shown, or shows now, is its own.
    if tags.iter().any(|tag| case.is_known(*tag)) || case.named().is_some_and(|named| named.weak_eq(&tag)) {
        return None;
    }
    let sent = case.sent(FieldName::IfMatch);
    let path = path_of(&case.exchange.request.target);
    let method = case.exchange.request.method.as_str();
    if is_chunk(path) {
        let says = "The path is that of a chunk of an upload, which has no version of its own.";
        return Some(Finding::new(Confidence::Likely, vec![sent, Evidence::Fact { kind: "chunk", says }]));
    }
    // The same path under another name of the host, or with another slash, is hardly another resource.
    let is_alias = |other: &[u8]| other.strip_suffix(b"/").unwrap_or(other) == path.strip_suffix(b"/").unwrap_or(path);
    let issued = case.elsewhere.issued.iter().find(|issued| tags.iter().any(|tag| *tag.opaque == *issued.opaque));
    if let Some(issued) = issued.filter(|issued| is_distinctive(&issued.opaque) && !is_alias(&issued.path)) {
        let confidence = if issued.several { Confidence::Possible } else { Confidence::Likely };
        let there = Evidence::Elsewhere { value: issued.opaque.to_vec(), path: issued.path.to_vec(), at: issued.at };
        return Some(Finding::new(confidence, vec![sent, there, case.named_evidence()]));
    }
    // RFC 4918 §9.9: If-Match of a MOVE is judged against its source. Uploads in pieces end with one.
    (method == "MOVE" && path.ends_with(b"/.file")).then(|| {
        let says = "The source of the MOVE is an assembled upload; the tag is that of a file that it is to replace.";
        Finding::new(Confidence::Likely, vec![sent, Evidence::Fact { kind: "move", says }])
    })
}

/// Chunk URLs of ownCloud (`NAME-chunking-TRANSFER-COUNT-INDEX`) and Nextcloud (`/uploads/USER/TRANSFER/INDEX`).
fn is_chunk(path: &[u8]) -> bool {
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let last = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let mut pieces = last.rsplitn(5, |byte| *byte == b'-');
    let numbers = pieces.by_ref().take(3).filter(|piece| is_number(piece)).count();
    let is_old = numbers == 3 && pieces.next() == Some(b"chunking");
    let is_new = path.windows(9).any(|window| window == b"/uploads/") && is_number(last);
    is_old || is_new
}
