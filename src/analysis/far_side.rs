//! What the word of the other instance means for one exchange: who made the answer, what arrived of the conditions that
//! were sent, what the validators were when the origin gave them.
//!
//! Nothing here accuses anybody: rules do, and ask [`Testimony`].

use std::collections::{HashMap, VecDeque};

use super::alteration::change;
use super::exchange::{Exchange, ExchangeId, Role};
use super::judgement::{Change, Confidence};
use super::memory::{ReportHabit, is_write};
use super::pairing::{Authenticity, Carried, CarriedValue, HEAD_BYTES_MAX, Report};
use super::semantics::caching::from_store;
use super::semantics::conditions::CONDITION_NAMES;
use super::semantics::fields::{FieldName, Fields};
use super::time::Time;

/// How many lines of one name travel one by one; more of them travel together.
const LINES_MAX: usize = 4;

/// The validators that a report carries.
const VALIDATOR_NAMES: [FieldName; 3] = [FieldName::ETag, FieldName::LastModified, FieldName::OcETag];

/// What the other instance says of one exchange.
#[derive(Debug)]
pub struct Testimony<'a> {
    /// Who made the answer.
    pub answer: MadeBy<'a>,
    /// The conditions that did not arrive as they were sent.
    pub altered: Vec<Altered>,
    /// The conditions of both sides, where both are known and any of them was altered.
    pub both: Option<Box<Both>>,
    /// How sure a verdict can be that rests on this: `Proven` only where it is signed and certainly about this exchange.
    pub most: Confidence,
    /// How sure one can be of the validators as the origin gave them: `Proven` where they are signed.
    pub validators: Confidence,
}

/// Who made an answer, by the report that came with it.
#[derive(Clone, Copy, Debug)]
pub enum MadeBy<'a> {
    /// Nobody says: there is no pair, or the route never showed a report, or this is the inner instance.
    Unknown,
    /// No report came, on a route that shows them.
    Unreported {
        /// Answers of the same class from the same upstream carried them without a gap.
        against_habit: bool,
    },
    /// The origin answered this very exchange.
    Origin(&'a Report),
    /// The store of a gateway, filled by an earlier exchange.
    Store {
        /// The report of that exchange.
        report: &'a Report,
        /// When it was filled, where that can be said by our own clock: when we first saw the report, or when the
        /// inner instance wrote it, if its clock is known to agree with ours.
        filled: Option<Time>,
    },
}

/// A condition that did not arrive as it was sent.
#[derive(Clone, Debug)]
pub struct Altered {
    /// Which.
    pub field: FieldName,
    /// What became of it.
    pub change: Change,
    /// As it was sent, line by line.
    pub sent: Vec<Vec<u8>>,
    /// As it arrived, line by line.
    pub arrived: Vec<Vec<u8>>,
}

/// The conditions on both sides of the gateway.
#[derive(Debug)]
pub struct Both {
    /// As they were sent.
    pub sent: Fields,
    /// As they arrived.
    pub arrived: Fields,
    /// Every value is known whole, and not by its digest alone.
    pub is_whole: bool,
}

/// The validators of an answer as the origin gave them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsGiven {
    /// The tag; `None` if the origin gave none.
    pub etag: Option<CarriedValue>,
    /// The date; `None` if the origin gave none.
    pub last_modified: Option<CarriedValue>,
    /// How sure that is.
    pub sure: Confidence,
}

/// A validator that did not come as the origin gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlteredValidator {
    /// Which.
    pub field: FieldName,
    /// What became of it.
    pub change: Change,
    /// As the origin gave it.
    pub before: Option<Vec<u8>>,
    /// As it came.
    pub after: Option<Vec<u8>>,
}

impl<'a> Testimony<'a> {
    /// That there is none.
    pub const fn none() -> Self {
        Self {
            answer: MadeBy::Unknown,
            altered: Vec::new(),
            both: None,
            most: Confidence::Possible,
            validators: Confidence::Possible,
        }
    }

