//! Writing heads and bodies. Small pieces are gathered into one write; large ones go out as they are.

use std::io::{self, Write as _};
use std::rc::Rc;
use std::time::Duration;

use super::framing::BodyLength;
use super::head::absolute_authority;
use crate::analysis::semantics::fields::{FieldLine, FieldName, Fields};
use crate::analysis::semantics::message::{RequestHead, Version};
use crate::proxy::alarm::Alarm;
use crate::proxy::io::{Buffers, WriteHalf};

/// A writing half with the bytes that wait to be written.
pub(in crate::proxy) struct Writer {
    half: WriteHalf,
    buffers: Rc<Buffers>,
    staged: Vec<u8>,
    length: BodyLength,
    alarm: Alarm,
    /// How long a peer may take nothing.
    stall: Duration,
    /// The system may have taken a byte of the message.
    touched: bool,
}

/// Pieces up to this size are copied behind what is staged, in bytes: a copy costs less than a system call.
const GATHER_MAX: usize = 16 * 1024;

impl Writer {
    /// A writer with nothing staged.
    pub(in crate::proxy) fn new(half: WriteHalf, stall: Duration, buffers: Rc<Buffers>) -> Self {
        Self {
            half,
            buffers,
            staged: Vec::new(),
            length: BodyLength::Empty,
            alarm: Alarm::default(),
            stall,
            touched: false,
        }
    }

    /// Stages the head of a request with these fields in place of its own; its body will have that length.
    pub(in crate::proxy) fn stage_request(&mut self, head: &RequestHead, fields: &Fields, length: BodyLength) {
        self.begin(length);
        request_head(&mut self.staged, head, fields);
    }

    /// Stages the head of a response, informational ones included; its body will have that length.
    pub(in crate::proxy) fn stage_response(&mut self, status: u16, reason: &[u8], fields: &Fields, length: BodyLength) {
        self.begin(length);
        response_head(&mut self.staged, status, reason, fields);
    }

    fn begin(&mut self, length: BodyLength) {
        self.length = length;
        self.touched = false;
        if self.staged.capacity() == 0 {
            self.staged = self.buffers.take();
            self.staged.clear();
        }
    }

    /// Takes a piece of the body, in the body's framing. Small pieces wait for [`Writer::flush`] or [`Writer::end`], so
    /// that a head and a short body leave in one write; large ones are written at once.
    ///
    /// # Errors
    /// The connection's error; `TimedOut` if the peer takes nothing for too long.
    pub(in crate::proxy) async fn gather(&mut self, bytes: &[u8]) -> io::Result<()> {
        let chunked = self.length == BodyLength::Chunked;
        if chunked {
            let _ = write!(self.staged, "{:x}\r\n", bytes.len());
        }
        if bytes.len() <= GATHER_MAX {
            self.staged.extend_from_slice(bytes);
        } else {
            self.flush().await?;
            self.touched = true;
            Self::write(&mut self.half, &mut self.alarm, self.stall, bytes).await?;
        }
        if chunked {
            // Behind a large chunk, this goes out with what follows.
            self.staged.extend_from_slice(b"\r\n");
        }
        if self.staged.len() > GATHER_MAX { self.flush().await } else { Ok(()) }
    }

    /// Ends the body: with its trailers where the framing can carry them (RFC 9110 §6.5.1).
    ///
    /// # Errors
    /// As [`Writer::gather`].
    pub(in crate::proxy) async fn end(&mut self, trailers: Option<&Fields>) -> io::Result<()> {
        if self.length == BodyLength::Chunked {
            self.staged.extend_from_slice(b"0\r\n");
            match trailers {
                Some(trailers) => field_lines(&mut self.staged, trailers),
                None => self.staged.extend_from_slice(b"\r\n"),
            }
        }
        self.length = BodyLength::Empty;
        self.flush().await?;
        self.release();
        Ok(())
    }

    /// What follows are the bytes of a tunnel, without framing.
    pub(in crate::proxy) const fn unbound(&mut self) {
        self.length = BodyLength::UntilClose;
    }

    /// The framing of the body that is being written.
    pub(in crate::proxy) const fn length(&self) -> BodyLength {
        self.length
    }

    /// Writes what is staged.
    ///
    /// # Errors
    /// As [`Writer::gather`].
    pub(in crate::proxy) async fn flush(&mut self) -> io::Result<()> {
        if self.staged.is_empty() {
            return Ok(());
        }
        let mut bytes = self.staged.as_slice();
        let result = Self::write_all(&mut self.half, &mut self.alarm, self.stall, &mut bytes).await;
        // Only where the half holds nothing back is what it has not taken surely nowhere.
        let refused = result.is_err() && bytes.len() == self.staged.len() && !self.half.holds_back();
        self.touched |= !refused;
        self.staged.clear();
        result
    }

