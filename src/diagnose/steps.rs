//! The requests of the procedure: which there are, and what each looks like.

use std::sync::Arc;

use http::Method;

use super::asked::{Asked, Target};
use super::wire::{Request, Trust};
use crate::analysis::semantics::conditions::CONDITIONS;
use crate::analysis::semantics::fields::{FieldLine, FieldName, FieldSet, Fields};
use crate::analysis::semantics::vendor;

/// By which way a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the URL, as clients go.
    Through,
    /// Around the gateway.
    Direct,
}

impl Way {
    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Through => "url",
            Self::Direct => "direct",
        }
    }
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request that is to be diagnosed.
    Asked,
    /// The state as it is, in no coding.
    Plain,
    /// The state, where gzip is accepted.
    Gzip,
    /// The state, where br is accepted.
    Brotli,
    /// The state, with the Accept-Encoding of the request itself.
    Own,
    /// Its head alone.
    Head,
    /// A read with an If-Match that cannot hold.
    CannotHold,
    /// A read with the very condition of the request.
    SameCondition,
    /// A read by who has the current version.
    NotModified,
    /// The state, past caches.
    NoCache,
    /// The state once more, to see whether it has changed meanwhile.
    Again,
    /// The refreshed request.
    Refreshed,
}

/// Kinds that show the state of the resource and differ in how they ask for it.
pub const VARIANTS: [Kind; 5] = [Kind::Plain, Kind::Gzip, Kind::Brotli, Kind::Own, Kind::Head];

/// A tag that no service issues.
pub const CANNOT_MATCH: &str = "\"why412-cannot-match\"";

impl Kind {
    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "request",
            Self::Plain => "get",
            Self::Gzip => "get-gzip",
            Self::Brotli => "get-br",
            Self::Own => "get-own-encoding",
            Self::Head => "head",
            Self::CannotHold => "if-match-that-cannot-hold",
            Self::SameCondition => "same-condition",
            Self::NotModified => "if-none-match-current",
            Self::NoCache => "no-cache",
            Self::Again => "get-again",
            Self::Refreshed => "refreshed",
        }
    }

    /// To which step of the procedure it belongs.
    pub const fn step(self) -> u8 {
        match self {
            Self::Asked => 1,
            Self::Plain | Self::Gzip | Self::Brotli | Self::Own | Self::Head | Self::Again => 2,
            Self::CannotHold | Self::SameCondition | Self::NotModified => 4,
            Self::NoCache => 5,
            Self::Refreshed => 6,
        }
    }

    /// What tells it from other reads of the state.
    pub const fn coding(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Own => "your Accept-Encoding",
            Self::Head => "HEAD",
            Self::Asked
            | Self::Plain
            | Self::CannotHold
            | Self::SameCondition
            | Self::NotModified
            | Self::NoCache
            | Self::Again
            | Self::Refreshed => "no coding",
        }
    }

    /// As people read it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Asked => "the request as given",
            Self::Plain => "GET",
            Self::Gzip => "GET with Accept-Encoding: gzip",
            Self::Brotli => "GET with Accept-Encoding: br",
            Self::Own => "GET with your Accept-Encoding",
            Self::Head => "HEAD",
            Self::CannotHold => "GET, If-Match: no such tag",
            Self::SameCondition => "GET with your condition",
            Self::NotModified => "GET, If-None-Match: current",
            Self::NoCache => "GET with no-cache",
            Self::Again => "GET once more",
            Self::Refreshed => "the refreshed request",
        }
    }
}

/// Fields of the request that say something about its body, or ask for a part of the answer.
const NOT_FOR_READS: FieldSet =
    FieldSet::of(&[FieldName::ContentType, FieldName::ContentEncoding, FieldName::Range, FieldName::IfRange]);