    /// What is said of an exchange. `reports` are those that were seen before, `habit` is which answers of the route come with one.
    pub fn of(exchange: &Exchange<'a>, reports: &SeenReports, habit: &ReportHabit) -> Self {
        match exchange.role {
            Role::Alone => Self::none(),
            Role::Outer => Self::by_report(exchange, reports, habit),
            Role::Inner => Self::by_mark(exchange),
        }
    }

    /// The report of this very exchange.
    pub const fn own_report(&self) -> Option<&'a Report> {
        match self.answer {
            MadeBy::Origin(report) => Some(report),
            MadeBy::Unknown | MadeBy::Unreported { .. } | MadeBy::Store { .. } => None,
        }
    }

    /// Whether a gateway answered out of its store. A report that a revalidation refreshed does not say how old the
    /// copy is.
    pub const fn is_from_store(&self) -> bool {
        matches!(self.answer, MadeBy::Store { report, .. } if report.status != 304)
    }

    /// The validators as the origin gave them, where a report that goes with the answer names them.
    pub fn as_given(&self, status: u16) -> Option<AsGiven> {
        let report = self.report().filter(|report| !report.reduced)?;
        let given = |field| first(&report.validators, field).cloned();
        let (etag, last_modified) = (given(FieldName::ETag), given(FieldName::LastModified));
        // What a report of another status does not name may have been there all the same.
        let tells_all = report.status == status && status != 304;
        (tells_all || (etag.is_some() && is_same_content(report.status, status))).then_some(AsGiven {
            etag,
            last_modified,
            sure: self.validators,
        })
    }

    /// The validators of the answer that did not come as the origin gave them.
    pub fn altered_validators(&self, status: u16, came: &Fields) -> Vec<AlteredValidator> {
        let Some(report) = self.report().filter(|report| !report.reduced) else { return Vec::new() };
        if !is_same_content(report.status, status) {
            return Vec::new();
        }
        let is_refreshed = matches!(self.answer, MadeBy::Store { .. }) && report.status == 304;
        let differing = VALIDATOR_NAMES.into_iter().filter(|field| !is_same(&report.validators, came, *field));
        let altered = differing.filter_map(|field| {
            let after = own_lines(came, field);
            let before = lines_of(&report.validators, field, &as_slices(&after));
            let change = change(field, &as_slices(&before), &as_slices(&after))?;
            let is_certain = match change {
                // A 304 need not repeat what its 200 has, and one that is made of a stored answer may say more than the
                // origin's (RFC 9110 §15.4.5, RFC 9111 §4.3.4).
                Change::Stripped => report.status == status && (status != 304 || field == FieldName::ETag),
                Change::Added => report.status == status && status != 304,
                Change::Weakened | Change::Strengthened | Change::Suffixed => true,
                // The copy may be of another version than the one whose confirmation came last.
                Change::Replaced | Change::Truncated => !is_refreshed,
                Change::Unquoted | Change::Requoted | Change::Reformatted | Change::Merged => true,
            };
            is_certain.then(|| AlteredValidator { field, change, before: shown(&before), after: shown(&after) })
        });
        altered.collect()
    }

    /// How a condition was altered.
    pub fn altered(&self, field: FieldName) -> Option<&Altered> {
        self.altered.iter().find(|altered| altered.field == field)
    }

    /// Whether a condition that decides over writes was altered.
    pub fn is_condition_altered(&self) -> bool {
        self.altered.iter().any(|altered| altered.field != FieldName::IfRange)
    }

    const fn report(&self) -> Option<&'a Report> {
        match self.answer {
            MadeBy::Origin(report) | MadeBy::Store { report, .. } => Some(report),
            MadeBy::Unknown | MadeBy::Unreported { .. } => None,
        }
    }

    fn by_report(exchange: &Exchange<'a>, reports: &SeenReports, habit: &ReportHabit) -> Self {
        let Some((report, authenticity)) = exchange.far_side.report else {
            return Self { answer: unreported(exchange, habit), ..Self::none() };
        };
        let sure = sure_of(*authenticity);
        let answer = made_by(exchange, report, reports, habit);
        // A mark that came back names its exchange. Without one, only a write is certainly not somebody else's.
        let is_named = report.marked == Some(exchange.id);
        let is_write = is_write(&exchange.request.method);
        let most = if is_named || (is_write && report.marked.is_none()) { sure } else { sure.min(Confidence::Likely) };
        let mut testimony = Self { answer, most, validators: sure, ..Self::none() };
        let is_same = |field| is_same(&report.conditions, exchange.forwarded, field);
        if matches!(answer, MadeBy::Origin(_)) && !report.reduced && !CONDITION_NAMES.into_iter().all(is_same) {
            let sides = |field| {
                let sent = own_lines(exchange.forwarded, field);
                let arrived = lines_of(&report.conditions, field, &as_slices(&sent));
                (sent, arrived)
            };
            testimony.compare(sides, is_whole(&report.conditions));
        } else if matches!(answer, MadeBy::Store { .. }) {
            testimony.most = sure;
        }
        testimony
    }

    fn by_mark(exchange: &Exchange<'a>) -> Self {
        let Some((mark, authenticity)) = exchange.far_side.mark else { return Self::none() };
        let sure = sure_of(*authenticity);
        let mut testimony = Self { most: sure, validators: sure, ..Self::none() };
        let is_same = |field| is_same(&mark.conditions, &exchange.request.fields, field);
        if !mark.reduced && !CONDITION_NAMES.into_iter().all(is_same) {
            let sides = |field| {
                let arrived = own_lines(&exchange.request.fields, field);
                (lines_of(&mark.conditions, field, &as_slices(&arrived)), arrived)
            };
            testimony.compare(sides, is_whole(&mark.conditions));
        }
        // What comes again with other conditions need not be the gateway's doing: the mark may be a stolen one.
        let is_doubtful = *authenticity == Authenticity::SignedBefore && testimony.both.is_some();
        if is_doubtful { Self::none() } else { testimony }
    }

    /// Notes what differs between the sides; the lines as they were sent and as they arrived are asked for by name.
    fn compare(&mut self, lines: impl Fn(FieldName) -> (Vec<Vec<u8>>, Vec<Vec<u8>>), is_whole: bool) {
        let sides: Vec<_> = CONDITION_NAMES.into_iter().map(|field| (field, lines(field))).collect();
        for (field, (sent, arrived)) in &sides {
            if let Some(change) = change(*field, &as_slices(sent), &as_slices(arrived)) {
                let (sent, arrived) = (sent.clone(), arrived.clone());
                self.altered.push(Altered { field: *field, change, sent, arrived });
            }
        }
        if self.altered.is_empty() {
            return;
        }
        let mut both = Both { sent: Fields::default(), arrived: Fields::default(), is_whole };
        for (field, (sent, arrived)) in sides {
            sent.iter().for_each(|line| both.sent.push(field.as_str().as_bytes(), line));
            arrived.iter().for_each(|line| both.arrived.push(field.as_str().as_bytes(), line));
        }
        self.both = Some(Box::new(both));
    }
}

