//! What the procedure saw: every request it sent and what came of it, in order.

use super::steps::{Kind, VARIANTS, Way};
use super::wire::{Answer, Failure, Request};
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::time::Time;

/// One request and what came of it.
#[derive(Debug)]
pub struct Step {
    /// What it was for.
    pub kind: Kind,
    /// By which way it went.
    pub way: Way,
    /// When it was begun.
    pub at: Time,
    /// The request as it was sent.
    pub request: Request,
    /// What came of it.
    pub result: Result<Answer, Failure>,
}

/// Every request of one run, in the order in which they were sent.
#[derive(Debug, Default)]
pub struct Observed {
    /// The steps.
    pub steps: Vec<Step>,
}

impl Observed {
    /// The last step of that kind by that way.
    pub fn step(&self, kind: Kind, way: Way) -> Option<&Step> {
        self.steps.iter().rev().find(|step| step.kind == kind && step.way == way)
    }

    /// Its answer.
    pub fn answer(&self, kind: Kind, way: Way) -> Option<&Answer> {
        self.step(kind, way)?.result.as_ref().ok()
    }

    /// Its status.
    pub fn status(&self, kind: Kind, way: Way) -> Option<u16> {
        self.answer(kind, way).map(|answer| answer.head.status)
    }

    /// Its answer, where it shows the state.
    pub fn shown(&self, kind: Kind, way: Way) -> Option<&Answer> {
        self.answer(kind, way).filter(|answer| answer.head.status == 200)
    }

    /// The tag that it shows, as it was written.
    pub fn tag(&self, kind: Kind, way: Way) -> Option<&[u8]> {
        self.shown(kind, way)?.head.fields.first(FieldName::ETag)
    }

    /// The Last-Modified that it shows.
    pub fn date(&self, kind: Kind, way: Way) -> Option<&[u8]> {
        self.shown(kind, way)?.head.fields.first(FieldName::LastModified)
    }

    /// Every tag shown by that way, with the kind of request that showed it.
    pub fn tags(&self, way: Way) -> impl Iterator<Item = (Kind, &[u8])> {
        let kinds = VARIANTS.into_iter().chain([Kind::NoCache, Kind::Again]);
        kinds.filter_map(move |kind| Some((kind, self.tag(kind, way)?)))
    }

    /// Whether the other way was taken, and showed the state.
    pub fn has_direct(&self) -> bool {
        self.shown(Kind::Plain, Way::Direct).is_some()
    }

    /// Whether reads by that way gave the same validators from the first to the last.
    pub fn is_stable(&self, way: Way) -> bool {
        let first = (self.tag(Kind::Plain, way), self.date(Kind::Plain, way));
        self.shown(Kind::Again, way).is_none() || first == (self.tag(Kind::Again, way), self.date(Kind::Again, way))
    }

    /// The tag that the origin knows its version by, as well as can be told: shown directly where that was asked, in no
    /// coding before others, strong ones before weak ones.
    pub fn origins_tag(&self) -> Option<&[u8]> {
        let way = if self.has_direct() { Way::Direct } else { Way::Through };
        let candidates = || [Kind::Again, Kind::Plain, Kind::Head].into_iter().filter_map(|kind| self.tag(kind, way));
        let is_strong = |tag: &&[u8]| EntityTag::parse(tag).is_some_and(|tag| !tag.weak);
        candidates().find(is_strong).or_else(|| candidates().next())
    }

    /// The date of the origin's version.
    pub fn origins_date(&self) -> Option<&[u8]> {
        let way = if self.has_direct() { Way::Direct } else { Way::Through };
        [Kind::Again, Kind::Plain, Kind::Head].into_iter().find_map(|kind| self.date(kind, way))
    }
}
