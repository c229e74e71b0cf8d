//! Carries the plan out: sends one request after the other and keeps what comes back. It judges nothing but whether
//! going on makes sense.

use std::sync::Arc;

use super::asked::Asked;
use super::observed::{Observed, Step};
use super::steps::{self, Kind, Way};
use super::wire::{self, Limits, Timeouts, Trust};
use crate::analysis::semantics::fields::FieldName;
use crate::clock;

/// With what to ask.
#[derive(Clone, Debug)]
pub struct Means {
    /// How to speak TLS, where an `https` server is asked.
    pub trust: Option<Arc<Trust>>,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How much of an answer is taken in.
    pub limits: Limits,
}

/// The first five steps: reads, and the request itself where it may be sent.
pub async fn run(asked: &Asked, means: &Means) -> Observed {
    let mut run = Run { asked, means, observed: Observed::default() };
    if asked.is_sent() {
        run.ask(Kind::Asked, Way::Through).await;
    }
    if run.is_out_of_reach() {
        return run.observed;
    }
    run.both(Kind::Plain).await;
    if run.may_be_known_otherwise() {
        run.by_own_name().await;
    }
    if !run.is_readable() {
        return run.observed;
    }
    for kind in [Kind::Gzip, Kind::Brotli] {
        run.both(kind).await;
    }
    if run.has_own_coding() {
        run.both(Kind::Own).await;
    }
    run.both(Kind::Head).await;
    run.both(Kind::CannotHold).await;
    if asked.fields.contains(FieldName::IfMatch) || asked.fields.contains(FieldName::IfUnmodifiedSince) {
        run.both(Kind::SameCondition).await;
    }
    run.both(Kind::NotModified).await;
    for kind in [Kind::NoCache, Kind::Again] {
        run.both(kind).await;
    }
    run.observed
}

struct Run<'a> {
    asked: &'a Asked,
    means: &'a Means,
    observed: Observed,
}

impl Run<'_> {
    /// By the URL and, where there is one, by the way around it.
    async fn both(&mut self, kind: Kind) {
        self.ask(kind, Way::Through).await;
        // The way around is only of use where its first read has shown something.
        let is_of_use = kind == Kind::Plain || self.observed.has_direct();
        if self.asked.direct.is_some() && is_of_use {
            self.ask(kind, Way::Direct).await;
        }
    }

    async fn ask(&mut self, kind: Kind, way: Way) {
        let current = self.validator(kind, way);
        if kind == Kind::NotModified && current.is_none() {
            return;
        }
        let line = current.as_ref().map(|(name, value)| (*name, value.as_slice()));
        let mut request = steps::request(self.asked, kind, way, self.means.trust.as_ref(), line);
        // What the first direct read needed, the others need, too.
        if let Some(step) = self.observed.step(Kind::Plain, way) {
            request.authority.clone_from(&step.request.authority);
        }
        self.send(kind, way, request).await;
    }

    async fn send(&mut self, kind: Kind, way: Way, request: wire::Request) {
        let at = clock::now();
        let result = wire::send(&request, self.means.timeouts, self.means.limits).await;
        self.observed.steps.push(Step { kind, way, at, request, result });
    }

    /// The current validator as that way has shown it.
    fn validator(&self, kind: Kind, way: Way) -> Option<(&'static str, Vec<u8>)> {
        if kind != Kind::NotModified {
            return None;
        }
        let tag = self.observed.tag(Kind::Plain, way).map(|tag| ("If-None-Match", tag.to_vec()));
        tag.or_else(|| Some(("If-Modified-Since", self.observed.date(Kind::Plain, way)?.to_vec())))
    }

    /// Whether the server of the URL could not even be connected to, so that asking it again is waiting again.
    fn is_out_of_reach(&self) -> bool {
        let failed = self.observed.step(Kind::Asked, Way::Through).and_then(|step| step.result.as_ref().err());
        failed.is_some_and(|failure| !failure.may_have_arrived())
    }

    /// Whether the direct server may want to be asked by its own name instead of the URL's.
    fn may_be_known_otherwise(&self) -> bool {
        let (through, direct) =
            (self.observed.status(Kind::Plain, Way::Through), self.observed.status(Kind::Plain, Way::Direct));
        let has_other_name = self.asked.direct.as_ref().is_some_and(|to| to.authority != self.asked.url.authority);
        has_other_name
            && !self.asked.fields.contains(FieldName::Host)
            && through == Some(200)
            && direct.is_some_and(|status| status != 200 && status != 401 && status != 403)
    }

    async fn by_own_name(&mut self) {
        let Some(direct) = &self.asked.direct else { return };
        let mut request = steps::request(self.asked, Kind::Plain, Way::Direct, self.means.trust.as_ref(), None);
        request.authority = direct.authority.clone().into_bytes();
        self.send(Kind::Plain, Way::Direct, request).await;
    }

    /// Whether the resource can be read here, so that further reads say more.
    fn is_readable(&self) -> bool {
        self.observed.shown(Kind::Plain, Way::Through).is_some() || self.observed.has_direct()
    }

    fn has_own_coding(&self) -> bool {
        let mut own = self.asked.fields.all(FieldName::AcceptEncoding);
        match (own.next(), own.next()) {
            (None, _) => false,
            (Some(one), None) => one != b"gzip" && one != b"br" && !one.is_empty(),
            (Some(_), Some(_)) => true,
        }
    }
}
