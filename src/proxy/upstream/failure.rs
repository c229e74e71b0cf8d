//! Why an upstream gave no answer, and what a client, a metric and a log make of it.

use std::io;

use h2::Reason;

use crate::proxy::http1::head::HeadFault;
use crate::proxy::http2::passed_on;
use crate::recorder::metrics::FailureReason;

/// Why an upstream gave no answer head.
#[derive(Debug, thiserror::Error)]
pub(in crate::proxy) enum UpstreamFailure {
    /// Its name has no address.
    #[error("its name cannot be resolved: {0}")]
    Resolve(io::Error),
    /// It cannot be reached.
    #[error("it cannot be reached: {0}")]
    Connect(io::Error),
    /// Connecting took too long.
    #[error("connecting to it took too long")]
    ConnectTimeout,
    /// The TLS handshake failed.
    #[error("the TLS handshake failed: {0}")]
    Tls(io::Error),
    /// It is this instance.
    #[error("it is this instance itself")]
    Loop,
    /// It closed before the first byte of an answer.
    #[error("it closed the connection without an answer")]
    Closed {
        /// The connection had carried an exchange before: the close may have nothing to do with this request.
        reused: bool,
    },
    /// It had closed a connection that was used again, before anything of the request could be sent.
    #[error("it closed the connection before the request could be sent")]
    Unsent,
    /// It closed within the head of an answer.
    #[error("it closed the connection within the head of its answer")]
    HeadCut,
    /// It took too long to answer.
    #[error("it took too long to answer")]
    HeadTimeout,
    /// It took the request too slowly.
    #[error("it took too long to read the request")]
    WriteTimeout,
    /// Its answer cannot be read.
    #[error("its answer cannot be read: {}", fault_text(*.0))]
    Malformed(HeadFault),
    /// It changed the protocol without being asked to.
    #[error("it changed the protocol without being asked to")]
    Switched,
    /// It answered well and did not change the protocol, for a client that can be told of nothing else.
    #[error("it did not change the protocol")]
    NotSwitched,
    /// HTTP/2 is wanted, and it speaks another protocol.
    #[error("it does not speak HTTP/2")]
    NoHttp2,
    /// It gave back what it had not begun to work on: REFUSED_STREAM, or GOAWAY (RFC 9113 §8.7).
    #[error("it did not take the request: {0}")]
    Unprocessed(Reason),
    /// It reset the stream before an answer.
    #[error("it reset the stream without an answer: {0}")]
    Reset(Reason),
}

const fn fault_text(fault: HeadFault) -> &'static str {
    match fault {
        HeadFault::Malformed(what) => what,
        HeadFault::TargetTooLong | HeadFault::TooLarge => "the head is too large",
        HeadFault::UnknownTransferCoding => "an unknown transfer coding",
    }
}

impl UpstreamFailure {
    /// The status of our answer (RFC 9110 §15.6.3, §15.6.5).
    pub(in crate::proxy) const fn status(&self) -> u16 {
        match self {
            Self::ConnectTimeout | Self::HeadTimeout | Self::WriteTimeout => 504,
            Self::Resolve(_)
            | Self::Connect(_)
            | Self::Tls(_)
            | Self::Loop
            | Self::Closed { .. }
            | Self::Unsent
            | Self::HeadCut
            | Self::Malformed(_)
            | Self::Switched
            | Self::NotSwitched
            | Self::NoHttp2
            | Self::Unprocessed(_)
            | Self::Reset(_) => 502,
        }
    }

