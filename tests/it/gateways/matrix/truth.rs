//! What happened, by what client and origin saw, and by nothing else.

use std::collections::BTreeSet;

use super::way::{Arrival, Exchange};
use crate::harness::message::Head;

const CONDITIONS: [&str; 5] = ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"];
const VALIDATORS: [&str; 2] = ["ETag", "Last-Modified"];

/// What a pair has to say of one exchange.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Truth {
    pub(super) alterations: BTreeSet<Alteration>,
    /// Of a 412: its cause, and whether both sides saw all that it rests on.
    pub(super) cause: Option<(String, bool)>,
    pub(super) hazards: BTreeSet<String>,
}

/// What left, and what arrived of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Alteration {
    pub(super) on: String,
    pub(super) field: String,
    pub(super) change: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

impl Truth {
    /// There is nothing to say: this is clean traffic.
    pub(super) fn is_silence(&self) -> bool {
        *self == Self::default()
    }
}

/// Everything that both ends saw.
pub(super) struct Seen {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) arrivals: Vec<Arrival>,
}

impl Seen {
    /// The truth of one exchange.
    pub(super) fn truth(&self, exchange: &Exchange) -> Truth {
        let is_told = |arrival: &Arrival| !arrival.is_lost && !arrival.is_large;
        let mut alterations = self.altered_conditions(exchange, is_told);
        alterations.extend(self.altered_validators(exchange));
        let cause = (exchange.answer.status() == 412)
            .then(|| self.cause_at_origin(exchange).unwrap_or_else(|| ("gateway-answered".to_owned(), false)));
        Truth { alterations, cause, hazards: self.hazards(exchange, is_told) }
    }

    /// The arrivals of an exchange at the origin, each with its place.
    pub(super) fn arrivals_of(&self, exchange: &Exchange) -> Vec<(usize, &Arrival)> {
        self.arrivals.iter().enumerate().filter(|(_, arrival)| arrival.number == exchange.number).collect()
    }

    /// The arrival whose answer the client was given, maybe out of a store.
    fn answer_of(&self, exchange: &Exchange) -> Option<(usize, &Arrival)> {
        let place: usize = exchange.answer.value("X-Answer")?.parse().unwrap();
        Some((place, &self.arrivals[place]))
    }

    /// The truth of one exchange for the instance on the origin's side, to which a store is hidden: what arrived, also of
    /// what was never answered, and why the origin refused.
    pub(super) fn truth_behind(&self, exchange: &Exchange) -> Truth {
        let cause = self.cause_at_origin(exchange);
        let asked = |(_, arrival): &(usize, &Arrival)| arrival.request.value("If-None-Match").is_some();
        let was_asked = self.arrivals_of(exchange).iter().any(asked);
        let shows = |name: &String| name == "precondition-dropped" || (name == "missed-304" && was_asked);
        let hazards = self.hazards(exchange, |arrival| !arrival.is_lost).into_iter().filter(shows).collect();
        Truth { alterations: self.altered_conditions(exchange, |_| true), cause, hazards }
    }

    /// On reads a cache may fill itself without condition, and confirm what it keeps with one of its own.
    fn altered_conditions(&self, exchange: &Exchange, counts: impl Fn(&Arrival) -> bool) -> BTreeSet<Alteration> {
        let told = |arrival: &Arrival| is_write(&exchange.request) && counts(arrival);
        let writes = self.arrivals_of(exchange).into_iter().filter(|(_, arrival)| told(arrival));
        writes
            .flat_map(|(_, arrival)| {
                CONDITIONS.map(|field| between("request", field, &exchange.request, &arrival.request))
            })
            .flatten()
            .collect()
    }

