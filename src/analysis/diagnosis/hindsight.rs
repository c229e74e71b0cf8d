//! What a probe right after a refusal, or later, says of the verdict: the current validators as they are given out now,
//! through the path and around it, beside the condition that was refused.
//!
//! A probe comes after the refusal, so it proves what is current only together with what does not change by itself: a
//! validator that is the same refutes that the client's copy is out of date, one that differs only by what gateways do
//! to it shows that they do it.

use http::Method;

use super::case::is_other_version;
use super::products::{self, KeepFrom};
use super::{Cause, Evidence, causes, suffix};
use crate::analysis::exchange::{Comparison, Role};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::pairing::{Authenticity, CarriedValue, Report};
use crate::analysis::probing::{Credentials, ProbeAnswer, Probed};
use crate::analysis::semantics::caching::{FromStore, Product, from_store, product};
use crate::analysis::semantics::conditions::{Conditions, tags_of};
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::semantics::http_date::HttpDate;
use crate::analysis::semantics::message::ResponseHead;

/// A refusal as its record tells of it.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// The request's fields as they were sent on.
    pub sent: &'a Fields,
    /// The fields of the answer.
    pub answer: &'a Fields,
    /// Where this instance stands.
    pub role: Role,
    /// How the route compares.
    pub comparison: Comparison,
    /// The primary cause so far.
    pub cause: &'static Cause,
    /// How sure it is.
    pub confidence: Confidence,
}

/// What a probe adds to a verdict.
#[derive(Debug, Default)]
pub struct Hindsight {
    /// What it showed.
    pub facts: Vec<Evidence>,
    /// The verdict it makes, where that is another or a surer one.
    pub reversal: Option<Reversal>,
    /// The validators that are current, where it showed them.
    pub current: Option<Validators>,
}

/// Validators as they stood in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    /// The ETag.
    pub etag: Option<Vec<u8>>,
    /// The Last-Modified.
    pub last_modified: Option<Vec<u8>>,
}

/// Another verdict.
#[derive(Debug)]
pub struct Reversal {
    /// The cause.
    pub cause: &'static Cause,
    /// What was found for it.
    pub finding: Finding,
    /// Causes that it excludes.
    pub refuted: &'static [&'static str],
}

/// Causes that say that the client's validator is no longer the current one, or that nothing was known.
const OUT_OF_DATE: &[&str] = &[
    "stale-validator",
    "concurrent-update",
    "missing-resource",
    "stale-cache",
    "retry-after-applied",
    "client-derived-validator",
    "wrong-target",
    "current-validator-refused",
    "unexplained",
];

/// Causes that rest on little where another one shows.
const OPEN: &[&str] = &["unexplained", "current-validator-refused", "stale-validator"];

/// Causes that an alteration on the way explains better.
const ALTERED: &[&str] = &[
    "unexplained",
    "current-validator-refused",
    "stale-validator",
    "concurrent-update",
    "weak-etag-in-if-match",
    "strength-mismatch",
    "client-derived-validator",
    "malformed-precondition",
];

/// What a probe says of a refusal.
pub fn hindsight(refused: &Refused<'_>, probed: &Probed) -> Hindsight {
    let conditions = Conditions::of(refused.sent);
    let seen = Seen::of(refused, probed);
    let reversal = reversal(refused, &conditions, &seen);
    Hindsight { facts: seen.facts(probed), reversal, current: seen.current() }
}

fn reversal(refused: &Refused<'_>, conditions: &Conditions<'_>, seen: &Seen<'_>) -> Option<Reversal> {
    let tags = tags_of(&conditions.if_match);
    let by_tag = || {
        weakened(refused, &tags, seen)
            .or_else(|| suffixed(refused, &tags, seen))
            .or_else(|| old_copy(refused, &tags, seen))
            .or_else(|| still_current(refused, &tags, seen))
            .or_else(|| moved_on(&tags, seen))
    };
    let by_date = || date(*conditions.if_unmodified_since.valid()?, seen);
    let found = if !tags.is_empty() {
        missing(seen).or_else(by_tag)
    } else if conditions.if_match.is_present() {
        missing(seen).or_else(|| stripped(refused, conditions, seen))
    } else {
        by_date()
    };
    let (over, reversal) = found?;
    let is_same = std::ptr::eq(refused.cause, reversal.cause);
    // What was proven, was proven by more than a later look.
    let gives_way = refused.confidence < Confidence::Proven && over.contains(&refused.cause.id);
    let is_surer = is_same && reversal.finding.confidence > refused.confidence;
    (is_surer || (gives_way && !is_same && reversal.finding.confidence >= Confidence::Likely)).then_some(reversal)
}

