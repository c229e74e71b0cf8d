//! What is said of an exchange, as text that can be mailed or put into a ticket.

use super::text::{heading, line, paragraph, shown};
use crate::recorder::probe::ProbeRecord;
use crate::recorder::record::{AlterationRecord, DiagnosisRecord, HazardRecord, Record};

/// The verdict of a record.
pub fn text(record: &Record) -> String {
    let mut out = String::new();
    let status =
        record.response.as_ref().map_or_else(|| "no answer".to_owned(), |response| response.status.to_string());
    line(&mut out, &format!("{} {} -> {status}", shown(&record.request.method), shown(&record.request.url)));
    line(&mut out, &format!("exchange  {}", record.id));
    line(&mut out, &format!("at        {}", record.at));
    line(&mut out, &format!("route     {}", shown(&record.route)));
    line(&mut out, &format!("client    {}", record.client));
    line(&mut out, &format!("seen by   {} (role: {})", shown(&record.instance), record.role));
    if let Some(amended_at) = &record.amended_at {
        line(&mut out, &format!("amended   {amended_at}"));
    }
    if let Some(diagnosis) = &record.diagnosis {
        diagnosed(&mut out, diagnosis);
    }
    for hazard in &record.hazards {
        hazardous(&mut out, hazard);
    }
    if !record.alterations.is_empty() {
        heading(&mut out, "Altered on the way");
        for altered in &record.alterations {
            paragraph(&mut out, "  - ", &alteration(altered));
        }
    }
    now(&mut out, record);
    if let Some(probe) = &record.probe {
        probed(&mut out, probe);
    }
    out
}

fn diagnosed(out: &mut String, diagnosis: &DiagnosisRecord) {
    heading(out, &format!("Why it was refused: {}", entry(&diagnosis.cause, diagnosis.detail.as_deref())));
    paragraph(out, "", &format!("{}.", diagnosis.title.trim_end_matches('.')));
    line(out, &format!("confidence: {}; who has to act: {}", diagnosis.confidence, diagnosis.party));
    line(out, "");
    paragraph(out, "", &diagnosis.explanation);
    list(out, "How we know", diagnosis.evidence.iter().map(|fact| fact.says.as_str()));
    list(out, "What to do, most effective first", diagnosis.fix.iter().map(String::as_str));
    let others = diagnosis.others.iter();
    let others: Vec<_> = others
        .map(|other| format!("{} ({})", entry(&other.cause, other.detail.as_deref()), other.confidence))
        .collect();
    list(out, "What fits as well", others.iter().map(String::as_str));
}

fn hazardous(out: &mut String, hazard: &HazardRecord) {
    heading(out, &format!("Hazard: {}", entry(&hazard.hazard, hazard.detail.as_deref())));
    if !hazard.title.is_empty() {
        paragraph(out, "", &format!("{}.", hazard.title.trim_end_matches('.')));
    }
    line(out, &format!("confidence: {}", hazard.confidence));
    if !hazard.explanation.is_empty() {
        line(out, "");
        paragraph(out, "", &hazard.explanation);
    }
    list(out, "How we know", hazard.evidence.iter().map(|fact| fact.says.as_str()));
    list(out, "What to do, most effective first", hazard.fix.iter().map(String::as_str));
}

fn now(out: &mut String, record: &Record) {
    let Some(current) = &record.current else { return };
    heading(out, "The current validators, as last seen");
    let value = |value: &Option<String>| value.as_deref().map_or_else(|| "none".to_owned(), shown);
    line(out, &format!("  ETag           {}", value(&current.etag)));
    line(out, &format!("  Last-Modified  {}", value(&current.last_modified)));
    line(out, &format!("  seen at        {}", current.seen_at));
}

fn probed(out: &mut String, probe: &ProbeRecord) {
    heading(out, &format!("Asked afterwards, at {} (by {})", probe.at, probe.by));
    for (way, answer) in [("as clients ask", Some(&probe.through)), ("around the gateway", probe.direct.as_ref())] {
        let Some(answer) = answer else { continue };
        let status = answer.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let mut said = format!("{way}: {} {} -> {status}", answer.method, answer.url);
        for (name, value) in &answer.validators {
            said.push_str(&format!(", {name}: {value}"));
        }
        said.push_str(&answer.error.as_ref().map_or_else(String::new, |error| format!("; {error}")));
        paragraph(out, "  - ", &said);
    }
}

fn list<'a>(out: &mut String, title: &str, items: impl Iterator<Item = &'a str>) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    line(out, "");
    line(out, &format!("{title}:"));
    for item in items {
        paragraph(out, "  - ", item);
    }
}

/// `cause` or `cause/detail`.
pub(super) fn entry(name: &str, detail: Option<&str>) -> String {
    detail.map_or_else(|| name.to_owned(), |detail| format!("{name}/{detail}"))
}

fn alteration(altered: &AlterationRecord) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(not there)".to_owned());
    format!(
        "{} of the {} was {}: {} became {} (known by {})",
        altered.field,
        altered.on,
        altered.change,
        value(&altered.before),
        value(&altered.after),
        altered.known_by
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::probe::ProbeAnswerRecord;
    use crate::recorder::record::{CurrentRecord, EvidenceRecord, OtherCause};
    use crate::recorder::testing::record;

    #[test]
    fn everything_that_is_said_is_in_the_text() {
        let mut record = record("PUT", "http://h/a");
        record.diagnosis = Some(DiagnosisRecord {
            cause: "etag-weakened".to_owned(),
            detail: None,
            confidence: "proven".to_owned(),
            party: "gateway".to_owned(),
            title: "The tag was made weak".to_owned(),
            explanation: "It was.".to_owned(),
            evidence: vec![EvidenceRecord {
                kind: "k".to_owned(),
                says: "seen \u{9b}31m there".to_owned(),
                values: Vec::new(),
            }],
            fix: vec!["Switch it off.".to_owned()],
            others: vec![OtherCause {
                cause: "stale-validator".to_owned(),
                detail: Some("own-write-untracked".to_owned()),
                confidence: "possible".to_owned(),
            }],
        });
        record.current = Some(CurrentRecord {
            etag: Some("\"v2\"".to_owned()),
            last_modified: None,
            seen_at: "2026-11-22T06:00:00.000Z".to_owned(),
        });
        let answer = |error: Option<&str>| ProbeAnswerRecord {
            method: "HEAD".to_owned(),
            url: "http://h/a".to_owned(),
            status: error.is_none().then_some(200),
            validators: vec![("ETag".to_owned(), "\"v3\"".to_owned())],
            error: error.map(str::to_owned),
        };
        record.probe = Some(ProbeRecord {
            at: "2026-11-22T06:00:01.000Z".to_owned(),
            by: "operator".to_owned(),
            through: answer(None),
            direct: Some(answer(Some("refused"))),
            credentials: "none".to_owned(),
        });
        let text = text(&record);
        for said in [
            "PUT http://h/a -> 412",
            "  - as clients ask: HEAD http://h/a -> 200, ETag: \"v3\"",
            "  - around the gateway: HEAD http://h/a -> no answer, ETag: \"v3\"; refused",
            "Why it was refused: etag-weakened\n---",
            "confidence: proven; who has to act: gateway",
            "  - seen \\u{9b}31m there",
            "  - Switch it off.",
            "  - stale-validator/own-write-untracked (possible)",
            "  ETag           \"v2\"",
        ] {
            assert!(text.contains(said), "{said:?} is not in\n{text}");
        }
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
    }
}
