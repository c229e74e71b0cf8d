//! The conclusion from what was observed: why the request is refused, what else is wrong on its way, what could not be
//! known. Pure; the judge of exchanges is asked, too, and what only the active procedure can know goes before it.

mod history;
mod rules;

use super::asked::Asked;
use super::compare::{self, Altered, Outdated};
use super::findings::{Found, Said, of_alteration, of_outdated};
use super::observed::Observed;
use super::refreshed::{NoneBecause, Refreshed, refreshed};
use super::steps::{Kind, Way};
use super::wire;
use crate::analysis::diagnosis::spelling::shown;
use crate::analysis::diagnosis::{causes, hazards};
use crate::analysis::exchange::Comparison;
use crate::analysis::judgement::{Change, Confidence};
use crate::analysis::semantics::caching::{Product, from_store};
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::semantics::http_date::HttpDate;
use crate::analysis::semantics::precondition::{State, Verdict, evaluate};

/// What the verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The request was sent and refused with 412.
    Refused,
    /// It was not sent, and would be refused: by its condition and by what reads show.
    WouldBeRefused,
    /// It was not sent, and by its condition and by what reads show it would not be refused.
    WouldHold,
    /// It was not sent, and what it would get cannot be told.
    NotKnown,
    /// It was sent and not refused.
    NotRefused(u16),
    /// It was sent and got no answer.
    NoAnswer,
}

/// Everything concluded from one run.
#[derive(Clone, Debug)]
pub struct Conclusion {
    /// What the verdict is about.
    pub about: About,
    /// Why the request is refused, best first.
    pub causes: Vec<Found>,
    /// What else is wrong on the way, though this request did not meet it.
    pub path: Vec<Found>,
    /// Damage or waste without a 412.
    pub hazards: Vec<Found>,
    /// What stood in the way of knowing more, and what to do about it.
    pub obstacles: Vec<String>,
    /// What was noticed and accuses nobody.
    pub notes: Vec<String>,
    /// The validators that differ.
    pub altered: Vec<Altered>,
    /// An old copy.
    pub outdated: Option<Outdated>,
    /// The condition that holds now.
    pub refreshed: Result<Refreshed, NoneBecause>,
}

impl Conclusion {
    /// Whether anything is wrong, or could not be found out.
    pub fn is_problem(&self) -> bool {
        let is_refused = matches!(self.about, About::Refused | About::WouldBeRefused | About::NoAnswer);
        is_refused
            || matches!(self.about, About::NotRefused(400..))
            || !self.causes.is_empty()
            || !self.path.is_empty()
            || !self.hazards.is_empty()
            || !self.obstacles.is_empty()
    }
}

/// Judges what was observed.
pub fn conclude(asked: &Asked, observed: &Observed) -> Conclusion {
    let altered = compare::alterations(observed);
    let outdated = compare::outdated(observed);
    let about = about(asked, observed);
    let mut causes = match about {
        About::Refused | About::WouldBeRefused => causes_of(asked, observed, about, &altered, outdated.as_ref()),
        // What is malformed is wrong, whatever a service makes of it.
        About::NotKnown => {
            let malformed = |found: &Found| found.id == causes::malformed_precondition::CAUSE.id;
            history::causes(asked, observed, false).into_iter().filter(malformed).collect()
        }
        About::WouldHold | About::NotRefused(_) | About::NoAnswer => Vec::new(),
    };
    if about == About::Refused && causes.is_empty() {
        causes.push(unexplained(asked, observed));
    }
    let is_named = |id: &str| causes.iter().any(|cause| cause.id == id);
    let path: Vec<Found> = altered
        .iter()
        .map(of_alteration)
        .chain(outdated.as_ref().map(of_outdated))
        // What may be anything is worth a word where it explains a refusal, and no accusation by itself.
        .filter(|found| found.confidence > Confidence::Possible && !is_named(found.id))
        .collect();
    let mut hazards = history::hazards(observed);
    let is_known = |hazard: &Found| hazards.iter().any(|known| known.id == hazard.id);
    if let Some(unstable) = unstable(observed).filter(|found| !is_known(found)) {
        hazards.push(unstable);
    }
    hazards.extend(missed_304(observed));
    hazards.extend(dropped(asked, observed));
    Conclusion {
        about,
        path,
        hazards,
        obstacles: obstacles(asked, observed),
        notes: notes(asked, observed),
        causes,
        altered,
        outdated,
        refreshed: refreshed(asked, observed),
    }
}

