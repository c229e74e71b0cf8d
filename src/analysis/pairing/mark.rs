//! The mark: what an outer instance says of a request it sends.

use sfv::{BareItem, Dictionary, Item, ListEntry, Token};

use super::carried::{self, Carried, key};
use super::envelope::{self, Authenticity, Keys, entry_128, is_reduced, member, member_128, reduced};
use crate::analysis::exchange::ExchangeId;
use crate::analysis::principal::{Principal, ToldApartBy};
use crate::analysis::semantics::fields::{FieldName, FieldSet, Fields};

/// The longest mark, in bytes.
pub const MARK_BYTES_MAX: usize = 768;

/// The conditions that a mark carries.
pub(super) const CONDITIONS: FieldSet = FieldSet::of(&[
    FieldName::IfMatch,
    FieldName::IfNoneMatch,
    FieldName::IfModifiedSince,
    FieldName::IfUnmodifiedSince,
    FieldName::IfRange,
]);

const PURPOSE: &str = "why412-pair";

/// What an outer instance says of a request it sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The exchange, by the outer instance's name for it.
    pub exchange: ExchangeId,
    /// Who asked, and what the outer instance told them apart by.
    pub client: Option<Principal>,
    /// The conditions as they were sent.
    pub conditions: Vec<Carried>,
    /// The bypass that is on.
    pub bypass: Option<BypassMark>,
    /// There was no room for the conditions; that none is named says nothing of them.
    pub reduced: bool,
    /// It is a probe of the outer instance itself, and no client's exchange.
    pub probe: bool,
}

/// The bypass of an outer instance, so that a pair switches as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BypassMark {
    /// Caches are bypassed.
    Caches,
    /// So are the conditions, as a test.
    CachesAndPreconditions,
}

impl Mark {
    /// The mark of a request that goes out with these fields.
    pub fn of(exchange: ExchangeId, client: Option<Principal>, sent: &Fields, bypass: Option<BypassMark>) -> Self {
        Self { exchange, client, conditions: carried::carried(sent, CONDITIONS), bypass, reduced: false, probe: false }
    }

    /// The mark of a probe.
    pub const fn of_probe(name: ExchangeId) -> Self {
        Self { exchange: name, client: None, conditions: Vec::new(), bypass: None, reduced: false, probe: true }
    }

    /// The value of `Why412-Pair`, at most [`MARK_BYTES_MAX`] bytes: long conditions are shortened, and if that is not
    /// enough, left out.
    pub fn encode(&self, keys: &Keys) -> String {
        let whole = self.write(keys);
        if whole.len() <= MARK_BYTES_MAX {
            return whole;
        }
        let short = Self { conditions: carried::shortened(&self.conditions), ..self.clone() }.write(keys);
        if short.len() <= MARK_BYTES_MAX {
            return short;
        }
        Self { conditions: Vec::new(), reduced: true, ..self.clone() }.write(keys)
    }

    /// Reads the value of `Why412-Pair`. `None` if it is none of ours: not readable, of another version, not authentic.
    pub fn decode(value: &[u8], keys: &Keys) -> Option<(Self, Authenticity)> {
        if value.len() > MARK_BYTES_MAX {
            return None;
        }
        let (members, authenticity) = envelope::open(value, PURPOSE, keys)?;
        let bypass = match member(&members, "b") {
            None => None,
            Some(BareItem::Token(token)) if token.as_str() == "caches" => Some(BypassMark::Caches),
            Some(BareItem::Token(token)) if token.as_str() == "all" => Some(BypassMark::CachesAndPreconditions),
            Some(_) => return None,
        };
        let mark = Self {
            exchange: ExchangeId(member_128(&members, "id")?),
            client: read_client(&members),
            conditions: carried::read(&members, CONDITIONS)?,
            bypass,
            reduced: is_reduced(&members),
            probe: matches!(member(&members, "q"), Some(BareItem::Boolean(true))),
        };
        Some((mark, authenticity))
    }

    /// Whether the conditions that arrived are those that were sent.
    pub fn fits(&self, arrived: &Fields) -> bool {
        let own = carried::carried(arrived, CONDITIONS);
        !self.reduced && own.len() == self.conditions.len() && self.conditions.iter().all(|one| one.is_of(arrived))
    }

    fn write(&self, keys: &Keys) -> String {
        let mut members = envelope::begin();
        members.insert(key("id"), entry_128(self.exchange.0));
        if let Some(client) = self.client {
            members.insert(key("p"), write_client(client));
        }
        carried::write(&self.conditions, &mut members);
        let bypass = self.bypass.map(|bypass| match bypass {
            BypassMark::Caches => "caches",
            BypassMark::CachesAndPreconditions => "all",
        });
        if let Some(token) = bypass.and_then(|bypass| Token::from_string(bypass.to_owned()).ok()) {
            members.insert(key("b"), ListEntry::Item(Item::new(BareItem::Token(token))));
        }
        if self.reduced {
            members.insert(key("r"), reduced());
        }
        if self.probe {
            members.insert(key("q"), ListEntry::Item(Item::new(BareItem::Boolean(true))));
        }
        envelope::seal(&members, PURPOSE, keys)
    }
}

/// The client's hash; as parameter `by`, whether it was made of something that may be shared, or may change without the
/// client changing.
fn write_client(client: Principal) -> ListEntry {
    let mut entry = entry_128(client.key);
    let by = match client.by {
        ToldApartBy::Address => Some("address"),
        ToldApartBy::Authorization => Some("credential"),
        ToldApartBy::Mark
        | ToldApartBy::Certificate
        | ToldApartBy::JwtSubject
        | ToldApartBy::BasicUser
        | ToldApartBy::Configured => None,
    };
    if let (ListEntry::Item(item), Some(token)) = (&mut entry, by.and_then(|by| Token::from_string(by.to_owned()).ok()))
    {
        item.params.insert(key("by"), BareItem::Token(token));
    }
    entry
}

