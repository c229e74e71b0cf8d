//! HTTP/1.1 (RFC 9112): the request is written byte for byte, the answer read byte for byte.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::time::timeout;

use super::{BodyEnd, Failure, Limits, Request, Stream, is_of_the_connection};
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::semantics::message::ResponseHead;
use crate::http1::chunk::chunk_size;
use crate::http1::framing::{self, BodyLength};
use crate::http1::head::{FIELDS_MAX, HeadFault, HeadLimits, parse_response};

/// One exchange on a connection that serves no other.
pub(super) struct Exchange {
    reading: ReadHalf<Box<dyn Stream>>,
    /// Kept open until the answer is read: some servers stop when a client closes its side.
    writing: WriteHalf<Box<dyn Stream>>,
    limits: Limits,
    /// Received and not yet used.
    received: Vec<u8>,
    length: BodyLength,
}

impl Exchange {
    pub(super) fn over(stream: Box<dyn Stream>, limits: Limits) -> Self {
        let (reading, writing) = split(stream);
        Self { reading, writing, limits, received: Vec::new(), length: BodyLength::Empty }
    }

    /// Sends the request and reads the head of its final answer, which may come before all of the request is written.
    pub(super) async fn ask(&mut self, request: &Request) -> Result<ResponseHead, Failure> {
        let server = request.to.to_string();
        let written = written(request)?;
        let Self { reading, writing, limits, received, .. } = self;
        let write = async {
            writing.write_all(&written).await?;
            writing.flush().await
        };
        let read = read_head(reading, received, *limits, &server);
        tokio::pin!(write, read);
        // A server that refuses early may close while we still write. Then what counts is whether it has answered.
        let head = tokio::select! {
            head = &mut read => head?,
            sent = &mut write => match (sent, read.await) {
                (_, Ok(head)) => head,
                (Err(error), Err(Failure::ClosedEarly { server })) => return Err(Failure::Broken { server, error }),
                (Ok(()) | Err(_), Err(failure)) => return Err(failure),
            },
        };
        self.length = framing::of_response(&request.method, head.status, &head.fields, head.version)
            .map_err(|fault| faulty(&server, fault, self.limits))?;
        Ok(head)
    }

    /// The beginning of the body.
    pub(super) async fn body(mut self, within: Duration) -> (Vec<u8>, BodyEnd) {
        let mut body = Vec::new();
        let end = timeout(within, self.read_body(&mut body)).await;
        (body, end.unwrap_or(BodyEnd::Late))
    }

    async fn read_body(&mut self, body: &mut Vec<u8>) -> BodyEnd {
        match self.length {
            BodyLength::Empty => BodyEnd::Whole,
            BodyLength::Known(length) => self.take(length, body).await,
            BodyLength::UntilClose => match self.take(u64::MAX, body).await {
                // Its end is the end of the connection.
                BodyEnd::Cut => BodyEnd::Whole,
                end @ (BodyEnd::Whole | BodyEnd::Limit | BodyEnd::Late) => end,
            },
            BodyLength::Chunked => self.chunks(body).await,
        }
    }

    /// Moves `length` bytes into the body.
    async fn take(&mut self, mut length: u64, body: &mut Vec<u8>) -> BodyEnd {
        while length > 0 {
            if self.received.is_empty() && !self.fill().await {
                return BodyEnd::Cut;
            }
            let wanted = usize::try_from(length).unwrap_or(usize::MAX).min(self.received.len());
            let room = self.limits.body_bytes.saturating_sub(body.len());
            body.extend(self.received.drain(..wanted).take(room));
            if wanted > room {
                return BodyEnd::Limit;
            }
            length -= wanted as u64;
        }
        BodyEnd::Whole
    }

    async fn chunks(&mut self, body: &mut Vec<u8>) -> BodyEnd {
        loop {
            let size = match chunk_size(&self.received) {
                Err(_) => return BodyEnd::Cut,
                Ok(None) if self.fill().await => continue,
                Ok(None) => return BodyEnd::Cut,
                Ok(Some((size, line))) => {
                    self.received.drain(..line);
                    size
                }
            };
            // Trailers are no part of what is wanted.
            if size == 0 {
                return BodyEnd::Whole;
            }
            match self.take(size, body).await {
                BodyEnd::Whole => {}
                end @ (BodyEnd::Limit | BodyEnd::Late | BodyEnd::Cut) => return end,
            }
            while self.received.len() < 2 {
                if !self.fill().await {
                    return BodyEnd::Cut;
                }
            }
            if self.received.drain(..2).ne(*b"\r\n") {
                return BodyEnd::Cut;
            }
        }
    }

