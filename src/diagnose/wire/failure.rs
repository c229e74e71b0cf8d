//! Why a request got no answer, and what to do about it.

use std::io;
use std::net::SocketAddr;

use super::{Request, Timeouts};

/// Why there is no answer. Each is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The request cannot be written onto the wire.
    #[error("{0}")]
    Unsendable(String),
    /// The host has no address.
    #[error(
        "{host} has no address that can be found ({error}): check the name, and that its name server can be reached from here"
    )]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        error: io::Error,
    },
    /// Nobody accepts connections there.
    #[error(
        "{server} takes no connection at {address} ({error}): check that it is running, the port, and firewalls between"
    )]
    Connect {
        /// The server as it was named.
        server: String,
        /// The address that was tried last.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// Connecting took too long.
    #[error(
        "{server} could not be connected to within {seconds} s: check that it can be reached from here, or allow more time"
    )]
    ConnectLate {
        /// The server as it was named.
        server: String,
        /// How long it was tried.
        seconds: u64,
    },
    /// Its certificate is not to be trusted.
    #[error("{server} shows a certificate that is not trusted ({reason}): {remedy}")]
    Certificate {
        /// The server as it was named.
        server: String,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The TLS handshake failed.
    #[error("{server} does not speak TLS as it should ({error}): check that the port is the one for https")]
    Tls {
        /// The server as it was named.
        server: String,
        /// What happened.
        error: io::Error,
    },
    /// The answer's head did not come in time.
    #[error(
        "{server} took the request and gave no answer within {seconds} s: see what it is waiting for, or allow more time"
    )]
    NoAnswerInTime {
        /// The server as it was named.
        server: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The connection ended before the answer's head.
    #[error(
        "{server} closed the connection before it had answered: look into its log, or into that of what is in front of it"
    )]
    ClosedEarly {
        /// The server as it was named.
        server: String,
    },
    /// The connection broke.
    #[error("the connection to {server} broke ({error}): try again")]
    Broken {
        /// The server as it was named.
        server: String,
        /// What happened.
        error: io::Error,
    },
    /// What came is no HTTP answer.
    #[error("{server} answers with something that is not HTTP ({what}): check the scheme and the port")]
    Malformed {
        /// The server as it was named.
        server: String,
        /// What is wrong with it.
        what: String,
    },
    /// The answer's head is beyond the limit.
    #[error("{server} answers with a head of more than {bytes} bytes or too many lines, which is not taken in")]
    HeadTooLarge {
        /// The server as it was named.
        server: String,
        /// The limit.
        bytes: usize,
    },
}

impl Failure {
    /// Whether the server may have seen the request, and done what it asks for.
    pub const fn may_have_arrived(&self) -> bool {
        match self {
            Self::Unsendable(_)
            | Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::ConnectLate { .. }
            | Self::Certificate { .. }
            | Self::Tls { .. } => false,
            Self::NoAnswerInTime { .. }
            | Self::ClosedEarly { .. }
            | Self::Broken { .. }
            | Self::Malformed { .. }
            | Self::HeadTooLarge { .. } => true,
        }
    }

    pub(super) fn slow_to_connect(request: &Request, timeouts: Timeouts) -> Self {
        Self::ConnectLate { server: request.to.to_string(), seconds: timeouts.connect.as_secs() }
    }

    pub(super) fn tls(server: String, error: io::Error) -> Self {
        let reason = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(rustls::Error::InvalidCertificate(reason)) = reason {
            let wrong_name = matches!(
                reason,
                rustls::CertificateError::NotValidForName | rustls::CertificateError::NotValidForNameContext { .. }
            );
            let remedy = if wrong_name {
                "use the name that the certificate is for"
            } else {
                "name the certificate of its CA, or have the server renew its own"
            };
            return Self::Certificate { server, reason: reason.to_string(), remedy };
        }
        Self::Tls { server, error }
    }
}