    fn altered_validators(&self, exchange: &Exchange) -> BTreeSet<Alteration> {
        let Some((_, arrival)) = self.answer_of(exchange) else { return BTreeSet::new() };
        let (gave, got) = (&arrival.answer, &exchange.answer.head);
        let altered = VALIDATORS.iter().filter_map(|field| between("response", field, gave, got));
        // A 304 need not repeat what its 200 has, but for the tag (RFC 9110 §15.4.5).
        let is_due = |field: &str| gave.status() == got.status() && (got.status() != 304 || field == "etag");
        altered.filter(|one| one.change != "stripped" || is_due(&one.field)).collect()
    }

    /// Why the origin refused; `None` if it did not.
    fn cause_at_origin(&self, exchange: &Exchange) -> Option<(String, bool)> {
        let (cause, is_seen) = self.refusal(exchange)?;
        Some((cause.to_owned(), is_seen))
    }

    fn refusal(&self, exchange: &Exchange) -> Option<(&'static str, bool)> {
        let (place, refusal) = self.answer_of(exchange).filter(|(_, arrival)| arrival.answer.status() == 412)?;
        if refusal.number != exchange.number {
            return None;
        }
        let mut before = self.arrivals_of(exchange).into_iter().take_while(|(earlier, _)| *earlier < place);
        if let Some((_, first)) = before.find(|(_, arrival)| is_applied(arrival)) {
            return Some(("retry-after-applied/by-gateway", !first.is_lost));
        }
        if let Some(first) =
            self.exchanges[..exchange.number].iter().find_map(|earlier| self.first_of(earlier, exchange))
        {
            return Some(("retry-after-applied/by-client", !first.is_lost));
        }
        if !self.altered_conditions(exchange, |arrival| !arrival.is_lost).is_empty() {
            return Some(("precondition-rewritten", true));
        }
        // A date is a validator as well.
        let (conditions, validator) = match exchange.request.values("If-Match") {
            tags if tags.is_empty() => (exchange.request.values("If-Unmodified-Since"), "Last-Modified"),
            tags => (tags, "ETag"),
        };
        let handed = self.exchanges[..exchange.number].iter().rev().find(|earlier| {
            earlier.user == exchange.user
                && is_same_resource(earlier, exchange)
                && earlier.answer.value(validator).is_some_and(|handed| conditions.contains(&handed))
        });
        let Some(handed) = handed else {
            // Where the client has it from was not seen.
            return (validator == "Last-Modified").then_some(("outdated-date", false));
        };
        let condition = handed.answer.value(validator)?;
        let (given_at, given) = self.answer_of(handed)?;
        let as_given = given.answer.value(validator)?;
        if as_given != condition {
            let cause = match change(&[as_given], &[condition]) {
                "weakened" => "etag-weakened",
                "suffixed" => "etag-suffixed",
                _ => "etag-rewritten",
            };
            return Some((cause, true));
        }
        if self.applied(exchange, given_at..handed.since).next().is_some() {
            return Some(("stale-cache", true));
        }
        let mut since = self.applied(exchange, handed.since..place);
        let others = since.any(|write| write.request.value("X-User") != Some(exchange.user));
        Some((if others { "concurrent-update" } else { "stale-validator" }, true))
    }

    /// The arrival of the same write of the same user that was carried out, of which nobody was told.
    fn first_of(&self, earlier: &Exchange, later: &Exchange) -> Option<&Arrival> {
        let same = |name: &str| earlier.request.values(name) == later.request.values(name);
        let is_repeated = earlier.user == later.user
            && earlier.request.start == later.request.start
            && CONDITIONS.iter().all(|name| same(name))
            && earlier.answer.status() >= 500;
        let arrivals = if is_repeated { self.arrivals_of(earlier) } else { Vec::new() };
        arrivals.into_iter().map(|(_, arrival)| arrival).find(|arrival| is_applied(arrival))
    }

    /// The writes of the resource of an exchange that were carried out in that stretch.
    fn applied(&self, exchange: &Exchange, stretch: std::ops::Range<usize>) -> impl Iterator<Item = &Arrival> {
        let target = exchange.request.target().to_owned();
        let stretch = self.arrivals.get(stretch).unwrap_or_default();
        stretch.iter().filter(move |arrival| is_applied(arrival) && arrival.request.target() == target)
    }

