//! How we know: typed facts with their values, and the sentences that renderers show. Values are hostile: they are
//! escaped here, once, for every sink.

use std::net::SocketAddr;

use super::spelling::{moment, shown, title};
use super::wording::{
    arrived_says, given_says, no_report_says, origin_answered_says, origin_gave_says, probed_says, sequence_says,
    verdicts_says, wrote_says,
};
use crate::analysis::far_side::{Altered, AsGiven};
use crate::analysis::memory::{Absence, Shown, Sighting, Write, WriteOutcome};
use crate::analysis::pairing::CarriedValue;
use crate::analysis::principal::{Principal, ToldApartBy};
use crate::analysis::semantics::caching::{FromStore, Product};
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::time::Time;

/// A fact with its values. Only renderers make sentences of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// What the request carried.
    Sent {
        /// The field or query parameter.
        field: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
    },
    /// The request carried no condition.
    SentNone,
    /// What the answer itself names as current.
    Named {
        /// The status of the answer.
        status: u16,
        /// The field.
        field: FieldName,
        /// Its value.
        value: Vec<u8>,
    },
    /// The answer names no validator.
    NamedNone,
    /// A validator was given out.
    Given {
        /// Which.
        value: Vec<u8>,
        /// When.
        at: Time,
        /// To whom.
        to: Whom,
        /// By which kind of answer.
        by: Shown,
        /// In which content coding.
        coding: Option<Vec<u8>>,
        /// On the same path with another query.
        sibling: bool,
    },
    /// A tag was never seen on this resource.
    NeverSeen {
        /// Which.
        value: Vec<u8>,
    },
    /// The same message carries the tag twice, differently.
    Double {
        /// The vendor's field.
        field: FieldName,
        /// The tag in it.
        value: Vec<u8>,
        /// What ETag said; nothing if it was missing.
        etag: Option<Vec<u8>>,
        /// When.
        at: Time,
    },
    /// A write that succeeded or may have.
    Wrote {
        /// Whose.
        by: Whom,
        /// How.
        method: String,
        /// When it ended.
        at: Time,
        /// What became of it.
        outcome: WriteOutcome,
        /// The tag it gave.
        etag: Option<Vec<u8>>,
        /// On the same path with another query.
        sibling: bool,
    },
    /// How much of a repeated request is the same.
    SameRequest {
        /// The bodies were compared byte for byte by their digests; else only their length.
        body: bool,
    },
    /// The same condition had been refused before.
    RefusedBefore {
        /// How often.
        times: u32,
        /// When last.
        at: Time,
    },
    /// The resource was not there.
    Gone {
        /// When that was seen.
        at: Time,
        /// By a deletion, else by the status of a read.
        deleted: bool,
        /// The status.
        status: u16,
    },
    /// What the verdict on "same" or "other" rests on.
    ToldApart {
        /// What told them apart.
        by: ToldApartBy,
        /// A gateway stands before this instance, so that the address is the gateway's.
        hidden: bool,
    },
    /// An answer came out of a store.
    Stored {
        /// The sign of it.
        sign: FromStore,
        /// When it came.
        at: Time,
    },
    /// A product was recognised.
    Recognised {
        /// Which.
        product: Product,
    },
    /// The end of a tag is that of a compressor.
    Suffix {
        /// The tag.
        tag: Vec<u8>,
        /// What was added.
        suffix: Vec<u8>,
    },
    /// A value breaks its grammar.
    Malformed {
        /// The field.
        field: FieldName,
        /// Its value.
        value: Vec<u8>,
        /// How.
        says: &'static str,
    },
    /// The tag belongs to another resource.
    Elsewhere {
        /// The tag.
        value: Vec<u8>,
        /// The path of the other resource.
        path: Vec<u8>,
        /// When it was shown there.
        at: Time,
    },
    /// Validators that came one after the other without a write.
    Sequence {
        /// Each with when and by which upstream.
        seen: Vec<(Vec<u8>, Time, Option<SocketAddr>)>,
    },
    /// No write was seen since.
    NoWriteSince {
        /// Since when.
        since: Time,
    },
    /// The two requests asked for different representations.
    OtherVariant,
    /// The clocks of the date that was sent and of the origin.
    Clocks {
        /// The date sent.
        sent: Vec<u8>,
        /// The origin's `Date`.
        origin: Vec<u8>,
    },
    /// Something that the verdict could not know, and how to get it.
    Missing {
        /// A sentence.
        what: &'static str,
    },
    /// What the origin answered, by the report of the other instance.
    OriginAnswered {
        /// The status.
        status: u16,
        /// To an earlier arrival of the same request: the gateway sent it more than once.
        earlier: bool,
        /// The report came with a later exchange.
        later: bool,
    },
    /// A validator as the origin gave it.
    OriginGave {
        /// The field.
        field: FieldName,
        /// Its value; `None` if the origin gave none.
        value: Option<Vec<u8>>,
        /// What came here.
        came: Option<Vec<u8>>,
        /// When.
        at: Time,
    },
    /// A condition that did not arrive as it was sent.
    Arrived {
        /// The field.
        field: FieldName,
        /// Its value as it was sent; `None` if it was not.
        sent: Option<Vec<u8>>,
        /// Its value as it arrived; `None` if it did not.
        arrived: Option<Vec<u8>>,
    },
    /// No report came, where they usually do.
    NoReport {
        /// Answers of the same class carried them without a gap.
        against_habit: bool,
    },
    /// What the conditions come to on either side.
    Verdicts {
        /// As they were sent.
        sent: &'static str,
        /// As they arrived.
        arrived: &'static str,
    },
    /// A probe after the refusal was answered.
    Probed {
        /// Around the gateway, else by the usual way.
        direct: bool,
        /// GET or HEAD.
        method: &'static str,
        /// The status.
        status: u16,
        /// The validator it showed; nothing if it showed none.
        validator: Option<(FieldName, Vec<u8>)>,
        /// In which content coding.
        coding: Option<Vec<u8>>,
        /// The sign that it came out of a store.
        store: Option<FromStore>,
        /// When.
        at: Time,
    },
    /// A fact without values.
    Fact {
        /// Its kind.
        kind: &'static str,
        /// A sentence.
        says: &'static str,
    },
}

