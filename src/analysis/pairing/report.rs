//! The report: what an inner instance says of the exchange it had with the origin.

use sfv::{BareItem, Dictionary, InnerList, Integer, Item, ListEntry, Token};

use super::carried::{self, Carried, key};
use super::envelope::{self, Authenticity, Keys, entry_128, is_reduced, member, member_128, reduced};
use super::mark::CONDITIONS;
use crate::analysis::exchange::ExchangeId;
use crate::analysis::semantics::fields::{FieldName, FieldSet, Fields};
use crate::analysis::time::Time;

/// The longest report, in bytes.
pub const REPORT_BYTES_MAX: usize = 1024;

/// The longest head that an answer has with a report, in bytes. Gateways with small buffers (nginx: one page of 4,096
/// bytes) turn larger heads into 502.
pub const HEAD_BYTES_MAX: usize = 3584;

/// How many earlier writes a report repeats.
pub(super) const EARLIER_MAX: usize = 4;

/// The validators that a report carries.
const VALIDATORS: FieldSet = FieldSet::of(&[FieldName::ETag, FieldName::LastModified, FieldName::OcETag]);

const PURPOSE: &str = "why412-report";

/// What an inner instance says of one exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The exchange, by the inner instance's name for it.
    pub exchange: ExchangeId,
    /// The exchange that the verified mark on the request named.
    pub marked: Option<ExchangeId>,
    /// The origin's status.
    pub status: u16,
    /// When the origin answered, by the inner instance's clock.
    pub at: Option<Time>,
    /// The conditions as they arrived.
    pub conditions: Vec<Carried>,
    /// The validators as the origin gave them.
    pub validators: Vec<Carried>,
    /// The inner instance's own verdict on a 412.
    pub cause: Option<String>,
    /// Outcomes of writes whose answers may not have arrived, newest first.
    pub earlier: Vec<EarlierWrite>,
    /// It holds no more than its name and the status: the head had no room for more.
    pub reduced: bool,
}

/// The outcome of a write whose answer may not have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlierWrite {
    /// The exchange, as the mark on it named it.
    pub marked: ExchangeId,
    /// The origin's status.
    pub status: u16,
}

impl Report {
    /// The conditions of a request as they arrived, and the validators of its answer as given.
    pub fn fields_of(arrived: &Fields, given: &Fields) -> (Vec<Carried>, Vec<Carried>) {
        (carried::carried(arrived, CONDITIONS), carried::carried(given, VALIDATORS))
    }

    /// The value of `Why412-Report`, at most `room` and at most [`REPORT_BYTES_MAX`] bytes: values are shortened, then
    /// earlier writes left out, then all but the name and the status.
    pub fn encode(&self, keys: &Keys, room: usize) -> String {
        let room = room.min(REPORT_BYTES_MAX);
        let whole = self.write(keys);
        if whole.len() <= room {
            return whole;
        }
        let mut less = self.clone();
        less.conditions = carried::shortened(&less.conditions);
        less.validators = carried::shortened(&less.validators);
        let short = less.write(keys);
        if short.len() <= room {
            return short;
        }
        less.earlier.clear();
        let short = less.write(keys);
        if short.len() <= room { short } else { self.write_reduced(keys) }
    }

    /// Reads the value of `Why412-Report`. `None` if it is none of ours: not readable, of another version, not
    /// authentic.
    pub fn decode(value: &[u8], keys: &Keys) -> Option<(Self, Authenticity)> {
        if value.len() > REPORT_BYTES_MAX {
            return None;
        }
        let (members, authenticity) = envelope::open(value, PURPOSE, keys)?;
        let cause = match member(&members, "c") {
            None => None,
            Some(BareItem::Token(token)) => Some(token.as_str().to_owned()),
            Some(_) => return None,
        };
        let report = Self {
            exchange: ExchangeId(member_128(&members, "id")?),
            marked: member_128(&members, "m").map(ExchangeId),
            status: number(member(&members, "s")?)?,
            at: match member(&members, "at") {
                None => None,
                Some(at) => Some(Time::from_unix_micros(number::<u64>(at)?.saturating_mul(1000))),
            },
            conditions: carried::read(&members, CONDITIONS)?,
            validators: carried::read(&members, VALIDATORS)?,
            cause,
            earlier: read_earlier(&members)?,
            reduced: is_reduced(&members),
        };
        Some((report, authenticity))
    }

    fn write(&self, keys: &Keys) -> String {
        let mut members = self.names();
        if let Some(at) = self.at {
            members.insert(key("at"), integer(i64::try_from(at.unix_micros() / 1000).unwrap_or(0)));
        }
        carried::write(&self.conditions, &mut members);
        carried::write(&self.validators, &mut members);
        if let Some(token) = self.cause.as_ref().and_then(|cause| Token::from_string(cause.clone()).ok()) {
            members.insert(key("c"), ListEntry::Item(Item::new(BareItem::Token(token))));
        }
        if !self.earlier.is_empty() {
            let items = self.earlier.iter().take(EARLIER_MAX).map(EarlierWrite::item).collect();
            members.insert(key("w"), ListEntry::InnerList(InnerList::new(items)));
        }
        envelope::seal(&members, PURPOSE, keys)
    }