/// Who made an answer that came with a report.
fn made_by<'a>(exchange: &Exchange<'a>, report: &'a Report, reports: &SeenReports, habit: &ReportHabit) -> MadeBy<'a> {
    if report.marked == Some(exchange.id) {
        return MadeBy::Origin(report);
    }
    let seen = reports.first_seen(report.exchange);
    // No cache answers a write: a report that was never seen is that of this one. What keeps header fields from one
    // request to the next sends an old mark along.
    if is_write(&exchange.request.method) && seen.is_none() {
        return MadeBy::Origin(report);
    }
    // Where marks arrive, a read that had none was made by the gateway for itself.
    let is_stored = || exchange.answer().is_some_and(|answer| from_store(&answer.head.fields).is_some());
    if report.marked.is_none() && seen.is_none() && habit.marks_arrived == 0 && !is_stored() {
        return MadeBy::Origin(report);
    }
    // The name of a mark has a time, too, but it may be of another outer instance, with a clock of its own.
    let told = report.at.filter(|_| habit.clocks_agree());
    MadeBy::Store { report, filled: seen.or(told) }
}

fn unreported(exchange: &Exchange<'_>, habit: &ReportHabit) -> MadeBy<'static> {
    let Some(answer) = exchange.answer() else { return MadeBy::Unknown };
    // Around the gateway there may be no inner instance.
    let is_direct = exchange.bypass.is_some_and(|bypass| bypass.direct);
    if habit.shown == 0 || exchange.far_side.unauthentic || is_direct || had_no_room(&answer.head.fields) {
        return MadeBy::Unknown;
    }
    MadeBy::Unreported { against_habit: habit.are_habit(exchange.upstream, answer.head.status, exchange.ended) }
}

/// Whether the head may have been too large for a report when it left the inner instance. What a gateway has added or
/// removed since is not known, so the doubt begins early.
fn had_no_room(fields: &Fields) -> bool {
    const DOUBTFUL_BYTES: usize = HEAD_BYTES_MAX - 1024;
    fields.iter().map(|line| line.name_bytes.len() + line.value.len() + ": \r\n".len()).sum::<usize>() > DOUBTFUL_BYTES
}

const fn sure_of(authenticity: Authenticity) -> Confidence {
    match authenticity {
        Authenticity::Signed | Authenticity::SignedBefore => Confidence::Proven,
        Authenticity::Unsigned => Confidence::Likely,
    }
}

/// Statuses under which an answer shows the same content, or speaks of it in the same way.
const fn is_same_content(one: u16, other: u16) -> bool {
    one == other || (is_content(one) && is_content(other))
}

const fn is_content(status: u16) -> bool {
    matches!(status, 200 | 203 | 206 | 304)
}

fn first(carried: &[Carried], field: FieldName) -> Option<&CarriedValue> {
    carried.iter().find(|one| one.name == field)?.values.first()
}

fn is_whole(carried: &[Carried]) -> bool {
    carried.iter().flat_map(|one| &one.values).all(|value| matches!(value, CarriedValue::Whole(_)))
}

/// Whether the lines of a name are the same on both sides, byte for byte: almost always, and then nothing is copied.
fn is_same(carried: &[Carried], fields: &Fields, field: FieldName) -> bool {
    let values = carried.iter().find(|one| one.name == field).map_or(&[][..], |one| one.values.as_slice());
    let mut lines = fields.all(field);
    let is_line = |value: &CarriedValue| matches!(value, CarriedValue::Whole(bytes) if lines.next() == Some(bytes));
    values.iter().all(is_line) && lines.next().is_none()
}

/// The lines of a name on this side, as the other side would carry them.
fn own_lines(fields: &Fields, field: FieldName) -> Vec<Vec<u8>> {
    let lines: Vec<_> = fields.all(field).collect();
    if lines.len() > LINES_MAX { vec![lines.join(&b", "[..])] } else { lines.into_iter().map(<[u8]>::to_vec).collect() }
}

/// The lines of a name that the other side carried. Those that travelled as digests are recognised in `here`, the lines
/// of this side, or in what gateways are known to make of them; others show their digest.
fn lines_of(carried: &[Carried], field: FieldName, here: &[&[u8]]) -> Vec<Vec<u8>> {
    let Some(one) = carried.iter().find(|one| one.name == field) else { return Vec::new() };
    let known = |value: &CarriedValue| match value {
        CarriedValue::Whole(bytes) => bytes.clone(),
        CarriedValue::Digest { .. } => {
            let candidates =
                here.iter().flat_map(|line| kin(line)).chain([here.join(&b", "[..]), here.join(&b","[..])]);
            candidates.into_iter().find(|line| value.is_of(line)).unwrap_or_else(|| value.to_text())
        }
    };
    one.values.iter().map(known).collect()
}

/// A tag and what gateways make of it.
fn kin(line: &[u8]) -> Vec<Vec<u8>> {
    const SUFFIXES: [&[u8]; 6] = [b"-gzip", b"-br", b"-zstd", b"--gzip", b";gzip", b"-df"];
    let mut kin = vec![line.to_vec()];
    kin.extend(line.strip_prefix(b"W/").map(<[u8]>::to_vec));
    kin.push([b"W/", line].concat());
    if let Some(open) = line.strip_suffix(b"\"") {
        for suffix in SUFFIXES {
            kin.push([open, suffix, b"\""].concat());
            kin.extend(open.strip_suffix(suffix).map(|bare| [bare, &b"\""[..]].concat()));
        }
    }
    kin
}

fn as_slices(lines: &[Vec<u8>]) -> Vec<&[u8]> {
    lines.iter().map(Vec::as_slice).collect()
}

fn joined(lines: &[&[u8]]) -> Option<Vec<u8>> {
    (!lines.is_empty()).then(|| lines.join(&b", "[..]))
}

fn shown(lines: &[Vec<u8>]) -> Option<Vec<u8>> {
    joined(&as_slices(lines))
}

impl Altered {
    /// The value as it was sent, lines joined; `None` if there was none.
    pub fn before(&self) -> Option<Vec<u8>> {
        shown(&self.sent)
    }

    /// The value as it arrived, lines joined; `None` if it did not.
    pub fn after(&self) -> Option<Vec<u8>> {
        shown(&self.arrived)
    }
}

/// What a report says of other exchanges than its own: the marked exchange, the origin's status, how sure that is.
pub fn outcomes(exchange: &Exchange<'_>) -> Vec<(ExchangeId, u16, Confidence)> {
    let report = exchange.far_side.report.filter(|_| exchange.role == Role::Outer);
    let Some((report, authenticity)) = report else { return Vec::new() };
    let sure = sure_of(*authenticity);
    let mut outcomes: Vec<_> = report.earlier.iter().map(|write| (write.marked, write.status, sure)).collect();
    // No cache answers a write: there another mark was sent along from an earlier request.
    let is_stored = !is_write(&exchange.request.method) && report.status != 304;
    let filled = report.marked.filter(|marked| is_stored && *marked != exchange.id);
    outcomes.extend(filled.map(|marked| (marked, report.status, sure)));
    outcomes
}

/// The status with which the origin had carried out this exchange's write, where its report says so: by the report of
/// the exchange itself, or because an earlier arrival of the same request had succeeded.
pub fn applied(exchange: &Exchange<'_>, testimony: &Testimony<'_>) -> Option<u16> {
    let report = testimony.own_report().filter(|_| is_write(&exchange.request.method))?;
    let succeeded = |status: &u16| matches!(status, 200..=299);
    Some(report.status).filter(succeeded).or_else(|| arrived_before(exchange, report).filter(succeeded))
}

/// The status of an earlier arrival of the same request: the gateway sent it more than once.
pub fn arrived_before(exchange: &Exchange<'_>, report: &Report) -> Option<u16> {
    report.earlier.iter().find(|write| write.marked == exchange.id).map(|write| write.status)
}

/// Reports that were seen, when first and for which path: the same again comes out of a store. At an inner instance,
/// marks: the same again is a repetition, or a header field that was kept. Bounded; the oldest are forgotten.
#[derive(Debug, Default)]
pub struct SeenReports {
    first: HashMap<ExchangeId, (Time, u128)>,
    order: VecDeque<ExchangeId>,
}

impl SeenReports {
    /// When a report was first seen.
    pub fn first_seen(&self, report: ExchangeId) -> Option<Time> {
        self.first.get(&report).map(|(at, _)| *at)
    }

    /// When one was first seen, if that was for another path.
    pub fn seen_elsewhere(&self, report: ExchangeId, path: u128) -> Option<Time> {
        self.first.get(&report).filter(|(_, known)| *known != path).map(|(at, _)| *at)
    }

    /// Notes that one was seen.
    pub fn note(&mut self, report: ExchangeId, path: u128, at: Time, most: usize) {
        if self.first.contains_key(&report) {
            return;
        }
        while self.order.len() >= most.max(1) {
            if let Some(oldest) = self.order.pop_front() {
                self.first.remove(&oldest);
            }
        }
        self.order.push_back(report);
        self.first.insert(report, (at, path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_head_may_have_had_no_room() {
        let of = |size: usize| [("ETag", "\"v1\""), ("X-Large", &*"x".repeat(size))].into_iter().collect::<Fields>();
        assert!(!had_no_room(&of(2000)));
        assert!(had_no_room(&of(2600)));
    }

    fn carried(lines: &[(&str, &str)]) -> Vec<Carried> {
        let fields: Fields = lines.iter().copied().collect();
        Report::fields_of(&fields, &Fields::default()).0
    }

    #[track_caller]
    fn check_digest(arrived: &str, sent: &[&str], recognised: bool) {
        let carried = carried(&[("If-Match", arrived)]);
        assert!(!is_whole(&carried), "longer than what travels whole");
        let sent: Vec<&[u8]> = sent.iter().map(|line| line.as_bytes()).collect();
        let lines = lines_of(&carried, FieldName::IfMatch, &sent);
        assert_eq!(lines == [arrived.as_bytes()], recognised, "{lines:?}");
    }

    #[test]
    fn a_long_value_is_recognised_by_its_digest_and_so_is_what_gateways_make_of_it() {
        let opaque = "x".repeat(150);
        let tag = format!("\"{opaque}\"");
        check_digest(&tag, &[&tag], true);
        check_digest(&format!("W/{tag}"), &[&tag], true);
        check_digest(&tag, &[&format!("W/{tag}")], true);
        check_digest(&format!("\"{opaque}-gzip\""), &[&tag], true);
        check_digest(&tag, &[&format!("\"{opaque}-gzip\"")], true);
        check_digest(&format!("\"a\", {tag}"), &["\"a\"", &tag], true);
        check_digest(&format!("\"a\",{tag}"), &["\"a\"", &tag], true);
        check_digest(&format!("\"{}\"", "y".repeat(150)), &[&tag], false);
    }

    #[test]
    fn many_lines_are_compared_as_one() {
        let lines = ["\"a\"", "\"b\"", "\"c\"", "\"d\"", "\"e\""].map(|tag| ("If-Match", tag));
        let fields: Fields = lines.iter().copied().collect();
        let own = own_lines(&fields, FieldName::IfMatch);
        let difference = |lines: &[(&str, &str)]| {
            let there = lines_of(&carried(lines), FieldName::IfMatch, &as_slices(&own));
            change(FieldName::IfMatch, &as_slices(&own), &as_slices(&there))
        };
        assert_eq!(difference(&lines), None);
        assert!(difference(&lines[..4]).is_some());
    }

    #[test]
    fn as_many_reports_are_remembered_as_may_be() {
        let mut reports = SeenReports::default();
        for at in 0..100 {
            reports.note(ExchangeId(at), 1, Time::from_unix_micros(at as u64), 10);
            reports.note(ExchangeId(at), 2, Time::default(), 10);
        }
        assert_eq!((reports.first.len(), reports.order.len()), (10, 10));
        assert_eq!(reports.first_seen(ExchangeId(99)), Some(Time::from_unix_micros(99)), "the first time counts");
        assert_eq!(reports.first_seen(ExchangeId(89)), None);
        assert!(
            reports.seen_elsewhere(ExchangeId(99), 2).is_some() && reports.seen_elsewhere(ExchangeId(99), 1).is_none()
        );
    }
}
