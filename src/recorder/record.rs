//! A recorded exchange as every sink shows it: JSON with secrets hidden.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::capture::Captured;
use super::far_side::FarSideRecord;
use super::probe::ProbeRecord;
use super::redact::{Redaction, latin1};
use crate::analysis::diagnosis::{Detail, Evidence, Whom};
use crate::analysis::exchange::{BypassApplied, BypassScope, ExchangeId, Scheme};
use crate::analysis::judgement::{Alteration, Current, Diagnosis, Finding, HazardFound};
use crate::analysis::principal::Principal;
use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::time::Time;

/// One exchange that was worth a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Record {
    /// The exchange's name, a ULID.
    pub id: String,
    /// When the request's head had been read.
    pub at: String,
    /// When later exchanges, or a probe, changed what is said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amended_at: Option<String>,
    /// Which instance saw it.
    pub instance: String,
    /// Where that instance stands: alone, outer or inner.
    pub role: String,
    /// The route's name.
    pub route: String,
    /// Who asked, as a shortened keyed hash.
    pub client: String,
    /// The request.
    pub request: RequestRecord,
    /// The upstream's answer; null if there was none.
    pub response: Option<ResponseRecord>,
    /// What the other instance of the pair saw; null unless paired.
    pub far_side: Option<FarSideRecord>,
    /// Why the 412 happened; null unless the status is 412.
    pub diagnosis: Option<DiagnosisRecord>,
    /// Damage or waste that no 412 shows.
    pub hazards: Vec<HazardRecord>,
    /// Conditions and validators that arrived different, or not at all.
    pub alterations: Vec<AlterationRecord>,
    /// The current validators of the resource, as last seen.
    pub current: Option<CurrentRecord>,
    /// What a bypass did to the exchange.
    pub bypass: Option<BypassRecord>,
    /// What a probe after the exchange learned; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeRecord>,
    /// How many more of the same kind were counted within the minute and not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated: Option<u64>,
    /// How long things took.
    pub timing_us: TimingRecord,
}

/// Name and value of each field line, in order, as ISO-8859-1.
pub type HeaderLines = Vec<(String, String)>;

/// The request of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RequestRecord {
    /// The method.
    pub method: String,
    /// The URL, secrets hidden.
    pub url: String,
    /// The version it came in.
    pub version: String,
    /// The fields as they came.
    #[schema(value_type = Vec<Vec<String>>)]
    pub headers: HeaderLines,
    /// The fields as they were sent on.
    #[schema(value_type = Vec<Vec<String>>)]
    pub forwarded_headers: HeaderLines,
}

/// The response of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResponseRecord {
    /// The status.
    pub status: u16,
    /// The version it came in.
    pub version: String,
    /// The fields as the upstream gave them.
    #[schema(value_type = Vec<Vec<String>>)]
    pub headers: HeaderLines,
}

/// Why a 412 happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DiagnosisRecord {
    /// The cause, one of the catalogue.
    pub cause: String,
    /// A finer distinction of it.
    pub detail: Option<String>,
    /// possible, likely or proven.
    pub confidence: String,
    /// Who has to act.
    pub party: String,
    /// The cause in a line.
    pub title: String,
    /// What happened.
    pub explanation: String,
    /// How we know.
    pub evidence: Vec<EvidenceRecord>,
    /// What to do, most effective first.
    pub fix: Vec<String>,
    /// What fits as well, best first.
    pub others: Vec<OtherCause>,
}

/// A fact and its sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceRecord {
    /// Which kind of fact.
    pub kind: String,
    /// The fact.
    pub says: String,
    /// The values in it by name, where a picture can be drawn of them: of `origin-gave` the `field`, what the `origin`
    /// gave and what came to the `client`; of `given` the `value`, when (`at`) and by which answer (`by`), its `coding`,
    /// and another client that it was given to (`to`). Each is left out where there was none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Vec<String>>)]
    pub values: HeaderLines,
}