fn about(asked: &Asked, observed: &Observed) -> About {
    if let Some(step) = observed.step(Kind::Asked, Way::Through) {
        return match &step.result {
            Ok(answer) if answer.head.status == 412 => About::Refused,
            Ok(answer) => About::NotRefused(answer.head.status),
            Err(_) => About::NoAnswer,
        };
    }
    // A read that is refused with the very condition says more than what we make of it.
    if observed.status(Kind::SameCondition, Way::Through) == Some(412) {
        return About::WouldBeRefused;
    }
    match evaluated(asked, observed) {
        Verdict::Failed { .. } => About::WouldBeRefused,
        Verdict::Proceed if asked.is_conditional() => About::WouldHold,
        Verdict::Proceed | Verdict::NotModified | Verdict::Undecidable { .. } => About::NotKnown,
    }
}

/// RFC 9110 §13.2.2 on the request, by the version that the origin shows.
fn evaluated(asked: &Asked, observed: &Observed) -> Verdict {
    let statuses = [observed.status(Kind::Plain, Way::Direct), observed.status(Kind::Plain, Way::Through)];
    let exists = match statuses.into_iter().flatten().next() {
        Some(200) => Some(true),
        Some(404 | 410) => Some(false),
        Some(_) | None => None,
    };
    let state = State {
        exists,
        etag: observed.origins_tag().and_then(EntityTag::parse),
        last_modified: observed.origins_date().and_then(|date| HttpDate::parse(date).ok()),
    };
    evaluate(&asked.method, &asked.conditions(), &state, Comparison::Strong)
}

/// Why the request is, or would be, refused.
fn causes_of(
    asked: &Asked,
    observed: &Observed,
    about: About,
    altered: &[Altered],
    outdated: Option<&Outdated>,
) -> Vec<Found> {
    let refused = about == About::Refused;
    let mut own = rules::causes(asked, observed, refused, altered, outdated);
    // What was altered is proven then, but not that this makes the request fail: nobody has refused anything.
    let ways = [Way::Through, Way::Direct];
    let saw_refusal = refused || ways.into_iter().any(|way| observed.status(Kind::SameCondition, way) == Some(412));
    if !saw_refusal {
        own = own.into_iter().map(|found| found.at_most(Confidence::Likely)).collect();
    }
    own.sort_by_key(|found| std::cmp::Reverse(found.confidence));
    let judged = history::causes(asked, observed, refused);
    let mut causes: Vec<Found> = Vec::new();
    if own.is_empty() {
        causes = judged;
    } else {
        // A rule that only traffic feeds knows less than one that could ask.
        let stronger = own.first().map_or(Confidence::Possible, |found| found.confidence);
        let (before, after): (Vec<_>, Vec<_>) = judged.into_iter().partition(|found| found.confidence > stronger);
        for found in before.into_iter().chain(own).chain(after) {
            if !causes.iter().any(|known: &Found| known.id == found.id) {
                causes.push(found);
            }
        }
    }
    // That a weak tag never matches is how a weakened one is refused, and no other reason.
    let is_weakened = causes.iter().any(|found| found.id == causes::etag_weakened::CAUSE.id);
    causes.retain(|found| !is_weakened || found.id != causes::weak_etag_in_if_match::CAUSE.id);
    causes
}

/// None of the causes fits: what would have to be known.
fn unexplained(asked: &Asked, observed: &Observed) -> Found {
    let mut evidence = Vec::new();
    if asked.direct.is_none() {
        let says =
            "What the origin itself gives and answers is not known: name the way around the gateway with --direct.";
        evidence.push(Said::new("missing", says));
    }
    if observed.shown(Kind::Plain, Way::Through).is_none() {
        evidence.push(Said::new("missing", "What is current is not known: the resource could not be read here."));
    }
    if evidence.is_empty() {
        let says = "What passes between other clients and the origin is not known: put why412 in front of the service \
                    (why412 run) and wait for the next one.";
        evidence.push(Said::new("missing", says));
    }
    Found::cause(&causes::unexplained::CAUSE, Confidence::Possible, evidence)
}

