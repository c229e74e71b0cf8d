//! How a record changes by what a probe learned.

use super::record::{ProbeRecord, fields_of};
use crate::analysis::diagnosis::hindsight::{Hindsight, Refused, Reversal, Validators, hindsight};
use crate::analysis::diagnosis::{Cause, causes};
use crate::analysis::exchange::{Comparison, Role};
use crate::analysis::judgement::{Confidence, Diagnosis};
use crate::analysis::probing::Probed;
use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::recorder::record::{
    CurrentRecord, DiagnosisRecord, EvidenceRecord, OtherCause, Record, diagnosis_record, evidence, time_text,
};
use crate::recorder::redact::Redaction;

/// Puts in what was learned, and judges the verdict again by it.
pub(in crate::recorder) fn amend(record: &mut Record, probed: &Probed, comparison: Comparison, redaction: &Redaction) {
    record.probe = Some(ProbeRecord::of(probed, redaction));
    record.amended_at = Some(time_text(probed.at));
    let Some(diagnosis) = record.diagnosis.take() else { return };
    let sent = fields_of(&record.request.forwarded_headers);
    let answer = record.response.as_ref().map_or_else(Fields::default, |response| fields_of(&response.headers));
    let Some((cause, confidence)) = primary(&diagnosis) else {
        record.diagnosis = Some(diagnosis);
        return;
    };
    let role = [Role::Alone, Role::Outer, Role::Inner].into_iter().find(|role| role.as_str() == record.role);
    let refused =
        Refused { sent: &sent, answer: &answer, role: role.unwrap_or_default(), comparison, cause, confidence };
    let Hindsight { facts, reversal, current } = hindsight(&refused, probed);
    if let Some(Validators { etag, last_modified }) = current {
        record.current = Some(CurrentRecord {
            etag: etag.map(|tag| redaction.value(FieldName::ETag, &tag)),
            last_modified: last_modified.map(|date| redaction.value(FieldName::LastModified, &date)),
            seen_at: time_text(probed.at),
        });
    }
    let facts = evidence(&facts, redaction);
    record.diagnosis = Some(match reversal {
        Some(reversal) => reversed(diagnosis, reversal, facts, redaction),
        None => DiagnosisRecord { evidence: with(diagnosis.evidence, facts), ..diagnosis },
    });
}

/// The cause that a record names; a record of another version may name one that is not known here.
fn primary(diagnosis: &DiagnosisRecord) -> Option<(&'static Cause, Confidence)> {
    let cause = causes::CATALOGUE.iter().find(|cause| cause.id == diagnosis.cause)?;
    let confidence = Confidence::ALL.into_iter().find(|known| known.as_str() == diagnosis.confidence)?;
    Some((cause, confidence))
}

/// Another verdict in the place of the one before, which stays among the others unless it is excluded.
fn reversed(
    before: DiagnosisRecord,
    reversal: Reversal,
    facts: Vec<EvidenceRecord>,
    redaction: &Redaction,
) -> DiagnosisRecord {
    let Reversal { cause, finding, refuted } = reversal;
    let was = OtherCause { cause: before.cause, detail: before.detail, confidence: before.confidence };
    // "None of these" is a verdict, but no rival of one.
    let stays = |other: &OtherCause| {
        other.cause != cause.id && other.cause != "unexplained" && !refuted.contains(&other.cause.as_str())
    };
    let others = std::iter::once(was).chain(before.others).filter(stays).collect();
    let mut after = diagnosis_record(&Diagnosis { cause, finding, others: Vec::new() }, redaction);
    after.evidence.extend(before.evidence);
    DiagnosisRecord { evidence: with(after.evidence, facts), others, ..after }
}

/// The evidence with what was learned; that a read was missing is not true any more, and what an earlier probe showed
/// gives way.
fn with(mut evidence: Vec<EvidenceRecord>, facts: Vec<EvidenceRecord>) -> Vec<EvidenceRecord> {
    let learned = !facts.is_empty();
    let is_answered = |says: &str| says.to_ascii_lowercase().contains("a read after the refusal would show");
    evidence.retain(|fact| fact.kind != "probed" && !(learned && fact.kind == "missing" && is_answered(&fact.says)));
    evidence.extend(facts);
    evidence
}
