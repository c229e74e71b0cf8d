//! Compression, and what it does to the tag.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::lists;
use crate::demo::wire::text;

/// Smaller bodies are not worth it.
const BYTES_MIN: usize = 200;

/// Compresses an answer for a client that accepts it; `renamed` says what becomes of its tag. Refusals and confirmations
/// pass as they are, with the tag as the origin gave it.
pub(super) fn compress(asked: &HeaderMap, response: &mut Response<Bytes>, renamed: fn(&str) -> String) {
    let fields = response.headers();
    let is_json = text(fields, "content-type").is_some_and(|kind| kind.starts_with("application/json"));
    let is_encoded = fields.contains_key(header::CONTENT_ENCODING);
    if response.status() != StatusCode::OK || !is_json || is_encoded || response.body().len() < BYTES_MIN {
        return;
    }
    // The answer depends on it, whatever this client accepts (RFC 9110 §12.5.5).
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if !lists(asked, header::ACCEPT_ENCODING, "gzip") {
        return;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let Ok(body) = encoder.write_all(response.body()).and_then(|()| encoder.finish()) else { return };
    let tag = text(response.headers(), "etag").map(renamed).and_then(|tag| tag.parse().ok());
    if let Some(tag) = tag {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    *response.body_mut() = body.into();
}

/// `W/"v1"`
pub(super) fn weakened(tag: &str) -> String {
    if tag.starts_with("W/") { tag.to_owned() } else { format!("W/{tag}") }
}

/// `"v1-gzip"`
pub(super) fn suffixed(tag: &str) -> String {
    tag.strip_suffix('"').map_or_else(|| tag.to_owned(), |head| format!("{head}-gzip\""))
}
