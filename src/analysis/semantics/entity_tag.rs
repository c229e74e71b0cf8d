//! Entity-tags (RFC 9110 §8.8.3), the lists of them in If-Match and If-None-Match, and what is wrong with those that
//! are none.

/// An entity-tag. Opaque: nothing but equality means anything, and there are two kinds of it. `==` says "the same
/// bytes".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EntityTag<'a> {
    /// `W/` stands before it.
    pub weak: bool,
    /// What stands between the quotes.
    pub opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// Parses one tag and nothing else. `W/` is case-sensitive (RFC 9110 §8.8.3).
    pub fn parse(raw: &'a [u8]) -> Option<Self> {
        let (tag, rest) = Self::take(raw)?;
        rest.is_empty().then_some(tag)
    }

    /// RFC 9110 §8.8.3.2: both are not weak and their opaque parts are the same.
    pub fn strong_eq(&self, other: &EntityTag<'_>) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    /// RFC 9110 §8.8.3.2: their opaque parts are the same.
    pub fn weak_eq(&self, other: &EntityTag<'_>) -> bool {
        self.opaque == other.opaque
    }

    /// As it stands on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.opaque.len() + 4);
        bytes.extend_from_slice(if self.weak { b"W/\"" } else { b"\"" });
        bytes.extend_from_slice(self.opaque);
        bytes.push(b'"');
        bytes
    }

    /// The tag at the beginning of `raw`, and what follows it.
    fn take(raw: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (weak, rest) = raw.strip_prefix(b"W/").map_or((false, raw), |rest| (true, rest));
        let rest = rest.strip_prefix(b"\"")?;
        // RFC 9110 §8.8.3: etagc = %x21 / %x23-7E / obs-text.
        let end = rest.iter().position(|byte| !matches!(byte, 0x21 | 0x23..=0x7e | 0x80..))?;
        let (opaque, rest) = rest.split_at_checked(end)?;
        Some((Self { weak, opaque }, rest.strip_prefix(b"\"")?))
    }
}

/// The value of If-Match or If-None-Match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagList<'a> {
    /// `*`: whatever there is.
    Any,
    /// At least one tag.
    Tags(Vec<EntityTag<'a>>),
}

impl<'a> TagList<'a> {
    /// Parses a whole value. Empty members are allowed (RFC 9110 §5.6.1.2), an empty list is not.
    pub fn parse(raw: &'a [u8]) -> Option<Self> {
        if raw.trim_ascii() == b"*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = raw;
        loop {
            rest = rest.trim_ascii_start();
            if rest.is_empty() {
                break;
            }
            if let Some(next) = rest.strip_prefix(b",") {
                rest = next;
                continue;
            }
            let (tag, next) = EntityTag::take(rest)?;
            tags.push(tag);
            let next = next.trim_ascii_start();
            rest = if next.is_empty() { next } else { next.strip_prefix(b",")? };
        }
        (!tags.is_empty()).then_some(Self::Tags(tags))
    }

    /// The tags; none for `*`.
    pub fn tags(&self) -> &[EntityTag<'a>] {
        match self {
            Self::Any => &[],
            Self::Tags(tags) => tags,
        }
    }
}

/// What is wrong with a value that should be an entity-tag or a list of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TagFault {
    /// The quotes are missing.
    Unquoted,
    /// Quotes within quotes, escaped or not.
    DoubleQuoted,
    /// Quotes as XML or HTML entities.
    XmlEntity,
    /// The name of a value that a program did not have: `null`, `undefined`, nothing at all.
    JsValue,
    /// `*` beside other members.
    StarInList,
    /// Anything else.
    Other,
}