    /// Whether nothing of the message has left: the system has refused all of it.
    pub(in crate::proxy) const fn is_untouched(&self) -> bool {
        !self.touched
    }

    /// Ends the writing direction cleanly.
    pub(in crate::proxy) async fn finish(&mut self) {
        // A peer that is gone needs no goodbye.
        let _ = self.half.finish().await;
    }

    /// Makes the coming close a reset.
    pub(in crate::proxy) fn reset_on_close(&mut self) {
        self.half.reset_on_close();
    }

    /// The half, for a library that speaks the protocol itself. Nothing may be staged.
    pub(in crate::proxy) fn into_half(self) -> WriteHalf {
        self.half
    }

    /// Lets go of the buffer while there is nothing in it.
    fn release(&mut self) {
        if self.staged.is_empty() {
            self.buffers.give(std::mem::take(&mut self.staged));
        }
    }

    async fn write(half: &mut WriteHalf, alarm: &mut Alarm, stall: Duration, mut bytes: &[u8]) -> io::Result<()> {
        Self::write_all(half, alarm, stall, &mut bytes).await
    }

    /// Writes all of `bytes`, which is left as what the half has not taken.
    async fn write_all(half: &mut WriteHalf, alarm: &mut Alarm, stall: Duration, bytes: &mut &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = alarm.within(stall, |cx| half.poll_write(cx, bytes)).await;
            match written.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => *bytes = bytes.get(count..).unwrap_or_default(),
            }
        }
        half.flush().await
    }
}

/// Appends the head of a request with these fields in place of its own.
pub(in crate::proxy) fn request_head(bytes: &mut Vec<u8>, head: &RequestHead, fields: &Fields) {
    bytes.extend_from_slice(head.method.as_str().as_bytes());
    bytes.push(b' ');
    target(bytes, &head.target, fields);
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
    field_lines(bytes, fields);
}

/// Appends the target of a request with these fields. RFC 9112 §3.2.2 has an origin go by the authority of an
/// absolute-form and not by Host: where the configuration says another Host, only the origin-form leaves it its say.
fn target(bytes: &mut Vec<u8>, target: &[u8], fields: &Fields) {
    let named = if target.first() == Some(&b'/') { None } else { absolute_authority(target) };
    let host = fields.first(FieldName::Host);
    let Some(other) = named.filter(|named| !host.is_some_and(|host| host.eq_ignore_ascii_case(named))) else {
        return bytes.extend_from_slice(target);
    };
    let start = memchr::memmem::find(target, b"://").unwrap_or_default() + 3 + other.len();
    let path = target.get(start..).unwrap_or_default();
    if path.first() != Some(&b'/') {
        bytes.push(b'/');
    }
    bytes.extend_from_slice(path);
}

/// Appends the head of a response.
pub(in crate::proxy) fn response_head(bytes: &mut Vec<u8>, status: u16, reason: &[u8], fields: &Fields) {
    // RFC 9112 §2.3: the version is the sender's own, whatever the request had.
    let _ = write!(bytes, "{} {status} ", Version::Http11.as_str());
    bytes.extend_from_slice(reason);
    bytes.extend_from_slice(b"\r\n");
    field_lines(bytes, fields);
}

/// Appends a field section with the empty line behind it.
fn field_lines(bytes: &mut Vec<u8>, fields: &Fields) {
    for FieldLine { name_bytes, value, .. } in fields.iter() {
        bytes.extend_from_slice(name_bytes);
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    #[track_caller]
    fn check(target: &str, host: &str, expected: &str) {
        let mut bytes = Vec::new();
        super::target(&mut bytes, target.as_bytes(), &[("Host", host)].into_iter().collect());
        assert_eq!(String::from_utf8_lossy(&bytes), expected, "{target} with Host {host}");
    }

    #[test]
    fn a_target_names_nobody_else_than_host() {
        check("/a?b", "x", "/a?b");
        check("*", "x", "*");
        check("a:443", "x", "a:443");
        check("http://a/b", "A", "http://a/b");
        check("http://a:80/b?c", "x", "/b?c");
        check("https://a?c", "x", "/?c");
        check("http://a", "x", "/");
        check("/http://a/b", "x", "/http://a/b");
    }
}
