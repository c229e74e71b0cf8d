//! What a probe learned, as a record shows it; and what an operator's probe asks for, read back from a record.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ProbeRefusal;
use crate::analysis::exchange::Scheme;
use crate::analysis::probing::{Credentials, ProbeAnswer, ProbeTarget, Probed, SELECTING};
use crate::analysis::semantics::fields::{FieldName, FieldSet, Fields};
use crate::recorder::record::{HeaderLines, Record, time_text};
use crate::recorder::redact::{HIDDEN, Redaction, latin1};

/// What a probe learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProbeRecord {
    /// When it was over.
    pub at: String,
    /// Who wanted to know: route or operator.
    pub by: String,
    /// What the usual way gave, through the gateway if there is one.
    pub through: ProbeAnswerRecord,
    /// What was given around the gateway; null where no such way is configured.
    pub direct: Option<ProbeAnswerRecord>,
    /// What became of the credentials of the refused request: none (it had none), sent, or withheld.
    pub credentials: String,
}

/// What one question was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProbeAnswerRecord {
    /// GET or HEAD.
    pub method: String,
    /// What was asked, at which server; secrets hidden.
    pub url: String,
    /// The status; null if there was no answer.
    pub status: Option<u16>,
    /// The validators that the answer showed.
    #[schema(value_type = Vec<Vec<String>>)]
    pub validators: HeaderLines,
    /// Why nothing was learned; null if something was.
    pub error: Option<String>,
}

/// What is shown of an answer.
const VALIDATORS: FieldSet =
    FieldSet::of(&[FieldName::ETag, FieldName::LastModified, FieldName::OcETag, FieldName::XETag]);

impl ProbeRecord {
    pub(super) fn of(probed: &Probed, redaction: &Redaction) -> Self {
        let credentials = match probed.credentials {
            Credentials::None => "none",
            Credentials::Sent => "sent",
            Credentials::Withheld => "withheld",
        };
        let answer = |answer: &ProbeAnswer| ProbeAnswerRecord::of(answer, probed.credentials, redaction);
        Self {
            at: time_text(probed.at),
            by: probed.by.as_str().to_owned(),
            through: answer(&probed.through),
            direct: probed.direct.as_ref().map(answer),
            credentials: credentials.to_owned(),
        }
    }
}

impl ProbeAnswerRecord {
    fn of(answer: &ProbeAnswer, credentials: Credentials, redaction: &Redaction) -> Self {
        let (status, validators, error) = match &answer.head {
            Ok(head) => {
                let shown = head.fields.iter().filter(|line| VALIDATORS.contains(line.name));
                let lines = shown.filter_map(|line| Some((latin1(line.name_bytes), redaction.line(line)?)));
                let error = why_nothing(head.status, answer.method.as_str(), credentials);
                (Some(head.status), lines.collect(), error.map(str::to_owned))
            }
            Err(says) => (None, Vec::new(), Some(redaction.text(says).into_owned())),
        };
        let url = redaction.text(&answer.url).into_owned();
        Self { method: answer.method.as_str().to_owned(), url, status, validators, error }
    }
}

/// What an answer that says nothing of the resource means.
const fn why_nothing(status: u16, method: &str, credentials: Credentials) -> Option<&'static str> {
    let is_head = matches!(method.as_bytes(), b"HEAD");
    match (status, credentials) {
        (200 | 203 | 404 | 410, Credentials::None | Credentials::Sent) | (200 | 203, Credentials::Withheld) => None,
        (401 | 403 | 404 | 407 | 410, Credentials::Withheld) => Some(
            "asked without the credentials of the refused request; probe_credentials = true on the route lets its \
             probes carry them",
        ),
        (401 | 403 | 407, Credentials::None | Credentials::Sent) => Some("the service did not let the probe in"),
        (405 | 501, _) if is_head => Some("HEAD is refused here; probe = \"get\" on the route asks by GET"),
        (300..=399, _) => Some("it leads elsewhere, and a probe follows no redirect"),
        _ => Some("the answer says nothing of the resource"),
    }
}

/// What an operator's probe of a recorded exchange asks for.
///
/// # Errors
/// The record does not hold what is needed.
pub fn target_of(record: &Record, redaction: &Redaction) -> Result<ProbeTarget, ProbeRefusal> {
    let url = &record.request.url;
    if url.contains(HIDDEN) {
        return Err(ProbeRefusal::Secret);
    }
    let (scheme, rest) = url.split_once("://").ok_or(ProbeRefusal::Unreadable)?;
    let scheme = if scheme.eq_ignore_ascii_case("https") { Scheme::Https } else { Scheme::Http };
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if !target.starts_with('/') {
        return Err(ProbeRefusal::Unreadable);
    }
    let sent = fields_of(&record.request.forwarded_headers);
    let mut fields = Fields::default();
    let mut credentials = Credentials::None;
    for line in sent.iter() {
        if SELECTING.contains(line.name) {
            fields.push(line.name_bytes, line.value);
        } else if redaction.is_credential(line) {
            credentials = Credentials::Withheld;
        }
    }
    let bytes = |text: &str| bytes_of(text);
    Ok(ProbeTarget {
        scheme,
        authority: bytes(authority),
        host: sent.first(FieldName::Host).map_or_else(|| bytes(authority), <[u8]>::to_vec),
        target: bytes(target),
        fields,
        credentials,
        tag: sent.first(FieldName::IfMatch).map(<[u8]>::to_vec),
        refused_by: None,
    })
}

/// Field lines of a record as they stood on the wire, but for what is hidden.
pub(super) fn fields_of(lines: &HeaderLines) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in lines {
        fields.push(&bytes_of(name), &bytes_of(value));
    }
    fields
}

/// ISO-8859-1 read back; what was hidden is none.
fn bytes_of(text: &str) -> Vec<u8> {
    text.chars().filter_map(|character| u8::try_from(u32::from(character)).ok()).collect()
}
