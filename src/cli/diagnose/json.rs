//! The run as JSON, secrets hidden: its shape is described in `docs/diagnose.md`.

use serde_json::{Value, json};

use super::Ran;
use super::bundle::{lines, url};
use crate::diagnose::compare::{Against, Altered};
use crate::diagnose::findings::Found;
use crate::diagnose::refreshed::Version;
use crate::diagnose::verdict::About;
use crate::diagnose::{Conclusion, Step};
use crate::recorder::record::time_text;
use crate::recorder::redact::{Redaction, latin1};

/// All of it.
pub(super) fn of(ran: &Ran<'_>, redaction: &Redaction) -> Value {
    let Ran { asked, observed, conclusion, .. } = ran;
    let hidden = |text: &str| redaction.text(text).into_owned();
    let (about, status) = about(conclusion.about);
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "request": {
            "method": asked.method.as_str(),
            "url": hidden(&asked.url.url()),
            "direct": asked.direct.as_ref().map(|direct| hidden(&direct.url())),
            "headers": lines(&asked.fields, redaction),
            "sent": asked.is_sent(),
        },
        "problem": ran.is_problem(),
        "outcome": { "about": about, "status": status },
        "verdict": conclusion.causes.first().map(|found| finding("cause", found, redaction)),
        "others": conclusion.causes.iter().skip(1).map(|found| finding("cause", found, redaction)).collect::<Vec<_>>(),
        "path": conclusion.path.iter().map(|found| finding("cause", found, redaction)).collect::<Vec<_>>(),
        "hazards": conclusion.hazards.iter().map(|found| finding("hazard", found, redaction)).collect::<Vec<_>>(),
        "alterations": conclusion.altered.iter().map(|altered| alteration(altered, redaction)).collect::<Vec<_>>(),
        "obstacles": conclusion.obstacles.iter().map(|says| hidden(says)).collect::<Vec<_>>(),
        "notes": conclusion.notes.iter().map(|says| hidden(says)).collect::<Vec<_>>(),
        "refreshed": refreshed(conclusion, redaction),
        "retry": ran.stopped.as_ref().map(|stopped| json!({
            "succeeded": stopped.is_success(),
            "says": hidden(&stopped.says()),
        })),
        "steps": observed.steps.iter().map(|one| step(one, redaction)).collect::<Vec<_>>(),
    })
}

const fn about(about: About) -> (&'static str, Option<u16>) {
    match about {
        About::Refused => ("refused", Some(412)),
        About::WouldBeRefused => ("would-be-refused", None),
        About::WouldHold => ("would-hold", None),
        About::NotKnown => ("not-known", None),
        About::NotRefused(status) => ("not-refused", Some(status)),
        About::NoAnswer => ("no-answer", None),
    }
}

fn finding(kind: &str, found: &Found, redaction: &Redaction) -> Value {
    let evidence: Vec<_> =
        found.evidence.iter().map(|said| json!({ "kind": said.kind, "says": redaction.text(&said.says) })).collect();
    json!({
        kind: found.id,
        "detail": found.detail,
        "confidence": found.confidence.as_str(),
        "party": found.party.map(crate::analysis::judgement::Party::as_str),
        "title": found.title,
        "explanation": found.explanation,
        "evidence": evidence,
        "fix": found.fix,
    })
}

fn alteration(altered: &Altered, redaction: &Redaction) -> Value {
    let value = |value: &Option<Vec<u8>>| value.as_deref().map(|value| redaction.value(altered.field, value));
    let known_by = match altered.against {
        Against::Direct => "direct",
        Against::Read(..) => "reads",
    };
    json!({
        "field": altered.field.as_str(),
        "change": altered.change.as_str(),
        "before": value(&altered.before),
        "after": value(&altered.after),
        "reads": altered.kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        "known_by": known_by,
        "confidence": altered.confidence.as_str(),
        "product": altered.product.map(crate::analysis::semantics::caching::Product::as_str),
    })
}

fn refreshed(conclusion: &Conclusion, redaction: &Redaction) -> Value {
    match &conclusion.refreshed {
        Ok(fresh) => json!({
            "field": fresh.field.as_str(),
            "value": redaction.value(fresh.field, &fresh.value),
            "same_version": fresh.version == Version::Same,
        }),
        Err(because) => json!({ "none_because": because.says() }),
    }
}

fn step(step: &Step, redaction: &Redaction) -> Value {
    let answer = step.result.as_ref().ok();
    json!({
        "step": step.kind.step(),
        "kind": step.kind.as_str(),
        "way": step.way.as_str(),
        "at": time_text(step.at),
        "request": {
            "method": step.request.method.as_str(),
            "url": redaction.text(&url(step)),
            "host": latin1(&step.request.authority),
            "headers": lines(&step.request.fields, redaction),
        },
        "response": answer.map(|answer| json!({
            "status": answer.head.status,
            "version": answer.head.version.as_str(),
            "headers": lines(&answer.head.fields, redaction),
            "body_bytes_read": answer.body.len(),
            "body_read": match answer.body_end {
                crate::diagnose::wire::BodyEnd::Whole => "whole",
                crate::diagnose::wire::BodyEnd::Limit => "prefix",
                crate::diagnose::wire::BodyEnd::Late => "late",
                crate::diagnose::wire::BodyEnd::Cut => "cut",
            },
            "took_us": u64::try_from(answer.took.as_micros()).unwrap_or(u64::MAX),
        })),
        "error": step.result.as_ref().err().map(|failure| redaction.text(&failure.to_string()).into_owned()),
    })
}