/// Who did or got something, beside the client of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// The same client.
    ThisClient,
    /// Another one, by its shortened hash.
    Other(String),
}

impl Whom {
    /// `principal` as seen from the exchange of `client`.
    pub fn of(principal: Principal, client: Principal) -> Self {
        if principal == client { Self::ThisClient } else { Self::Other(principal.short()) }
    }

    pub(super) fn says(&self) -> String {
        match self {
            Self::ThisClient => "this client".to_owned(),
            Self::Other(name) => format!("another client ({name})"),
        }
    }
}

impl Evidence {
    /// That `sighting` gave out its tag, the last time to `client` or else to somebody.
    pub fn given(sighting: &Sighting, client: Principal, sibling: bool) -> Self {
        let own = sighting.given_at(client);
        let other = sighting.given_to.last().map_or(client, |(principal, _)| *principal);
        Self::Given {
            value: sighting.etag.as_deref().or(sighting.last_modified.as_deref()).unwrap_or_default().to_vec(),
            at: own.unwrap_or(sighting.last),
            to: Whom::of(if own.is_some() { client } else { other }, client),
            by: sighting.by,
            coding: sighting.variant.coding.as_deref().map(<[u8]>::to_vec),
            sibling,
        }
    }

    /// That a write happened.
    pub fn wrote(write: &Write, client: Principal, sibling: bool) -> Self {
        Self::Wrote {
            by: Whom::of(write.by, client),
            method: write.method.as_str().to_owned(),
            at: write.ended,
            outcome: write.outcome,
            etag: write.etag.as_deref().map(<[u8]>::to_vec),
            sibling,
        }
    }

    /// What the origin gave when `seen` came.
    pub fn origin_gave(seen: &Sighting, given: &AsGiven, field: FieldName) -> Self {
        let (value, came) = if field == FieldName::LastModified {
            (given.last_modified.as_ref(), seen.last_modified.as_deref())
        } else {
            (given.etag.as_ref(), seen.etag.as_deref())
        };
        let value = value.map(CarriedValue::to_text);
        Self::OriginGave { field, value, came: came.map(<[u8]>::to_vec), at: seen.last }
    }

    /// How a condition was altered.
    pub fn arrived(altered: &Altered) -> Self {
        Self::Arrived { field: altered.field, sent: altered.before(), arrived: altered.after() }
    }

    /// That the resource was not there.
    pub const fn gone(absence: &Absence) -> Self {
        Self::Gone { at: absence.at, deleted: absence.deleted, status: absence.status }
    }

