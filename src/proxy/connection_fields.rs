//! The fields that belong to one connection and not to the message (RFC 9110 §7.6.1): read, removed, issued anew.

use crate::analysis::semantics::fields::{FieldLine, FieldName, FieldSet, Fields};
use crate::analysis::semantics::message::ResponseHead;
use crate::proxy::http1::framing::BodyLength;

/// What the `Connection` lines of a message say, all of them gathered.
#[derive(Debug, Default)]
pub(super) struct ConnectionOptions {
    /// `close`
    pub(super) close: bool,
    /// `keep-alive`, which HTTP/1.0 needs to persist.
    pub(super) keep_alive: bool,
    /// `upgrade`
    pub(super) upgrade: bool,
    /// Field names that the sender nominated as belonging to the connection.
    nominated: Vec<Box<[u8]>>,
}

/// Names that never travel beyond a connection, nominated or not.
const CONNECTION_FIELDS: FieldSet = FieldSet::of(&[
    FieldName::Connection,
    FieldName::ProxyConnection,
    FieldName::KeepAlive,
    FieldName::Te,
    FieldName::Upgrade,
    FieldName::Http2Settings,
]);

/// Our own names: what arrives under them was not expected, and stops here.
const OWN_FIELDS: FieldSet = FieldSet::of(&[FieldName::Why412Pair, FieldName::Why412Report, FieldName::Why412Bypass]);

/// Names that no nomination can remove: without them the message could not be delivered, or would be another one.
const PROTECTED_FIELDS: FieldSet =
    FieldSet::of(&[FieldName::Host, FieldName::ContentLength, FieldName::TransferEncoding]);

impl ConnectionOptions {
    /// Reads every `Connection` line.
    pub(super) fn of(fields: &Fields) -> Self {
        let mut options = Self::default();
        let tokens = fields.all(FieldName::Connection).flat_map(|value| value.split(|byte| *byte == b','));
        for token in tokens.map(<[u8]>::trim_ascii).filter(|token| !token.is_empty()) {
            if token.eq_ignore_ascii_case(b"close") {
                options.close = true;
            } else if token.eq_ignore_ascii_case(b"keep-alive") {
                options.keep_alive = true;
            } else if token.eq_ignore_ascii_case(b"upgrade") {
                options.upgrade = true;
            } else {
                options.nominated.push(token.into());
            }
        }
        options
    }

    fn removes(&self, line: FieldLine<'_>) -> bool {
        CONNECTION_FIELDS.contains(line.name)
            || OWN_FIELDS.contains(line.name)
            || is_own_name(line.name_bytes)
            || (!PROTECTED_FIELDS.contains(line.name)
                && self.nominated.iter().any(|name| name.eq_ignore_ascii_case(line.name_bytes)))
    }
}

/// The fields of a request as they go on, `None` where they go on as they came; and whether it still asks for another
/// protocol.
pub(super) fn forwarded_request(fields: &Fields, options: &ConnectionOptions) -> (Option<Fields>, bool) {
    if !needs_removal(fields) {
        return (None, false);
    }
    let mut forwarded = fields.clone();
    let upgrade = options.upgrade && upgrades(fields).is_some();
    forwarded.retain(|line| !options.removes(line));
    // RFC 9110 §10.1.4: TE is issued anew for the next connection; only trailers can be promised.
    let trailers = te_trailers(fields);
    if trailers {
        forwarded.push(b"TE", b"trailers");
    }
    match (upgrade, trailers) {
        (true, true) => forwarded.push(b"Connection", b"upgrade, TE"),
        (true, false) => forwarded.push(b"Connection", b"upgrade"),
        (false, true) => forwarded.push(b"Connection", b"TE"),
        (false, false) => {}
    }
    if upgrade {
        for value in fields.all(FieldName::Upgrade) {
            forwarded.push(b"Upgrade", value);
        }
    }
    (Some(forwarded), upgrade)
}

/// The fields of a response as they go on, before the framing of the next connection is settled; `None` where they go
/// on as they came.
pub(super) fn forwarded_response(status: u16, fields: &Fields, options: &ConnectionOptions) -> Option<Fields> {
    if !needs_removal(fields) {
        return None;
    }
    let mut forwarded = fields.clone();
    forwarded.retain(|line| !options.removes(line));
    // RFC 9110 §15.2.2 and §15.5.22: these two say in Upgrade what they are about.
    if matches!(status, 101 | 426) {
        forwarded.push(b"Connection", b"upgrade");
        for value in fields.all(FieldName::Upgrade) {
            forwarded.push(b"Upgrade", value);
        }
    }
    Some(forwarded)
}

/// The fields of an informational response as they go on. It has no body, and says nothing of one (RFC 9110 §8.6, RFC
/// 9112 §6.1): a client that believed it would wait for one.
pub(super) fn forwarded_informational(head: &ResponseHead) -> Option<Fields> {
    let fields = &head.fields;
    let mut forwarded = forwarded_response(head.status, fields, &ConnectionOptions::of(fields));
    if fields.contains(FieldName::ContentLength) || fields.contains(FieldName::TransferEncoding) {
        let framing = FieldSet::of(&[FieldName::ContentLength, FieldName::TransferEncoding]);
        copy(fields, &mut forwarded).retain(|line| !framing.contains(line.name));
    }
    forwarded
}

