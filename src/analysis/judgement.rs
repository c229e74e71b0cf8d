//! What was concluded from one exchange: the verdict on a 412, hazards, alterations.

use std::time::Duration;

use super::diagnosis::{Cause, Evidence, Hazard};
use super::exchange::ExchangeId;
use super::semantics::fields::FieldName;
use super::time::Time;

/// How sure a verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// It fits, and so may other reasons.
    Possible,
    /// The usual reason, and nothing speaks against it.
    Likely,
    /// The evidence excludes the others.
    Proven,
}

impl Confidence {
    /// Every one, weakest first.
    pub const ALL: [Self; 3] = [Self::Possible, Self::Likely, Self::Proven];

    /// The name in records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Proven => "proven",
        }
    }
}

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// The client that got the 412.
    Client,
    /// Another client, whose write came first.
    OtherClient,
    /// A cache, compressor or proxy between client and origin.
    Gateway,
    /// The service itself.
    Origin,
    /// Nobody can be named.
    Unknown,
}

impl Party {
    /// The name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::OtherClient => "other-client",
            Self::Gateway => "gateway",
            Self::Origin => "origin",
            Self::Unknown => "unknown",
        }
    }
}

/// One cause or hazard that fits an exchange.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How sure it is.
    pub confidence: Confidence,
    /// One of the details its catalogue entry lists.
    pub detail: Option<&'static str>,
    /// Who has to act, where it is not who the entry names.
    pub party: Option<Party>,
    /// How we know.
    pub evidence: Vec<Evidence>,
    /// What to do in this very case (the product that was recognised, the vendor's field), before the entry's own
    /// advice.
    pub fix: Vec<&'static str>,
}

/// The verdict on a 412: never empty, for `unexplained` always fits.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// The catalogue entry of the primary cause.
    pub cause: &'static Cause,
    /// What was found for it.
    pub finding: Finding,
    /// Causes that fit as well, best first.
    pub others: Vec<(&'static Cause, Finding)>,
}

/// One hazard and what was found for it.
#[derive(Clone, Debug)]
pub struct HazardFound {
    /// The catalogue entry.
    pub hazard: &'static Hazard,
    /// What was found.
    pub finding: Finding,
}

/// On which way a field was altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Towards the origin.
    Request,
    /// Towards the client.
    Response,
}

impl Direction {
    /// The name in records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// What became of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// It is gone.
    Stripped,
    /// It was not there before.
    Added,
    /// A strong tag became weak.
    Weakened,
    /// A weak tag became strong.
    Strengthened,
    /// Something was appended within the quotes.
    Suffixed,
    /// It lost its quotes.
    Unquoted,
    /// Its quotes were changed.
    Requoted,
    /// The same value, written otherwise.
    Reformatted,
    /// Several lines became one.
    Merged,
    /// The end is missing.
    Truncated,
    /// Another value.
    Replaced,
}

impl Change {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::Stripped,
        Self::Added,
        Self::Weakened,
        Self::Strengthened,
        Self::Suffixed,
        Self::Unquoted,
        Self::Requoted,
        Self::Reformatted,
        Self::Merged,
        Self::Truncated,
        Self::Replaced,
    ];

    /// The name in records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stripped => "stripped",
            Self::Added => "added",
            Self::Weakened => "weakened",
            Self::Strengthened => "strengthened",
            Self::Suffixed => "suffixed",
            Self::Unquoted => "unquoted",
            Self::Requoted => "requoted",
            Self::Reformatted => "reformatted",
            Self::Merged => "merged",
            Self::Truncated => "truncated",
            Self::Replaced => "replaced",
        }
    }
}

/// How an alteration is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KnownBy {
    /// The other instance of the pair saw the other value.
    Pairing,
    /// This instance saw the other value in an earlier exchange.
    Ledger,
    /// A vendor double on the same message carries the other value.
    Double,
}

impl KnownBy {
    /// The name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pairing => "pairing",
            Self::Ledger => "ledger",
            Self::Double => "double",
        }
    }
}

/// A condition or validator that left one side and arrived different, or not at all, on the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alteration {
    /// On which way.
    pub on: Direction,
    /// Which field.
    pub field: FieldName,
    /// What became of it.
    pub change: Change,
    /// The value on the side it came from; several lines joined by ", ".
    pub before: Option<Vec<u8>>,
    /// The value on the side it went to.
    pub after: Option<Vec<u8>>,
    /// How it is known.
    pub known_by: KnownBy,
}

/// The current validators of a resource, as last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// The ETag, as it stood in the answer.
    pub etag: Option<Vec<u8>>,
    /// The Last-Modified, as it stood in the answer.
    pub last_modified: Option<Vec<u8>>,
    /// When.
    pub seen_at: Time,
}

/// An earlier exchange whose verdict later exchanges have changed.
#[derive(Clone, Debug)]
pub struct Amendment {
    /// The exchange whose record is amended.
    pub exchange: ExchangeId,
    /// Its verdict as it is now.
    pub diagnosis: Diagnosis,
}

/// Everything concluded from one exchange. Empty for a plain one, and then nothing was allocated for it.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// The verdict; `Some` exactly when the upstream answered 412.
    pub diagnosis: Option<Box<Diagnosis>>,
    /// Damage or waste with no 412 to show for it.
    pub hazards: Vec<HazardFound>,
    /// What was altered on its way.
    pub alterations: Vec<Alteration>,
    /// The current validators of the resource, where the exchange is worth a record.
    pub current: Option<Current>,
    /// The 412 repeats a condition that had failed before for the same client.
    pub repeated_failure: bool,
    /// How long before its 412 the refused validator had been handed out.
    pub validator_age: Option<Duration>,
    /// How long the client had been without success on the resource since its 412.
    pub recovered_after: Option<Duration>,
    /// Earlier verdicts that this exchange changes.
    pub amendments: Vec<Amendment>,
    /// How many rules panicked while they judged; the verdict is made without them.
    pub rules_failed: u32,
}

impl Judgement {
    /// Whether the exchange deserves a record.
    pub fn is_worth_a_record(&self) -> bool {
        self.diagnosis.is_some() || !self.hazards.is_empty() || !self.alterations.is_empty()
    }
}