impl TagFault {
    /// The detail of `malformed-precondition` for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unquoted => "unquoted",
            Self::DoubleQuoted => "double-quoted",
            Self::XmlEntity => "xml-entity",
            Self::JsValue => "js-value",
            Self::StarInList => "star-in-list",
            Self::Other => "other",
        }
    }

    /// Whether a tag that is well-formed says between its quotes that there was none: `"null"`, `"undefined"`, `""`.
    pub fn is_absent_value(tag: &EntityTag<'_>) -> bool {
        is_absent_value(tag.opaque) && tag.opaque != b"true" && tag.opaque != b"false"
    }

    /// Whether a tag that is well-formed carries quotes as XML entities between its own.
    pub fn is_encoded(tag: &EntityTag<'_>) -> bool {
        has_entity(tag.opaque)
    }

    /// What is wrong with `raw`, which is not a tag and not a list of tags.
    pub fn of(raw: &[u8]) -> Self {
        let raw = raw.trim_ascii();
        let bare = strip_wrapping(raw);
        if is_absent_value(bare) {
            return Self::JsValue;
        }
        if has_entity(raw) {
            return Self::XmlEntity;
        }
        // A star that is a member of its own.
        let members = || raw.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        if members().count() > 1 && members().any(|member| member == b"*") {
            return Self::StarInList;
        }
        if has_nested_quotes(raw) {
            return Self::DoubleQuoted;
        }
        // A date belongs into another field.
        if super::http_date::HttpDate::parse(raw).is_ok() {
            return Self::Other;
        }
        // One member without any quote is enough.
        if members().any(|member| !member.is_empty() && member.iter().all(|byte| is_unquoted_char(*byte))) {
            return Self::Unquoted;
        }
        Self::Other
    }
}

const fn is_unquoted_char(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x7e | 0x80..)
}

/// The value without one layer of quotes, brackets or `W/` around it.
fn strip_wrapping(raw: &[u8]) -> &[u8] {
    let bare = raw.strip_prefix(b"W/").unwrap_or(raw);
    bare.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(bare).trim_ascii()
}

/// Names under which languages print a value that is not there, or an object.
fn is_absent_value(bare: &[u8]) -> bool {
    const NAMES: &[&[u8]] = &[
        b"",
        b"null",
        b"undefined",
        b"nothing",
        b"none",
        b"nil",
        b"nan",
        b"(null)",
        b"<null>",
        b"<nil>",
        b"%!s(<nil>)",
        b"true",
        b"false",
        b"[]",
        b"{}",
        b"()",
        b"optional(nil)",
        b"optional.empty",
        b"[object promise]",
    ];
    let is_object =
        |text: &[u8]| text.len() > 8 && text.get(..8).is_some_and(|head| head.eq_ignore_ascii_case(b"[object "));
    NAMES.iter().any(|name| bare.eq_ignore_ascii_case(name)) || is_object(bare)
}

fn has_entity(raw: &[u8]) -> bool {
    const ENTITIES: &[&[u8]] = &[b"&quot;", b"&#34;", b"&#034;", b"&#x22;", b"&amp;quot;", b"&apos;", b"&#39;"];
    ENTITIES.iter().any(|entity| raw.windows(entity.len()).any(|window| window.eq_ignore_ascii_case(entity)))
}