/// A cause that fits as well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OtherCause {
    /// The cause.
    pub cause: String,
    /// A finer distinction.
    pub detail: Option<String>,
    /// How sure.
    pub confidence: String,
}

/// A hazard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HazardRecord {
    /// The hazard, one of the catalogue.
    pub hazard: String,
    /// A finer distinction.
    pub detail: Option<String>,
    /// How sure.
    pub confidence: String,
    /// The hazard in a line.
    #[serde(default)]
    pub title: String,
    /// What happened.
    #[serde(default)]
    pub explanation: String,
    /// How we know.
    pub evidence: Vec<EvidenceRecord>,
    /// What to do.
    #[serde(default)]
    pub fix: Vec<String>,
}

/// An alteration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlterationRecord {
    /// request or response.
    pub on: String,
    /// The field, in lower case.
    pub field: String,
    /// What became of it.
    pub change: String,
    /// The value on the side it came from.
    pub before: Option<String>,
    /// The value on the side it went to.
    pub after: Option<String>,
    /// How it is known: pairing, ledger or double.
    pub known_by: String,
}

/// The current validators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CurrentRecord {
    /// The ETag.
    pub etag: Option<String>,
    /// The Last-Modified.
    pub last_modified: Option<String>,
    /// When they were seen.
    pub seen_at: String,
}

/// What a bypass did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BypassRecord {
    /// Whom it covers: all, route or request; pair where the outer instance's mark says that it is on.
    pub scope: String,
    /// The request went around the gateway.
    pub direct: bool,
    /// keep or remove.
    pub preconditions: String,
}

/// How long things took, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimingRecord {
    /// From the request's head to the end of the exchange.
    pub total: u64,
    /// From sending the request to the answer's head.
    pub upstream: u64,
    /// Judging it.
    pub inspection: u64,
}

impl Record {
    /// Renders what was captured.
    pub(super) fn of(captured: &Captured, instance: &str, redaction: &Redaction) -> Self {
        let judgement = &captured.judgement;
        let lines = |fields: &Fields| header_lines(fields, redaction);
        Self {
            id: id_text(captured.id),
            at: time_text(captured.at),
            amended_at: None,
            instance: instance.to_owned(),
            role: captured.role.as_str().to_owned(),
            route: captured.route.to_string(),
            client: client_text(captured.client),
            request: RequestRecord {
                method: captured.request.method.to_string(),
                url: redaction.text(&url(captured)).into_owned(),
                version: captured.request.version.as_str().to_owned(),
                headers: lines(&captured.request.fields),
                forwarded_headers: lines(&captured.forwarded),
            },
            response: captured.response.as_ref().map(|head| ResponseRecord {
                status: head.status,
                version: head.version.as_str().to_owned(),
                headers: lines(&head.fields),
            }),
            far_side: captured.far_side.as_deref().map(|far_side| FarSideRecord::of(far_side, redaction)),
            diagnosis: judgement.diagnosis.as_deref().map(|diagnosis| diagnosis_record(diagnosis, redaction)),
            hazards: judgement.hazards.iter().map(|found| hazard_record(found, redaction)).collect(),
            alterations: judgement.alterations.iter().map(|altered| alteration_record(altered, redaction)).collect(),
            current: judgement.current.as_ref().map(|current| current_record(current, redaction)),
            bypass: captured.bypass.map(bypass_record),
            probe: None,
            repeated: None,
            timing_us: TimingRecord {
                total: micros(captured.ended.since(captured.at)),
                upstream: micros(captured.upstream_time),
                inspection: micros(captured.inspection),
            },
        }
    }
}

/// The name of an exchange as records, logs and URLs of the API show it.
pub fn id_text(id: ExchangeId) -> String {
    ulid::Ulid(id.0).to_string()
}

/// Reads a name back.
pub fn id_of_text(text: &str) -> Option<ExchangeId> {
    ulid::Ulid::from_string(text).ok().map(|id| ExchangeId(id.0))
}