/// The causes over which a reversal goes, and the reversal.
type Found = (&'static [&'static str], Reversal);

const fn plain(confidence: Confidence) -> Finding {
    Finding::new(confidence, Vec::new())
}

fn found(over: &'static [&'static str], cause: &'static Cause, finding: Finding) -> Found {
    (over, Reversal { cause, finding, refuted: &[] })
}

/// The origin knows the strong tag, and the client had the weak one.
fn weakened(refused: &Refused<'_>, tags: &[EntityTag<'_>], seen: &Seen<'_>) -> Option<Found> {
    let tag = *tags.first().filter(|_| tags.iter().all(|tag| tag.weak) && refused.comparison == Comparison::Strong)?;
    let strong = EntityTag { weak: false, ..tag };
    let cause = &causes::etag_weakened::CAUSE;
    let advised = |confidence| seen.advised(refused, confidence, KeepFrom::Weakening);
    match seen.origins() {
        Some((origin, sure)) if origin == strong => {
            let both = seen.came() == Some(tag);
            let confidence = if both { sure } else { Confidence::Likely };
            Some(found(ALTERED, cause, advised(confidence)))
        }
        Some((origin, sure)) if origin == tag => {
            let finding = plain(sure).detail("origin-issues-weak").party(Party::Origin);
            Some(found(ALTERED, &causes::weak_etag_in_if_match::CAUSE, finding))
        }
        Some(_) => None,
        None => (seen.came() == Some(strong)).then(|| found(ALTERED, cause, advised(Confidence::Likely))),
    }
}

/// The origin knows the tag without the mark of a compressor.
fn suffixed(refused: &Refused<'_>, tags: &[EntityTag<'_>], seen: &Seen<'_>) -> Option<Found> {
    let (tag, bare) = tags.iter().find_map(|tag| Some((*tag, suffix::split(tag.opaque)?.bare)))?;
    let confidence = match seen.origins() {
        Some((origin, sure)) if origin.opaque == bare => {
            if seen.came() == Some(tag) {
                sure
            } else {
                Confidence::Likely
            }
        }
        Some(_) => return None,
        None => seen.came().filter(|came| came.opaque == bare).map(|_| Confidence::Likely)?,
    };
    Some(found(ALTERED, &causes::etag_suffixed::CAUSE, seen.advised(refused, confidence, KeepFrom::Suffixing)))
}

/// What is given out still is the tag that was sent, and the origin has another one by now.
fn old_copy(refused: &Refused<'_>, tags: &[EntityTag<'_>], seen: &Seen<'_>) -> Option<Found> {
    let [tag] = tags else { return None };
    let through = seen.through.as_ref().filter(|through| through.tag() == Some(*tag))?;
    let named = EntityTag::parse(refused.answer.first(FieldName::ETag).unwrap_or_default());
    let origin = seen.origins().map(|(origin, _)| origin).or(named)?;
    let is_cache = through.store.is_some() || product(through.fields).is_some_and(Product::is_cache);
    (is_cache && is_other_version(*tag, origin)).then(|| {
        found(OUT_OF_DATE, &causes::stale_cache::CAUSE, seen.advised(refused, Confidence::Likely, KeepFrom::OldCopies))
    })
}

