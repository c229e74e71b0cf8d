//! What one resource has shown: validators, writes, refusals, its absence.

use std::net::SocketAddr;

use http::Method;

use crate::analysis::exchange::{ExchangeId, RequestBody};
use crate::analysis::far_side::AsGiven;
use crate::analysis::judgement::{Confidence, Diagnosis};
use crate::analysis::principal::Principal;
use crate::analysis::semantics::caching::{FromStore, Product};
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::{FieldName, FieldSet};
use crate::analysis::semantics::http_date::HttpDate;
use crate::analysis::time::Time;

/// What is remembered of one resource. Everything is in the order in which it was last seen.
#[derive(Debug)]
pub struct Resource {
    pub(super) path: u128,
    /// When anything was first seen of it.
    pub since: Time,
    /// Validators, each with where and to whom it was shown.
    pub sightings: Vec<Sighting>,
    /// Writes that succeeded or may have.
    pub writes: Vec<Write>,
    /// 412s.
    pub refusals: Vec<Refusal>,
    /// Set when it was last seen not to be there.
    pub absence: Option<Absence>,
    /// A 206 or `Accept-Ranges: bytes` was seen.
    pub serves_ranges: bool,
}

/// One validator in one variant by one kind of answer.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// When the first such answer ended.
    pub first: Time,
    /// When the last one did.
    pub last: Time,
    /// How many there were.
    pub times: u32,
    /// The tag as the upstream gave it.
    pub etag: Option<Box<[u8]>>,
    /// The date as the upstream gave it.
    pub last_modified: Option<Box<[u8]>>,
    /// The tag in a vendor's field.
    pub double: Option<(FieldName, Box<[u8]>)>,
    /// Which representation it was.
    pub variant: Variant,
    /// By which kind of answer.
    pub by: Shown,
    /// Its status.
    pub status: u16,
    /// To whom, and when the request came that was last answered so; the latest few. What was written from then on may
    /// be newer than what was read.
    pub given_to: Vec<(Principal, Time)>,
    /// The address that answered last.
    pub upstream: Option<SocketAddr>,
    /// Signs that it came out of a store, the last time.
    pub store: Option<FromStore>,
    /// The product that the answer named.
    pub product: Option<Product>,
    /// The last exchange that showed it.
    pub exchange: ExchangeId,
    /// Which of Cache-Control, Expires, Vary and Content-Location came with it.
    pub carried: FieldSet,
    /// The validators as the origin gave them, where the other instance of a pair said so.
    pub origin: Option<Box<AsGiven>>,
    /// When the origin had made it, where it came out of a store and a report says so.
    pub made: Option<Time>,
}

impl Sighting {
    /// The tag, if it is one.
    pub fn tag(&self) -> Option<EntityTag<'_>> {
        EntityTag::parse(self.etag.as_deref()?)
    }

    /// The tag in the vendor's field.
    pub fn double_tag(&self) -> Option<EntityTag<'_>> {
        EntityTag::parse(&self.double.as_ref()?.1)
    }

    /// The date, if it is one.
    pub fn date(&self) -> Option<HttpDate> {
        HttpDate::parse(self.last_modified.as_deref()?).ok()
    }

    /// When it was last handed to that client.
    pub fn given_at(&self, client: Principal) -> Option<Time> {
        self.given_to.iter().find(|(principal, _)| *principal == client).map(|(_, at)| *at)
    }

    /// When the store was filled that it came out of, where a report says so, and how sure that is.
    pub fn filled(&self) -> Option<(Time, Confidence)> {
        Some((self.made?, self.origin.as_ref()?.sure))
    }

    fn cost(&self) -> usize {
        let double = self.double.as_ref().map_or(0, |(_, value)| value.len());
        let variant = self.variant.coding.as_deref().map_or(0, <[u8]>::len)
            + self.variant.content_type.as_deref().map_or(0, <[u8]>::len);
        size_of::<Self>()
            + self.etag.as_deref().map_or(0, <[u8]>::len)
            + self.last_modified.as_deref().map_or(0, <[u8]>::len)
            + double
            + variant
            + self.origin.as_ref().map_or(0, |_| size_of::<AsGiven>() + 128)
            + self.given_to.capacity() * size_of::<(Principal, Time)>()
    }
}

/// What selected the representation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// Content-Encoding.
    pub coding: Option<Box<[u8]>>,
    /// Content-Type.
    pub content_type: Option<Box<[u8]>>,
    /// A hash of Accept and Accept-Language; 0 if there were none.
    pub negotiated: u64,
    /// The request accepted a content coding.
    pub accepts_coding: bool,
    /// A part of it (206).
    pub partial: bool,
}

/// Which kind of answer showed a validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shown {
    /// A representation, by GET or another safe method.
    Get,
    /// The same without content.
    Head,
    /// 304
    NotModified,
    /// 412
    Refused,
    /// The answer to a write that succeeded.
    Written,
    /// The answer to a probe, which was given to nobody.
    Probed,
    /// Any other answer.
    Other,
}