    fn hazards(&self, exchange: &Exchange, is_told: impl Fn(&Arrival) -> bool) -> BTreeSet<String> {
        let is_read = !is_write(&exchange.request);
        let answer = self.answer_of(exchange);
        let is_stored = is_read && answer.is_some_and(|(_, arrival)| arrival.number != exchange.number);
        let is_stale = answer.is_some_and(|(place, _)| self.applied(exchange, place..exchange.since).next().is_some());
        let status = exchange.answer.status();
        let (tag, asked) = (exchange.answer.value("ETag"), exchange.request.value("If-None-Match"));
        let dropped = self.altered_conditions(exchange, is_told).iter().any(|one| one.change == "stripped");
        let applied = self.arrivals_of(exchange).iter().any(|(_, arrival)| is_applied(arrival));
        let alike = |earlier: &&Exchange| {
            is_same_resource(earlier, exchange)
                && tag.is_some_and(|tag| !tag.starts_with("W/"))
                && earlier.answer.value("ETag") == tag
                && matches!((earlier.answer.status(), status), (200, 200))
                && earlier.request.method() == "GET"
                && exchange.request.method() == "GET"
                && coding(earlier) != coding(exchange)
        };
        let version = |exchange: &Exchange| {
            let (_, arrival) = self.answer_of(exchange)?;
            arrival.answer.value("ETag").map(str::to_owned)
        };
        let holds_it = |earlier: &Exchange| {
            is_same_resource(earlier, exchange)
                && earlier.user == exchange.user
                && earlier.answer.value("ETag") == asked
                && version(earlier) == version(exchange)
        };
        let before = &self.exchanges[..exchange.number];
        let hazards = [
            ("missed-304", is_read && status == 200 && asked.is_some() && before.iter().any(holds_it)),
            ("precondition-dropped", dropped && applied),
            ("stale-response", is_stored && is_stale && status == 200),
            ("bypass-disobeyed", is_stored && exchange.bypassed),
            ("not-modified-mismatch", status == 304 && asked.is_some() && tag != asked),
            ("shared-strong-tag", before.iter().any(|earlier| alike(&earlier))),
        ];
        hazards.into_iter().filter(|(_, is_so)| *is_so).map(|(name, _)| name.to_owned()).collect()
    }
}

fn is_write(request: &Head) -> bool {
    !matches!(request.method(), "GET" | "HEAD")
}

fn is_applied(arrival: &Arrival) -> bool {
    is_write(&arrival.request) && (200..300).contains(&arrival.answer.status())
}

fn is_same_resource(one: &Exchange, other: &Exchange) -> bool {
    one.request.target() == other.request.target()
}

fn coding(exchange: &Exchange) -> Option<&str> {
    exchange.answer.value("Content-Encoding")
}

/// What became of a field from one head to the other.
fn between(on: &str, field: &str, left: &Head, arrived: &Head) -> Option<Alteration> {
    let (before, after) = (left.values(field), arrived.values(field));
    let shown = |values: &[&str]| (!values.is_empty()).then(|| values.join(", "));
    (before != after).then(|| Alteration {
        on: on.to_owned(),
        field: field.to_ascii_lowercase(),
        change: change(&before, &after).to_owned(),
        before: shown(&before),
        after: shown(&after),
    })
}

fn change(before: &[&str], after: &[&str]) -> &'static str {
    match (before, after) {
        (_, []) => "stripped",
        ([], _) => "added",
        ([one], [other]) if other.strip_prefix("W/") == Some(one) => "weakened",
        ([one], [other]) if other.starts_with(one.trim_end_matches('"')) => "suffixed",
        ([_, _, ..], [one]) if *one == before.join(", ") => "merged",
        _ => "replaced",
    }
}
