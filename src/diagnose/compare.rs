//! What the two ways, and the codings, show of one validator: pure comparison of what was observed.

use super::observed::Observed;
use super::steps::{Kind, VARIANTS, Way};
use super::wire::{Answer, BodyEnd};
use crate::analysis::alteration::change;
use crate::analysis::diagnosis::{Cause, causes, suffix};
use crate::analysis::judgement::{Change, Confidence};
use crate::analysis::semantics::caching::{FromStore, Product, from_store, product};
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;

/// A validator that differs from the one it should be.
#[derive(Clone, Debug)]
pub struct Altered {
    /// ETag or Last-Modified.
    pub field: FieldName,
    /// What became of it.
    pub change: Change,
    /// The catalogue entry for it.
    pub cause: &'static Cause,
    /// By which reads it showed.
    pub kinds: Vec<Kind>,
    /// The value it is compared with.
    pub before: Option<Vec<u8>>,
    /// The value that clients are given.
    pub after: Option<Vec<u8>>,
    /// With what it was compared.
    pub against: Against,
    /// How sure it is.
    pub confidence: Confidence,
    /// The product in between, where an answer names one.
    pub product: Option<Product>,
}

/// With what a validator was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// The same read, sent around the gateway.
    Direct,
    /// Another read by the same way.
    Read(Kind, Way),
}

/// Where an old copy was found.
#[derive(Clone, Debug)]
pub struct Outdated {
    /// What the URL gives.
    pub given: Vec<u8>,
    /// What is current.
    pub current: Vec<u8>,
    /// The sign of a store.
    pub store: Option<FromStore>,
    /// A read with no-cache gave the current one.
    pub refreshed: bool,
    /// How sure it is that a cache is to blame.
    pub confidence: Confidence,
    /// The product in between, where an answer names one.
    pub product: Option<Product>,
}

/// Every alteration that the reads show, each kind of it once.
pub fn alterations(observed: &Observed) -> Vec<Altered> {
    let mut found: Vec<Altered> = Vec::new();
    let mut add = |altered: Altered| {
        let same = |known: &&mut Altered| {
            known.change == altered.change
                && known.field == altered.field
                && known.against.way() == altered.against.way()
        };
        match found.iter_mut().find(same) {
            Some(known) => known.kinds.extend(altered.kinds),
            None => found.push(altered),
        }
    };
    if observed.has_direct() {
        VARIANTS.into_iter().flat_map(|kind| between_ways(observed, kind)).for_each(&mut add);
        between_codings(observed, Way::Direct).into_iter().for_each(&mut add);
    } else {
        between_codings(observed, Way::Through).into_iter().for_each(&mut add);
    }
    found
}

impl Against {
    const fn way(self) -> Way {
        match self {
            Self::Direct => Way::Through,
            Self::Read(_, way) => way,
        }
    }
}

/// What the same read shows by both ways.
fn between_ways(observed: &Observed, kind: Kind) -> Vec<Altered> {
    let (Some(through), Some(direct)) = (observed.shown(kind, Way::Through), observed.shown(kind, Way::Direct)) else {
        return Vec::new();
    };
    let differing = |field| {
        let (before, after) = (lines(direct, field), lines(through, field));
        let change = named(field, &before, &after)?;
        if is_negotiation(observed, field, &after) || !is_harmful(field, change) {
            return None;
        }
        // Two versions differ in everything: that is not what a gateway does to a validator.
        if change == Change::Replaced && !is_same_content(observed, through, direct) {
            return None;
        }
        let certain = match change {
            Change::Replaced => Confidence::Possible,
            Change::Stripped
            | Change::Added
            | Change::Weakened
            | Change::Strengthened
            | Change::Suffixed
            | Change::Unquoted
            | Change::Requoted
            | Change::Reformatted
            | Change::Merged
            | Change::Truncated => Confidence::Proven,
        };
        Some(Altered {
            field,
            change,
            cause: cause_of(change),
            kinds: vec![kind],
            before: joined(&before),
            after: joined(&after),
            against: Against::Direct,
            confidence: certain,
            product: between(through, direct),
        })
    };
    [FieldName::ETag, FieldName::LastModified].into_iter().filter_map(differing).collect()
}

/// Whether the service gives the same to another read: then what is in between has asked otherwise (it may take
/// Accept-Encoding away), and altered nothing.
fn is_negotiation(observed: &Observed, field: FieldName, after: &[&[u8]]) -> bool {
    VARIANTS
        .into_iter()
        .filter_map(|kind| observed.shown(kind, Way::Direct))
        .any(|answer| lines(answer, field) == after)
}

/// A date that is missing, came from somewhere, or is written otherwise makes no condition fail.
const fn is_harmful(field: FieldName, change: Change) -> bool {
    matches!(field, FieldName::ETag) || matches!(change, Change::Replaced | Change::Truncated)
}

/// What compressed answers and heads show beside the plain answer by the same way: nothing is proven by that, for each
/// coding may well have a tag of its own.
fn between_codings(observed: &Observed, way: Way) -> Vec<Altered> {
    let Some(plain) = observed.shown(Kind::Plain, way) else { return Vec::new() };
    let mut found = Vec::new();
    for kind in [Kind::Gzip, Kind::Brotli, Kind::Own] {
        // What both ways show alike is no gateway's doing between them; it is asked for here where it is direct.
        let Some(coded) = observed.shown(kind, way) else { continue };
        let is_coded = coded.head.fields.contains(FieldName::ContentEncoding);
        found.extend(beside((Kind::Plain, plain), (kind, coded), way).filter(|altered| match altered.change {
            Change::Weakened | Change::Suffixed => true,
            Change::Stripped => is_coded,
            Change::Added
            | Change::Strengthened
            | Change::Unquoted
            | Change::Requoted
            | Change::Reformatted
            | Change::Merged
            | Change::Truncated
            | Change::Replaced => false,
        }));
    }
    if let Some(head) = observed.shown(Kind::Head, way) {
        let weakened = beside((Kind::Head, head), (Kind::Plain, plain), way);
        found.extend(weakened.filter(|altered| matches!(altered.change, Change::Weakened | Change::Suffixed)));
    }
    found
}