/// A time as records show it: RFC 3339 with milliseconds, in UTC.
pub fn time_text(time: Time) -> String {
    let micros = i64::try_from(time.unix_micros()).unwrap_or(i64::MAX);
    match Timestamp::from_microsecond(micros) {
        Ok(timestamp) => timestamp.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        // Beyond the year 9999.
        Err(_) => String::new(),
    }
}

/// A client as records show it: enough to tell two apart in one list, too little to recognise one elsewhere.
pub fn client_text(client: Principal) -> String {
    format!("c-{:06x}", client.key >> 104)
}

/// The verdict as records show it.
pub(super) fn diagnosis_record(diagnosis: &Diagnosis, redaction: &Redaction) -> DiagnosisRecord {
    let (cause, finding) = (diagnosis.cause, &diagnosis.finding);
    let detail = detail_of(cause.details, finding);
    DiagnosisRecord {
        cause: cause.id.to_owned(),
        detail: finding.detail.map(str::to_owned),
        confidence: finding.confidence.as_str().to_owned(),
        party: finding.party.unwrap_or(cause.party).as_str().to_owned(),
        title: cause.title.to_owned(),
        explanation: explanation(cause.explanation, detail),
        evidence: evidence(&finding.evidence, redaction),
        fix: fixes(finding, detail, cause.fix),
        others: diagnosis
            .others
            .iter()
            .map(|(cause, finding)| OtherCause {
                cause: cause.id.to_owned(),
                detail: finding.detail.map(str::to_owned),
                confidence: finding.confidence.as_str().to_owned(),
            })
            .collect(),
    }
}

fn hazard_record(found: &HazardFound, redaction: &Redaction) -> HazardRecord {
    let (hazard, finding) = (found.hazard, &found.finding);
    let detail = detail_of(hazard.details, finding);
    HazardRecord {
        hazard: hazard.id.to_owned(),
        detail: finding.detail.map(str::to_owned),
        confidence: finding.confidence.as_str().to_owned(),
        title: hazard.title.to_owned(),
        explanation: explanation(hazard.explanation, detail),
        evidence: evidence(&finding.evidence, redaction),
        fix: fixes(finding, detail, hazard.fix),
    }
}