    async fn fill(&mut self) -> bool {
        fill(&mut self.reading, &mut self.received).await.is_ok_and(|count| count > 0)
    }
}

/// The head of the final answer; informational ones are read over (RFC 9110 §15.2).
async fn read_head(
    reading: &mut ReadHalf<Box<dyn Stream>>,
    received: &mut Vec<u8>,
    limits: Limits,
    server: &str,
) -> Result<ResponseHead, Failure> {
    let head_limits = HeadLimits { bytes: limits.head_bytes, fields: FIELDS_MAX, target: 0 };
    let mut used = 0;
    loop {
        match parse_response(received, head_limits).map_err(|fault| faulty(server, fault, limits))? {
            Some((head, length)) => {
                received.drain(..length);
                used += length;
                if !(100..200).contains(&head.status) || head.status == 101 {
                    return Ok(head);
                }
                if used > limits.head_bytes {
                    return Err(faulty(server, HeadFault::TooLarge, limits));
                }
            }
            None => match fill(reading, received).await {
                Ok(0) if received.is_empty() => return Err(Failure::ClosedEarly { server: server.to_owned() }),
                Ok(0) => {
                    let what = "it ends within the head of the answer".to_owned();
                    return Err(Failure::Malformed { server: server.to_owned(), what });
                }
                Ok(_) => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof) => {
                    return Err(Failure::ClosedEarly { server: server.to_owned() });
                }
                Err(error) => return Err(Failure::Broken { server: server.to_owned(), error }),
            },
        }
    }
}

async fn fill(reading: &mut ReadHalf<Box<dyn Stream>>, received: &mut Vec<u8>) -> io::Result<usize> {
    received.reserve(16 * 1024);
    reading.read_buf(received).await
}

fn faulty(server: &str, fault: HeadFault, limits: Limits) -> Failure {
    let server = server.to_owned();
    match fault {
        HeadFault::Malformed(what) => Failure::Malformed { server, what: what.to_owned() },
        HeadFault::UnknownTransferCoding => {
            Failure::Malformed { server, what: "its transfer coding is not chunked".to_owned() }
        }
        HeadFault::TooLarge | HeadFault::TargetTooLong => Failure::HeadTooLarge { server, bytes: limits.head_bytes },
    }
}

/// The bytes of the request.
fn written(request: &Request) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::with_capacity(1024);
    let mut add = |parts: &[&[u8]]| parts.iter().for_each(|part| bytes.extend_from_slice(part));
    add(&[request.method.as_str().as_bytes(), b" ", &request.target, b" HTTP/1.1\r\n"]);
    if !request.fields.contains(FieldName::Host) {
        add(&[b"Host: ", &request.authority, b"\r\n"]);
    }
    for line in request.fields.iter().filter(|line| !is_of_the_connection(line.name)) {
        add(&[line.name_bytes, b": ", line.value, b"\r\n"]);
    }
    if let Some(body) = &request.body {
        add(&[b"Content-Length: ", body.len().to_string().as_bytes(), b"\r\n"]);
    }
    add(&[b"\r\n"]);
    // One line more than there are lines, or a target with a space, would be another request than the one meant.
    let lines = memchr::memchr_iter(b'\n', &bytes).count();
    let kept = request.fields.iter().filter(|line| !is_of_the_connection(line.name)).count();
    let expected =
        2 + kept + usize::from(!request.fields.contains(FieldName::Host)) + usize::from(request.body.is_some());
    let in_target = request.target.iter().any(|byte| matches!(byte, b' ' | b'\r' | b'\t'));
    if lines != expected || in_target || memchr::memchr_iter(b'\r', &bytes).count() != expected {
        return Err(Failure::Unsendable(
            "a field or the target has a line end or a space in it; take it out".to_owned(),
        ));
    }
    bytes.extend_from_slice(request.body.as_deref().unwrap_or_default());
    Ok(bytes)
}
