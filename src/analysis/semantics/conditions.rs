//! The five conditions of a request (RFC 9110 §13.1) as they were sent: absent, valid, malformed or repeated.

use super::entity_tag::{EntityTag, TagFault, TagList};
use super::fields::{FieldName, FieldSet, Fields};
use super::http_date::{DateFault, HttpDate};

/// The five conditions.
pub const CONDITIONS: FieldSet = FieldSet::of(&CONDITION_NAMES);

/// Their names, in the order in which RFC 9110 §13.2.2 looks at them.
pub const CONDITION_NAMES: [FieldName; 5] = [
    FieldName::IfMatch,
    FieldName::IfUnmodifiedSince,
    FieldName::IfNoneMatch,
    FieldName::IfModifiedSince,
    FieldName::IfRange,
];

/// A field as it was sent. Malformed and repeated ones are observations, never errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field<'a, T> {
    /// Not there.
    Absent,
    /// One line that means something.
    Valid {
        /// As it was sent.
        raw: &'a [u8],
        /// What it means.
        value: T,
    },
    /// One line that means nothing.
    Malformed {
        /// As it was sent.
        raw: &'a [u8],
    },
    /// Several lines.
    Repeated {
        /// As they were sent.
        raws: Vec<&'a [u8]>,
    },
}

impl<'a, T> Field<'a, T> {
    /// Reads the lines of `name`.
    pub fn of(fields: &'a Fields, name: FieldName, parse: impl Fn(&'a [u8]) -> Option<T>) -> Self {
        let mut lines = fields.all(name);
        let Some(raw) = lines.next() else { return Self::Absent };
        if lines.next().is_some() {
            return Self::Repeated { raws: fields.all(name).collect() };
        }
        parse(raw).map_or(Self::Malformed { raw }, |value| Self::Valid { raw, value })
    }

    /// What it means, if it does.
    pub const fn valid(&self) -> Option<&T> {
        match self {
            Self::Valid { value, .. } => Some(value),
            Self::Absent | Self::Malformed { .. } | Self::Repeated { .. } => None,
        }
    }

    /// Whether there is a line of it.
    pub const fn is_present(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// As it was sent; several lines joined by ", ". Empty if absent.
    pub fn raw(&self) -> Vec<u8> {
        match self {
            Self::Absent => Vec::new(),
            Self::Valid { raw, .. } | Self::Malformed { raw } => raw.to_vec(),
            Self::Repeated { raws } => raws.join(&b", "[..]),
        }
    }

    /// The first line as it was sent.
    pub fn first(&self) -> Option<&'a [u8]> {
        match self {
            Self::Absent => None,
            Self::Valid { raw, .. } | Self::Malformed { raw } => Some(raw),
            Self::Repeated { raws } => raws.first().copied(),
        }
    }
}

/// A field that is one HTTP-date.
pub fn single_date(fields: &Fields, name: FieldName) -> Field<'_, HttpDate> {
    Field::of(fields, name, |raw| HttpDate::parse(raw).ok())
}

/// If-Range is one tag or one date (RFC 9110 §13.1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeValidator<'a> {
    /// A tag; a weak one never matches.
    Tag(EntityTag<'a>),
    /// A date.
    Date(HttpDate),
}

/// The five conditions of one request.
#[derive(Clone, Debug)]
pub struct Conditions<'a> {
    /// If-Match
    pub if_match: Field<'a, TagList<'a>>,
    /// If-None-Match
    pub if_none_match: Field<'a, TagList<'a>>,
    /// If-Modified-Since
    pub if_modified_since: Field<'a, HttpDate>,
    /// If-Unmodified-Since
    pub if_unmodified_since: Field<'a, HttpDate>,
    /// If-Range
    pub if_range: Field<'a, RangeValidator<'a>>,
}

impl<'a> Conditions<'a> {
    /// Those of a request.
    pub fn of(fields: &'a Fields) -> Self {
        Self {
            if_match: Field::of(fields, FieldName::IfMatch, TagList::parse),
            if_none_match: Field::of(fields, FieldName::IfNoneMatch, TagList::parse),
            if_modified_since: single_date(fields, FieldName::IfModifiedSince),
            if_unmodified_since: single_date(fields, FieldName::IfUnmodifiedSince),
            if_range: Field::of(fields, FieldName::IfRange, |raw| {
                let tag = EntityTag::parse(raw).map(RangeValidator::Tag);
                tag.or_else(|| HttpDate::parse(raw).ok().map(RangeValidator::Date))
            }),
        }
    }

    /// Whether there is any.
    pub fn any(fields: &Fields) -> bool {
        fields.present().intersects(CONDITIONS)
    }