/// The tag that was sent is the current one still: nothing that is out of date explains the refusal.
fn still_current(refused: &Refused<'_>, tags: &[EntityTag<'_>], seen: &Seen<'_>) -> Option<Found> {
    let current = seen.current_tag()?;
    let named = EntityTag::parse(refused.answer.first(FieldName::ETag).unwrap_or_default());
    if named.is_some_and(|named| is_other_version(named, current)) {
        return None;
    }
    let same = |tag: &EntityTag<'_>| match refused.comparison {
        Comparison::Strong => tag.strong_eq(&current),
        Comparison::Weak => tag.weak_eq(&current),
    };
    if !tags.iter().any(same) {
        return None;
    }
    let cause: &'static Cause =
        if tags.len() > 1 { &causes::list_unsupported::CAUSE } else { &causes::current_validator_refused::CAUSE };
    let (over, reversal) = found(OUT_OF_DATE, cause, plain(Confidence::Likely));
    Some((over, Reversal { refuted: OUT_OF_DATE, ..reversal }))
}

/// Another version is current.
fn moved_on(tags: &[EntityTag<'_>], seen: &Seen<'_>) -> Option<Found> {
    let current = seen.current_tag()?;
    // Another representation has another tag of its own, and whether the client asked for this one is not known.
    let is_comparable = !seen.shows_current().is_some_and(Answer::is_negotiated);
    // Where the path still gives out what was sent, reading again does not help, and something else is wrong.
    let is_given_out = seen.came().is_some_and(|came| tags.contains(&came));
    let is_new = is_comparable && !is_given_out && tags.iter().all(|tag| is_other_version(*tag, current));
    is_new.then(|| found(OPEN, &causes::stale_validator::CAUSE, plain(Confidence::Likely)))
}

/// The resource is not there.
fn missing(seen: &Seen<'_>) -> Option<Found> {
    let is_missing = |answer: &Answer<'_>| matches!(answer.status, 404 | 410);
    let shown = [seen.direct.as_ref(), seen.through.as_ref()];
    let mut shown = shown.into_iter().flatten().peekable();
    shown.peek()?;
    // Some services say 404 to those whom they do not know.
    let all = seen.credentials != Credentials::Withheld && shown.all(is_missing);
    all.then(|| found(OPEN, &causes::missing_resource::CAUSE, plain(Confidence::Likely)))
}

/// The client had nothing to send, and the origin's tag does not come through.
fn stripped(refused: &Refused<'_>, conditions: &Conditions<'_>, seen: &Seen<'_>) -> Option<Found> {
    let (field, value) = conditions.absent_value()?;
    let through = seen.through.as_ref().filter(|through| through.etag.is_none() && through.is_content())?;
    let (_, sure) = seen.origins()?;
    // HEAD may be answered without what its GET has (RFC 9110 §9.3.2).
    let sure = if through.method == Method::GET { sure } else { Confidence::Likely };
    let says = "it names a value that the client did not have";
    let finding = seen.advised(refused, sure, KeepFrom::Stripping).and(Evidence::Malformed { field, value, says });
    Some(found(ALTERED, &causes::etag_stripped::CAUSE, finding))
}

/// If-Unmodified-Since beside the date that is served.
fn date(sent: HttpDate, seen: &Seen<'_>) -> Option<Found> {
    let current = seen.shows_current()?.date()?;
    let (over, cause): (&'static [&'static str], &'static Cause) = match current.cmp(&sent) {
        std::cmp::Ordering::Greater => {
            (&["unexplained", "date-precision", "current-validator-refused"], &causes::outdated_date::CAUSE)
        }
        std::cmp::Ordering::Equal => {
            (&["unexplained", "outdated-date", "stale-validator", "concurrent-update"], &causes::date_precision::CAUSE)
        }
        std::cmp::Ordering::Less => return None,
    };
    Some(found(over, cause, plain(Confidence::Likely)))
}

/// What the answers show.
struct Seen<'a> {
    through: Option<Answer<'a>>,
    direct: Option<Answer<'a>>,
    /// The report on the probe itself.
    report: Option<(&'a Report, Confidence)>,
    /// What this instance asks is the origin itself.
    is_at_origin: bool,
    credentials: Credentials,
}

/// An answer that says something of the resource.
struct Answer<'a> {
    method: &'a Method,
    status: u16,
    fields: &'a Fields,
    etag: Option<&'a [u8]>,
    store: Option<FromStore>,
}

