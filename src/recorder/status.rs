//! How this instance is: what it keeps, who listens, and whether the pair works, in a sentence for people.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::metrics::{LedgerSize, PairCounts};
use super::record::time_text;
use crate::analysis::exchange::Role;
use crate::analysis::time::Time;

/// What is kept of exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CapturesStatus {
    /// Records.
    pub records: u64,
    /// What they occupy, about.
    pub bytes: u64,
    /// Records that could not be kept since the start: the store was too far behind, or failed.
    pub lost: u64,
    /// Records that made room for others since the start.
    pub evicted: u64,
}

/// What is remembered of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LedgerStatus {
    /// Resources.
    pub resources: usize,
    /// What they occupy, about.
    pub bytes: usize,
    /// Resources that were forgotten to make room since the start.
    pub evictions: u64,
}

impl From<LedgerSize> for LedgerStatus {
    fn from(size: LedgerSize) -> Self {
        Self { resources: size.resources, bytes: size.bytes, evictions: size.evictions }
    }
}

/// The live feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedStatus {
    /// Readers of the live feed now.
    pub readers: usize,
    /// Events that readers were too slow for since the start.
    pub dropped: u64,
}

/// What this instance is set to as one of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairSetting {
    /// Where it stands.
    pub role: Role,
    /// Marks and reports are signed with a secret.
    pub signed: bool,
    /// When it reports, in the words of the configuration.
    pub report: &'static str,
}

/// Whether the pair works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PairState {
    /// This instance stands alone.
    Alone,
    /// Marks or reports come and can be believed.
    Working,
    /// There is traffic, and no mark or report.
    Silent,
    /// Marks or reports come, and none can be believed.
    Unauthentic,
    /// There was no traffic to tell by.
    NoTraffic,
}

/// The pair as this instance sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PairingStatus {
    /// Where this instance stands: alone, outer or inner.
    pub role: String,
    /// Marks and reports are signed with a secret.
    pub signed: bool,
    /// When an inner instance reports: always or marked.
    pub report: String,
    /// By the traffic of the last minute; by older traffic where there was none.
    pub state: PairState,
    /// The same for people, and what to do.
    pub says: String,
    /// What was counted since the start.
    pub counts: PairingCounts,
    /// When the last mark or report came whose signature was right, to a tenth of a second; null where none has come,
    /// and where the pair is not signed.
    pub last_verified_at: Option<String>,
    /// When the last mark or report came that was believed, signed or not.
    pub last_seen_at: Option<String>,
}

/// What was counted of a pair since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PairingCounts {
    /// Answers that brought the report of their exchange; at an outer instance.
    pub report: u64,
    /// Answers that brought no report; at an outer instance.
    pub no_report: u64,
    /// Answers that brought the report of an earlier exchange; at an outer instance.
    pub from_store: u64,
    /// Marks and reports that were not authentic, or not expected from there.
    pub unauthentic: u64,
    /// Requests that brought a mark; at an inner instance.
    pub mark: u64,
    /// Requests that brought no mark; at an inner instance.
    pub no_mark: u64,
}

impl From<PairCounts> for PairingCounts {
    fn from(counts: PairCounts) -> Self {
        let PairCounts { report, no_report, from_store, unauthentic, marks, unmarked } = counts;
        Self { report, no_report, from_store, unauthentic, mark: marks, no_mark: unmarked }
    }
}

/// How long ago traffic may be to tell how the pair is now.
pub(super) const RECENT: Duration = Duration::from_secs(60);

/// What was counted of a pair, and in which time.
#[derive(Clone, Copy, Debug)]
pub(super) struct PairTraffic {
    pub(super) since_start: PairCounts,
    /// In the last minute.
    pub(super) recent: PairCounts,
    /// When the last one came that was believed.
    pub(super) last_seen: Option<Time>,
}

impl PairingStatus {
    pub(super) fn of(setting: PairSetting, traffic: PairTraffic) -> Self {
        let last_seen_at = traffic.last_seen.map(time_text);
        let (counts, when) = if is_empty(traffic.recent) {
            (traffic.since_start, "since the start")
        } else {
            (traffic.recent, "in the last minute")
        };
        let state = match setting.role {
            Role::Alone => PairState::Alone,
            Role::Outer | Role::Inner if is_empty(counts) => PairState::NoTraffic,
            Role::Outer | Role::Inner if counts.known() > 0 => PairState::Working,
            Role::Outer | Role::Inner if counts.unauthentic > 0 => PairState::Unauthentic,
            Role::Outer | Role::Inner => PairState::Silent,
        };
        Self {
            role: setting.role.as_str().to_owned(),
            signed: setting.signed,
            report: setting.report.to_owned(),
            state,
            says: says(setting, state, counts, when),
            counts: traffic.since_start.into(),
            last_verified_at: last_seen_at.clone().filter(|_| setting.signed),
            last_seen_at,
        }
    }
}

const fn is_empty(counts: PairCounts) -> bool {
    counts.known() + counts.missing() + counts.unauthentic == 0
}

