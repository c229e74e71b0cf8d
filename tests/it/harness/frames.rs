//! Frames of HTTP/2 (RFC 9113 §4), written and read by the byte, for what no library would send.

use super::wire::Wire;

/// RFC 9113 §3.4.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;

pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// A frame as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The code of RST_STREAM or GOAWAY.
    pub(crate) fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

/// A frame to send.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A HEADERS frame of literal lines, or with `flags` that say that more is to come.
pub(crate) fn headers(flags: u8, stream: u32, lines: &[(&str, &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in lines {
        // RFC 7541 §6.2.2: a literal without indexing, with a new name.
        block.push(0);
        string(&mut block, name.as_bytes());
        string(&mut block, value);
    }
    frame(HEADERS, flags | END_HEADERS, stream, &block)
}

/// The answer `:status: 200` without more, from the static table.
pub(crate) fn ok(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &[0x88])
}

/// GOAWAY (RFC 9113 §6.8).
pub(crate) fn goaway(last: u32, code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
}

/// The next frame; a failure if the other side has ended.
pub(crate) fn next(wire: &mut Wire) -> std::io::Result<Frame> {
    let head = wire.exactly(9)?;
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    let stream = u32::from_be_bytes(head[5..9].try_into().unwrap()) & 0x7fff_ffff;
    Ok(Frame { kind: head[3], flags: head[4], stream, payload: wire.exactly(length)? })
}

/// The next frame of one of these kinds.
#[track_caller]
pub(crate) fn next_of(wire: &mut Wire, kinds: &[u8]) -> Frame {
    loop {
        let frame = next(wire).expect("one more frame");
        if kinds.contains(&frame.kind) {
            return frame;
        }
    }
}

/// The server's beginning: the client's preface is read, SETTINGS are sent.
pub(crate) fn accept(wire: &mut Wire) {
    assert_eq!(wire.exactly(PREFACE.len()).unwrap(), PREFACE);
    wire.send(frame(SETTINGS, 0, 0, &[]));
}

/// The client's beginning.
pub(crate) fn begin(wire: &mut Wire) {
    wire.send([PREFACE, &frame(SETTINGS, 0, 0, &[])].concat());
}

/// RFC 7541 §5.2, not Huffman-coded.
fn string(block: &mut Vec<u8>, bytes: &[u8]) {
    if let Some(short) = u8::try_from(bytes.len()).ok().filter(|length| *length < 127) {
        block.push(short);
    } else {
        block.push(127);
        let mut rest = bytes.len() - 127;
        while rest >= 128 {
            block.push((rest % 128) as u8 | 128);
            rest /= 128;
        }
        block.push(rest as u8);
    }
    block.extend_from_slice(bytes);
}
