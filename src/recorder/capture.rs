//! What the data path copies of an exchange that is worth a record. Rendering it, which takes longer, is the business
//! of the store's thread.

use std::sync::Arc;
use std::time::Duration;

use super::far_side::FarSideCaptured;
use super::metrics::RouteSeries;
use super::repeats::may_write;
use crate::analysis::exchange::{BypassApplied, Exchange, ExchangeId, Role, Scheme};
use crate::analysis::judgement::Judgement;
use crate::analysis::principal::Principal;
use crate::analysis::semantics::fields::Fields;
use crate::analysis::semantics::message::{RequestHead, ResponseHead};
use crate::analysis::time::Time;

/// A copy of an exchange, secrets included: it never leaves the process but through [`Record`](super::record::Record).
#[derive(Debug)]
pub(super) struct Captured {
    pub(super) id: ExchangeId,
    pub(super) at: Time,
    pub(super) ended: Time,
    pub(super) upstream_time: Duration,
    pub(super) inspection: Duration,
    pub(super) role: Role,
    pub(super) route: Arc<str>,
    pub(super) client: Principal,
    pub(super) scheme: Scheme,
    pub(super) request: RequestHead,
    pub(super) forwarded: Fields,
    pub(super) response: Option<ResponseHead>,
    pub(super) judgement: Judgement,
    pub(super) bypass: Option<BypassApplied>,
    pub(super) far_side: Option<Box<FarSideCaptured>>,
}

impl Captured {
    pub(super) fn of(
        exchange: &Exchange<'_>,
        judgement: Judgement,
        route: &RouteSeries,
        inspection: Duration,
    ) -> Box<Self> {
        Box::new(Self {
            id: exchange.id,
            at: exchange.at,
            ended: exchange.ended,
            upstream_time: exchange.upstream_time,
            inspection,
            role: exchange.role,
            route: Arc::clone(route.name()),
            client: exchange.client,
            scheme: exchange.scheme,
            request: exchange.request.clone(),
            forwarded: exchange.forwarded.clone(),
            response: exchange.answer().map(|answer| answer.head.clone()),
            judgement,
            bypass: exchange.bypass,
            far_side: FarSideCaptured::of(exchange.far_side),
        })
    }

    /// Whether it must not make room for others: a 412, or a hazard on a write.
    pub(super) fn is_precious(&self) -> bool {
        let may_write = may_write(self.request.method.as_str());
        self.judgement.diagnosis.is_some() || (may_write && !self.judgement.hazards.is_empty())
    }

    /// About how many bytes it holds, for the bound of what waits for the store.
    pub(super) fn weight(&self) -> usize {
        let fields =
            |fields: &Fields| fields.iter().map(|line| line.name_bytes.len() + line.value.len()).sum::<usize>();
        let response = self.response.as_ref().map_or(0, |head| fields(&head.fields));
        1024 + self.request.target.len() + fields(&self.request.fields) + fields(&self.forwarded) + response
    }
}