    fn write_reduced(&self, keys: &Keys) -> String {
        let mut members = self.names();
        members.insert(key("r"), reduced());
        envelope::seal(&members, PURPOSE, keys)
    }

    fn names(&self) -> Dictionary {
        let mut members = envelope::begin();
        members.insert(key("id"), entry_128(self.exchange.0));
        if let Some(marked) = self.marked {
            members.insert(key("m"), entry_128(marked.0));
        }
        members.insert(key("s"), integer(i64::from(self.status)));
        members
    }
}

impl EarlierWrite {
    fn item(&self) -> Item {
        let mut item = Item::new(BareItem::ByteSequence(self.marked.0.to_be_bytes().to_vec()));
        item.params.insert(key("s"), BareItem::Integer(Integer::from(self.status)));
        item
    }

    fn from_item(item: &Item) -> Option<Self> {
        let BareItem::ByteSequence(bytes) = &item.bare_item else { return None };
        let marked = ExchangeId(u128::from_be_bytes(bytes.as_slice().try_into().ok()?));
        Some(Self { marked, status: number(item.params.get("s")?)? })
    }
}

fn read_earlier(members: &Dictionary) -> Option<Vec<EarlierWrite>> {
    match members.get("w") {
        None => Some(Vec::new()),
        Some(ListEntry::InnerList(list)) if list.items.len() <= EARLIER_MAX => {
            list.items.iter().map(EarlierWrite::from_item).collect()
        }
        Some(_) => None,
    }
}

fn integer(value: i64) -> ListEntry {
    ListEntry::Item(Item::new(BareItem::Integer(Integer::try_from(value).unwrap_or(Integer::ZERO))))
}

fn number<T: TryFrom<i64>>(item: &BareItem) -> Option<T> {
    let BareItem::Integer(value) = item else { return None };
    T::try_from(i64::from(*value)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(etag: &str, earlier: usize) -> Report {
        let arrived = [("If-Match", "W/\"v1\"")].into_iter().collect();
        let given =
            [("ETag", etag), ("Last-Modified", "Tue, 05 Mar 2024 10:00:10 GMT"), ("X", "y")].into_iter().collect();
        let (conditions, validators) = Report::fields_of(&arrived, &given);
        Report {
            exchange: ExchangeId(u128::MAX),
            marked: Some(ExchangeId(1)),
            status: 412,
            at: Some(Time::from_unix_micros(1_709_632_810_123_000)),
            conditions,
            validators,
            cause: Some("weak-etag-in-if-match".to_owned()),
            earlier: vec![EarlierWrite { marked: ExchangeId(2), status: 204 }; earlier],
            reduced: false,
        }
    }

    fn keys() -> Keys {
        Keys::new(vec![b"secret".to_vec()])
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let given = report("\"v1\"", 4);
        let value = given.encode(&keys(), usize::MAX);
        assert_eq!(Report::decode(value.as_bytes(), &keys()), Some((given, Authenticity::Signed)), "{value}");
    }

    #[test]
    fn a_report_shrinks_to_the_room_there_is() {
        let given = report(&format!("\"{}\"", "\\".repeat(120)), 4);
        let whole = given.encode(&keys(), usize::MAX).len();
        for room in 120..whole {
            let value = given.encode(&keys(), room);
            let (read, _) = Report::decode(value.as_bytes(), &keys()).expect("authentic in every size");
            assert!(value.len() <= room, "{room}: {} bytes", value.len());
            assert_eq!((read.status, read.marked), (412, Some(ExchangeId(1))));
        }
    }

    #[test]
    fn neither_a_mark_nor_an_altered_report_is_a_report() {
        let given = report("\"v1\"", 0);
        let value = given.encode(&keys(), usize::MAX);
        assert!(Report::decode(value.replace("s=412", "s=200").as_bytes(), &keys()).is_none());
        for added in [", s=200", ", r", ", et=\"\\\"v2\\\"\""] {
            assert!(Report::decode(format!("{value}{added}").as_bytes(), &keys()).is_none(), "{added}");
            assert!(Report::decode(value.replace(", sig", &format!("{added}, sig")).as_bytes(), &keys()).is_none());
        }
        let repeated = format!("{value}{}", value.get(value.rfind(", sig").unwrap()..).unwrap());
        assert_eq!(Report::decode(repeated.as_bytes(), &keys()), Some((given, Authenticity::Signed)));
        let mark = super::super::Mark::of(ExchangeId(1), None, &Fields::default(), None).encode(&keys());
        assert!(Report::decode(mark.as_bytes(), &keys()).is_none());
    }
}
