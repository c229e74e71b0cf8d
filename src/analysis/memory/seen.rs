//! What one exchange shows of its resource, read from its two heads, before anything is remembered.

use http::Method;

use super::history::{Absence, Shown, Sighting, Variant, Write, WriteOutcome};
use crate::analysis::digest::{Digest, DigestKey};
use crate::analysis::exchange::{Answer, Exchange, Outcome, Scheme};
use crate::analysis::far_side::{self, AsGiven, MadeBy, Testimony};
use crate::analysis::judgement::Confidence;
use crate::analysis::resource::shard_hash_of;
use crate::analysis::semantics::caching::{FromStore, contains, from_store, product};
use crate::analysis::semantics::conditions::{CONDITION_NAMES, Conditions};
use crate::analysis::semantics::fields::{FieldName, FieldSet, Fields};
use crate::analysis::semantics::validators::Validators;
use crate::analysis::semantics::vendor;
use crate::analysis::time::Time;

/// Fields of a 200 that its 304 must repeat (RFC 9110 §15.4.5).
pub const CARRIED: [FieldName; 4] =
    [FieldName::CacheControl, FieldName::Expires, FieldName::Vary, FieldName::ContentLocation];

/// Whether there is anything in an exchange to judge or to remember. Everything else need not take the lock.
pub fn concerns(exchange: &Exchange<'_>) -> bool {
    if Conditions::any(&exchange.request.fields) || is_write(&exchange.request.method) || exchange.bypass.is_some() {
        return true;
    }
    let far_side = &exchange.far_side;
    if far_side.report.is_some() || far_side.mark.is_some_and(|(mark, _)| !mark.conditions.is_empty()) {
        return true;
    }
    exchange.answer().is_some_and(|answer| {
        Validators::any(&answer.head.fields) || matches!(answer.head.status, 206 | 304 | 404 | 410 | 412 | 428)
    })
}

/// Whether a method changes the resource it is for. LOCK, UNLOCK and methods nobody knows are not counted as writes:
/// taking one for a write would accuse its client.
pub fn is_write(method: &Method) -> bool {
    const EXTENSIONS: [&str; 5] = ["MOVE", "MERGE", "MKCOL", "MKCALENDAR", "UPDATE"];
    *method == Method::PUT
        || *method == Method::POST
        || *method == Method::PATCH
        || *method == Method::DELETE
        || EXTENSIONS.contains(&method.as_str())
}

/// A digest of all conditions of a request, vendor ones included; `None` if there are none.
pub(super) fn condition_digest(exchange: &Exchange<'_>, key: &DigestKey) -> Option<u128> {
    let fields = exchange.forwarded;
    // A plain read is not searched for what only matters to writes and refusals.
    if !Conditions::any(fields) && !is_write(&exchange.request.method) && exchange.status() != Some(412) {
        return None;
    }
    let vendor = vendor::of(fields, &exchange.request.target, &exchange.policy.preconditions);
    if !Conditions::any(fields) && vendor.is_empty() {
        return None;
    }
    let mut digest = Digest::new(key);
    for name in CONDITION_NAMES {
        for value in fields.all(name) {
            digest.update(&[name as u8]);
            digest.part(value);
        }
    }
    for condition in vendor {
        digest.part(&condition.name);
        digest.part(&condition.value);
    }
    Some(digest.finish())
}

/// Which kind of answer this is to the version of the resource; `None` if it says nothing of it. Error pages and
/// redirects carry validators of their own.
pub(super) fn shown(exchange: &Exchange<'_>, answer: &Answer<'_>) -> Option<Shown> {
    let method = &exchange.request.method;
    match answer.head.status {
        304 => Some(Shown::NotModified),
        412 => Some(Shown::Refused),
        200 | 203 | 206 if *method == Method::GET => Some(Shown::Get),
        200 if *method == Method::HEAD => Some(Shown::Head),
        // The answer to DELETE describes nothing that is left, and a 201 with Location something else.
        200..=299 if is_write(method) && *method != Method::DELETE && method.as_str() != "MOVE" => {
            (created_elsewhere(exchange, answer).is_none()).then_some(Shown::Written)
        }
        _ => None,
    }
}

