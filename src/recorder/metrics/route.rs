//! The series of one route, resolved once, so that a plain exchange costs a few atomic increments.

use std::sync::{Arc, OnceLock};

use prometheus::{Histogram, IntCounter};

use super::{FailureReason, Families};
use crate::analysis::diagnosis::{causes, hazards};
use crate::analysis::exchange::{Exchange, Outcome};
use crate::analysis::judgement::{Confidence, Judgement};
use crate::analysis::semantics::fields::{FieldName, FieldSet};
use crate::recorder::habits::Habits;

/// The series of one route.
#[derive(Debug)]
pub struct RouteSeries {
    number: u16,
    habits: Arc<Habits>,
    route: Arc<str>,
    upstream: Arc<str>,
    families: Families,
    requests: Vec<OnceLock<IntCounter>>,
    conditional: Vec<OnceLock<IntCounter>>,
    upstream_duration: Histogram,
    recovery: Histogram,
    validator_age: Histogram,
    repeated_failures: IntCounter,
    bypass_requests: IntCounter,
}

impl RouteSeries {
    pub(in crate::recorder) fn new(
        (number, habits): (u16, Arc<Habits>),
        route: &str,
        upstream: &str,
        families: &Families,
    ) -> Self {
        for cause in causes::CATALOGUE {
            let likely = Confidence::Likely.as_str();
            families.precondition_failed.with_label_values(&[route, cause.id, likely]);
        }
        for hazard in hazards::CATALOGUE {
            families.hazards.with_label_values(&[route, hazard.id]);
        }
        Self {
            number,
            habits,
            route: Arc::from(route),
            upstream: Arc::from(upstream),
            requests: unresolved(METHODS.len() * Code::ALL.len()),
            conditional: unresolved(CONDITIONS.len()),
            upstream_duration: families.upstream_duration.with_label_values(&[route]),
            recovery: families.recovery.with_label_values(&[route]),
            validator_age: families.validator_age.with_label_values(&[route]),
            repeated_failures: families.repeated_failures.with_label_values(&[route]),
            bypass_requests: families.bypass_requests.with_label_values(&[route]),
            families: families.clone(),
        }
    }

    /// What [`Exchange::route`] is for this route.
    pub const fn number(&self) -> u16 {
        self.number
    }

    /// How it is read and written.
    pub(in crate::recorder) fn habits(&self) -> &Habits {
        &self.habits
    }

    /// Its configured name.
    pub fn name(&self) -> &Arc<str> {
        &self.route
    }

    /// The upstream of this route gave no whole answer.
    pub fn upstream_failed(&self, reason: FailureReason) {
        self.families.upstream_failures.with_label_values(&[&*self.upstream, reason.as_str()]).inc();
    }

    /// Counts what every exchange has.
    pub(in crate::recorder) fn count(&self, exchange: &Exchange<'_>) {
        let method = method_index(exchange.request.method.as_str());
        let code = Code::of_exchange(exchange);
        if let Some(series) = self.requests.get(method * Code::ALL.len() + code as usize) {
            series.get_or_init(|| self.request_series(method, code)).inc();
        }
        if exchange.answer().is_some() {
            self.upstream_duration.observe(exchange.upstream_time.as_secs_f64());
        }
        if exchange.bypass.is_some() {
            self.bypass_requests.inc();
        }
        let present = exchange.request.fields.present();
        if present.intersects(const { FieldSet::of(CONDITIONS) }) {
            self.count_conditions(present);
        }
        for name in &exchange.policy.preconditions {
            // One of the built-in names has been counted already.
            let configured = FieldName::recognise(name.as_bytes());
            if !CONDITIONS.contains(&configured) && exchange.request.fields.all_named(name.as_bytes()).next().is_some()
            {
                self.families.conditional.with_label_values(&[&*self.route, name]).inc();
            }
        }
    }

    /// Counts what was concluded from an exchange.
    pub(in crate::recorder) fn count_judgement(&self, judgement: &Judgement) {
        let route = &*self.route;
        if let Some(diagnosis) = &judgement.diagnosis {
            let labels = [route, diagnosis.cause.id, diagnosis.finding.confidence.as_str()];
            self.families.precondition_failed.with_label_values(&labels).inc();
        }
        for found in &judgement.hazards {
            self.families.hazards.with_label_values(&[route, found.hazard.id]).inc();
        }
        for altered in &judgement.alterations {
            let labels = [route, altered.on.as_str(), altered.field.as_str(), altered.change.as_str()];
            self.families.alterations.with_label_values(&labels).inc();
        }
        if judgement.repeated_failure {
            self.repeated_failures.inc();
        }
        if let Some(age) = judgement.validator_age {
            self.validator_age.observe(age.as_secs_f64());
        }
        if let Some(after) = judgement.recovered_after {
            self.recovery.observe(after.as_secs_f64());
        }
    }