/// The fields of a trailer section as they go on: nothing in it may speak of the connection or of the framing (RFC 9110
/// §6.5.1), and nothing under our own names passes.
pub(super) fn forwarded_trailers(mut trailers: Fields) -> Fields {
    let options = ConnectionOptions::default();
    trailers.retain(|line| !PROTECTED_FIELDS.contains(line.name) && !options.removes(line));
    trailers
}

/// Makes the framing fields say how the body goes on: an unknown length becomes chunks where the receiver reads them.
/// `forwarded` is the copy to change, made of `fields` where there is none yet.
pub(super) fn frame(fields: &Fields, forwarded: &mut Option<Fields>, incoming: BodyLength, outgoing: BodyLength) {
    let present = |name, forwarded: &Option<Fields>| forwarded.as_ref().unwrap_or(fields).contains(name);
    // RFC 9112 §6.3 rule 3: a Content-Length beside chunks is wrong and must not go on.
    if incoming == BodyLength::Chunked && present(FieldName::ContentLength, forwarded) {
        copy(fields, forwarded).retain(|line| line.name != FieldName::ContentLength);
    }
    // How the coding was spelled is no part of the message: not every reader knows `Chunked`. And what HTTP/1.0 says in
    // Transfer-Encoding frames nothing (RFC 9112 §6.1), so that it must not frame what we send.
    let respelled = |value: &[u8]| value.eq_ignore_ascii_case(b"chunked") && value != b"chunked";
    let foreign = incoming != BodyLength::Chunked && present(FieldName::TransferEncoding, forwarded);
    if foreign || (outgoing == BodyLength::Chunked && fields.all(FieldName::TransferEncoding).any(respelled)) {
        copy(fields, forwarded).retain(|line| line.name != FieldName::TransferEncoding);
    }
    match (outgoing == BodyLength::Chunked, present(FieldName::TransferEncoding, forwarded)) {
        (true, false) => copy(fields, forwarded).push(b"Transfer-Encoding", b"chunked"),
        (false, true) => copy(fields, forwarded).retain(|line| line.name != FieldName::TransferEncoding),
        (true, true) | (false, false) => {}
    }
}

/// The copy of `fields` that may be changed, made now if there is none yet.
pub(super) fn copy<'a>(fields: &Fields, forwarded: &'a mut Option<Fields>) -> &'a mut Fields {
    forwarded.get_or_insert_with(|| fields.clone())
}

/// The protocols a request asks to change to. `h2c` is not among them: it would take this proxy out of the exchange
/// (RFC 9113 §3.1 has given it up).
fn upgrades(fields: &Fields) -> Option<()> {
    let mut protocols = fields.all(FieldName::Upgrade).flat_map(|value| value.split(|byte| *byte == b','));
    let first = protocols.next()?;
    let h2c = |protocol: &[u8]| protocol.trim_ascii().eq_ignore_ascii_case(b"h2c");
    (!h2c(first) && !protocols.any(h2c)).then_some(())
}

/// A line under our prefix that is none of the three names is of a version to come; it stops here, too.
pub(super) fn is_own_name(name: &[u8]) -> bool {
    name.get(..7).is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"why412-"))
}

fn needs_removal(fields: &Fields) -> bool {
    fields.present().intersects(CONNECTION_FIELDS)
        || fields.present().intersects(OWN_FIELDS)
        || fields.iter().any(|line| line.name == FieldName::Other && is_own_name(line.name_bytes))
}

fn te_trailers(fields: &Fields) -> bool {
    fields
        .all(FieldName::Te)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[(&str, &str)], expected: &[(&str, &str)]) {
        let fields: Fields = lines.iter().copied().collect();
        let (forwarded, _) = forwarded_request(&fields, &ConnectionOptions::of(&fields));
        let forwarded = forwarded.unwrap_or_else(|| fields.clone());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let lines: Vec<_> = forwarded.iter().map(|line| (text(line.name_bytes), text(line.value))).collect();
        let lines: Vec<_> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn every_connection_line_counts() {
        check(
            &[("Connection", "X-A"), ("X-A", "1"), ("x-b", "2"), ("Connection", "close, X-B"), ("X-C", "3")],
            &[("X-C", "3")],
        );
        check(&[("Connection", "If-Match"), ("If-Match", "\"a\"")], &[]);
        check(&[("Connection", "host"), ("Host", "a")], &[("Host", "a")]);
        check(&[("Keep-Alive", "5"), ("Proxy-Connection", "x"), ("TE", "gzip")], &[]);
    }

    #[test]
    fn trailers_and_upgrades_are_issued_anew() {
        check(&[("TE", "gzip, trailers"), ("Connection", "TE")], &[("TE", "trailers"), ("Connection", "TE")]);
        check(
            &[("Connection", "Upgrade"), ("Upgrade", "websocket")],
            &[("Connection", "upgrade"), ("Upgrade", "websocket")],
        );
        check(&[("Upgrade", "websocket")], &[]);
        check(&[("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "x")], &[]);
    }

    #[test]
    fn fields_of_our_own_stop_here() {
        check(&[("Why412-Bypass", "t"), ("why412-pair", "p"), ("Why412-Later", "l"), ("Why", "w")], &[("Why", "w")]);
    }

    #[test]
    fn connection_lines_of_a_client_in_its_own_spelling_are_kept_from_the_origin() {
        let fields: Fields = [("connection", "Close"), ("CONNECTION", "keep-alive")].into_iter().collect();
        let options = ConnectionOptions::of(&fields);
        assert!(options.close && options.keep_alive && !options.upgrade);
    }
}