/// RFC 9110 §10.2.2 and §9.3.3: a 201 with Location tells of another resource, and so do its validators.
pub(super) fn created_elsewhere<'a>(exchange: &Exchange<'_>, answer: &'a Answer<'_>) -> Option<&'a [u8]> {
    let location = answer.head.fields.first(FieldName::Location).filter(|_| answer.head.status == 201)?;
    (location != &*exchange.request.target && !location.ends_with(&exchange.request.target)).then_some(location)
}

/// The validators that an answer shows, and what selected its representation: borrowed, so that what was seen before
/// costs no copy.
pub(super) struct Glimpse<'a> {
    by: Shown,
    etag: Option<&'a [u8]>,
    last_modified: Option<&'a [u8]>,
    double: Option<(FieldName, &'a [u8])>,
    coding: Option<&'a [u8]>,
    content_type: Option<&'a [u8]>,
    negotiated: u64,
    accepts_coding: bool,
    partial: bool,
    store: Option<FromStore>,
    origin: Option<AsGiven>,
    made: Option<Time>,
}

impl<'a> Glimpse<'a> {
    /// What the answer of an exchange shows of the version; `None` if nothing.
    pub(super) fn of(exchange: &Exchange<'a>, testimony: &Testimony<'_>) -> Option<Self> {
        let Outcome::Answered(answer) = exchange.outcome else { return None };
        let fields: &'a Fields = &answer.head.fields;
        let glimpse = Self::shown_by(exchange, &answer, shown(exchange, &answer)?, testimony);
        // What the origin gave and a gateway removed is worth as much.
        let was_given = glimpse.origin.as_ref().is_some_and(|it| it.etag.is_some() || it.last_modified.is_some());
        (Validators::any(fields) || was_given).then_some(glimpse)
    }

    /// What an answer shows, as that kind of answer.
    pub(super) fn shown_by(exchange: &Exchange<'a>, answer: &Answer<'a>, by: Shown, testimony: &Testimony<'_>) -> Self {
        let fields: &'a Fields = &answer.head.fields;
        let value = |name| fields.first(name).filter(|value: &&[u8]| value.len() <= VALUE_MAX);
        let short = |name| fields.first(name).map(cut);
        Self {
            by,
            etag: value(FieldName::ETag),
            last_modified: value(FieldName::LastModified),
            double: [FieldName::OcETag, FieldName::XETag].into_iter().find_map(|name| Some((name, value(name)?))),
            coding: short(FieldName::ContentEncoding),
            content_type: short(FieldName::ContentType),
            negotiated: negotiated(&exchange.request.fields),
            accepts_coding: accepts_coding(&exchange.request.fields),
            partial: answer.head.status == 206,
            store: from_store(fields).or_else(|| testimony.is_from_store().then_some(FromStore::EarlierReport)),
            origin: testimony.as_given(answer.head.status),
            made: match testimony.answer {
                MadeBy::Store { filled, .. } if testimony.is_from_store() => filled,
                MadeBy::Store { .. } | MadeBy::Unknown | MadeBy::Unreported { .. } | MadeBy::Origin(_) => None,
            },
        }
    }

    /// Whether it is the same as what was seen before.
    pub(super) fn is(&self, known: &Sighting) -> bool {
        known.by == self.by
            && known.etag.as_deref() == self.etag
            && known.last_modified.as_deref() == self.last_modified
            && known.double.as_ref().map(|(name, value)| (*name, &**value)) == self.double
            && known.variant.coding.as_deref() == self.coding
            && known.variant.content_type.as_deref() == self.content_type
            && known.variant.negotiated == self.negotiated
            && known.variant.accepts_coding == self.accepts_coding
            && known.variant.partial == self.partial
            && known.store.is_some() == self.store.is_some()
            && known.origin.as_deref() == self.origin.as_ref()
    }

    /// The sign that it came out of a store.
    pub(super) const fn store(&self) -> Option<FromStore> {
        self.store
    }

    /// When that store was filled.
    pub(super) const fn made(&self) -> Option<Time> {
        self.made
    }