fn read_client(members: &Dictionary) -> Option<Principal> {
    let Some(ListEntry::Item(item)) = members.get("p") else { return None };
    let by = match item.params.get("by") {
        None => ToldApartBy::Mark,
        Some(BareItem::Token(token)) if token.as_str() == "credential" => ToldApartBy::Authorization,
        // The weakest, also for what a later version may say.
        Some(_) => ToldApartBy::Address,
    };
    Some(Principal { key: member_128(members, "p")?, by })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::pairing::CarriedValue;

    fn keys(secrets: &[&str]) -> Keys {
        Keys::new(secrets.iter().map(|secret| secret.as_bytes().to_vec()).collect())
    }

    fn mark(lines: &[(&str, &str)]) -> Mark {
        let fields: Fields = lines.iter().copied().collect();
        let client = Principal { key: 9, by: ToldApartBy::Address };
        Mark::of(ExchangeId(7), Some(client), &fields, Some(BypassMark::Caches))
    }

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let sent = mark(&[("If-Match", "\"a\""), ("If-Match", "W/\"caf\u{e9}\""), ("If-Range", "x"), ("Cookie", "c")]);
        let keys = keys(&["one"]);
        let value = sent.encode(&keys);
        assert_eq!(Mark::decode(value.as_bytes(), &keys), Some((sent.clone(), Authenticity::Signed)));
        let arrived = [("If-Match", "\"a\""), ("If-Match", "W/\"caf\u{e9}\""), ("if-range", "x")];
        assert!(sent.fits(&arrived.into_iter().collect()));
        assert!(!sent.fits(&arrived.into_iter().take(2).collect()));
        assert!(!sent.fits(&arrived.into_iter().chain([("If-None-Match", "*")]).collect()));
        assert_eq!(sent.conditions.len(), 2, "a mark names no field but conditions: {value}");
        assert_eq!(Mark::decode(value.replace(", ", " ,\t").as_bytes(), &keys), Some((sent, Authenticity::Signed)));
    }

    #[test]
    fn the_mark_of_a_probe_says_that_it_is_one() {
        let keys = keys(&["one"]);
        let probe = Mark::of_probe(ExchangeId(7));
        let value = probe.encode(&keys);
        assert_eq!(Mark::decode(value.as_bytes(), &keys), Some((probe, Authenticity::Signed)));
        assert!(Mark::decode(value.replace(", q", "").as_bytes(), &keys).is_none(), "{value}");
    }

    #[test]
    fn a_client_is_no_surer_for_having_travelled() {
        let came = |by| {
            let client = Principal { key: 9, by };
            let value = Mark::of(ExchangeId(7), Some(client), &Fields::default(), None).encode(&keys(&[]));
            let (mark, _) = Mark::decode(value.as_bytes(), &keys(&[])).expect("a mark");
            mark.client.map(|client| (client.key, client.by))
        };
        assert_eq!(came(ToldApartBy::Address), Some((9, ToldApartBy::Address)));
        assert_eq!(came(ToldApartBy::Authorization), Some((9, ToldApartBy::Authorization)));
        assert_eq!(came(ToldApartBy::JwtSubject), Some((9, ToldApartBy::Mark)));
    }

    #[test]
    fn a_mark_of_somebody_else_is_none() {
        let sent = mark(&[("If-Match", "\"a\"")]);
        let value = sent.encode(&keys(&["one"]));
        assert!(Mark::decode(value.as_bytes(), &keys(&["two"])).is_none());
        assert!(Mark::decode(value.as_bytes(), &keys(&["two", "one"])).is_some(), "all secrets verify");
        assert!(Mark::decode(value.replace("\\\"a", "\\\"b").as_bytes(), &keys(&["one"])).is_none());
        let unsigned = sent.encode(&keys(&[]));
        assert!(Mark::decode(unsigned.as_bytes(), &keys(&["one"])).is_none());
        assert_eq!(Mark::decode(unsigned.as_bytes(), &keys(&[])), Some((sent, Authenticity::Unsigned)));
        for junk in ["", "v=1", "v=2, id=:AAAAAAAAAAAAAAAAAAAABw==:", "\"", "v=1, id=7", "v=1, id=:AA==:"] {
            assert!(Mark::decode(junk.as_bytes(), &keys(&[])).is_none(), "{junk}");
        }
    }

    #[test]
    fn a_mark_stays_within_its_bound() {
        let long = format!("\"{}\"", "x".repeat(200));
        let sent = mark(&[("If-Match", &long)]);
        assert!(matches!(sent.conditions[0].values[0], CarriedValue::Digest { length: 202, .. }));
        assert!(sent.conditions[0].values[0].is_of(long.as_bytes()));
        let middling = format!("\"{}\"", "\u{e9}".repeat(60));
        let names = ["If-Match", "If-None-Match", "If-Range", "If-Modified-Since", "If-Unmodified-Since"];
        let lines: Vec<_> = names.iter().flat_map(|name| std::iter::repeat_n((*name, middling.as_str()), 4)).collect();
        let keys = keys(&["one"]);
        for count in 0..lines.len() {
            let value = mark(&lines[..count]).encode(&keys);
            assert!(value.len() <= MARK_BYTES_MAX, "{count} lines: {} bytes", value.len());
            let (read, _) = Mark::decode(value.as_bytes(), &keys).expect("authentic in every size");
            let fields: Fields = lines[..count].iter().copied().collect();
            assert!(read.reduced || read.conditions.iter().all(|one| one.is_of(&fields)), "{count} lines");
        }
    }
}