fn detail_of(details: &'static [Detail], finding: &Finding) -> Option<&'static Detail> {
    details.iter().find(|detail| Some(detail.id) == finding.detail)
}

fn explanation(of_entry: &str, detail: Option<&Detail>) -> String {
    match detail {
        Some(detail) => format!("{of_entry} {}", detail.explanation),
        None => of_entry.to_owned(),
    }
}

fn fixes(finding: &Finding, detail: Option<&Detail>, of_entry: &[&str]) -> Vec<String> {
    let of_detail = detail.map_or(&[][..], |detail| detail.fix);
    let mut fixes: Vec<String> = Vec::new();
    for fix in finding.fix.iter().chain(of_detail).chain(of_entry) {
        if !fixes.iter().any(|known| known == fix) {
            fixes.push((*fix).to_owned());
        }
    }
    fixes
}

/// Facts as records show them, each once.
pub(super) fn evidence(evidence: &[Evidence], redaction: &Redaction) -> Vec<EvidenceRecord> {
    let record = |fact: &Evidence| EvidenceRecord {
        kind: fact.kind().to_owned(),
        says: redaction.text(&fact.says()).into_owned(),
        values: evidence_values(fact, redaction),
    };
    let mut records: Vec<EvidenceRecord> = Vec::new();
    for fact in evidence.iter().map(record) {
        if !records.contains(&fact) {
            records.push(fact);
        }
    }
    records
}

fn evidence_values(fact: &Evidence, redaction: &Redaction) -> HeaderLines {
    let named = |name: &str, field: FieldName, value: &Option<Vec<u8>>| {
        value.as_deref().map(|value| (name.to_owned(), redaction.value(field, value)))
    };
    let text = |name: &str, text: &str| Some((name.to_owned(), text.to_owned()));
    if let Evidence::OriginGave { field, value, came, .. } = fact {
        let values = [text("field", field.as_str()), named("origin", *field, value), named("client", *field, came)];
        return values.into_iter().flatten().collect();
    }
    let Evidence::Given { value, at, to, by, coding, sibling: false } = fact else { return Vec::new() };
    let other = match to {
        Whom::ThisClient => None,
        Whom::Other(client) => text("to", client),
    };
    let value = Some(("value".to_owned(), redaction.value(FieldName::ETag, value)));
    let coding = named("coding", FieldName::ContentEncoding, coding);
    [value, text("at", &time_text(*at)), text("by", by.says()), coding, other].into_iter().flatten().collect()
}

fn alteration_record(altered: &Alteration, redaction: &Redaction) -> AlterationRecord {
    let value = |value: &Option<Vec<u8>>| value.as_deref().map(|value| redaction.value(altered.field, value));
    AlterationRecord {
        on: altered.on.as_str().to_owned(),
        field: altered.field.as_str().to_owned(),
        change: altered.change.as_str().to_owned(),
        before: value(&altered.before),
        after: value(&altered.after),
        known_by: altered.known_by.as_str().to_owned(),
    }
}

fn current_record(current: &Current, redaction: &Redaction) -> CurrentRecord {
    CurrentRecord {
        etag: current.etag.as_deref().map(|tag| redaction.value(FieldName::ETag, tag)),
        last_modified: current.last_modified.as_deref().map(|date| redaction.value(FieldName::LastModified, date)),
        seen_at: time_text(current.seen_at),
    }
}

fn bypass_record(bypass: BypassApplied) -> BypassRecord {
    let scope = match bypass.by {
        BypassScope::All => "all",
        BypassScope::Route => "route",
        BypassScope::Request => "request",
        BypassScope::Pair => "pair",
    };
    let preconditions = if bypass.preconditions_removed { "remove" } else { "keep" };
    BypassRecord { scope: scope.to_owned(), direct: bypass.direct, preconditions: preconditions.to_owned() }
}

fn header_lines(fields: &Fields, redaction: &Redaction) -> HeaderLines {
    fields.iter().filter_map(|line| Some((latin1(line.name_bytes), redaction.line(line)?))).collect()
}

/// The target URI (RFC 9110 §7.1).
fn url(captured: &Captured) -> String {
    resource_url(captured.scheme, &captured.request.authority, &captured.request.target)
}

/// The URL that scheme, authority and request target make together.
pub(super) fn resource_url(scheme: Scheme, authority: &[u8], target: &[u8]) -> String {
    let (scheme, authority, target) = (scheme.as_str(), latin1(authority), latin1(target));
    match target.as_str() {
        // RFC 9112 §3.2.4: the asterisk stands for the server itself.
        "*" => format!("{scheme}://{authority}"),
        path if path.starts_with('/') => format!("{scheme}://{authority}{path}"),
        // Absolute form, or the authority of a CONNECT.
        whole => whole.to_owned(),
    }
}

fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::principal::ToldApartBy;

    #[test]
    fn times_have_milliseconds() {
        assert_eq!(time_text(Time::from_unix_micros(1_795_327_200_123_456)), "2026-11-22T06:00:00.123Z");
    }

    #[test]
    fn names_are_read_back() {
        let id = ExchangeId(0x0193_b5c4_0000_1234_5678_9abc_def0_1234);
        assert_eq!(id_of_text(&id_text(id)), Some(id));
        assert_eq!(id_of_text("nothing"), None);
    }

    #[test]
    fn clients_are_shortened() {
        let client = Principal { key: 0x7f3a_1200 << 96, by: ToldApartBy::Address };
        assert_eq!(client_text(client), "c-7f3a12");
    }

    #[test]
    fn urls_are_made_of_every_form_of_target() {
        #[track_caller]
        fn check(target: &str, expected: &str) {
            assert_eq!(resource_url(Scheme::Http, b"h:8080", target.as_bytes()), expected);
        }
        check("/a?b=c", "http://h:8080/a?b=c");
        check("*", "http://h:8080");
        check("http://other/a", "http://other/a");
        check("h:443", "h:443");
    }
}
