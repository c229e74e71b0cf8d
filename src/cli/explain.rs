//! `why412 explain`: the catalogue, or one entry of it, as text or JSON.

use crate::analysis::diagnosis::reference;
use crate::recorder::catalogue;

/// Why nothing could be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// No entry has that name.
    #[error("the catalogue has no \"{name}\"{}; `why412 explain` lists what it has", near(.like))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Names that resemble it.
        like: Vec<&'static str>,
    },
    /// The view could not be written as JSON.
    #[error("writing JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// The entry of that name, or the list without one; ends with a line end.
pub fn explain(name: Option<&str>, json: bool) -> Result<String, ExplainError> {
    let Some(name) = name else {
        return if json { pretty(&catalogue::view()) } else { Ok(reference::index()) };
    };
    let name = name.trim().to_ascii_lowercase();
    let Some(entry) = reference::entry(&name) else {
        return Err(ExplainError::Unknown { like: resembling(&name), name });
    };
    if json { pretty(&catalogue::entry_view(&entry)) } else { Ok(reference::text(&entry)) }
}

fn pretty(view: &impl serde::Serialize) -> Result<String, ExplainError> {
    Ok(serde_json::to_string_pretty(view)? + "\n")
}

/// Names that share a word with `name`, or begin alike.
fn resembling(name: &str) -> Vec<&'static str> {
    let words: Vec<_> = name.split(['-', '_', '/', ' ']).filter(|word| word.len() > 2).collect();
    let alike = |id: &str| id.split('-').any(|part| words.iter().any(|word| part.starts_with(word)));
    reference::entries().map(|entry| entry.id).filter(|id| alike(id)).collect()
}

fn near(like: &[&str]) -> String {
    if like.is_empty() { String::new() } else { format!(" (like it: {})", like.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_name_it_lists_every_entry() {
        let list = explain(None, false).unwrap();
        for entry in reference::entries() {
            assert!(list.lines().any(|line| line.trim_start().starts_with(entry.id)), "{}", entry.id);
        }
    }

    #[test]
    fn json_of_one_entry_has_its_texts() {
        let json: serde_json::Value = serde_json::from_str(&explain(Some("etag-suffixed"), true).unwrap()).unwrap();
        assert_eq!(json["id"], "etag-suffixed");
        assert_eq!(json["party"], "gateway");
        assert_eq!(json["details"][0]["id"], "inside-origin");
    }

    #[test]
    fn an_unknown_name_is_answered_with_those_like_it() {
        let error = explain(Some("weakened"), false).unwrap_err().to_string();
        assert!(error.contains("etag-weakened"), "{error}");
        let error = explain(Some("nonsense"), false).unwrap_err().to_string();
        assert!(!error.contains("like it"), "{error}");
    }
}
