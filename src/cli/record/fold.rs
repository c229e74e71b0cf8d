//! The attempts of one retry loop as one: the same client, method, resource and condition, with the same outcome.

use jiff::Timestamp;

use super::Summary;

/// Attempts that lie further apart are no loop.
const APART_SECONDS_MAX: i64 = 600;

/// One or more attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Folded {
    /// The one that is shown for all.
    pub(in crate::cli) shown: Summary,
    /// How many there are.
    pub(in crate::cli) times: u64,
    /// The time of the one met last.
    met: String,
}

impl Folded {
    /// One alone.
    pub(in crate::cli) fn of(summary: Summary) -> Self {
        Self { times: 1, met: summary.at.clone(), shown: summary }
    }

    /// Takes `summary` in if it is one more attempt; gives it back if it is none. The first one taken is shown.
    pub(in crate::cli) fn fold(&mut self, summary: Summary) -> Option<Summary> {
        if !self.is_like(&summary) {
            return Some(summary);
        }
        self.times += 1;
        self.met = summary.at;
        None
    }

    fn is_like(&self, other: &Summary) -> bool {
        // What is named here, and nothing else, makes two attempts one.
        let Summary { status, method, url, client, conditions, finding, more, confidence, party, .. } = other;
        let shown = &self.shown;
        (&shown.client, &shown.method, &shown.url, &shown.status) == (client, method, url, status)
            && &shown.conditions == conditions
            && (&shown.finding, &shown.more, &shown.confidence, &shown.party) == (finding, more, confidence, party)
            && are_near(&self.met, &other.at)
    }
}

/// Folds a list, wherever in it the attempts stand; each is shown where its first one stands.
pub(in crate::cli) fn folded(list: impl IntoIterator<Item = Summary>) -> Vec<Folded> {
    let mut all: Vec<Folded> = Vec::new();
    for summary in list {
        let left = all.iter_mut().rev().try_fold(summary, |summary, folded| match folded.fold(summary) {
            Some(summary) => Ok(summary),
            None => Err(()),
        });
        all.extend(left.ok().map(Folded::of));
    }
    all
}

fn are_near(one: &str, other: &str) -> bool {
    let seconds = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_second);
    match (seconds(one), seconds(other)) {
        (Some(one), Some(other)) => (one - other).abs() <= APART_SECONDS_MAX,
        (None, _) | (_, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(id: &str, at: &str, client: &str) -> Summary {
        Summary { id: id.to_owned(), at: format!("2026-11-22T{at}Z"), client: client.to_owned(), ..Summary::default() }
    }

    #[test]
    fn attempts_of_one_loop_are_one() {
        let list = [
            attempt("5", "06:00:09", "a"),
            attempt("4", "06:00:08", "b"),
            attempt("3", "06:00:07", "a"),
            attempt("2", "06:00:06", "a"),
            attempt("1", "05:40:00", "a"),
        ];
        let shown: Vec<_> = folded(list).into_iter().map(|folded| (folded.shown.id, folded.times)).collect();
        assert_eq!(shown, [("5".to_owned(), 3), ("4".to_owned(), 1), ("1".to_owned(), 1)]);
    }

    #[test]
    fn another_condition_or_verdict_is_another_attempt() {
        let one = attempt("1", "06:00:00", "a");
        let conditions = vec![("if-match".to_owned(), "\"v2\"".to_owned())];
        for other in [
            Summary { conditions, ..one.clone() },
            Summary { finding: "stale-validator".to_owned(), ..one.clone() },
            Summary { url: "http://a/other".to_owned(), ..one.clone() },
        ] {
            assert_eq!(Folded::of(one.clone()).fold(other.clone()), Some(other));
        }
    }
}