    /// Which kind of fact, in lower case with hyphens.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "sent",
            Self::SentNone => "sent-none",
            Self::Named { .. } => "named",
            Self::NamedNone => "named-none",
            Self::Given { .. } => "given",
            Self::NeverSeen { .. } => "never-seen",
            Self::Double { .. } => "double",
            Self::Wrote { .. } => "wrote",
            Self::SameRequest { .. } => "same-request",
            Self::RefusedBefore { .. } => "refused-before",
            Self::Gone { .. } => "gone",
            Self::ToldApart { .. } => "told-apart",
            Self::Stored { .. } => "stored",
            Self::Recognised { .. } => "recognised",
            Self::Suffix { .. } => "suffix",
            Self::Malformed { .. } => "malformed",
            Self::Elsewhere { .. } => "elsewhere",
            Self::Sequence { .. } => "sequence",
            Self::NoWriteSince { .. } => "no-write-since",
            Self::OtherVariant => "other-variant",
            Self::Clocks { .. } => "clocks",
            Self::Missing { .. } => "missing",
            Self::OriginAnswered { .. } => "origin-answered",
            Self::OriginGave { .. } => "origin-gave",
            Self::Arrived { .. } => "arrived",
            Self::NoReport { .. } => "no-report",
            Self::Verdicts { .. } => "verdicts",
            Self::Probed { .. } => "probed",
            Self::Fact { kind, .. } => kind,
        }
    }

    /// The fact as a sentence.
    pub fn says(&self) -> String {
        match self {
            Self::Sent { field, value } => format!("The request carried {}: {}.", shown(field), shown(value)),
            Self::SentNone => "The request carried no condition, of HTTP or of a vendor.".to_owned(),
            Self::Named { status, field, value } => {
                format!("The {status} itself names {}: {}.", title(*field), shown(value))
            }
            Self::NamedNone => "The answer names no validator of the current version.".to_owned(),
            Self::Given { value, at, to, by, coding, sibling } => given_says(value, *at, to, *by, coding, *sibling),
            Self::NeverSeen { value } => {
                format!("{} was never seen on this resource by this instance.", shown(value))
            }
            Self::Double { field, value, etag, at } => double_says(*field, value, etag.as_deref(), *at),
            Self::Wrote { by, method, at, outcome, etag, sibling } => {
                wrote_says(by, method, *at, *outcome, etag.as_deref(), *sibling)
            }
            Self::SameRequest { body } => same_says(*body).to_owned(),
            Self::RefusedBefore { times, at } => {
                let times = if *times == 1 { "once".to_owned() } else { format!("{times} times, last") };
                format!("The same condition of this client had been refused {times} at {}.", moment(*at))
            }
            Self::Gone { at, deleted, status } => gone_says(*at, *deleted, *status),
            Self::ToldApart { by, hidden } => told_apart_says(*by, *hidden),
            Self::Stored { sign, at } => {
                format!("The answer at {} came out of a store ({}).", moment(*at), sign.says())
            }
            Self::Recognised { product } => format!("The answers name {}.", product.as_str()),
            Self::Suffix { tag, suffix } => {
                format!("{} ends in {}, the mark of a compressor.", shown(tag), shown(suffix))
            }
            Self::Malformed { field, value, says } => {
                format!("{}: {} is malformed: {says}.", title(*field), shown(value))
            }
            Self::Elsewhere { value, path, at } => {
                format!("{} was shown for another resource ({}) at {}.", shown(value), shown(path), moment(*at))
            }
            Self::Sequence { seen } => sequence_says(seen),
            Self::NoWriteSince { since } => format!("No write was seen since {}.", moment(*since)),
            Self::OtherVariant => {
                "The refused request and the one that was given the tag differ in Accept or Accept-Language.".to_owned()
            }
            Self::Clocks { sent, origin } => {
                format!("The date sent is {}, the origin's clock said {}.", shown(sent), shown(origin))
            }
            Self::Missing { what } => (*what).to_owned(),
            Self::OriginAnswered { status, earlier, later } => origin_answered_says(*status, *earlier, *later),
            Self::OriginGave { field, value, came, at } => {
                origin_gave_says(*field, value.as_deref(), came.as_deref(), *at)
            }
            Self::Arrived { field, sent, arrived } => arrived_says(*field, sent.as_deref(), arrived.as_deref()),
            Self::NoReport { against_habit } => no_report_says(*against_habit),
            Self::Verdicts { sent, arrived } => verdicts_says(sent, arrived),
            Self::Probed { direct, method, status, validator, coding, store, at } => {
                let validator = validator.as_ref().map(|(field, value)| (*field, value.as_slice()));
                probed_says(*direct, (*method, *status, *at), validator, coding.as_deref(), *store)
            }
            Self::Fact { says, .. } => (*says).to_owned(),
        }
    }
}

fn double_says(field: FieldName, value: &[u8], etag: Option<&[u8]>, at: Time) -> String {
    let etag = etag.map_or_else(|| "no ETag".to_owned(), |etag| format!("ETag: {}", shown(etag)));
    format!("One and the same answer at {} carried {etag} and {}: {}.", moment(at), title(field), shown(value))
}

const fn same_says(body: bool) -> &'static str {
    if body {
        "Method, resource, condition and body are the same."
    } else {
        "Method, resource, condition and length are the same; the bodies could not be compared."
    }
}

fn gone_says(at: Time, deleted: bool, status: u16) -> String {
    let how = if deleted { "was deleted or moved away" } else { "was not there" };
    format!("The resource {how} at {} (answered {status}).", moment(at))
}

fn told_apart_says(by: ToldApartBy, hidden: bool) -> String {
    let hidden = if hidden { "; a gateway stands in between, so that it is the gateway's" } else { "" };
    format!("Clients were told apart by {}{hidden}.", by.says())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_name_their_values() {
        let says = Evidence::Sent { field: b"If-Match".to_vec(), value: b"\"v1\"".to_vec() }.says();
        assert_eq!(says, "The request carried If-Match: \"v1\".");
    }
}