    /// Whether there is any.
    pub const fn is_any_present(&self) -> bool {
        self.if_match.is_present()
            || self.if_none_match.is_present()
            || self.if_modified_since.is_present()
            || self.if_unmodified_since.is_present()
            || self.if_range.is_present()
    }

    /// What is wrong with If-Match, or with If-None-Match where it decides: the field, its value, the fault.
    pub fn tag_fault(&self) -> Option<(FieldName, Vec<u8>, TagFault)> {
        let fault = |name, field: &Field<'a, TagList<'a>>| {
            let raw = match field {
                Field::Absent | Field::Valid { .. } => return None,
                Field::Malformed { .. } | Field::Repeated { .. } => field.raw(),
            };
            // RFC 9110 §5.3: several lines of a list are one list.
            TagList::parse(&raw).is_none().then(|| (name, raw.clone(), TagFault::of(&raw)))
        };
        fault(FieldName::IfMatch, &self.if_match).or_else(|| fault(FieldName::IfNoneMatch, &self.if_none_match))
    }

    /// If-Match where it names a value that the client did not have, with quotes or without: the field and its value.
    pub fn absent_value(&self) -> Option<(FieldName, Vec<u8>)> {
        if let Some((field, value, fault)) = self.tag_fault() {
            return (fault == TagFault::JsValue && field == FieldName::IfMatch).then_some((field, value));
        }
        let is_absent = |list: &TagList<'_>| matches!(list.tags(), [tag] if TagFault::is_absent_value(tag));
        self.if_match.valid().filter(|list| is_absent(list)).map(|_| (FieldName::IfMatch, self.if_match.raw()))
    }

    /// What is wrong with If-Unmodified-Since.
    pub fn date_fault(&self) -> Option<(FieldName, Vec<u8>, DateFault)> {
        let raw = match &self.if_unmodified_since {
            Field::Absent | Field::Valid { .. } => return None,
            field @ (Field::Malformed { .. } | Field::Repeated { .. }) => field.raw(),
        };
        let fault = HttpDate::parse(&raw).err().unwrap_or(DateFault::Other);
        Some((FieldName::IfUnmodifiedSince, raw, fault))
    }
}

/// The tags of a list field whether it stands in one line or in several (RFC 9110 §5.3); none if any of it is
/// malformed.
pub fn tags_of<'b>(field: &'b Field<'b, TagList<'b>>) -> Vec<EntityTag<'b>> {
    match field {
        Field::Absent | Field::Malformed { .. } => Vec::new(),
        Field::Valid { value, .. } => value.tags().to_vec(),
        Field::Repeated { raws } => {
            let lists: Option<Vec<_>> = raws.iter().map(|raw| TagList::parse(raw)).collect();
            lists.unwrap_or_default().iter().flat_map(|list| list.tags().to_vec()).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[(&str, &str)]) -> Fields {
        lines.iter().copied().collect()
    }

    #[test]
    fn what_was_sent_is_kept() {
        let sent = fields(&[("If-Match", "\"a\""), ("if-match", "W/\"b\""), ("If-Unmodified-Since", "12345")]);
        let conditions = Conditions::of(&sent);
        assert_eq!(conditions.if_match, Field::Repeated { raws: vec![b"\"a\"", b"W/\"b\""] });
        assert_eq!(tags_of(&conditions.if_match).len(), 2);
        assert_eq!(conditions.tag_fault(), None);
        assert_eq!(conditions.if_unmodified_since, Field::Malformed { raw: b"12345" });
        assert!(matches!(conditions.date_fault(), Some((_, _, DateFault::Number))));
        assert_eq!(conditions.if_none_match, Field::Absent);
    }

    #[test]
    fn if_range_is_a_tag_or_a_date() {
        let sent = fields(&[("If-Range", "Sun, 06 Nov 1994 08:49:37 GMT")]);
        assert_eq!(Conditions::of(&sent).if_range.valid(), Some(&RangeValidator::Date(HttpDate(784_111_777))));
        let sent = fields(&[("If-Range", "*")]);
        assert_eq!(Conditions::of(&sent).if_range, Field::Malformed { raw: b"*" });
    }

    #[test]
    fn a_bad_line_spoils_the_list() {
        let sent = fields(&[("If-Match", "\"a\""), ("If-Match", "null")]);
        let conditions = Conditions::of(&sent);
        assert!(tags_of(&conditions.if_match).is_empty());
        assert!(matches!(conditions.tag_fault(), Some((FieldName::IfMatch, _, TagFault::Unquoted))));
    }
}
