//! The narrow face of a connection to an upstream: a request is begun, its body told, its answer's head and body heard.
//! Two versions of HTTP are behind it, and nobody in front has to know which.

use std::io;
use std::task::{Context, Poll, ready};

use super::failure::UpstreamFailure;
use super::pool::Http1;
use super::stream::{Answer, Stream};
use crate::analysis::semantics::fields::Fields;
use crate::analysis::semantics::message::{RequestHead, ResponseHead};
use crate::proxy::alarm::Alarm;
use crate::proxy::http1::body::{Body, BodyFault, Piece};
use crate::proxy::http1::framing::{self, BodyLength};
use crate::proxy::http1::head::{self, HeadFault, HeadLimits};
use crate::proxy::http1::write::Writer;
use crate::proxy::http2::send::Sending;
use crate::proxy::io::{Filled, Reader};
use crate::proxy::prepare::Tunnel;

/// What carries one exchange with an upstream.
pub(in crate::proxy) enum Connection {
    /// A connection of HTTP/1.1, for as long as the exchange lasts.
    Http1(Http1),
    /// A stream of a connection of HTTP/2.
    Http2(Box<Stream>),
}

/// A request that is ready to go out.
#[derive(Clone, Copy)]
pub(in crate::proxy) struct Begin<'a> {
    /// As it came.
    pub(in crate::proxy) request: &'a RequestHead,
    /// Its fields as they go on.
    pub(in crate::proxy) fields: &'a Fields,
    /// How long its body is.
    pub(in crate::proxy) length: BodyLength,
    /// Whether it asks for the end of HTTP.
    pub(in crate::proxy) tunnel: Tunnel,
}

/// Why a request could not be begun. Nothing of it was sent.
#[derive(Debug)]
pub(in crate::proxy) enum NotBegun {
    /// Its target has bytes that HTTP/2 cannot carry.
    Target,
    /// The upstream's fault.
    Upstream(UpstreamFailure),
}

/// Both directions of an exchange, and the alarm for what the upstream takes too long with.
pub(in crate::proxy) struct Sides<'a> {
    /// Towards the upstream.
    pub(in crate::proxy) told: Told<'a>,
    /// From the upstream.
    pub(in crate::proxy) heard: Heard<'a>,
    /// The alarm.
    pub(in crate::proxy) alarm: &'a mut Alarm,
}

impl Connection {
    /// Sends the head of a request, or stages it until there is something to send with it.
    ///
    /// # Errors
    /// See [`NotBegun`].
    pub(in crate::proxy) fn begin(&mut self, begin: &Begin<'_>) -> Result<(), NotBegun> {
        match self {
            Self::Http1(connection) => {
                connection.writer.stage_request(begin.request, begin.fields, begin.length);
                Ok(())
            }
            Self::Http2(stream) => stream.begin(begin),
        }
    }

    /// Its directions, once a request has begun; `limits` hold for heads.
    pub(in crate::proxy) fn sides(&mut self, limits: HeadLimits, tunnel: Tunnel) -> Sides<'_> {
        match self {
            Self::Http1(Http1 { reader, writer, alarm, reused, .. }) => {
                let body = Body::new(BodyLength::Empty, limits);
                let heard = HeardHttp1 { reader, body, limits, looked_at: 0, reused: *reused };
                Sides { told: Told::Http1(writer), heard: Heard::Http1(heard), alarm }
            }
            Self::Http2(stream) => {
                let Stream { sending, answer, alarm, .. } = stream.as_mut();
                let told = Told::Http2 { sending: sending.as_mut(), withheld: tunnel != Tunnel::None };
                Sides { told, heard: Heard::Http2(answer), alarm }
            }
        }
    }

    /// Whether it can take a request to change the protocol to its end.
    pub(in crate::proxy) fn takes_upgrades(&self) -> bool {
        match self {
            Self::Http1(_) => true,
            Self::Http2(stream) => stream.tunnels,
        }
    }

    /// Whether it is a stream of HTTP/2.
    pub(in crate::proxy) const fn is_http2(&self) -> bool {
        matches!(self, Self::Http2(_))
    }
}

/// The direction towards the upstream.
pub(in crate::proxy) enum Told<'a> {
    /// A connection's writing half.
    Http1(&'a mut Writer),
    /// A stream's sending direction.
    Http2 {
        /// The direction; there once the request has begun.
        sending: Option<&'a mut Sending>,
        /// It is for the tunnel that is asked for: the request has no end of its own.
        withheld: bool,
    },
}

