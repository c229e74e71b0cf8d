//! The evaluation of RFC 9110 §13.2.2, in its order. A proxy does not own the resource, so it may be undecidable.

use http::Method;

use super::conditions::{Conditions, Field, tags_of};
use super::entity_tag::{EntityTag, TagList};
use super::fields::FieldName;
use super::http_date::HttpDate;
use crate::analysis::exchange::Comparison;

/// What is known of the selected representation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State<'a> {
    /// Whether there is one; unknown if `None`.
    pub exists: Option<bool>,
    /// Its tag, if known.
    pub etag: Option<EntityTag<'a>>,
    /// Its date, if known.
    pub last_modified: Option<HttpDate>,
}

/// What a recipient that knows the state does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It performs the method.
    Proceed,
    /// It answers 304.
    NotModified,
    /// It answers 412.
    Failed {
        /// For this condition.
        by: FieldName,
    },
    /// Too little is known.
    Undecidable {
        /// This condition cannot be judged.
        because: FieldName,
    },
}

enum Holds {
    Yes,
    No,
    Unknown,
}

/// Judges `conditions` of a request with `method` against `state`. If-Range only decides between 206 and 200 and has
/// no part in the verdict.
pub fn evaluate(method: &Method, conditions: &Conditions<'_>, state: &State<'_>, comparison: Comparison) -> Verdict {
    // RFC 9110 §13.2.1: methods that select no representation ignore conditions.
    if *method == Method::CONNECT || *method == Method::OPTIONS || *method == Method::TRACE {
        return Verdict::Proceed;
    }
    // Step 1, or else step 2.
    let (first, by) = if conditions.if_match.is_present() {
        (if_match(conditions, state, comparison), FieldName::IfMatch)
    } else {
        (unmodified_since(conditions, state), FieldName::IfUnmodifiedSince)
    };
    match first {
        Holds::Yes => {}
        Holds::No => return Verdict::Failed { by },
        Holds::Unknown => return Verdict::Undecidable { because: by },
    }
    let reads = *method == Method::GET || *method == Method::HEAD;
    // Step 3, or else step 4.
    if conditions.if_none_match.is_present() {
        return match none_match(conditions, state) {
            Holds::Yes => Verdict::Proceed,
            Holds::No if reads => Verdict::NotModified,
            Holds::No => Verdict::Failed { by: FieldName::IfNoneMatch },
            Holds::Unknown => Verdict::Undecidable { because: FieldName::IfNoneMatch },
        };
    }
    match modified_since(conditions, state) {
        _ if !reads => Verdict::Proceed,
        Holds::Yes => Verdict::Proceed,
        Holds::No => Verdict::NotModified,
        Holds::Unknown => Verdict::Undecidable { because: FieldName::IfModifiedSince },
    }
}

/// RFC 9110 §13.1.1.
fn if_match(conditions: &Conditions<'_>, state: &State<'_>, comparison: Comparison) -> Holds {
    let is_any = conditions.if_match.valid() == Some(&TagList::Any);
    let tags = tags_of(&conditions.if_match);
    if !is_any && tags.is_empty() {
        // Malformed: recipients differ.
        return Holds::Unknown;
    }
    match (state.exists, state.etag) {
        (Some(false), _) => Holds::No,
        (Some(true), _) if is_any => Holds::Yes,
        (_, Some(current)) => {
            let matches = tags.iter().any(|tag| match comparison {
                Comparison::Strong => tag.strong_eq(&current),
                Comparison::Weak => tag.weak_eq(&current),
            });
            if matches || is_any { Holds::Yes } else { Holds::No }
        }
        (Some(true) | None, None) => Holds::Unknown,
    }
}

/// RFC 9110 §13.1.4: a date that is none is ignored.
fn unmodified_since(conditions: &Conditions<'_>, state: &State<'_>) -> Holds {
    match (&conditions.if_unmodified_since, state.last_modified) {
        (Field::Valid { value, .. }, Some(modified)) => {
            if modified <= *value {
                Holds::Yes
            } else {
                Holds::No
            }
        }
        (Field::Valid { .. }, None) => Holds::Unknown,
        (Field::Absent | Field::Malformed { .. } | Field::Repeated { .. }, _) => Holds::Yes,
    }
}

/// RFC 9110 §13.1.2: compared weakly.
fn none_match(conditions: &Conditions<'_>, state: &State<'_>) -> Holds {
    let is_any = conditions.if_none_match.valid() == Some(&TagList::Any);
    let tags = tags_of(&conditions.if_none_match);
    if !is_any && tags.is_empty() {
        return Holds::Unknown;
    }
    match (state.exists, state.etag) {
        (Some(false), _) => Holds::Yes,
        (Some(true), _) if is_any => Holds::No,
        (_, Some(current)) => {
            if is_any || tags.iter().any(|tag| tag.weak_eq(&current)) {
                Holds::No
            } else {
                Holds::Yes
            }
        }
        (Some(true) | None, None) => Holds::Unknown,
    }
}

