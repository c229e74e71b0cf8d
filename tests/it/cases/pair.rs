//! What the other instance of a pair says of a told exchange.

use why412::analysis::exchange::{ExchangeId, Role};
use why412::analysis::pairing::{Authenticity, EarlierWrite, Mark, Report};
use why412::analysis::semantics::conditions::CONDITIONS;
use why412::analysis::semantics::fields::Fields;
use why412::analysis::semantics::validators::VALIDATORS;
use why412::analysis::time::Time;

use super::notation::{Block, Ending, Told};
use super::play::{given, name, push_all};

/// The mark or the report of one exchange.
#[derive(Default)]
pub(crate) struct Pair {
    pub(crate) mark: Option<(Mark, Authenticity)>,
    pub(crate) report: Option<(Report, Authenticity)>,
}

impl Pair {
    /// Of the exchange at `index`; `reports` are those of the exchanges before it.
    pub(crate) fn of(
        block: &Block,
        index: usize,
        told: &Told,
        now: Time,
        reports: &[Option<(Report, Authenticity)>],
    ) -> Self {
        match block.role {
            Role::Alone => Self::default(),
            Role::Inner => Self { mark: mark(told), report: None },
            Role::Outer => Self { mark: None, report: report(block, index, told, now, reports) },
        }
    }
}

fn authenticity(lines: &[(String, String)]) -> Authenticity {
    if given(lines, ":unsigned").is_some() { Authenticity::Unsigned } else { Authenticity::Signed }
}

fn mark(told: &Told) -> Option<(Mark, Authenticity)> {
    let number: u128 = given(&told.request, ":mark")?.parse().unwrap();
    let sent = other_side(&told.request, ":sent");
    Some((Mark::of(ExchangeId(number), None, &sent, None), authenticity(&told.request)))
}

fn report(
    block: &Block,
    index: usize,
    told: &Told,
    now: Time,
    reports: &[Option<(Report, Authenticity)>],
) -> Option<(Report, Authenticity)> {
    if let Some(number) = given(&told.response, ":stored") {
        let number: usize = number.parse().unwrap();
        return reports[number - 1].clone();
    }
    let (status, options) = split(given(&told.response, ":origin")?);
    let (conditions, validators) =
        Report::fields_of(&other_side(&told.request, ":arrived"), &other_side(&told.response, ":gave"));
    let earlier = told.response.iter().filter(|line| line.0 == ":earlier").map(|line| {
        let (number, status) = split(&line.1);
        EarlierWrite {
            marked: named(block, number.parse().unwrap(), told, now, index),
            status: status.parse().unwrap(),
        }
    });
    let report = Report {
        exchange: ExchangeId(1000 + index as u128),
        marked: (!options.contains("unmarked")).then(|| name(now, index)),
        status: status.parse().unwrap(),
        at: Some(by_its_clock(options, now)),
        conditions,
        validators,
        cause: options.strip_prefix("cause ").map(str::to_owned),
        earlier: earlier.collect(),
        reduced: options.contains("reduced"),
    };
    Some((report, authenticity(&told.response)))
}

/// What the clock of the inner instance shows: `clock SECONDS` says how far it is from ours.
fn by_its_clock(options: &str, now: Time) -> Time {
    let apart = options.split_once("clock ").map_or("0", |(_, rest)| rest.split(' ').next().unwrap());
    let apart: i64 = apart.parse().unwrap();
    Time::from_unix_micros(now.unix_micros().checked_add_signed(apart * 1_000_000).unwrap())
}

fn split(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

/// The name of the block's exchange of that number.
fn named(block: &Block, number: usize, told: &Told, now: Time, index: usize) -> ExchangeId {
    // Its time is as long before ours as the pauses since add up to.
    let since: u64 = block.exchanges[number..=index].iter().map(|later| later.after).sum();
    assert!(number <= index || told.ending == Ending::Answered(412), "line {}: of itself or one before", told.line);
    name(Time::from_unix_micros(now.unix_micros() - since * 1000), number - 1)
}

/// The conditions or validators on the other side of the gateway: those that are told to be there, or else the same.
fn other_side(lines: &[(String, String)], key: &str) -> Fields {
    let mut fields = Fields::default();
    let told: Vec<_> = lines.iter().filter(|line| line.0 == key).collect();
    if told.is_empty() {
        push_all(&mut fields, lines);
        fields.retain(|line| CONDITIONS.contains(line.name) || VALIDATORS.contains(line.name));
    }
    for (_, text) in told.into_iter().filter(|line| line.1 != "nothing") {
        let (name, value) = text.split_once(": ").unwrap_or_else(|| panic!("{key} NAME: VALUE, not {text}"));
        fields.push(name.as_bytes(), value.as_bytes());
    }
    fields
}