impl<'a> Answer<'a> {
    fn of(answer: &'a ProbeAnswer, store: Option<FromStore>) -> Option<Self> {
        let head: &ResponseHead = answer.head.as_ref().ok()?;
        let fields = &head.fields;
        let (etag, store) = (fields.first(FieldName::ETag), from_store(fields).or(store));
        let answer = Self { method: &answer.method, status: head.status, fields, etag, store };
        (answer.is_content() || matches!(head.status, 404 | 410)).then_some(answer)
    }

    const fn is_content(&self) -> bool {
        matches!(self.status, 200 | 203)
    }

    fn tag(&self) -> Option<EntityTag<'a>> {
        EntityTag::parse(self.etag.filter(|_| self.is_content())?)
    }

    fn date(&self) -> Option<HttpDate> {
        HttpDate::parse(self.fields.first(FieldName::LastModified).filter(|_| self.is_content())?).ok()
    }

    /// Whether more than the coding selects the representation (RFC 9110 §12.5.5).
    fn is_negotiated(&self) -> bool {
        let mut members = self.fields.all(FieldName::Vary).flat_map(|value| value.split(|byte| *byte == b','));
        let selects = |member: &[u8]| {
            member == b"*"
                || [&b"accept"[..], b"accept-language", b"cookie", b"authorization"]
                    .iter()
                    .any(|name| member.eq_ignore_ascii_case(name))
        };
        members.any(|member| selects(member.trim_ascii()))
    }
}

impl<'a> Seen<'a> {
    fn of(refused: &Refused<'_>, probed: &'a Probed) -> Self {
        let reported = probed.report.as_ref().map(|(report, authenticity)| {
            let sure = match authenticity {
                // One that names no exchange, because the mark was lost on the way in, may be of another one.
                Authenticity::Signed if report.marked.is_some() => Confidence::Proven,
                // Unsigned evidence never proves anything.
                Authenticity::Signed | Authenticity::SignedBefore | Authenticity::Unsigned => Confidence::Likely,
            };
            (report, sure)
        });
        let is_own = |report: &Report| report.marked.is_none() || report.marked == probed.mark;
        let stored = reported.filter(|(report, _)| !is_own(report)).map(|_| FromStore::EarlierReport);
        let through = Answer::of(&probed.through, stored);
        let is_fresh = through.as_ref().is_some_and(|through| through.store.is_none());
        Self {
            report: reported.filter(|(report, _)| is_fresh && is_own(report) && !report.reduced),
            through,
            direct: probed.direct.as_ref().and_then(|direct| Answer::of(direct, None)),
            is_at_origin: refused.role == Role::Inner,
            credentials: probed.credentials,
        }
    }

