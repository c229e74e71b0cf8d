//! Exchanges for the tests of the recorder.

use std::time::Duration;

use http::Method;

use crate::analysis::exchange::{
    Answer, Exchange, ExchangeId, FarSide, Outcome, RequestBody, Role, RoutePolicy, Scheme,
};
use crate::analysis::principal::{Principal, ToldApartBy};
use crate::analysis::semantics::fields::Fields;
use crate::analysis::semantics::message::{RequestHead, ResponseHead, Version};
use crate::analysis::time::Time;
use crate::recorder::record::{Record, RequestRecord, ResponseRecord, TimingRecord, id_text};

/// An exchange that owns what it is made of.
pub(super) struct Sample {
    pub(super) id: u128,
    pub(super) policy: RoutePolicy,
    pub(super) request: RequestHead,
    pub(super) response: ResponseHead,
}

impl Sample {
    pub(super) fn get(target: &str) -> Self {
        Self::new(Method::GET, target, &[], 200, &[])
    }

    pub(super) fn new(
        method: Method,
        target: &str,
        request: &[(&str, &str)],
        status: u16,
        response: &[(&str, &str)],
    ) -> Self {
        let fields = |lines: &[(&str, &str)]| lines.iter().copied().collect::<Fields>();
        Self {
            id: 1,
            policy: RoutePolicy::default(),
            request: RequestHead {
                method,
                target: target.as_bytes().to_vec(),
                authority: b"api.example.com".to_vec(),
                version: Version::Http11,
                fields: fields(request),
            },
            response: ResponseHead { status, reason: Vec::new(), version: Version::Http11, fields: fields(response) },
        }
    }

    pub(super) fn exchange(&self) -> Exchange<'_> {
        let answer = Answer { head: &self.response, returned: &self.response.fields, body_prefix: &[], complete: true };
        Exchange {
            id: ExchangeId(self.id),
            at: Time::from_unix_micros(1_795_327_200_000_000),
            ended: Time::from_unix_micros(1_795_327_200_005_000),
            upstream_time: Duration::from_micros(1200),
            role: Role::Alone,
            policy: &self.policy,
            route: 0,
            client: Principal { key: 7, by: ToldApartBy::Address },
            scheme: Scheme::Http,
            request: &self.request,
            forwarded: &self.request.fields,
            request_body: RequestBody::default(),
            outcome: Outcome::Answered(answer),
            bypass: None,
            upstream: None,
            far_side: FarSide::default(),
        }
    }
}

/// A record of a 412 with nothing said about it.
pub(super) fn record(method: &str, url: &str) -> Record {
    Record {
        id: id_text(ExchangeId(1)),
        at: "2026-11-22T06:00:00.000Z".to_owned(),
        amended_at: None,
        instance: "test:1".to_owned(),
        role: "alone".to_owned(),
        route: "default".to_owned(),
        client: "c-000000".to_owned(),
        request: RequestRecord {
            method: method.to_owned(),
            url: url.to_owned(),
            version: "HTTP/1.1".to_owned(),
            headers: Vec::new(),
            forwarded_headers: Vec::new(),
        },
        response: Some(ResponseRecord { status: 412, version: "HTTP/1.1".to_owned(), headers: Vec::new() }),
        far_side: None,
        diagnosis: None,
        hazards: Vec::new(),
        alterations: Vec::new(),
        current: None,
        probe: None,
        bypass: None,
        repeated: None,
        timing_us: TimingRecord { total: 3000, upstream: 1000, inspection: 10 },
    }
}
