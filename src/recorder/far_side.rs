//! What the other instance of a pair said of an exchange, as a record shows it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::record::{HeaderLines, id_text, time_text};
use super::redact::{Redaction, latin1};
use crate::analysis::exchange::FarSide;
use crate::analysis::pairing::{Authenticity, Carried, CarriedValue, Mark, Report};
use crate::analysis::semantics::fields::FieldName;

/// A copy of [`FarSide`] that outlives its exchange.
#[derive(Debug)]
pub(super) struct FarSideCaptured {
    mark: Option<(Mark, Authenticity)>,
    report: Option<(Report, Authenticity)>,
    unauthentic: bool,
}

impl FarSideCaptured {
    /// `None` where nothing came from there.
    pub(super) fn of(far_side: FarSide<'_>) -> Option<Box<Self>> {
        let FarSide { mark, report, unauthentic } = far_side;
        let anything = mark.is_some() || report.is_some() || unauthentic;
        anything.then(|| Box::new(Self { mark: mark.cloned(), report: report.cloned(), unauthentic }))
    }
}

/// What the other instance of the pair said: at an outer instance the report on the answer, at an inner one the mark on
/// the request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FarSideRecord {
    /// The exchange as the other instance names it; null where nothing could be read.
    pub exchange: Option<String>,
    /// When the origin answered, by the inner instance's clock; null at an inner instance.
    pub at: Option<String>,
    /// The conditions: as they arrived there, or as they were sent from there.
    #[schema(value_type = Vec<Vec<String>>)]
    pub conditions: HeaderLines,
    /// The origin's status; null at an inner instance.
    pub status: Option<u16>,
    /// The validators as the origin gave them.
    #[schema(value_type = Vec<Vec<String>>)]
    pub validators: HeaderLines,
    /// The inner instance's own verdict on a 412.
    pub cause: Option<String>,
    /// The exchange of the outer instance that the report is about: another than this one where the answer came from a
    /// store; null where the mark did not arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marked: Option<String>,
    /// Whether it is signed with a secret of the pair.
    #[serde(default)]
    pub signed: bool,
    /// The report or mark had no room for conditions and validators.
    #[serde(default, skip_serializing_if = "is_false")]
    pub reduced: bool,
    /// Something came that looked like a mark or report and was none: unreadable, not authentic, or there twice.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unauthentic: bool,
}

const fn is_signed(authenticity: Authenticity) -> bool {
    match authenticity {
        Authenticity::Signed | Authenticity::SignedBefore => true,
        Authenticity::Unsigned => false,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it this way")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl FarSideRecord {
    pub(super) fn of(captured: &FarSideCaptured, redaction: &Redaction) -> Self {
        let said = match (&captured.report, &captured.mark) {
            (Some((report, authenticity)), _) => Self::of_report(report, *authenticity, redaction),
            (None, Some((mark, authenticity))) => Self::of_mark(mark, *authenticity, redaction),
            (None, None) => Self::default(),
        };
        Self { unauthentic: captured.unauthentic, ..said }
    }

    fn of_report(report: &Report, authenticity: Authenticity, redaction: &Redaction) -> Self {
        Self {
            exchange: Some(id_text(report.exchange)),
            at: report.at.map(time_text),
            conditions: lines(&report.conditions, redaction),
            status: Some(report.status),
            validators: lines(&report.validators, redaction),
            cause: report.cause.clone(),
            marked: report.marked.map(id_text),
            signed: is_signed(authenticity),
            reduced: report.reduced,
            unauthentic: false,
        }
    }

    fn of_mark(mark: &Mark, authenticity: Authenticity, redaction: &Redaction) -> Self {
        Self {
            exchange: Some(id_text(mark.exchange)),
            conditions: lines(&mark.conditions, redaction),
            signed: is_signed(authenticity),
            reduced: mark.reduced,
            ..Self::default()
        }
    }
}

/// The names as their specifications write them.
const NAMES: [(FieldName, &str); 8] = [
    (FieldName::IfMatch, "If-Match"),
    (FieldName::IfNoneMatch, "If-None-Match"),
    (FieldName::IfModifiedSince, "If-Modified-Since"),
    (FieldName::IfUnmodifiedSince, "If-Unmodified-Since"),
    (FieldName::IfRange, "If-Range"),
    (FieldName::ETag, "ETag"),
    (FieldName::LastModified, "Last-Modified"),
    (FieldName::OcETag, "OC-ETag"),
];

fn lines(carried: &[Carried], redaction: &Redaction) -> HeaderLines {
    let lines_of = |one: &Carried| {
        let name = NAMES.iter().find(|(name, _)| *name == one.name).map_or(one.name.as_str(), |(_, text)| text);
        let values: Vec<_> = one.values.iter().map(|value| text(one.name, value, redaction)).collect();
        values.into_iter().map(move |value| (name.to_owned(), value))
    };
    carried.iter().flat_map(lines_of).collect()
}

fn text(name: FieldName, value: &CarriedValue, redaction: &Redaction) -> String {
    match value {
        CarriedValue::Whole(bytes) => redaction.value(name, bytes),
        CarriedValue::Digest { .. } => latin1(&value.to_text()),
    }
}