    /// The tag as the origin gives it, and how sure that is.
    fn origins(&self) -> Option<(EntityTag<'a>, Confidence)> {
        let by_report = || {
            let (report, sure) = self.report?;
            let etag = report.validators.iter().find(|carried| carried.name == FieldName::ETag)?;
            match etag.values.as_slice() {
                [CarriedValue::Whole(bytes)] => Some((EntityTag::parse(bytes)?, sure)),
                _ => None,
            }
        };
        let at_origin = || self.through.as_ref().filter(|_| self.is_at_origin);
        let direct = || self.direct.as_ref().filter(|direct| direct.store.is_none()).or_else(at_origin);
        // HEAD may be answered with another tag than GET by whatever is behind the gateway as well.
        let sure = |answer: &Answer<'_>| {
            if *answer.method == Method::GET { Confidence::Proven } else { Confidence::Likely }
        };
        by_report().or_else(|| direct().and_then(|direct| Some((direct.tag()?, sure(direct)))))
    }

    /// The tag as it comes through the path.
    fn came(&self) -> Option<EntityTag<'a>> {
        self.through.as_ref()?.tag()
    }

    /// The answer that says what is current: not one out of a store.
    fn shows_current(&self) -> Option<&Answer<'a>> {
        let fresh = |answer: &&Answer<'a>| answer.store.is_none() && answer.is_content();
        self.direct.as_ref().filter(fresh).or_else(|| self.through.as_ref().filter(fresh))
    }

    fn current_tag(&self) -> Option<EntityTag<'a>> {
        self.origins().map(|(tag, _)| tag).or_else(|| self.shows_current()?.tag())
    }

    fn current(&self) -> Option<Validators> {
        let fields = self.shows_current()?.fields;
        let value = |name| fields.first(name).map(<[u8]>::to_vec);
        let (etag, last_modified) = (value(FieldName::ETag), value(FieldName::LastModified));
        (etag.is_some() || last_modified.is_some()).then_some(Validators { etag, last_modified })
    }

    /// A finding that says what to change in the product that an answer names.
    fn advised(&self, refused: &Refused<'_>, confidence: Confidence, from: KeepFrom) -> Finding {
        let mut finding = Finding::new(confidence, Vec::new());
        let through = self.through.as_ref().and_then(|through| product(through.fields));
        if let Some(product) = through.or_else(|| product(refused.answer)) {
            let advice = products::advice(product, from);
            finding.fix.extend(advice);
            finding.evidence.extend(advice.map(|_| Evidence::Recognised { product }));
        }
        finding
    }

    /// What the answers showed, as evidence.
    fn facts(&self, probed: &Probed) -> Vec<Evidence> {
        let answers = [(true, probed.direct.as_ref()), (false, Some(&probed.through))];
        let shown = answers.into_iter().filter_map(|(direct, answer)| {
            let answer = answer?;
            let head = answer.head.as_ref().ok()?;
            let validator = [FieldName::ETag, FieldName::LastModified]
                .into_iter()
                .find_map(|name| Some((name, head.fields.first(name)?.to_vec())));
            let store =
                if direct { from_store(&head.fields) } else { self.through.as_ref().and_then(|seen| seen.store) };
            Some(Evidence::Probed {
                direct,
                method: if answer.method == Method::HEAD { "HEAD" } else { "GET" },
                status: head.status,
                validator,
                coding: head.fields.first(FieldName::ContentEncoding).map(<[u8]>::to_vec),
                store,
                at: answer.at,
            })
        });
        let reported = self.report.and_then(|(report, _)| {
            let etag = report.validators.iter().find(|carried| carried.name == FieldName::ETag);
            let came = self.through.as_ref()?.etag;
            let value = etag.and_then(|carried| carried.values.first()).map(CarriedValue::to_text);
            let at = probed.through.at;
            Some(Evidence::OriginGave { field: FieldName::ETag, value, came: came.map(<[u8]>::to_vec), at })
        });
        shown.chain(reported).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::exchange::ExchangeId;
    use crate::analysis::probing::ProbedBy;
    use crate::analysis::semantics::message::Version;
    use crate::analysis::time::Time;

    /// Fields as `Name: value | Name: value`.
    fn fields(text: &str) -> Fields {
        text.split(" | ").filter_map(|line| line.split_once(": ")).collect()
    }

    /// `METHOD STATUS | Name: value`, or what went wrong.
    fn answer(text: &str) -> ProbeAnswer {
        let (start, lines) = text.split_once(" | ").unwrap_or((text, ""));
        let mut words = start.split(' ');
        let method = if words.next() == Some("HEAD") { Method::HEAD } else { Method::GET };
        let status = words.next().and_then(|status| status.parse().ok());
        let head = status.map(|status| ResponseHead {
            status,
            reason: Vec::new(),
            version: Version::Http11,
            fields: fields(lines),
        });
        let url = "http://h/r".to_owned();
        ProbeAnswer { method, url, at: Time::default(), head: head.ok_or_else(|| text.to_owned()) }
    }

    fn probed(through: &str, direct: Option<&str>) -> Probed {
        Probed {
            by: ProbedBy::Route,
            at: Time::default(),
            through: answer(through),
            direct: direct.map(answer),
            credentials: Credentials::None,
            mark: None,
            report: None,
        }
    }

    fn cause(id: &str) -> &'static Cause {
        causes::CATALOGUE.iter().find(|cause| cause.id == id).expect("a cause of the catalogue")
    }

    /// What becomes of `cause confidence` by a probe, as `cause/detail confidence`; nothing if it stays.
    fn judged(sent: &str, answer: &str, before: &str, probed: &Probed) -> Option<String> {
        let (id, confidence) = before.split_once(' ').expect("a confidence");
        let confidence = Confidence::ALL.into_iter().find(|known| known.as_str() == confidence).expect("a confidence");
        let (sent, answer) = (fields(sent), fields(answer));
        let refused = Refused {
            sent: &sent,
            answer: &answer,
            role: Role::Alone,
            comparison: Comparison::Strong,
            cause: cause(id),
            confidence,
        };
        let found = hindsight(&refused, probed).reversal?;
        let detail = found.finding.detail.map_or_else(String::new, |detail| format!("/{detail}"));
        Some(format!("{}{detail} {}", found.cause.id, found.finding.confidence.as_str()))
    }

    #[track_caller]
    fn check(sent: &str, before: &str, through: &str, direct: Option<&str>, expected: Option<&str>) {
        assert_eq!(judged(sent, "", before, &probed(through, direct)).as_deref(), expected);
    }

    const WEAK: &str = "If-Match: W/\"v1\"";
    const STRONG: &str = "If-Match: \"v1\"";

    #[test]
    fn a_tag_that_differs_by_its_strength_on_the_two_ways_was_weakened_in_between() {
        let (through, direct) = ("GET 200 | ETag: W/\"v1\" | Content-Encoding: gzip", "GET 200 | ETag: \"v1\"");
        let weakened = Some("etag-weakened proven");
        check(WEAK, "unexplained possible", through, Some(direct), weakened);
        check(WEAK, "weak-etag-in-if-match likely", through, Some(direct), weakened);
        check(WEAK, "etag-weakened likely", through, Some(direct), weakened);
        // What was sent is not what comes through, or HEAD hides what clients are given.
        check(WEAK, "unexplained possible", direct, Some(direct), Some("etag-weakened likely"));
        let head = Some("HEAD 200 | ETag: \"v1\"");
        check(WEAK, "weak-etag-in-if-match likely", "HEAD 200 | ETag: \"v1\"", head, Some("etag-weakened likely"));
        check(WEAK, "weak-etag-in-if-match likely", direct, None, Some("etag-weakened likely"));
        // From one side it is not known who made it weak.
        check(WEAK, "weak-etag-in-if-match likely", through, None, None);
        let weak = Some("weak-etag-in-if-match/origin-issues-weak proven");
        check(WEAK, "weak-etag-in-if-match likely", through, Some(through), weak);
    }

    #[test]
    fn a_tag_without_its_suffix_around_the_gateway_was_suffixed_by_it() {
        let sent = "If-Match: \"v1-gzip\"";
        let through = "GET 200 | ETag: \"v1-gzip\"";
        check(sent, "unexplained possible", through, Some("GET 200 | ETag: \"v1\""), Some("etag-suffixed proven"));
        check(sent, "etag-suffixed possible", "GET 200 | ETag: \"v1\"", None, Some("etag-suffixed likely"));
    }

    #[test]
    fn a_tag_that_is_still_current_refutes_that_it_is_out_of_date() {
        let current = "GET 200 | ETag: \"v1\"";
        let refused = Some("current-validator-refused likely");
        for before in ["unexplained possible", "stale-validator likely", "concurrent-update likely"] {
            check(STRONG, before, current, None, refused);
            check(STRONG, before, "error", Some(current), refused);
        }
        check(STRONG, "concurrent-update proven", current, None, None);
        check(STRONG, "precondition-rewritten likely", current, None, None);
        let list = "If-Match: \"v0\", \"v1\"";
        check(list, "unexplained possible", current, None, Some("list-unsupported likely"));
        // A store says what was, not what is.
        check(STRONG, "stale-validator likely", "GET 200 | ETag: \"v1\" | Age: 7", None, None);
        assert_eq!(judged(STRONG, "ETag: \"v2\"", "stale-validator likely", &probed(current, None)), None);
    }

    #[test]
    fn another_tag_says_that_the_resource_has_moved_on() {
        let other = "GET 200 | ETag: \"v2\"";
        let stale = Some("stale-validator likely");
        check(STRONG, "unexplained possible", other, None, stale);
        check(STRONG, "stale-validator possible", other, None, stale);
        check(STRONG, "concurrent-update likely", other, None, None);
        check(STRONG, "unexplained possible", "GET 200 | ETag: \"v2\" | Vary: Accept", None, None);
        check(STRONG, "unexplained possible", "GET 200 | ETag: \"v2\" | X-Cache: HIT", None, None);
        check(STRONG, "unexplained possible", "GET 200", None, None);
        check(STRONG, "unexplained possible", "GET 500 | ETag: \"v2\"", None, None);
        check(STRONG, "unexplained possible", "GET 401 | ETag: \"v2\"", None, None);
        check(STRONG, "unexplained possible", "no answer", None, None);
    }

    #[test]
    fn an_old_copy_is_the_caches_doing() {
        let (through, direct) = ("GET 200 | ETag: \"v1\" | Age: 7", Some("GET 200 | ETag: \"v2\""));
        check(STRONG, "stale-validator likely", through, direct, Some("stale-cache likely"));
        let named = judged(STRONG, "ETag: \"v2\"", "stale-validator likely", &probed(through, None));
        assert_eq!(named.as_deref(), Some("stale-cache likely"));
        // Without the sign of a store it may as well be another node.
        let silent = "GET 200 | ETag: \"v1\"";
        check(STRONG, "unexplained possible", silent, direct, None);
        assert_eq!(judged(STRONG, "ETag: \"v2\"", "stale-validator likely", &probed(silent, None)), None);
    }

    #[test]
    fn what_is_not_there_is_missing_unless_it_may_only_be_hidden() {
        let gone = "GET 404";
        let mut probed = probed(gone, None);
        let missing = |probed: &Probed| judged(STRONG, "", "unexplained possible", probed);
        assert_eq!(missing(&probed).as_deref(), Some("missing-resource likely"));
        probed.credentials = Credentials::Withheld;
        assert_eq!(missing(&probed), None);
        check(
            STRONG,
            "unexplained possible",
            gone,
            Some("GET 200 | ETag: \"v1\""),
            Some("current-validator-refused likely"),
        );
    }

    #[test]
    fn a_placeholder_beside_a_tag_that_does_not_come_through_was_stripped() {
        let direct = Some("GET 200 | ETag: \"v1\"");
        check("If-Match: null", "malformed-precondition likely", "GET 200", direct, Some("etag-stripped proven"));
        check("If-Match: null", "malformed-precondition likely", "GET 200", None, None);
        check("If-Match: null", "malformed-precondition likely", "GET 200 | ETag: \"v1\"", direct, None);
    }

    #[test]
    fn dates_are_compared_with_the_one_that_is_served() {
        let sent = "If-Unmodified-Since: Tue, 05 Mar 2024 10:00:00 GMT";
        let served = |date: &str| format!("GET 200 | Last-Modified: {date}");
        let later = served("Tue, 05 Mar 2024 10:00:01 GMT");
        check(sent, "unexplained possible", &later, None, Some("outdated-date likely"));
        let same = served("Tue, 05 Mar 2024 10:00:00 GMT");
        check(sent, "outdated-date possible", &same, None, Some("date-precision likely"));
    }

    #[test]
    fn the_report_on_a_probe_says_what_the_origin_gave() {
        let through = "GET 200 | ETag: W/\"v1\"";
        let mut probed = probed(through, None);
        let (conditions, validators) = Report::fields_of(&Fields::default(), &fields("ETag: \"v1\""));
        let report = Report {
            exchange: ExchangeId(8),
            marked: Some(ExchangeId(7)),
            status: 200,
            at: None,
            conditions,
            validators,
            cause: None,
            earlier: Vec::new(),
            reduced: false,
        };
        probed.mark = Some(ExchangeId(7));
        let judged = |probed: &Probed| judged(WEAK, "", "weak-etag-in-if-match likely", probed);
        probed.report = Some((report.clone(), Authenticity::Signed));
        assert_eq!(judged(&probed).as_deref(), Some("etag-weakened proven"));
        probed.report = Some((report.clone(), Authenticity::Unsigned));
        assert_eq!(judged(&probed).as_deref(), Some("etag-weakened likely"), "unsigned evidence proves nothing");
        probed.report = Some((Report { marked: Some(ExchangeId(9)), ..report }, Authenticity::Signed));
        assert_eq!(judged(&probed), None, "that report is of another exchange: the answer came out of a store");
    }
}
