//! What HTTP/2 has in common on both sides of the proxy: how its field sections become ours and back, and one
//! direction each of a stream. The framing itself is the `h2` library's.

pub(super) mod receive;
pub(super) mod request;
pub(super) mod send;
pub(super) mod server;

use h2::Reason;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::http1::head::{HeadFault, HeadLimits};
use crate::analysis::semantics::fields::{FieldName, FieldSet, Fields};

/// How much of a body is received ahead of whoever takes it, in bytes per stream. What a connection receives ahead is
/// this much for all the streams it may have: one that stalls never takes another one's room.
pub(super) const STREAM_WINDOW: u32 = 128 * 1024;

/// How much of a body is kept that was sent and not yet written, in bytes per stream.
pub(super) const SEND_BUFFER: usize = 64 * 1024;

/// The window of a connection with at most `streams` streams.
pub(super) fn connection_window(streams: u32) -> u32 {
    const MOST: u32 = (1 << 31) - 1;
    STREAM_WINDOW.saturating_mul(streams.max(1)).min(MOST)
}

/// The size up to which the library hands over a header section, where heads may have `bytes`. What is larger than that
/// is refused and counted by us, as it is in HTTP/1.1; what is larger than this never becomes a section at all.
pub(super) fn section_bytes_max(bytes: usize) -> u32 {
    u32::try_from(bytes.saturating_mul(2)).unwrap_or(u32::MAX)
}

/// Checks a header section against the limits of heads, its size as HTTP/1.1 writes it.
///
/// # Errors
/// [`HeadFault::TooLarge`].
pub(super) fn check_size(map: &HeaderMap, limits: HeadLimits) -> Result<(), HeadFault> {
    let bytes: usize = map.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum();
    if bytes > limits.bytes || map.len() > limits.fields { Err(HeadFault::TooLarge) } else { Ok(()) }
}

/// Names that HTTP/2 has no fields for (RFC 9113 §8.2.2), or other ones.
const LEFT_OUT: FieldSet = FieldSet::of(&[
    FieldName::Connection,
    FieldName::KeepAlive,
    FieldName::ProxyConnection,
    FieldName::TransferEncoding,
    FieldName::Upgrade,
    FieldName::Http2Settings,
]);

/// RFC 7541 §7.1.3: no table of a connection that others share keeps a signature.
const NEVER_INDEXED: FieldSet = FieldSet::of(&[FieldName::Why412Pair, FieldName::Why412Report]);

/// The fields as HTTP/2 carries them: lower case, nothing that belongs to a connection.
pub(super) fn map_of(fields: &Fields) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(fields.len());
    let lines = fields.iter().zip(fields.never_indexed());
    for (line, never_indexed) in lines.filter(|(line, _)| !LEFT_OUT.contains(line.name)) {
        let name = HeaderName::from_bytes(line.name_bytes);
        // What HTTP/1.1 let in, HTTP/2 can carry: both have the same tokens and forbid the same controls.
        if let (Ok(name), Ok(mut value)) = (name, HeaderValue::from_bytes(line.value)) {
            value.set_sensitive(never_indexed || NEVER_INDEXED.contains(line.name));
            map.append(name, value);
        }
    }
    map
}

/// The fields of a section, in the order of their names' first lines.
pub(super) fn fields_of(map: &HeaderMap) -> Fields {
    let bytes: usize = map.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let mut fields = Fields::with_capacity(bytes + 64, map.len() + 4);
    for (name, value) in map {
        push(&mut fields, name.as_str(), value);
    }
    fields
}

/// Adds a line. What its sender wants no table to keep, nobody behind us keeps in one either (RFC 7541 §6.2.3).
fn push(fields: &mut Fields, name: &str, value: &HeaderValue) {
    if value.is_sensitive() {
        fields.push_never_indexed(name.as_bytes(), value.as_bytes());
    } else {
        fields.push(name.as_bytes(), value.as_bytes());
    }
}

/// The code with which a client's stream is reset when the upstream's was by `reason`: what speaks of the exchange is
/// passed on, what speaks of the other connection is not.
pub(super) fn passed_on(reason: Reason) -> Reason {
    const OF_THE_EXCHANGE: [Reason; 4] =
        [Reason::CANCEL, Reason::REFUSED_STREAM, Reason::ENHANCE_YOUR_CALM, Reason::INADEQUATE_SECURITY];
    if OF_THE_EXCHANGE.contains(&reason) { reason } else { Reason::INTERNAL_ERROR }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_connection_is_carried_and_signatures_are_never_indexed() {
        let fields: Fields = [
            ("Connection", "x"),
            ("X-Own", "1"),
            ("Transfer-Encoding", "chunked"),
            ("WHY412-pair", "s"),
            ("x-own", ""),
        ]
        .into_iter()
        .collect();
        let map = map_of(&fields);
        let lines: Vec<_> = map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(lines, [("x-own", &b"1"[..]), ("x-own", b""), ("why412-pair", b"s")]);
        assert_eq!(map.values().map(HeaderValue::is_sensitive).collect::<Vec<_>>(), [false, false, true]);
    }

    #[test]
    fn what_no_table_may_keep_stays_so() {
        let mut secret = HeaderValue::from_static("s");
        secret.set_sensitive(true);
        let map = HeaderMap::from_iter([
            (HeaderName::from_static("x-open"), HeaderValue::from_static("o")),
            (HeaderName::from_static("x-secret"), secret),
        ]);
        let mut fields = fields_of(&map);
        fields.retain(|line| line.name_bytes != b"x-open");
        fields.push(b"x-later", b"l");
        let map = map_of(&fields.clone());
        let marked: Vec<_> = map.iter().map(|(name, value)| (name.as_str(), value.is_sensitive())).collect();
        assert_eq!(marked, [("x-secret", true), ("x-later", false)]);
    }

    #[test]
    fn a_window_for_every_stream_fits_the_connection() {
        assert_eq!(connection_window(100), 100 * STREAM_WINDOW);
        assert_eq!(connection_window(65_536), (1 << 31) - 1);
    }
}
