//! Fields of the watched message as a mark or a report carries them: whole where short, as digest and length else.

use sfv::{BareItem, Dictionary, Integer, Item, Key, ListEntry};
use sha2::{Digest as _, Sha256};

use crate::analysis::semantics::fields::{FieldName, FieldSet, Fields};

/// Values longer than this travel as digest and length, in bytes.
pub const VALUE_BYTES_MAX: usize = 128;

/// How many lines of one name travel one by one; more of them travel together, as one digest.
const LINES_MAX: usize = 4;

/// How much of a SHA-256 digest travels, in bytes.
const DIGEST_BYTES: usize = 16;

/// The names that may be carried, and their keys. Both sides know no others.
const KEYS: [(FieldName, &str); 8] = [
    (FieldName::IfMatch, "im"),
    (FieldName::IfNoneMatch, "inm"),
    (FieldName::IfModifiedSince, "ims"),
    (FieldName::IfUnmodifiedSince, "ius"),
    (FieldName::IfRange, "ir"),
    (FieldName::ETag, "et"),
    (FieldName::LastModified, "lm"),
    (FieldName::OcETag, "oet"),
];

/// All lines of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The name.
    pub name: FieldName,
    /// Its values in order, one for each line.
    pub values: Vec<CarriedValue>,
}

impl Carried {
    /// What travels of the lines of that name; `None` where there are none.
    pub fn of(fields: &Fields, name: FieldName) -> Option<Self> {
        let lines: Vec<&[u8]> = fields.all(name).collect();
        let values = match lines.len() {
            0 => return None,
            1..=LINES_MAX => lines.into_iter().map(CarriedValue::of).collect(),
            // RFC 9110 §5.3: they mean what they mean together.
            _ => vec![CarriedValue::digest(&lines.join(&b", "[..]))],
        };
        Some(Self { name, values })
    }

    /// Whether this is what travels of the lines of its name, shortened or not.
    pub fn is_of(&self, fields: &Fields) -> bool {
        Self::of(fields, self.name).is_some_and(|own| own == *self || own.shortened() == *self)
    }

    fn shortened(&self) -> Self {
        let short = |value: &CarriedValue| match value {
            CarriedValue::Whole(bytes) => CarriedValue::digest(bytes),
            CarriedValue::Digest { .. } => value.clone(),
        };
        Self { name: self.name, values: self.values.iter().map(short).collect() }
    }
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CarriedValue {
    /// Its bytes.
    Whole(Vec<u8>),
    /// The front of its SHA-256, and its length in bytes.
    Digest {
        /// The first 16 bytes of the digest.
        digest: [u8; DIGEST_BYTES],
        /// The value's length.
        length: u32,
    },
}

impl CarriedValue {
    /// A value as it travels.
    pub fn of(value: &[u8]) -> Self {
        if value.len() <= VALUE_BYTES_MAX { Self::Whole(value.to_vec()) } else { Self::digest(value) }
    }

    /// A value in its short form, whatever its length.
    pub fn digest(value: &[u8]) -> Self {
        let mut digest = [0; DIGEST_BYTES];
        for (to, from) in digest.iter_mut().zip(Sha256::digest(value)) {
            *to = from;
        }
        Self::Digest { digest, length: u32::try_from(value.len()).unwrap_or(u32::MAX) }
    }

    /// The value, or what is known of it, for people.
    pub fn to_text(&self) -> Vec<u8> {
        match self {
            Self::Whole(bytes) => bytes.clone(),
            Self::Digest { digest, length } => {
                let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("({length} bytes, SHA-256 begins {hex})").into_bytes()
            }
        }
    }

    /// Whether this is what travels of `value`.
    pub fn is_of(&self, value: &[u8]) -> bool {
        match self {
            Self::Whole(bytes) => bytes == value,
            Self::Digest { .. } => *self == Self::digest(value),
        }
    }

    fn item(&self) -> Item {
        match self {
            Self::Whole(bytes) => Item::new(bare(bytes)),
            Self::Digest { digest, length } => {
                let mut item = Item::new(BareItem::ByteSequence(digest.to_vec()));
                item.params.insert(key("n"), BareItem::Integer(Integer::from(*length)));
                item
            }
        }
    }

    fn from_item(item: &Item) -> Option<Self> {
        match (&item.bare_item, item.params.get("n")) {
            (BareItem::String(text), None) => Some(Self::Whole(text.as_str().as_bytes().to_vec())),
            (BareItem::ByteSequence(bytes), None) => Some(Self::Whole(bytes.clone())),
            (BareItem::ByteSequence(bytes), Some(BareItem::Integer(length))) => Some(Self::Digest {
                digest: bytes.as_slice().try_into().ok()?,
                length: u32::try_from(i64::from(*length)).ok()?,
            }),
            _ => None,
        }
    }
}

/// The lines of `fields` whose names are in `names`, as they travel.
pub(super) fn carried(fields: &Fields, names: FieldSet) -> Vec<Carried> {
    let wanted = KEYS.iter().filter(|(name, _)| names.contains(*name));
    wanted.filter_map(|(name, _)| Carried::of(fields, *name)).collect()
}

/// The same with every value in its short form.
pub(super) fn shortened(carried: &[Carried]) -> Vec<Carried> {
    carried.iter().map(Carried::shortened).collect()
}

/// Adds the fields to a dictionary: an item for a single line, an inner list for several.
pub(super) fn write(carried: &[Carried], into: &mut Dictionary) {
    for one in carried {
        let Some((_, name)) = KEYS.iter().find(|(name, _)| *name == one.name) else { continue };
        let mut items: Vec<Item> = one.values.iter().map(CarriedValue::item).collect();
        let entry = match items.pop() {
            Some(only) if items.is_empty() => ListEntry::Item(only),
            Some(last) => {
                items.push(last);
                ListEntry::InnerList(sfv::InnerList::new(items))
            }
            None => continue,
        };
        into.insert(key(name), entry);
    }
}

/// Reads the fields that a dictionary carries. `None` if one of them cannot be read.
pub(super) fn read(from: &Dictionary, names: FieldSet) -> Option<Vec<Carried>> {
    let mut carried = Vec::new();
    for (name, key) in KEYS.iter().filter(|(name, _)| names.contains(*name)) {
        let values = match from.get(*key) {
            None => continue,
            Some(ListEntry::Item(item)) => vec![CarriedValue::from_item(item)?],
            // A name with no line is never written.
            Some(ListEntry::InnerList(list)) if list.items.is_empty() => return None,
            Some(ListEntry::InnerList(list)) => {
                list.items.iter().map(CarriedValue::from_item).collect::<Option<Vec<_>>>()?
            }
        };
        carried.push(Carried { name: *name, values });
    }
    Some(carried)
}

/// Bytes as a String where they are one (RFC 9651 §3.3.3), for whoever reads the field by eye, else as a Byte
/// Sequence.
fn bare(bytes: &[u8]) -> BareItem {
    let text = std::str::from_utf8(bytes).ok().and_then(|text| sfv::String::from_string(text.to_owned()).ok());
    text.map_or_else(|| BareItem::ByteSequence(bytes.to_vec()), BareItem::String)
}

/// A key of ours; all of them are constants in lower case.
#[expect(clippy::expect_used, reason = "every key is a constant of this module's users, and their tests write each")]
pub(super) fn key(name: &str) -> Key {
    Key::from_string(name.to_owned()).expect("keys of marks and reports are well-formed")
}
