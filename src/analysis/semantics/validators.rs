//! The validators of one answer: ETag and Last-Modified (RFC 9110 §8.8), and the vendor doubles of the tag.

use super::conditions::{Field, single_date};
use super::entity_tag::EntityTag;
use super::fields::{FieldName, FieldSet, Fields};
use super::http_date::HttpDate;

/// Every field that names a version.
pub const VALIDATORS: FieldSet =
    FieldSet::of(&[FieldName::ETag, FieldName::LastModified, FieldName::OcETag, FieldName::XETag]);

/// What an answer says of the version it shows.
#[derive(Clone, Debug)]
pub struct Validators<'a> {
    /// The tag.
    pub etag: Field<'a, EntityTag<'a>>,
    /// The date.
    pub last_modified: Field<'a, HttpDate>,
    /// The tag a second time, in a vendor's field, and that field.
    pub double: Option<(FieldName, EntityTag<'a>)>,
}

impl<'a> Validators<'a> {
    /// Those of a message.
    pub fn of(fields: &'a Fields) -> Self {
        let etag = Field::of(fields, FieldName::ETag, EntityTag::parse);
        let last_modified = single_date(fields, FieldName::LastModified);
        let double = [FieldName::OcETag, FieldName::XETag].into_iter().find_map(|name| {
            let raw = fields.first(name)?;
            Some((name, EntityTag::parse(raw)?))
        });
        Self { etag, last_modified, double }
    }

    /// Whether there is any.
    pub fn any(fields: &Fields) -> bool {
        fields.present().intersects(VALIDATORS)
    }
}
