//! Probes: what is asked for after a refusal, and what the answers showed. Data only: whoever asks lies elsewhere, and
//! what the answers mean for the verdict is the business of [`hindsight`](super::diagnosis::hindsight).

use std::fmt;
use std::net::SocketAddr;

use http::Method;

use super::exchange::{Exchange, ExchangeId, Scheme};
use super::pairing::{Authenticity, Report};
use super::semantics::fields::{FieldLine, FieldName, FieldSet, Fields};
use super::semantics::message::ResponseHead;
use super::time::Time;

/// Who wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbedBy {
    /// The route's setting, right after the refusal.
    Route,
    /// A person, later.
    Operator,
}

impl ProbedBy {
    /// The name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Operator => "operator",
        }
    }
}

/// What became of the credentials of the refused request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// It carried none.
    None,
    /// The probe carries them.
    Sent,
    /// The probe goes without them.
    Withheld,
}

/// What a probe asks for: the resource of a refused request, as its client would be given it. It may hold credentials,
/// and so lives no longer than until it has been sent.
#[derive(Clone)]
pub struct ProbeTarget {
    /// How the client addressed the resource.
    pub scheme: Scheme,
    /// With which authority.
    pub authority: Vec<u8>,
    /// What `Host` said when the request was sent on.
    pub host: Vec<u8>,
    /// The request target as it was sent on.
    pub target: Vec<u8>,
    /// What selects the representation, and the credentials if they may be used.
    pub fields: Fields,
    /// What became of those.
    pub credentials: Credentials,
    /// The tag that was sent in If-Match.
    pub tag: Option<Vec<u8>>,
    /// The address that refused.
    pub refused_by: Option<SocketAddr>,
}

/// What selects the representation that a client is given.
pub const SELECTING: FieldSet =
    FieldSet::of(&[FieldName::Accept, FieldName::AcceptEncoding, FieldName::AcceptLanguage]);

impl ProbeTarget {
    /// The resource of an exchange. Its credentials are what `is_credential` says, and are taken along if they are
    /// `allowed`. `None` if what it is for cannot be read.
    pub fn of(exchange: &Exchange<'_>, is_credential: impl Fn(FieldLine<'_>) -> bool, allowed: bool) -> Option<Self> {
        let (request, forwarded) = (exchange.request, exchange.forwarded);
        // RFC 9112 §3.2: the authority of a CONNECT and the asterisk are no resources that can be read.
        let readable = request.target.starts_with(b"/") || request.target.windows(3).any(|window| window == b"://");
        if !readable || request.method == Method::CONNECT {
            return None;
        }
        let mut fields = Fields::default();
        let mut credentials = Credentials::None;
        for line in forwarded.iter() {
            if is_credential(line) {
                credentials = if allowed { Credentials::Sent } else { Credentials::Withheld };
            }
            if SELECTING.contains(line.name) || (allowed && is_credential(line)) {
                fields.push(line.name_bytes, line.value);
            }
        }
        Some(Self {
            scheme: exchange.scheme,
            authority: request.authority.clone(),
            host: forwarded.first(FieldName::Host).unwrap_or(&request.authority).to_vec(),
            target: request.target.clone(),
            fields,
            credentials,
            tag: forwarded.first(FieldName::IfMatch).map(<[u8]>::to_vec),
            refused_by: exchange.upstream,
        })
    }
}

impl ProbeTarget {
    /// Whether it says which codings are accepted.
    pub const fn accepts_coding(&self) -> bool {
        self.fields.contains(FieldName::AcceptEncoding)
    }
}

/// Values can be secrets.
impl fmt::Debug for ProbeTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProbeTarget").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

/// What one question was answered.
#[derive(Clone, Debug)]
pub struct ProbeAnswer {
    /// GET or HEAD.
    pub method: Method,
    /// What was asked, at which server.
    pub url: String,
    /// When the answer had come, or was given up.
    pub at: Time,
    /// The head of the answer, or why there is none.
    pub head: Result<ResponseHead, String>,
}

/// What a probe learned.
#[derive(Clone, Debug)]
pub struct Probed {
    /// Who wanted to know.
    pub by: ProbedBy,
    /// When it was over.
    pub at: Time,
    /// What the usual way gives, through the gateway if there is one.
    pub through: ProbeAnswer,
    /// What is given around the gateway, where such a way is configured.
    pub direct: Option<ProbeAnswer>,
    /// What became of the credentials.
    pub credentials: Credentials,
    /// The name of the probe in the mark it carried; of an outer instance.
    pub mark: Option<ExchangeId>,
    /// The report that came with the answer through the path; at an outer instance.
    pub report: Option<(Report, Authenticity)>,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::analysis::exchange::{FarSide, Outcome, RequestBody, Role, RoutePolicy};
    use crate::analysis::principal::{Principal, ToldApartBy};
    use crate::analysis::semantics::message::{RequestHead, Version};

    fn target(method: Method, target: &str, allowed: bool) -> Option<ProbeTarget> {
        let lines = [
            ("Host", "h"),
            ("Accept-Encoding", "gzip"),
            ("Authorization", "Basic eA=="),
            ("X-Own", "1"),
            ("If-Match", "\"a\""),
        ];
        let request = RequestHead {
            method,
            target: target.as_bytes().to_vec(),
            authority: b"h".to_vec(),
            version: Version::Http11,
            fields: lines.into_iter().collect(),
        };
        let exchange = Exchange {
            id: ExchangeId(1),
            at: Time::default(),
            ended: Time::default(),
            upstream_time: Duration::ZERO,
            role: Role::Alone,
            policy: &RoutePolicy::default(),
            route: 0,
            client: Principal { key: 1, by: ToldApartBy::Address },
            scheme: Scheme::Http,
            request: &request,
            forwarded: &request.fields,
            request_body: RequestBody::default(),
            outcome: Outcome::Refused { status: 412 },
            bypass: None,
            upstream: None,
            far_side: FarSide::default(),
        };
        ProbeTarget::of(&exchange, |line| line.name == FieldName::Authorization, allowed)
    }

    #[test]
    fn credentials_are_taken_only_where_they_are_allowed() {
        let taken = |allowed| {
            let target = target(Method::PUT, "/r", allowed).expect("a resource that can be read");
            assert_eq!(target.tag.as_deref(), Some(&b"\"a\""[..]));
            let names: Vec<_> = target.fields.iter().map(|line| line.name).collect();
            (names, target.credentials)
        };
        assert_eq!(taken(false), (vec![FieldName::AcceptEncoding], Credentials::Withheld));
        assert_eq!(taken(true), (vec![FieldName::AcceptEncoding, FieldName::Authorization], Credentials::Sent));
    }

    #[test]
    fn what_is_no_resource_is_not_asked_for() {
        assert!(target(Method::OPTIONS, "*", true).is_none());
        assert!(target(Method::CONNECT, "h:443", true).is_none());
        assert!(target(Method::PUT, "http://h/r", true).is_some());
    }
}