impl Shown {
    /// As a sentence names it.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Get => "a read",
            Self::Head => "HEAD",
            Self::NotModified => "a 304",
            Self::Refused => "a 412",
            Self::Written => "the answer to a write",
            Self::Probed => "a probe",
            Self::Other => "another answer",
        }
    }
}

/// A write that succeeded, or may have.
#[derive(Clone, Debug)]
pub struct Write {
    /// When its request had come.
    pub at: Time,
    /// When it ended.
    pub ended: Time,
    /// Whose.
    pub by: Principal,
    /// How.
    pub method: Method,
    /// What became of it.
    pub outcome: WriteOutcome,
    /// A digest of its conditions; `None` if it had none.
    pub condition: Option<u128>,
    /// Its If-Match, as it was sent on.
    pub if_match: Option<Box<[u8]>>,
    /// Its body.
    pub body: RequestBody,
    /// The tag its answer gave.
    pub etag: Option<Box<[u8]>>,
    /// Whether its answer gave any validator.
    pub showed_validator: bool,
    /// It went around the gateway.
    pub direct: bool,
    /// Its name.
    pub exchange: ExchangeId,
    /// The name that an outer instance's mark gave it.
    pub mark: Option<ExchangeId>,
    /// How we know that it succeeded, where its own answer did not say so; and how sure that is.
    pub learned: Option<Confidence>,
}

impl Write {
    /// Whether it succeeded for certain.
    pub const fn is_applied(&self) -> bool {
        matches!(self.outcome, WriteOutcome::Applied { .. })
    }

    /// The tag its answer gave.
    pub fn tag(&self) -> Option<EntityTag<'_>> {
        EntityTag::parse(self.etag.as_deref()?)
    }

    fn cost(&self) -> usize {
        size_of::<Self>()
            + self.etag.as_deref().map_or(0, <[u8]>::len)
            + self.if_match.as_deref().map_or(0, <[u8]>::len)
    }
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It succeeded.
    Applied {
        /// The status of its answer.
        status: u16,
        /// The answer was passed on to its end.
        delivered: bool,
    },
    /// The client left before the answer.
    ClientGone,
    /// The upstream gave no answer, or one of a gateway that had none.
    NoAnswer,
}

/// A 412.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// When it ended, the last time.
    pub at: Time,
    /// How often the same was refused.
    pub times: u32,
    /// Whose request it was.
    pub by: Principal,
    /// With which method.
    pub method: Method,
    /// A digest of the conditions; `None` if there were none.
    pub condition: Option<u128>,
    /// If-Match was among them.
    pub by_tag: bool,
    /// The tag the 412 named.
    pub etag: Option<Box<[u8]>>,
    /// The client has had success since.
    pub recovered: bool,
    /// Something was read since.
    pub read_since: bool,
    /// Its name, the last time.
    pub exchange: ExchangeId,
    /// The verdict, where later exchanges may change it.
    pub diagnosis: Option<Box<Diagnosis>>,
}

impl Refusal {
    fn cost(&self) -> usize {
        // A verdict with its evidence is of the order of a kilobyte.
        size_of::<Self>() + self.etag.as_deref().map_or(0, <[u8]>::len) + self.diagnosis.as_ref().map_or(0, |_| 1024)
    }
}

/// That the resource was not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    /// When it was seen.
    pub at: Time,
    /// By a DELETE or MOVE that succeeded, else by a 404 or 410.
    pub deleted: bool,
    /// Who asked or deleted.
    pub by: Principal,
    /// The status that showed it.
    pub status: u16,
}

impl Resource {
    pub(super) const fn new(path: u128, since: Time) -> Self {
        Self {
            path,
            since,
            sightings: Vec::new(),
            writes: Vec::new(),
            refusals: Vec::new(),
            absence: None,
            serves_ranges: false,
        }
    }

    /// The sighting that was seen last, of answers that show the current version.
    pub fn newest(&self) -> Option<&Sighting> {
        self.sightings.iter().max_by_key(|sighting| sighting.last)
    }

    /// The last write that succeeded for certain.
    pub fn last_applied(&self) -> Option<&Write> {
        self.writes.iter().rev().find(|write| write.is_applied())
    }

    /// Whether it is worth keeping longer than what was only read.
    pub(super) fn is_written_conditionally(&self) -> bool {
        !self.refusals.is_empty() || self.writes.iter().any(|write| write.condition.is_some())
    }

    /// Whether nothing is known of it but that it is not there.
    pub(super) const fn is_only_absent(&self) -> bool {
        self.sightings.is_empty() && self.writes.is_empty() && self.refusals.is_empty()
    }

    /// Bytes it takes, as well as they can be counted.
    pub(super) fn cost(&self) -> usize {
        size_of::<Self>()
            + self.sightings.iter().map(Sighting::cost).sum::<usize>()
            + self.writes.iter().map(Write::cost).sum::<usize>()
            + self.refusals.iter().map(Refusal::cost).sum::<usize>()
    }
}
