//! The signature of marks and reports: HMAC-SHA-256 (RFC 2104) over the dictionary without it, written canonically.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sfv::{BareItem, Dictionary, FieldType as _, Integer, Item, ListEntry, Parser};
use sha2::Sha256;

use super::carried::key;

/// The only version there is.
const VERSION: i64 = 1;

/// How much of the MAC travels, in bytes: half, as RFC 4868 §2.1.1 finds sufficient.
const MAC_BYTES: usize = 16;

/// Whether a mark or report was written by who shares our secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authenticity {
    /// Its signature was made with one of our secrets.
    Signed,
    /// So it was, and it has come before: whoever sent it now may have it from somebody else.
    SignedBefore,
    /// There is no secret here and no signature there. Such evidence never proves anything.
    Unsigned,
}

/// The secrets of a pair, ready to be used.
#[derive(Clone, Default)]
pub struct Keys {
    secrets: Vec<Hmac<Sha256>>,
}

impl Keys {
    /// The first signs, all verify; none makes the pair an unsigned one.
    pub fn new(secrets: Vec<Vec<u8>>) -> Self {
        // RFC 2104 §2: a key may have any length.
        Self { secrets: secrets.iter().filter_map(|secret| Hmac::new_from_slice(secret).ok()).collect() }
    }

    /// Whether there is a secret.
    pub const fn are_there(&self) -> bool {
        !self.secrets.is_empty()
    }

    fn mac(secret: &Hmac<Sha256>, purpose: &str, text: &[u8]) -> Hmac<Sha256> {
        let mut mac = secret.clone();
        // A mark can never be taken for a report, nor the other way round.
        mac.update(purpose.as_bytes());
        mac.update(b"\n");
        mac.update(text);
        mac
    }

    fn verify(&self, purpose: &str, text: &[u8], signature: &[u8]) -> bool {
        let verifies = |secret| Self::mac(secret, purpose, text).verify_truncated_left(signature).is_ok();
        signature.len() == MAC_BYTES && self.secrets.iter().any(verifies)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({} secrets)", self.secrets.len())
    }
}

/// A dictionary that knows its version.
pub(super) fn begin() -> Dictionary {
    let mut members = Dictionary::new();
    let version = Integer::try_from(VERSION).unwrap_or(Integer::ZERO);
    members.insert(key("v"), ListEntry::Item(Item::new(BareItem::Integer(version))));
    members
}

/// What stands between the members and their signature, which is the last of them.
const BEFORE_SIGNATURE: &str = ", sig=";

/// The field's value: the members, signed if there is a secret.
pub(super) fn seal(members: &Dictionary, purpose: &str, keys: &Keys) -> String {
    let mut text = members.serialize().unwrap_or_default();
    let Some(secret) = keys.secrets.first() else { return text };
    let mut signature = Keys::mac(secret, purpose, text.as_bytes()).finalize().into_bytes().to_vec();
    signature.truncate(MAC_BYTES);
    text.push_str(&ending(signature));
    text
}

/// How a signed value ends.
fn ending(signature: Vec<u8>) -> String {
    format!("{BEFORE_SIGNATURE}{}", Item::new(BareItem::ByteSequence(signature)).serialize())
}

/// The members of a field's value, if it is of our version and authentic.
///
/// The dictionary is written anew before it is verified: a gateway that changes white space or joins lines does no
/// harm.
pub(super) fn open(value: &[u8], purpose: &str, keys: &Keys) -> Option<(Dictionary, Authenticity)> {
    let mut members: Dictionary = Parser::new(value).parse().ok()?;
    let signature = members.shift_remove("sig");
    let known = matches!(member(&members, "v"), Some(BareItem::Integer(version)) if i64::from(*version) == VERSION);
    if !known {
        return None;
    }
    if !keys.are_there() {
        return Some((members, Authenticity::Unsigned));
    }
    let Some(ListEntry::Item(Item { bare_item: BareItem::ByteSequence(signature), .. })) = signature else {
        return None;
    };
    // As it mostly comes: not a byte was changed, and nothing need be written anew. Nothing may follow the signature: of
    // two members of one name the last counts (RFC 9651 §4.2.2).
    let text = value.strip_suffix(ending(signature.clone()).as_bytes());
    let untouched = text.is_some_and(|text| keys.verify(purpose, text, &signature));
    let authentic = untouched || keys.verify(purpose, members.serialize()?.as_bytes(), &signature);
    authentic.then_some((members, Authenticity::Signed))
}

/// The entry that says that the rest had no room.
pub(super) fn reduced() -> ListEntry {
    ListEntry::Item(Item::new(BareItem::Boolean(true)))
}

/// Whether that entry is there.
pub(super) fn is_reduced(members: &Dictionary) -> bool {
    matches!(member(members, "r"), Some(BareItem::Boolean(true)))
}

/// A member that is an item.
pub(super) fn member<'a>(members: &'a Dictionary, name: &str) -> Option<&'a BareItem> {
    match members.get(name) {
        Some(ListEntry::Item(item)) => Some(&item.bare_item),
        Some(ListEntry::InnerList(_)) | None => None,
    }
}

/// A member of 128 bits.
pub(super) fn member_128(members: &Dictionary, name: &str) -> Option<u128> {
    let BareItem::ByteSequence(bytes) = member(members, name)? else { return None };
    Some(u128::from_be_bytes(bytes.as_slice().try_into().ok()?))
}

/// An entry of 128 bits.
pub(super) fn entry_128(value: u128) -> ListEntry {
    ListEntry::Item(Item::new(BareItem::ByteSequence(value.to_be_bytes().to_vec())))
}