/// The same content came again and again, under other tags.
fn unstable(observed: &Observed) -> Option<Found> {
    let way = if observed.has_direct() { Way::Direct } else { Way::Through };
    let kinds = [Kind::Plain, Kind::NotModified, Kind::NoCache, Kind::Again];
    let reads: Vec<_> = kinds.into_iter().filter_map(|kind| observed.shown(kind, way)).collect();
    let first = reads.first()?;
    let is_whole = |answer: &wire::Answer| answer.body_end == wire::BodyEnd::Whole && !answer.body.is_empty();
    if !reads.iter().all(|answer| is_whole(answer) && answer.body == first.body) {
        return None;
    }
    let tags: Vec<&[u8]> = reads.iter().filter_map(|answer| answer.head.fields.first(FieldName::ETag)).collect();
    let mut distinct = tags.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let mut runs = tags.clone();
    runs.dedup();
    // Once from one to the other may be a write that changed nothing else.
    let detail = match distinct.len() {
        3.. => "per-answer",
        2 if runs.len() > 2 => "per-node",
        _ => return None,
    };
    let place = if way == Way::Direct { "directly" } else { "through the URL" };
    let listed = tags.iter().map(|tag| shown(tag)).collect::<Vec<_>>().join(", ");
    let says = format!("Reads of the same content {place} gave one after the other {listed}.");
    let hazard = &hazards::validator_unstable::HAZARD;
    Some(Found::hazard(hazard, Confidence::Likely, vec![Said::new("sequence", says)]).detail(hazard.details, detail))
}

/// The current validator was sent by both ways, and only directly it was found to be current.
fn missed_304(observed: &Observed) -> Option<Found> {
    let (through, direct) =
        (observed.status(Kind::NotModified, Way::Through)?, observed.status(Kind::NotModified, Way::Direct)?);
    let is_current = observed.tag(Kind::NotModified, Way::Through) == observed.tag(Kind::Plain, Way::Through);
    if through != 200 || direct != 304 || !is_current {
        return None;
    }
    let says = "A read with the current validator got 304 directly, and the whole content through the URL.";
    Some(Found::hazard(&hazards::missed_304::HAZARD, Confidence::Likely, vec![Said::new("two-ways", says)]))
}

/// RFC 6585 §3: the condition that the request carried did not arrive.
fn dropped(asked: &Asked, observed: &Observed) -> Option<Found> {
    let was_asked_for = observed.status(Kind::Asked, Way::Through) == Some(428);
    let conditional = asked.fields.contains(FieldName::IfMatch) || asked.fields.contains(FieldName::IfUnmodifiedSince);
    if !was_asked_for || !conditional {
        return None;
    }
    let says = "The request carried a condition, and was answered 428: that a condition is required.";
    Some(Found::hazard(&hazards::precondition_dropped::HAZARD, Confidence::Likely, vec![Said::new("answered", says)]))
}

/// What stood in the way.
fn obstacles(asked: &Asked, observed: &Observed) -> Vec<String> {
    let mut obstacles = Vec::new();
    for (kind, way) in [(Kind::Asked, Way::Through), (Kind::Plain, Way::Through), (Kind::Plain, Way::Direct)] {
        let Some(step) = observed.step(kind, way) else { continue };
        let where_to = if way == Way::Direct { "--direct" } else { "the URL" };
        let says = match &step.result {
            Err(failure) => Some(failure.to_string()),
            Ok(answer) => obstacle(asked, kind, answer, where_to),
        };
        obstacles.extend(says.filter(|says| !obstacles.contains(says)));
    }
    obstacles
}

fn obstacle(asked: &Asked, kind: Kind, answer: &wire::Answer, place: &str) -> Option<String> {
    let status = answer.head.status;
    let what = if kind == Kind::Asked { asked.method.as_str() } else { "GET" };
    match status {
        300..=303 | 305..=399 => {
            let to = answer.head.fields.first(FieldName::Location);
            let to = to.map_or_else(String::new, |to| format!(" to {}", shown(to)));
            Some(format!(
                "{place} answers {what} with {status}, a redirect{to}, which is not followed: conditions are judged where \
                 it leads; diagnose that URL."
            ))
        }
        401 | 403 | 407 => Some(format!(
            "{place} answers {what} with {status}: credentials are missing or not enough; pass them as your client does, \
             such as -H 'Authorization: …'."
        )),
        404 | 410 if kind == Kind::Plain && asked.is_conditional() => None,
        404 | 410 => Some(format!("{place} answers {what} with {status}: nothing is there; check the path.")),
        405 | 501 if kind == Kind::Plain => Some(format!(
            "{place} answers {what} with {status}: the resource cannot be read, so its current version is not known."
        )),
        500..=599 => {
            Some(format!("{place} answers {what} with {status}: the server is in trouble; look into its log."))
        }
        _ => None,
    }
}