/// The request of that kind by that way. `current` is the validator line for [`Kind::NotModified`].
pub fn request(
    asked: &Asked,
    kind: Kind,
    way: Way,
    trust: Option<&Arc<Trust>>,
    current: Option<(&str, &[u8])>,
) -> Request {
    let url = &asked.url;
    let to = if way == Way::Direct { asked.direct.as_ref().unwrap_or(url) } else { url };
    let is_own = kind == Kind::Asked;
    let method = match kind {
        Kind::Asked => asked.method.clone(),
        Kind::Head => Method::HEAD,
        Kind::Plain
        | Kind::Gzip
        | Kind::Brotli
        | Kind::Own
        | Kind::CannotHold
        | Kind::SameCondition
        | Kind::NotModified
        | Kind::NoCache
        | Kind::Again
        | Kind::Refreshed => Method::GET,
    };
    let fields = if is_own { asked.fields.clone() } else { fields_of_read(asked, kind, current) };
    Request {
        to: to.server.clone(),
        trust: trust.map(|trust| Arc::new(trust.named(&url.server.host, &to.server))),
        method,
        target: to.target.clone(),
        // The same request by another way: the origin is asked for what clients ask for.
        authority: authority(url, way, to),
        fields,
        body: if is_own { asked.body.clone() } else { None },
    }
}

fn authority(url: &Target, way: Way, to: &Target) -> Vec<u8> {
    match way {
        Way::Through => to.authority.clone().into_bytes(),
        Way::Direct => url.authority.clone().into_bytes(),
    }
}

/// The request once more, with another condition.
pub fn refreshed(asked: &Asked, trust: Option<&Arc<Trust>>, condition: (FieldName, &[u8])) -> Request {
    let mut request = request(asked, Kind::Asked, Way::Through, trust, None);
    request.fields = with_condition(&asked.fields, condition);
    request
}

/// The fields with the value of a condition replaced, in its place.
fn with_condition(fields: &Fields, (name, value): (FieldName, &[u8])) -> Fields {
    let mut fresh = Fields::default();
    let mut placed = false;
    for line in fields.iter() {
        if line.name != name {
            fresh.push(line.name_bytes, line.value);
        } else if !placed {
            fresh.push(line.name_bytes, value);
            placed = true;
        }
    }
    fresh
}

fn fields_of_read(asked: &Asked, kind: Kind, current: Option<(&str, &[u8])>) -> Fields {
    let mut fields = asked.fields.clone();
    fields.retain(|line| {
        let is_condition = CONDITIONS.contains(line.name) && !(kind == Kind::SameCondition && is_for_reads(line.name));
        !is_condition
            && !NOT_FOR_READS.contains(line.name)
            && line.name != FieldName::AcceptEncoding
            && !is_vendors(line)
    });
    match kind {
        Kind::Gzip => fields.push(b"Accept-Encoding", b"gzip"),
        Kind::Brotli => fields.push(b"Accept-Encoding", b"br"),
        Kind::Own => {
            asked.fields.all(FieldName::AcceptEncoding).for_each(|value| fields.push(b"Accept-Encoding", value));
        }
        Kind::CannotHold => fields.push(b"If-Match", CANNOT_MATCH.as_bytes()),
        Kind::NotModified => {
            if let Some((name, value)) = current {
                fields.push(name.as_bytes(), value);
            }
        }
        Kind::NoCache => {
            fields.push(b"Cache-Control", b"no-cache");
            fields.push(b"Pragma", b"no-cache");
        }
        Kind::Plain | Kind::Head | Kind::SameCondition | Kind::Again | Kind::Asked | Kind::Refreshed => {}
    }
    fields
}

/// Conditions whose failure is a 412 on reads as on writes.
const fn is_for_reads(name: FieldName) -> bool {
    matches!(name, FieldName::IfMatch | FieldName::IfUnmodifiedSince)
}

fn is_vendors(line: FieldLine<'_>) -> bool {
    let mut alone = Fields::default();
    alone.push(line.name_bytes, line.value);
    !vendor::of(&alone, b"/", &[]).is_empty()
}
