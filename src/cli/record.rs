//! Records as text, for people. They are taken as the JSON they come as: the instance may be of another version.

pub(super) mod fold;
pub(super) mod line;
mod summary;
pub(super) mod table;
mod way;
pub(super) mod whole;

pub(super) use summary::Summary;

use serde_json::Value;

use super::output::{Tone, printable};

/// The string at `pointer`, made harmless; empty if there is none.
fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).map(printable).unwrap_or_default()
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A member that is there and not null.
fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|member| !member.is_null())
}

/// `etag-suffixed/inside-origin`
fn named(finding: &Value, key: &str) -> String {
    let id = text(finding, &format!("/{key}"));
    let detail = text(finding, "/detail");
    if detail.is_empty() { id } else { format!("{id}/{detail}") }
}

/// The status of the answer, `---` if there was none.
fn status(record: &Value) -> String {
    record.pointer("/response/status").and_then(Value::as_u64).map_or_else(|| "---".to_owned(), |s| s.to_string())
}

fn status_tone(status: &str) -> Option<Tone> {
    match status.as_bytes().first() {
        Some(b'4') if status == "412" => Some(Tone::Bad),
        Some(b'4' | b'5') => Some(Tone::Warning),
        Some(_) | None => None,
    }
}

fn confidence_tone(confidence: &str) -> Option<Tone> {
    match confidence {
        "proven" => Some(Tone::Good),
        "likely" => Some(Tone::Warning),
        // A foreign string: `possible`, and what other versions may say.
        _ => None,
    }
}

fn party_tone(party: &str) -> Option<Tone> {
    match party {
        "client" | "other-client" => Some(Tone::Client),
        "gateway" => Some(Tone::Gateway),
        "origin" => Some(Tone::Origin),
        // A foreign string: `unknown`, and what other versions may say.
        _ => None,
    }
}

/// Who has to act, as the catalogue puts it.
fn party_in_words(party: &str) -> &str {
    match party {
        "client" => "the client",
        "other-client" => "another client",
        "gateway" => "the gateway",
        "origin" => "the origin",
        "unknown" => "not known",
        // A foreign string.
        other => other,
    }
}