impl Told<'_> {
    /// Sends a piece of the body, or keeps a small one until [`Told::flush`].
    ///
    /// # Errors
    /// The upstream takes no more; `TimedOut` if it takes nothing for too long.
    pub(in crate::proxy) async fn gather(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Http1(writer) => writer.gather(bytes).await,
            Self::Http2 { sending: Some(sending), .. } => sending.data(bytes).await,
            Self::Http2 { sending: None, .. } => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Sends what is staged, because nothing more is there yet.
    ///
    /// # Errors
    /// As [`Told::gather`].
    pub(in crate::proxy) async fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Http1(writer) => writer.flush().await,
            // A stream stages nothing.
            Self::Http2 { .. } => Ok(()),
        }
    }

    /// Ends the body.
    ///
    /// # Errors
    /// As [`Told::gather`].
    pub(in crate::proxy) async fn end(&mut self, trailers: Option<&Fields>) -> io::Result<()> {
        match self {
            Self::Http1(writer) => writer.end(trailers).await,
            Self::Http2 { withheld: true, .. } => Ok(()),
            Self::Http2 { sending: Some(sending), .. } => sending.end(trailers),
            Self::Http2 { sending: None, .. } => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// What follows are the bytes of a tunnel.
    pub(in crate::proxy) const fn begin_tunnel(&mut self) {
        match self {
            Self::Http1(writer) => writer.unbound(),
            Self::Http2 { withheld, .. } => *withheld = false,
        }
    }

    /// Whether nothing of the request has left, though it was tried.
    pub(in crate::proxy) const fn is_untouched(&self) -> bool {
        match self {
            Self::Http1(writer) => writer.is_untouched(),
            // A connection that others share says itself what it has not processed.
            Self::Http2 { .. } => false,
        }
    }

    /// Ends the direction of a tunnel, in which nothing is staged.
    pub(in crate::proxy) async fn finish(&mut self) {
        match self {
            Self::Http1(writer) => writer.finish().await,
            // A peer that is gone needs no goodbye.
            Self::Http2 { .. } => drop(self.end(None).await),
        }
    }
}

/// The direction from the upstream.
pub(in crate::proxy) enum Heard<'a> {
    /// A connection's reading half.
    Http1(HeardHttp1<'a>),
    /// A stream's receiving direction.
    Http2(&'a mut Answer),
}

/// What comes on a connection of HTTP/1.1.
pub(in crate::proxy) struct HeardHttp1<'a> {
    reader: &'a mut Reader,
    body: Body,
    limits: HeadLimits,
    /// How much of an unfinished head was looked at in vain.
    looked_at: usize,
    reused: bool,
}

impl Heard<'_> {
    /// The next head, informational ones included.
    ///
    /// # Errors
    /// Why there is none.
    pub(in crate::proxy) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, UpstreamFailure>> {
        match self {
            Self::Http1(heard) => heard.poll_head(cx),
            Self::Http2(answer) => answer.poll_head(cx),
        }
    }

    /// The length of the body that follows the final head in answer to that request.
    ///
    /// # Errors
    /// It cannot be told: the upstream is at fault.
    pub(in crate::proxy) fn begin_body(
        &mut self,
        request: &RequestHead,
        head: &ResponseHead,
    ) -> Result<BodyLength, HeadFault> {
        let length = framing::of_response(&request.method, head.status, &head.fields, head.version)?;
        match self {
            Self::Http1(heard) => {
                heard.body = Body::new(length, heard.limits);
                Ok(length)
            }
            Self::Http2(answer) => {
                let Some(body) = answer.body() else { return Err(HeadFault::Malformed("there is no answer")) };
                body.announce(length);
                // A head that is all there is goes on as one: gRPC tells by it (its "Trailers-Only").
                Ok(if body.is_done() { BodyLength::Empty } else { length })
            }
        }
    }

    /// The next piece of the body; see [`Body::poll_piece`].
    ///
    /// # Errors
    /// See [`BodyFault`].
    pub(in crate::proxy) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, BodyFault>> {
        match self {
            Self::Http1(heard) => heard.body.poll_piece(heard.reader, cx),
            Self::Http2(answer) => match answer.body() {
                Some(body) => body.poll_piece(cx),
                None => Poll::Ready(Err(BodyFault::Cut)),
            },
        }
    }

    /// The first `count` bytes of the current piece.
    pub(in crate::proxy) fn data(&mut self, count: usize) -> &[u8] {
        match self {
            Self::Http1(heard) => heard.reader.buffered().get(..count).unwrap_or_default(),
            Self::Http2(answer) => answer.body().map_or(&[], |body| body.data(count)),
        }
    }

    /// Marks bytes as used.
    pub(in crate::proxy) fn consume(&mut self, count: usize) {
        match self {
            Self::Http1(heard) => heard.body.consume(heard.reader, count),
            Self::Http2(answer) => {
                if let Some(body) = answer.body() {
                    body.consume(count);
                }
            }
        }
    }

    /// What follows are the bytes of a tunnel.
    pub(in crate::proxy) const fn begin_tunnel(&mut self) {
        match self {
            Self::Http1(heard) => heard.body.unbound(),
            // A stream's body is of any length until a head says otherwise.
            Self::Http2(_) => {}
        }
    }

    /// Whether it has carried an exchange before, and that alone: nobody else uses it.
    pub(in crate::proxy) const fn is_reused(&self) -> bool {
        match self {
            Self::Http1(heard) => heard.reused,
            Self::Http2(_) => false,
        }
    }

    /// It kept us waiting for too long. A connection that others share is then asked whether it is still there.
    pub(in crate::proxy) fn doubt(&self) {
        match self {
            Self::Http1(_) => {}
            Self::Http2(answer) => answer.open.doubt(),
        }
    }
}

impl HeardHttp1<'_> {
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, UpstreamFailure>> {
        loop {
            if self.reader.buffered().len() > self.looked_at {
                let parsed = head::parse_response(self.reader.buffered(), self.limits);
                if let Some((head, length)) = parsed.map_err(UpstreamFailure::Malformed)? {
                    self.reader.consume(length);
                    self.looked_at = 0;
                    return Poll::Ready(Ok(head));
                }
                self.looked_at = self.reader.buffered().len();
            }
            match ready!(self.reader.poll_fill(cx, self.limits.bytes)) {
                Ok(Filled::Some) => {}
                Ok(Filled::End) | Err(_) if self.reader.buffered().is_empty() => {
                    return Poll::Ready(Err(UpstreamFailure::Closed { reused: self.reused }));
                }
                Ok(Filled::End) | Err(_) => return Poll::Ready(Err(UpstreamFailure::HeadCut)),
            }
        }
    }
}