/// How the two instances of a pair are spoken of, seen from one of them.
struct Words {
    /// What should bring something: answers at an outer instance, requests at an inner one.
    messages: &'static str,
    sign: &'static str,
    other: &'static str,
    field: &'static str,
}

impl Words {
    const OF_OUTER: Self =
        Self { messages: "answers", sign: "report", other: "inner", field: "Why412-Report on answers" };
    const OF_INNER: Self =
        Self { messages: "requests", sign: "mark", other: "outer", field: "Why412-Pair on requests" };
}

fn says(setting: PairSetting, state: PairState, counts: PairCounts, when: &str) -> String {
    let Words { messages, sign, other, field } = match setting.role {
        Role::Alone | Role::Outer => Words::OF_OUTER,
        Role::Inner => Words::OF_INNER,
    };
    match state {
        PairState::Alone => "This instance stands alone: it can suspect what a gateway altered; a second instance on \
                             the gateway's other side would prove it."
            .to_owned(),
        PairState::NoTraffic => format!("No {messages} have passed yet, so nothing is known of the {other} instance."),
        PairState::Silent => format!(
            "None of {} {messages} {when} brought a {sign}. See that they pass an instance with role = \"{other}\" on \
             the gateway's other side, and that the gateway lets the field {field} through.",
            counts.missing(),
        ),
        PairState::Unauthentic => format!(
            "Marks or reports came {when} ({}), and not one could be believed. Give both instances the same \
             secret_file, and see that nobody but the pair sends fields named Why412-….",
            counts.unauthentic,
        ),
        PairState::Working => {
            let all = counts.known() + counts.missing();
            let mut says = format!("The pair works: {} of {all} {messages} {when} brought a {sign}.", counts.known());
            if counts.from_store > 0 {
                says.push_str(&format!(" {} of these came out of the gateway's store.", counts.from_store));
            }
            if counts.unauthentic > 0 {
                says.push_str(&format!(" {} more were not to be believed and left aside.", counts.unauthentic));
            }
            if !setting.signed {
                says.push_str(" It is not signed, so nothing is called proven by it: give both a secret_file.");
            }
            says
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(role: Role, recent: PairCounts, since_start: PairCounts) -> PairingStatus {
        let setting = PairSetting { role, signed: true, report: "always" };
        let last_seen = (since_start.known() > 0).then(|| Time::from_unix_micros(1_795_327_200_000_000));
        PairingStatus::of(setting, PairTraffic { since_start, recent, last_seen })
    }

    #[test]
    fn the_state_follows_the_traffic() {
        #[track_caller]
        fn check(role: Role, counts: PairCounts, state: PairState, says: &str) {
            let status = status(role, counts, counts);
            assert_eq!(status.state, state);
            assert!(status.says.contains(says), "{}", status.says);
        }
        let none = PairCounts::default();
        check(Role::Alone, PairCounts { report: 3, ..none }, PairState::Alone, "stands alone");
        check(Role::Outer, none, PairState::NoTraffic, "No answers have passed yet");
        check(Role::Outer, PairCounts { no_report: 7, ..none }, PairState::Silent, "None of 7 answers");
        check(Role::Inner, PairCounts { unmarked: 2, ..none }, PairState::Silent, "role = \"outer\"");
        let forged = PairCounts { unauthentic: 4, no_report: 4, ..none };
        check(Role::Outer, forged, PairState::Unauthentic, "same secret_file");
        let stored = PairCounts { report: 5, from_store: 2, no_report: 1, unauthentic: 1, ..none };
        check(
            Role::Outer,
            stored,
            PairState::Working,
            "7 of 8 answers in the last minute brought a report. 2 of these",
        );
        check(Role::Inner, PairCounts { marks: 1, ..none }, PairState::Working, "1 of 1 requests");
    }

    #[test]
    fn what_is_long_ago_counts_only_where_nothing_happened_since() {
        let since_start = PairCounts { report: 100, ..PairCounts::default() };
        let quiet = status(Role::Outer, PairCounts::default(), since_start);
        assert_eq!(quiet.state, PairState::Working);
        assert!(quiet.says.contains("since the start"), "{}", quiet.says);
        let broken = status(Role::Outer, PairCounts { no_report: 9, ..PairCounts::default() }, since_start);
        assert_eq!(broken.state, PairState::Silent);
    }

    #[test]
    fn only_what_was_signed_was_verified() {
        let counts = PairCounts { report: 1, ..PairCounts::default() };
        assert!(status(Role::Outer, counts, counts).last_verified_at.is_some());
        let setting = PairSetting { role: Role::Outer, signed: false, report: "always" };
        let traffic =
            PairTraffic { since_start: counts, recent: counts, last_seen: Some(Time::from_unix_micros(1_000_000)) };
        let unsigned = PairingStatus::of(setting, traffic);
        assert_eq!((unsigned.last_verified_at.is_some(), unsigned.last_seen_at.is_some()), (false, true));
        assert!(unsigned.says.contains("not signed"), "{}", unsigned.says);
    }
}