/// RFC 9110 §13.1.3: a date that is none is ignored.
fn modified_since(conditions: &Conditions<'_>, state: &State<'_>) -> Holds {
    match (&conditions.if_modified_since, state.last_modified) {
        (Field::Valid { value, .. }, Some(modified)) => {
            if modified > *value {
                Holds::Yes
            } else {
                Holds::No
            }
        }
        (Field::Valid { .. }, None) => Holds::Unknown,
        (Field::Absent | Field::Malformed { .. } | Field::Repeated { .. }, _) => Holds::Yes,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fields::Fields;
    use super::*;

    const JAN: &str = "Mon, 05 Jan 2026 08:00:00 GMT";
    const FEB: &str = "Thu, 05 Feb 2026 08:00:00 GMT";

    fn verdict(method: &Method, lines: &[(&str, &str)], exists: Option<bool>, etag: &str, modified: &str) -> Verdict {
        let fields: Fields = lines.iter().copied().collect();
        let state = State {
            exists,
            etag: EntityTag::parse(etag.as_bytes()),
            last_modified: HttpDate::parse(modified.as_bytes()).ok(),
        };
        evaluate(method, &Conditions::of(&fields), &state, Comparison::Strong)
    }

    #[track_caller]
    fn check(method: &Method, lines: &[(&str, &str)], expected: Verdict) {
        assert_eq!(verdict(method, lines, Some(true), "\"a\"", FEB), expected, "{method} {lines:?}");
    }

    #[test]
    fn in_the_order_of_the_specification() {
        let failed = |by| Verdict::Failed { by };
        check(&Method::PUT, &[("If-Match", "\"a\"")], Verdict::Proceed);
        check(&Method::PUT, &[("If-Match", "W/\"a\"")], failed(FieldName::IfMatch));
        check(&Method::PUT, &[("If-Match", "*")], Verdict::Proceed);
        check(&Method::PUT, &[("If-Match", "\"x\", \"a\"")], Verdict::Proceed);
        check(&Method::PUT, &[("If-Match", "\"a\""), ("If-Unmodified-Since", JAN)], Verdict::Proceed);
        check(&Method::PUT, &[("If-Unmodified-Since", JAN)], failed(FieldName::IfUnmodifiedSince));
        check(&Method::PUT, &[("If-Unmodified-Since", "12345")], Verdict::Proceed);
        check(&Method::PUT, &[("If-None-Match", "*")], failed(FieldName::IfNoneMatch));
        check(&Method::GET, &[("If-None-Match", "W/\"a\"")], Verdict::NotModified);
        check(&Method::GET, &[("If-None-Match", "\"b\""), ("If-Modified-Since", FEB)], Verdict::Proceed);
        check(&Method::GET, &[("If-Modified-Since", FEB)], Verdict::NotModified);
        check(&Method::PUT, &[("If-Modified-Since", FEB)], Verdict::Proceed);
        check(&Method::GET, &[("If-Modified-Since", JAN)], Verdict::Proceed);
        check(&Method::PUT, &[("If-Match", "null")], Verdict::Undecidable { because: FieldName::IfMatch });
    }

    #[test]
    fn what_is_not_there() {
        let gone = |lines: &[(&str, &str)]| verdict(&Method::PUT, lines, Some(false), "", "");
        assert_eq!(gone(&[("If-Match", "*")]), Verdict::Failed { by: FieldName::IfMatch });
        assert_eq!(gone(&[("If-Match", "\"a\"")]), Verdict::Failed { by: FieldName::IfMatch });
        assert_eq!(gone(&[("If-None-Match", "*")]), Verdict::Proceed);
        let unknown = verdict(&Method::PUT, &[("If-Match", "\"a\"")], None, "", "");
        assert_eq!(unknown, Verdict::Undecidable { because: FieldName::IfMatch });
    }

    proptest! {
        #[test]
        fn it_is_total(
            names in proptest::collection::vec(0_usize..5, 0..4),
            value in "(\\*|W?/?\"?[a-c]{0,2}\"?|Mon, 05 Jan 2026 08:00:00 GMT)",
            method in 0_usize..4,
            exists: Option<bool>,
        ) {
            let method = [Method::GET, Method::HEAD, Method::PUT, Method::DELETE][method].clone();
            let lines: Vec<_> = names
                .iter()
                .map(|at| (super::super::conditions::CONDITION_NAMES[*at].as_str(), value.as_str()))
                .collect();
            let _ = verdict(&method, &lines, exists, "\"a\"", FEB);
        }
    }
}