    fn count_conditions(&self, present: FieldSet) {
        for (field, series) in CONDITIONS.iter().zip(&self.conditional) {
            if present.contains(*field) {
                let resolve = || self.families.conditional.with_label_values(&[&*self.route, field.as_str()]);
                series.get_or_init(resolve).inc();
            }
        }
    }

    fn request_series(&self, method: usize, code: Code) -> IntCounter {
        let method = METHODS.get(method).copied().unwrap_or(OTHER_METHOD);
        self.families.requests.with_label_values(&[&*self.route, method, code.as_str()])
    }
}

/// What an exchange was answered with, as far as the label tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Informational,
    Success,
    Redirection,
    NotModified,
    ClientError,
    Conflict,
    PreconditionFailed,
    RangeNotSatisfiable,
    PreconditionRequired,
    ServerError,
    None,
}

impl Code {
    const ALL: [Self; 11] = [
        Self::Informational,
        Self::Success,
        Self::Redirection,
        Self::NotModified,
        Self::ClientError,
        Self::Conflict,
        Self::PreconditionFailed,
        Self::RangeNotSatisfiable,
        Self::PreconditionRequired,
        Self::ServerError,
        Self::None,
    ];

    pub(super) const fn of(status: u16) -> Self {
        match status {
            304 => Self::NotModified,
            409 => Self::Conflict,
            412 => Self::PreconditionFailed,
            416 => Self::RangeNotSatisfiable,
            428 => Self::PreconditionRequired,
            100..=199 => Self::Informational,
            200..=299 => Self::Success,
            300..=399 => Self::Redirection,
            400..=499 => Self::ClientError,
            // RFC 9110 §15: an invalid status is to be treated as a 5xx.
            _ => Self::ServerError,
        }
    }

    const fn of_exchange(exchange: &Exchange<'_>) -> Self {
        match exchange.outcome {
            Outcome::Answered(answer) => Self::of(answer.head.status),
            Outcome::Refused { status } | Outcome::NoAnswer { status, .. } => Self::of(status),
            Outcome::ClientGone { .. } => Self::None,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "1xx",
            Self::Success => "2xx",
            Self::Redirection => "3xx",
            Self::NotModified => "304",
            Self::ClientError => "4xx",
            Self::Conflict => "409",
            Self::PreconditionFailed => "412",
            Self::RangeNotSatisfiable => "416",
            Self::PreconditionRequired => "428",
            Self::ServerError => "5xx",
            Self::None => "none",
        }
    }
}

const OTHER_METHOD: &str = "_OTHER";

/// The methods that have a series of their own: those of RFC 9110, RFC 5789 and WebDAV with its extensions. The most
/// usual first, for the list is walked.
const METHODS: &[&str] = &[
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
    "MKCALENDAR",
    "ACL",
    OTHER_METHOD,
];

fn method_index(method: &str) -> usize {
    METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1)
}

/// The fields that make a request conditional.
const CONDITIONS: &[FieldName] = &[
    FieldName::IfMatch,
    FieldName::IfNoneMatch,
    FieldName::IfModifiedSince,
    FieldName::IfUnmodifiedSince,
    FieldName::IfRange,
    FieldName::XGoogIfGenerationMatch,
    FieldName::XGoogIfMetagenerationMatch,
    FieldName::XGoogCopySourceIfGenerationMatch,
    FieldName::XAmzCopySourceIfMatch,
    FieldName::XAmzCopySourceIfNoneMatch,
    FieldName::XAmzCopySourceIfModifiedSince,
    FieldName::XAmzCopySourceIfUnmodifiedSince,
    FieldName::WebdavIf,
    FieldName::IfScheduleTagMatch,
    FieldName::Overwrite,
    FieldName::XIfUnmodifiedSince,
    FieldName::XIfModifiedSince,
    FieldName::OcIfDestinationMatch,
];

fn unresolved(count: usize) -> Vec<OnceLock<IntCounter>> {
    (0..count).map(|_| OnceLock::new()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_in_the_order_of_their_numbers() {
        for (index, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, index);
        }
    }

    #[test]
    fn only_some_codes_are_told_exactly() {
        let of = |status| Code::of(status).as_str();
        let told: Vec<_> = [101, 200, 302, 304, 404, 409, 412, 416, 428, 502, 999].map(of).to_vec();
        assert_eq!(told, ["1xx", "2xx", "3xx", "304", "4xx", "409", "412", "416", "428", "5xx", "5xx"]);
    }

    #[test]
    fn a_method_nobody_registered_is_no_label() {
        assert_eq!(METHODS[method_index("PUT")], "PUT");
        assert_eq!(METHODS[method_index("put")], OTHER_METHOD);
        assert_eq!(METHODS[method_index("X-STUFF")], OTHER_METHOD);
    }
}