    /// The error type of RFC 9209 §2.3.
    pub(in crate::proxy) const fn error_type(&self) -> &'static str {
        match self {
            Self::Resolve(_) => "dns_error",
            Self::Connect(_) => "connection_refused",
            Self::ConnectTimeout => "connection_timeout",
            Self::Tls(_) => "tls_protocol_error",
            Self::Loop => "proxy_loop_detected",
            Self::Closed { .. } | Self::Unsent | Self::Unprocessed(_) | Self::Reset(_) => "connection_terminated",
            Self::HeadCut => "http_response_incomplete",
            Self::HeadTimeout => "http_response_timeout",
            Self::WriteTimeout => "connection_write_timeout",
            Self::Malformed(HeadFault::TooLarge | HeadFault::TargetTooLong) => "http_response_header_section_size",
            Self::Malformed(HeadFault::UnknownTransferCoding) => "http_response_transfer_coding",
            Self::Malformed(HeadFault::Malformed(_)) | Self::NoHttp2 => "http_protocol_error",
            Self::Switched | Self::NotSwitched => "http_upgrade_failed",
        }
    }

    /// Under which it is counted.
    pub(in crate::proxy) const fn reason(&self) -> FailureReason {
        match self {
            Self::Resolve(_) => FailureReason::Resolve,
            Self::Connect(_) | Self::ConnectTimeout | Self::Loop => FailureReason::Connect,
            Self::Tls(_) => FailureReason::Tls,
            Self::Closed { reused: true } | Self::Unsent => FailureReason::ReusedClosed,
            Self::Closed { reused: false } | Self::HeadCut => FailureReason::Closed,
            Self::HeadTimeout => FailureReason::Timeout,
            Self::WriteTimeout => FailureReason::Write,
            Self::Malformed(_) | Self::Switched | Self::NotSwitched | Self::NoHttp2 => FailureReason::Malformed,
            Self::Unprocessed(_) => FailureReason::Refused,
            Self::Reset(_) => FailureReason::Reset,
        }
    }

    /// With which code a client's stream is reset that is shown the same; `None` where it is told instead.
    pub(in crate::proxy) fn mirrored(&self) -> Option<Reason> {
        match self {
            // On a reused connection the close may be ours to account for, and a gateway must not be led astray.
            Self::Closed { reused: false } | Self::HeadCut => Some(Reason::INTERNAL_ERROR),
            Self::Unprocessed(_) => Some(Reason::REFUSED_STREAM),
            Self::Reset(reason) => Some(passed_on(*reason)),
            Self::Resolve(_)
            | Self::Connect(_)
            | Self::ConnectTimeout
            | Self::Tls(_)
            | Self::Loop
            | Self::Closed { reused: true }
            | Self::Unsent
            | Self::HeadTimeout
            | Self::WriteTimeout
            | Self::Malformed(_)
            | Self::Switched
            | Self::NotSwitched
            | Self::NoHttp2 => None,
        }
    }

    /// How often a read may go out again after this. Nothing was done for it; but who refuses streams has too many, and
    /// who says goodbye (GOAWAY, NO_ERROR) may do so on the next connection as well, to as many as come at once.
    pub(in crate::proxy) fn repeats_most(&self) -> usize {
        match self {
            Self::Unprocessed(Reason::NO_ERROR) => 5,
            Self::Unprocessed(_) | Self::Unsent => 1,
            Self::Resolve(_)
            | Self::Connect(_)
            | Self::ConnectTimeout
            | Self::Tls(_)
            | Self::Loop
            | Self::Closed { .. }
            | Self::HeadCut
            | Self::HeadTimeout
            | Self::WriteTimeout
            | Self::Malformed(_)
            | Self::Switched
            | Self::NotSwitched
            | Self::NoHttp2
            | Self::Reset(_) => 0,
        }
    }

    /// The same once more, for another request that waited for the same.
    pub(super) fn again(&self) -> Self {
        let same = |error: &io::Error| io::Error::new(error.kind(), error.to_string());
        match self {
            Self::Resolve(error) => Self::Resolve(same(error)),
            Self::Connect(error) => Self::Connect(same(error)),
            Self::Tls(error) => Self::Tls(same(error)),
            Self::ConnectTimeout => Self::ConnectTimeout,
            Self::Loop => Self::Loop,
            Self::Closed { reused } => Self::Closed { reused: *reused },
            Self::Unsent => Self::Unsent,
            Self::HeadCut => Self::HeadCut,
            Self::HeadTimeout => Self::HeadTimeout,
            Self::WriteTimeout => Self::WriteTimeout,
            Self::Malformed(fault) => Self::Malformed(*fault),
            Self::Switched => Self::Switched,
            Self::NotSwitched => Self::NotSwitched,
            Self::NoHttp2 => Self::NoHttp2,
            Self::Unprocessed(reason) => Self::Unprocessed(*reason),
            Self::Reset(reason) => Self::Reset(*reason),
        }
    }
}