    /// As it is kept.
    pub(super) fn keep(&self, exchange: &Exchange<'_>, answer: &Answer<'_>) -> Sighting {
        Sighting {
            first: exchange.ended,
            last: exchange.ended,
            times: 1,
            etag: self.etag.map(Box::from),
            last_modified: self.last_modified.map(Box::from),
            double: self.double.map(|(name, value)| (name, value.into())),
            variant: variant(exchange, answer),
            by: self.by,
            status: answer.head.status,
            // A probe's answer is given to nobody.
            given_to: if self.by == Shown::Probed { Vec::new() } else { vec![(exchange.client, exchange.at)] },
            upstream: exchange.upstream,
            store: self.store,
            product: product(&answer.head.fields),
            exchange: exchange.id,
            carried: carried(&answer.head.fields),
            origin: self.origin.clone().map(Box::new),
            made: self.made,
        }
    }
}

/// Which of [`CARRIED`] an answer carries.
pub fn carried(fields: &Fields) -> FieldSet {
    let mut set = FieldSet::default();
    for name in CARRIED.into_iter().filter(|name| fields.contains(*name)) {
        // What compresses adds this to every 200 that it could compress, and to no 304.
        if name != FieldName::Vary || !varies_by_coding_alone(fields) {
            set = set.with(name);
        }
    }
    set
}

fn varies_by_coding_alone(fields: &Fields) -> bool {
    let mut members = fields.all(FieldName::Vary).flat_map(|value| value.split(|byte| *byte == b','));
    members.all(|member| member.trim_ascii().eq_ignore_ascii_case(b"accept-encoding"))
}

/// The longest value that is kept, in bytes: no tag in use is near it.
const VALUE_MAX: usize = 1024;

pub(super) fn kept(value: &[u8]) -> Option<Box<[u8]>> {
    (value.len() <= VALUE_MAX).then(|| value.into())
}

/// As much of a value as is kept to tell representations apart.
fn cut(value: &[u8]) -> &[u8] {
    value.get(..value.len().min(64)).unwrap_or_default()
}

/// What selected the representation of an answer.
pub fn variant(exchange: &Exchange<'_>, answer: &Answer<'_>) -> Variant {
    let fields = &answer.head.fields;
    let short = |name| fields.first(name).map(cut).map(Box::from);
    Variant {
        coding: short(FieldName::ContentEncoding),
        content_type: short(FieldName::ContentType),
        negotiated: negotiated(&exchange.request.fields),
        accepts_coding: accepts_coding(&exchange.request.fields),
        partial: answer.head.status == 206,
    }
}

/// A hash of what a request asked for by Accept and Accept-Language; 0 if it asked for nothing.
pub fn negotiated(fields: &Fields) -> u64 {
    let (accept, language) = (fields.first(FieldName::Accept), fields.first(FieldName::AcceptLanguage));
    if accept.is_none_or(|accept| accept == b"*/*") && language.is_none() {
        return 0;
    }
    // Compared within one resource only, so a known key does no harm.
    DigestKey::new(*b"why412 negotiate").digest(&[accept.unwrap_or_default(), language.unwrap_or_default()]) as u64
}

/// Whether a request accepts a content coding.
pub fn accepts_coding(fields: &Fields) -> bool {
    const CODINGS: [&[u8]; 5] = [b"gzip", b"br", b"zstd", b"deflate", b"*"];
    fields.all(FieldName::AcceptEncoding).any(|value| CODINGS.iter().any(|coding| contains(value, coding)))
}

/// What a MOVE or COPY that succeeded has written.
pub(super) fn destination<'a>(exchange: &Exchange<'a>) -> Option<(Scheme, &'a [u8], &'a [u8])> {
    let carries = matches!(exchange.request.method.as_str(), "MOVE" | "COPY");
    if !carries || !matches!(exchange.status(), Some(200..=299)) {
        return None;
    }
    let destination = exchange.forwarded.first(FieldName::Destination)?;
    // RFC 4918 §10.3: an absolute URI, or a path.
    let rest = destination.windows(3).position(|window| window == b"://").and_then(|at| destination.get(at + 3..));
    let authority = rest.map(|rest| rest.split(|byte| *byte == b'/').next().unwrap_or_default());
    // A gateway may have changed scheme and authority of the request and not of the field.
    Some((exchange.scheme, authority.unwrap_or(&exchange.request.authority), destination))
}