/// What was noticed and accuses nobody.
fn notes(asked: &Asked, observed: &Observed) -> Vec<String> {
    let mut notes = Vec::new();
    for way in [Way::Through, Way::Direct] {
        if !observed.is_stable(way) {
            let place = if way == Way::Direct { "directly" } else { "through the URL" };
            notes.push(format!(
                "The validator changed between two reads {place}: somebody writes, or it is never the same."
            ));
        }
    }
    if observed.shown(Kind::Plain, Way::Through).is_some()
        && observed.tag(Kind::Plain, Way::Through).is_none()
        && observed.date(Kind::Plain, Way::Through).is_none()
    {
        notes.push(
            "Reads give neither ETag nor Last-Modified: there is nothing that a condition could name.".to_owned(),
        );
    }
    let is_weak = |tag: &[u8]| EntityTag::parse(tag).is_some_and(|tag| tag.weak);
    if observed.tags(Way::Through).next().is_some() && observed.tags(Way::Through).all(|(_, tag)| is_weak(tag)) {
        notes.push(
            "Every tag is weak: If-Match never holds with a weak tag, unless the service compares weakly by design."
                .to_owned(),
        );
    }
    notes.extend(judges_reads(observed));
    let head = observed.status(Kind::Head, Way::Through);
    if head.is_some_and(|status| status != 200) && observed.shown(Kind::Plain, Way::Through).is_some() {
        notes.push(format!("HEAD is answered {}, GET 200.", head.unwrap_or_default()));
    }
    if asked.direct.is_some() && !observed.has_direct() && observed.shown(Kind::Plain, Way::Through).is_some() {
        let status = observed.status(Kind::Plain, Way::Direct);
        let got = status.map_or_else(|| "no answer".to_owned(), |status| format!("{status}"));
        notes.push(format!("--direct shows no state ({got}), so the two ways could not be compared."));
    }
    notes
}

/// How the two ways differ in judging an If-Match that cannot hold.
fn judges_reads(observed: &Observed) -> Option<String> {
    let through = observed.status(Kind::CannotHold, Way::Through)?;
    let Some(direct) = observed.status(Kind::CannotHold, Way::Direct) else {
        let ignored =
            "If-Match is not judged on reads here, which is no fault: what a write meets, a read cannot show.";
        return (through == 200).then(|| ignored.to_owned());
    };
    match (through, direct) {
        (412, 412) => None,
        (200, 200) => {
            Some("If-Match is not judged on reads, by neither way: what a write meets, a read cannot show.".to_owned())
        }
        (412, 200) => Some("If-Match on reads is judged through the URL and not directly: what is in between judges it.".to_owned()),
        (200, 412) if may_be_cache(observed) => Some(
            "If-Match on reads is judged directly and not through the URL: a cache answers there, as it may (RFC 9111 §4.3.2)."
                .to_owned(),
        ),
        (200, 412) => Some(
            "If-Match on reads is judged directly and not through the URL: what is in between does not pass it on with reads."
                .to_owned(),
        ),
        (through, direct) => Some(format!("A read whose If-Match cannot hold gets {through} through the URL, {direct} directly.")),
    }
}

fn may_be_cache(observed: &Observed) -> bool {
    let Some(answer) = observed.answer(Kind::CannotHold, Way::Through) else { return false };
    let fields = &answer.head.fields;
    let product = observed.answer(Kind::CannotHold, Way::Direct).and_then(|direct| compare::between(answer, direct));
    from_store(fields).is_some() || fields.contains(FieldName::Age) || product.is_some_and(Product::is_cache)
}

/// Whether the given tag is one that the URL gives and the origin does not know.
fn is_given_altered(altered: &Altered, raw: &[u8]) -> bool {
    altered.after.as_deref() == Some(raw) && altered.change != Change::Stripped
}