fn beside((of, before): (Kind, &Answer), (kind, after): (Kind, &Answer), way: Way) -> Option<Altered> {
    let (old, new) = (lines(before, FieldName::ETag), lines(after, FieldName::ETag));
    let change = named(FieldName::ETag, &old, &new)?;
    Some(Altered {
        field: FieldName::ETag,
        change,
        cause: cause_of(change),
        kinds: vec![kind],
        before: joined(&old),
        after: joined(&new),
        against: Against::Read(of, way),
        confidence: Confidence::Likely,
        product: product(&after.head.fields),
    })
}

/// An old copy at the URL: another version than directly, with the marks of a cache.
pub fn outdated(observed: &Observed) -> Option<Outdated> {
    let (through, direct) = (observed.shown(Kind::Plain, Way::Through)?, observed.shown(Kind::Plain, Way::Direct)?);
    let (given, current) = (validator(through)?, validator(direct)?);
    let is_other = match (EntityTag::parse(given), EntityTag::parse(current)) {
        (Some(given), Some(current)) => {
            !given.weak_eq(&current) && !suffix::differs_by_suffix(given.opaque, current.opaque)
        }
        (Some(_) | None, _) => given != current,
    };
    // The same content under another name is no old copy; and who changes by the second cannot be compared.
    if !is_other || is_same_content(observed, through, direct) || !observed.is_stable(Way::Direct) {
        return None;
    }
    let after = observed.shown(Kind::NoCache, Way::Through).and_then(validator);
    let store = from_store(&through.head.fields);
    let is_older = match (date(through), date(direct)) {
        (Some(given), Some(current)) => given < current,
        (Some(_) | None, _) => false,
    };
    let refreshed = after == Some(current);
    let between = between(through, direct);
    let confidence = match (store.is_some(), refreshed) {
        (_, true) if store.is_some() || is_older => Confidence::Proven,
        (true, _) => Confidence::Likely,
        (false, _) if is_older && between.is_some_and(Product::is_cache) => Confidence::Likely,
        (false, _) => Confidence::Possible,
    };
    Some(Outdated { given: given.to_vec(), current: current.to_vec(), store, refreshed, confidence, product: between })
}

/// The product that answers by the URL name and direct ones do not.
pub fn between(through: &Answer, direct: &Answer) -> Option<Product> {
    let (there, behind) = (product(&through.head.fields), product(&direct.head.fields));
    there.filter(|_| there != behind)
}

/// The validator that an answer is known by.
pub fn validator(answer: &Answer) -> Option<&[u8]> {
    let fields = &answer.head.fields;
    fields.first(FieldName::ETag).or_else(|| fields.first(FieldName::LastModified))
}

/// Whether both show the same content, as far as it was read. Compressed answers are judged by the plain ones.
fn is_same_content(observed: &Observed, through: &Answer, direct: &Answer) -> bool {
    let plain = |way| observed.shown(Kind::Plain, way);
    let is_coded = |answer: &Answer| answer.head.fields.contains(FieldName::ContentEncoding);
    let (one, other) = if is_coded(through) || is_coded(direct) || through.body.is_empty() {
        match (plain(Way::Through), plain(Way::Direct)) {
            (Some(one), Some(other)) => (one, other),
            (Some(_) | None, _) => return false,
        }
    } else {
        (through, direct)
    };
    let is_read = |answer: &Answer| matches!(answer.body_end, BodyEnd::Whole | BodyEnd::Limit);
    is_read(one) && is_read(other) && one.body == other.body
}

fn date(answer: &Answer) -> Option<crate::analysis::semantics::http_date::HttpDate> {
    crate::analysis::semantics::http_date::HttpDate::parse(answer.head.fields.first(FieldName::LastModified)?).ok()
}

fn lines(answer: &Answer, field: FieldName) -> Vec<&[u8]> {
    answer.head.fields.all(field).collect()
}

fn joined(lines: &[&[u8]]) -> Option<Vec<u8>> {
    (!lines.is_empty()).then(|| lines.join(&b", "[..]))
}

/// The change, where what was appended is the mark of a compressor; anything else appended is another tag.
fn named(field: FieldName, before: &[&[u8]], after: &[&[u8]]) -> Option<Change> {
    let change = change(field, before, after)?;
    if !matches!(change, Change::Suffixed | Change::Truncated) {
        return Some(change);
    }
    let opaque = |lines: &[&[u8]]| lines.first().and_then(|line| EntityTag::parse(line)).map(|tag| tag.opaque.to_vec());
    let (old, new) = (opaque(before).unwrap_or_default(), opaque(after).unwrap_or_default());
    let is_mark = change == Change::Suffixed && suffix::split(&new).is_some_and(|split| split.bare == old);
    Some(if is_mark { change } else { Change::Replaced })
}

const fn cause_of(change: Change) -> &'static Cause {
    match change {
        Change::Weakened => &causes::etag_weakened::CAUSE,
        Change::Suffixed => &causes::etag_suffixed::CAUSE,
        Change::Stripped => &causes::etag_stripped::CAUSE,
        Change::Added
        | Change::Strengthened
        | Change::Unquoted
        | Change::Requoted
        | Change::Reformatted
        | Change::Merged
        | Change::Truncated
        | Change::Replaced => &causes::etag_rewritten::CAUSE,
    }
}
