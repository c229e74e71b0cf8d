//! One exchange as this instance saw it: what came, what was sent on, how it ended.
//!
//! Everything is borrowed from the data path. An exchange that is plain costs no copy; whoever keeps something of it
//! copies what it keeps.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::pairing::{Authenticity, Mark, Report};
use super::principal::Principal;
use super::semantics::fields::Fields;
use super::semantics::message::{RequestHead, ResponseHead};
use super::time::Time;

/// The name of an exchange: a ULID, so that names sort by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub u128);

/// Where an instance stands towards a suspect gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// One instance; it cannot know on which side of a gateway it stands.
    #[default]
    Alone,
    /// On the client side of the gateway.
    Outer,
    /// On the origin side of the gateway.
    Inner,
}

impl Role {
    /// The name in configuration, records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Outer => "outer",
            Self::Inner => "inner",
        }
    }
}

/// How entity-tags of If-Match are compared on a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// As RFC 9110 §13.1.1 has it.
    #[default]
    Strong,
    /// Weakly, by design of the API (FHIR, OData).
    Weak,
}

/// What a route says of how its exchanges are to be judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutePolicy {
    /// How If-Match compares.
    pub comparison: Comparison,
    /// Names of vendor preconditions beside the built-in ones, in lower case.
    pub preconditions: Vec<String>,
}

/// The scheme under which the client addressed the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Cleartext.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What is known of a request's body when the exchange has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestBody {
    /// A keyed digest of all of it; only of conditional writes, and only if the body came to its end.
    pub digest: Option<u128>,
    /// What Content-Length announced.
    pub announced: Option<u64>,
}

/// What the bypass did to an exchange. No hazard is derived from a field that a bypass added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BypassApplied {
    /// What switched it on.
    pub by: BypassScope,
    /// The request went to a `direct` address, around the gateway.
    pub direct: bool,
    /// The conditions were removed, as a test.
    pub preconditions_removed: bool,
}

/// Whom a bypass covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BypassScope {
    /// Every route.
    All,
    /// One route.
    Route,
    /// This one request, by its token.
    Request,
    /// What the outer instance of the pair has under bypass; its mark says so.
    Pair,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// The upstream answered and the answer went to the client. A 412 whose client left before it could be passed on
    /// is this, too.
    Answered(Answer<'a>),
    /// The upstream gave no whole answer head: it may have applied the request if `sent` is true.
    NoAnswer {
        /// Whether any byte of the request may have reached the upstream.
        sent: bool,
        /// The status that the client was given for it.
        status: u16,
    },
    /// The client left before the upstream's final answer head had come.
    ClientGone {
        /// Whether any byte of the request may have reached the upstream.
        sent: bool,
    },
    /// This instance answered by itself (404, 413, 502 …) and sent nothing on.
    Refused {
        /// The status it gave.
        status: u16,
    },
}

/// The upstream's answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// As the upstream gave it.
    pub head: &'a ResponseHead,
    /// The fields as the client was given them.
    pub returned: &'a Fields,
    /// The first bytes of the body, at most 4 KiB; empty unless the answer is XML or JSON and the request a
    /// conditional write.
    pub body_prefix: &'a [u8],
    /// The client was gone, or the answer cut, before its end.
    pub complete: bool,
}

/// What the other instance of a pair says of an exchange. Empty where this one stands alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct FarSide<'a> {
    /// The mark that came with the request; at an inner instance.
    pub mark: Option<&'a (Mark, Authenticity)>,
    /// The report that came with the answer, whichever exchange it is of; at an outer instance.
    pub report: Option<&'a (Report, Authenticity)>,
    /// Something came that looked like a mark or report and was none.
    pub unauthentic: bool,
}

/// One request and its outcome, as this instance saw it.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// Its name.
    pub id: ExchangeId,
    /// When the request's head had been read.
    pub at: Time,
    /// When it ended.
    pub ended: Time,
    /// From sending the request to the answer's head; zero if there was none.
    pub upstream_time: Duration,
    /// Where this instance stands.
    pub role: Role,
    /// How the route wants it judged.
    pub policy: &'a RoutePolicy,
    /// A small number for the route, the same for the life of the process; for statistics by route.
    pub route: u16,
    /// Who asked.
    pub client: Principal,
    /// The scheme the client used.
    pub scheme: Scheme,
    /// The request as it came.
    pub request: &'a RequestHead,
    /// The fields as they were sent on.
    pub forwarded: &'a Fields,
    /// What is known of the request's body.
    pub request_body: RequestBody,
    /// How it ended.
    pub outcome: Outcome<'a>,
    /// What a bypass did to it.
    pub bypass: Option<BypassApplied>,
    /// The address the request was sent to.
    pub upstream: Option<SocketAddr>,
    /// What the other instance of the pair says.
    pub far_side: FarSide<'a>,
}

impl<'a> Exchange<'a> {
    /// The answer, if the upstream gave one.
    pub const fn answer(&self) -> Option<&Answer<'a>> {
        match &self.outcome {
            Outcome::Answered(answer) => Some(answer),
            Outcome::NoAnswer { .. } | Outcome::ClientGone { .. } | Outcome::Refused { .. } => None,
        }
    }

    /// The status the upstream answered with.
    pub fn status(&self) -> Option<u16> {
        self.answer().map(|answer| answer.head.status)
    }
}

/// Values can be secrets: only what names the exchange is shown.
impl fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("id", &self.id).field("method", &self.request.method).finish_non_exhaustive()
    }
}