/// `""a""`, `"\"a\""`, `\"a\"`, `"W/"a""`, `'"a"'`, `%22a%22`.
fn has_nested_quotes(raw: &[u8]) -> bool {
    let contains = |needle: &[u8]| raw.windows(needle.len()).any(|window| window == needle);
    contains(b"\\\"")
        || (raw.len() > 3 && raw.starts_with(b"\"\"") && raw.ends_with(b"\"\""))
        || contains(b"\"W/\"")
        || (raw.starts_with(b"'") && raw.ends_with(b"'") && contains(b"\""))
        || contains(b"%22")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(raw: &str, expected: Option<(bool, &str)>) {
        let tag = EntityTag::parse(raw.as_bytes());
        assert_eq!(
            tag.map(|tag| (tag.weak, tag.opaque)),
            expected.map(|(weak, opaque)| (weak, opaque.as_bytes())),
            "{raw}"
        );
    }

    #[test]
    fn tags() {
        check("\"a\"", Some((false, "a")));
        check("W/\"a\"", Some((true, "a")));
        check("\"\"", Some((false, "")));
        check("\"a,b\"", Some((false, "a,b")));
        check("\"caf\u{e9}\"", Some((false, "caf\u{e9}")));
        for bad in ["a", "w/\"a\"", "W/a", "\"a", "\"a b\"", "\"a\"x", "", "\"\"a\"\"", "'a'"] {
            check(bad, None);
        }
    }

    #[track_caller]
    fn check_list(raw: &str, expected: Option<&[&str]>) {
        let list = TagList::parse(raw.as_bytes());
        let tags = list.as_ref().map(|list| {
            list.tags().iter().map(|tag| String::from_utf8_lossy(&tag.to_bytes()).into_owned()).collect::<Vec<_>>()
        });
        assert_eq!(
            tags.as_deref(),
            expected.map(|tags| tags.iter().map(ToString::to_string).collect::<Vec<_>>()).as_deref(),
            "{raw}"
        );
    }

    #[test]
    fn lists() {
        check_list("*", Some(&[]));
        check_list("\"a\", W/\"b\"", Some(&["\"a\"", "W/\"b\""]));
        check_list("\"a\",\"b\"", Some(&["\"a\"", "\"b\""]));
        check_list(", \"a\" ,, \"b,c\" ,", Some(&["\"a\"", "\"b,c\""]));
        for bad in ["", ",", "*, \"a\"", "\"a\", *", "\"a\" \"b\"", "\"a\", b", "a"] {
            check_list(bad, None);
        }
    }

    #[test]
    fn faults() {
        let table = [
            ("9b2cf535", TagFault::Unquoted),
            ("W/9b2cf535", TagFault::Unquoted),
            ("\"a\", b", TagFault::Unquoted),
            ("'a'", TagFault::Unquoted),
            ("\"\"a\"\"", TagFault::DoubleQuoted),
            ("\"\\\"a\\\"\"", TagFault::DoubleQuoted),
            ("\"W/\"a\"\"", TagFault::DoubleQuoted),
            ("%22a%22", TagFault::DoubleQuoted),
            ("&quot;159bc&quot;", TagFault::XmlEntity),
            ("null", TagFault::JsValue),
            ("nothing", TagFault::JsValue),
            ("None", TagFault::JsValue),
            ("[object Object]", TagFault::JsValue),
            ("NaN", TagFault::JsValue),
            ("", TagFault::JsValue),
            ("false", TagFault::JsValue),
            ("W/null", TagFault::JsValue),
            ("\"a\", *", TagFault::StarInList),
            ("\"a", TagFault::Other),
            ("\"a b\"", TagFault::Other),
            ("Sun, 06 Nov 1994 08:49:37 GMT", TagFault::Other),
        ];
        for (raw, expected) in table {
            assert_eq!(TagFault::of(raw.as_bytes()), expected, "{raw}");
        }
    }

    fn opaque() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![Just(0x21_u8), 0x23_u8..=0x7e, 0x80_u8..=0xff], 0..12)
    }

    proptest! {
        #[test]
        fn what_is_printed_is_parsed(weak: bool, opaque in opaque()) {
            let tag = EntityTag { weak, opaque: &opaque };
            let bytes = tag.to_bytes();
            prop_assert_eq!(EntityTag::parse(&bytes), Some(tag));
        }

        #[test]
        fn strong_equality_implies_weak(a: bool, b: bool, x in opaque(), y in opaque()) {
            let (x, y) = (EntityTag { weak: a, opaque: &x }, EntityTag { weak: b, opaque: &y });
            prop_assert!(!x.strong_eq(&y) || x.weak_eq(&y));
            prop_assert_eq!(x.strong_eq(&x), !a);
            prop_assert!(x.weak_eq(&x));
        }

        #[test]
        fn nothing_panics(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (EntityTag::parse(&raw), TagList::parse(&raw), TagFault::of(&raw));
        }
    }
}