/// The shard to which the destination of a MOVE or COPY that succeeded belongs.
pub fn destination_hash(exchange: &Exchange<'_>) -> Option<u64> {
    let (scheme, authority, target) = destination(exchange)?;
    Some(shard_hash_of(scheme, authority, target))
}

/// The write of an exchange, if it succeeded or may have.
pub(super) fn write(exchange: &Exchange<'_>, condition: Option<u128>, testimony: &Testimony<'_>) -> Option<Write> {
    if !is_write(&exchange.request.method) {
        return None;
    }
    written(exchange, condition, testimony)
}

/// What an exchange has written, whatever its method.
pub(super) fn written(exchange: &Exchange<'_>, condition: Option<u128>, testimony: &Testimony<'_>) -> Option<Write> {
    // The origin may have carried out what the client was told otherwise of.
    let learned = far_side::applied(exchange, testimony).filter(|_| !matches!(exchange.status(), Some(200..=299)));
    // And refused what the client was told to have succeeded.
    let refused = testimony.own_report().is_some_and(|report| matches!(report.status, 300..=499));
    let outcome = match &exchange.outcome {
        Outcome::Answered(_) if refused => return None,
        Outcome::Answered(answer) => match (answer.head.status, learned) {
            (status @ 200..=299, _) => WriteOutcome::Applied { status, delivered: answer.complete },
            (_, Some(status)) => WriteOutcome::Applied { status, delivered: false },
            // A gateway had no answer, or the service failed on the way.
            (500 | 502 | 504, None) => WriteOutcome::NoAnswer,
            // Some gateways say it like this (Varnish: "Backend fetch failed"); then it comes without a report.
            (503, None) if matches!(testimony.answer, MadeBy::Unreported { .. }) => WriteOutcome::NoAnswer,
            (_, None) => return None,
        },
        Outcome::NoAnswer { sent: true, .. } => WriteOutcome::NoAnswer,
        Outcome::ClientGone { sent: true } => WriteOutcome::ClientGone,
        Outcome::NoAnswer { sent: false, .. } | Outcome::ClientGone { sent: false } | Outcome::Refused { .. } => {
            return None;
        }
    };
    Some(attempt(exchange, condition, outcome, learned.map(|_| testimony.most)))
}

/// A write with that outcome.
pub(super) fn attempt(
    exchange: &Exchange<'_>,
    condition: Option<u128>,
    outcome: WriteOutcome,
    learned: Option<Confidence>,
) -> Write {
    // An answer that replaces the origin's tells nothing of what was written.
    let fields = exchange.answer().map(|answer| &answer.head.fields).filter(|_| learned.is_none());
    Write {
        at: exchange.at,
        ended: exchange.ended,
        by: exchange.client,
        method: exchange.request.method.clone(),
        outcome,
        condition,
        if_match: exchange.forwarded.first(FieldName::IfMatch).and_then(kept),
        body: exchange.request_body,
        etag: fields.and_then(|fields| fields.first(FieldName::ETag)).and_then(kept),
        showed_validator: fields.is_some_and(Validators::any),
        direct: exchange.bypass.is_some_and(|bypass| bypass.direct),
        exchange: exchange.id,
        mark: exchange.far_side.mark.map(|(mark, _)| mark.exchange),
        learned,
    }
}

/// Whether an exchange shows that the resource is there (`Some(None)`), or that it is not.
pub(super) fn absence(exchange: &Exchange<'_>, answer: &Answer<'_>) -> Option<Option<Absence>> {
    let (method, status) = (&exchange.request.method, answer.head.status);
    let absent = |deleted| Some(Some(Absence { at: exchange.ended, deleted, by: exchange.client, status }));
    match status {
        404 | 410 if *method == Method::GET || *method == Method::HEAD || *method == Method::DELETE => absent(false),
        200..=299 if *method == Method::DELETE || method.as_str() == "MOVE" => absent(true),
        200..=299
            if *method == Method::GET
                || *method == Method::HEAD
                || *method == Method::PUT
                || *method == Method::PATCH =>
        {
            Some(None)
        }
        304 => Some(None),
        // A 412 that names a version has one.
        412 if Validators::any(&answer.head.fields) => Some(None),
        _ => None,
    }
}
