//! The bypass switch: state, scope, expiry, and the fields it sets.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use sha2::{Digest, Sha256};

use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::time::Time;

/// What is added to a request under bypass by an instance that stands outside of the gateway, as further lines and only
/// where the directive does not stand already: the caches behind are not to answer from their store (RFC 9111 §5.2.1.4).
pub const REQUEST_FIELDS: [FieldToAdd; 2] = [
    FieldToAdd { field: FieldName::CacheControl, name: "Cache-Control", directive: "no-cache" },
    FieldToAdd { field: FieldName::Pragma, name: "Pragma", directive: "no-cache" },
];

/// What is added to a response under bypass by an instance that stands inside of the gateway: the caches in front are to
/// let go (RFC 9111 §5.2.2.5, RFC 9213).
pub const RESPONSE_FIELDS: [FieldToAdd; 3] = [
    NO_STORE,
    FieldToAdd { field: FieldName::CdnCacheControl, name: "CDN-Cache-Control", directive: "no-store" },
    FieldToAdd { field: FieldName::SurrogateControl, name: "Surrogate-Control", directive: "no-store" },
];

/// No cache may keep the answer (RFC 9111 §5.2.2.5).
pub const NO_STORE: FieldToAdd =
    FieldToAdd { field: FieldName::CacheControl, name: "Cache-Control", directive: "no-store" };

/// One field that a bypass adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldToAdd {
    /// Which one.
    pub field: FieldName,
    /// Its name as it is written.
    pub name: &'static str,
    /// Its value: one directive without argument.
    pub directive: &'static str,
}

impl FieldToAdd {
    /// Whether the directive stands in a message already.
    pub fn stands_in(&self, fields: &Fields) -> bool {
        fields.all(self.field).any(|value| has_directive(value, self.directive.as_bytes()))
    }
}

/// RFC 9111 §5.2: directives are separated by commas, compare without case, and may have an argument, which may be
/// quoted.
fn has_directive(value: &[u8], directive: &[u8]) -> bool {
    let mut quoted = false;
    let mut escaped = false;
    let outside_of_quotes = |byte: &u8| {
        let separates = *byte == b',' && !quoted;
        if *byte == b'"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && *byte == b'\\' && !escaped;
        separates
    };
    value.split(outside_of_quotes).any(|part| part.trim_ascii().eq_ignore_ascii_case(directive))
}

/// One bypass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Active {
    /// The route it covers; all routes if `None`.
    pub route: Option<String>,
    /// When it ends by itself.
    pub until: Time,
    /// Traffic takes the `direct` addresses.
    pub direct: bool,
    /// Conditions are removed, as a test.
    pub remove_preconditions: bool,
}

/// What a bypass asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The route; all routes if `None`.
    pub route: Option<String>,
    /// How long from now.
    pub lasting: Duration,
    /// See [`Active::direct`].
    pub direct: bool,
    /// See [`Active::remove_preconditions`].
    pub remove_preconditions: bool,
}

/// How long a bypass may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Where nothing is said.
    pub default: Duration,
    /// At most.
    pub longest: Duration,
}

/// Why a bypass cannot last as long as it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfBounds {
    /// It would be over at once.
    #[error("a bypass lasts for some time; 0 does not begin one")]
    Nothing,
    /// It would last too long.
    #[error("a bypass lasts {} s at most (bypass.longest_duration)", .longest.as_secs())]
    TooLong {
        /// What is allowed.
        longest: Duration,
    },
}

impl Bounds {
    /// How long a bypass lasts for which `asked` was asked.
    pub fn lasting(self, asked: Option<Duration>) -> Result<Duration, OutOfBounds> {
        match asked {
            None => Ok(self.default.min(self.longest)),
            Some(Duration::ZERO) => Err(OutOfBounds::Nothing),
            Some(asked) if asked > self.longest => Err(OutOfBounds::TooLong { longest: self.longest }),
            Some(asked) => Ok(asked),
        }
    }
}

/// The switch. Read once per request, without a lock.
#[derive(Debug, Default)]
pub struct Switch {
    active: ArcSwap<Vec<Active>>,
}

impl Switch {
    /// Every bypass that has not ended, that for all routes first.
    pub fn active(&self, now: Time) -> Vec<Active> {
        self.active.load().iter().filter(|bypass| bypass.until > now).cloned().collect()
    }

    /// The bypass that covers `route` now: the route's own before that for all.
    pub fn covering(&self, route: &str, now: Time) -> Option<Active> {
        let active = self.active.load();
        let own = active.iter().find(|bypass| bypass.until > now && bypass.route.as_deref() == Some(route));
        own.or_else(|| active.iter().find(|bypass| bypass.until > now && bypass.route.is_none())).cloned()
    }

    /// Begins one, in place of an earlier one of the same scope.
    pub fn begin(&self, wanted: &Wanted, now: Time) -> Active {
        let begun = Active {
            route: wanted.route.clone(),
            until: now.plus(wanted.lasting),
            direct: wanted.direct,
            remove_preconditions: wanted.remove_preconditions,
        };
        self.active.rcu(|active| {
            let mut next: Vec<_> =
                active.iter().filter(|bypass| bypass.until > now && bypass.route != begun.route).cloned().collect();
            next.push(begun.clone());
            next.sort_by(|a, b| a.route.cmp(&b.route));
            Arc::new(next)
        });
        begun
    }

    /// Ends that of a route, or that for all; whether there was one.
    pub fn end(&self, route: Option<&str>, now: Time) -> bool {
        let covers = |bypass: &Active| bypass.until > now && bypass.route.as_deref() == route;
        let before = self.active.rcu(|active| {
            Arc::new(active.iter().filter(|bypass| bypass.until > now && !covers(bypass)).cloned().collect::<Vec<_>>())
        });
        before.iter().any(covers)
    }

    /// Ends every bypass; whether there was one.
    pub fn end_all(&self, now: Time) -> bool {
        self.active.swap(Arc::default()).iter().any(|bypass| bypass.until > now)
    }
}

/// The entity-tag of a list of bypasses, with its quotes: another one whenever the list says something else.
pub fn entity_tag(active: &[Active]) -> String {
    let mut digest = Sha256::new();
    for Active { route, until, direct, remove_preconditions } in active {
        digest.update(format!("{route:?} {} {direct} {remove_preconditions}\n", until.unix_micros()));
    }
    let mut tag = String::from("\"");
    for byte in digest.finalize().iter().take(8) {
        // Writing to a String does not fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_unix_micros(1_000_000);

    fn wanted(route: Option<&str>, seconds: u64) -> Wanted {
        Wanted {
            route: route.map(str::to_owned),
            lasting: Duration::from_secs(seconds),
            direct: false,
            remove_preconditions: false,
        }
    }

    #[test]
    fn a_routes_own_bypass_comes_before_that_for_all_and_each_ends_by_itself() {
        let switch = Switch::default();
        switch.begin(&wanted(Some("orders"), 60), NOW);
        switch.begin(&wanted(None, 10), NOW);
        let scopes: Vec<_> = switch.active(NOW).into_iter().map(|bypass| bypass.route).collect();
        assert_eq!(scopes, [None, Some("orders".to_owned())]);
        assert_eq!(switch.covering("orders", NOW).unwrap().route.as_deref(), Some("orders"));
        assert_eq!(switch.covering("other", NOW).unwrap().route, None);
        let later = NOW.plus(Duration::from_secs(10));
        assert_eq!(switch.covering("other", later), None);
        assert!(switch.covering("orders", later).is_some());
        assert!(switch.end(Some("orders"), later) && !switch.end(Some("orders"), later));
    }

    #[test]
    fn the_same_scope_has_one_bypass_and_all_can_be_ended_at_once() {
        let switch = Switch::default();
        switch.begin(&wanted(None, 60), NOW);
        switch.begin(&wanted(None, 30), NOW);
        assert_eq!(switch.active(NOW).len(), 1);
        assert!(switch.end_all(NOW) && !switch.end_all(NOW));
    }

    #[test]
    fn the_tag_changes_with_the_list() {
        let switch = Switch::default();
        let tag = || entity_tag(&switch.active(NOW));
        let empty = tag();
        switch.begin(&wanted(None, 60), NOW);
        let one = tag();
        assert_ne!(empty, one);
        assert_eq!(one, tag());
        switch.end(None, NOW);
        assert_eq!(tag(), empty);
    }

    #[test]
    fn durations_are_bounded() {
        let bounds = Bounds { default: Duration::from_secs(900), longest: Duration::from_secs(3600) };
        assert_eq!(bounds.lasting(None), Ok(bounds.default));
        assert_eq!(bounds.lasting(Some(bounds.longest)), Ok(bounds.longest));
        let too_long = OutOfBounds::TooLong { longest: bounds.longest };
        assert_eq!(bounds.lasting(Some(Duration::from_secs(3601))), Err(too_long));
        assert_eq!(bounds.lasting(Some(Duration::ZERO)), Err(OutOfBounds::Nothing));
    }

    #[test]
    fn a_directive_that_stands_already_is_found() {
        #[track_caller]
        fn check(value: &str, expected: bool) {
            let fields = [("Cache-Control", "private"), ("cache-control", value)].into_iter().collect();
            assert_eq!(REQUEST_FIELDS[0].stands_in(&fields), expected, "{value}");
        }
        check("no-cache", true);
        check("max-age=0, No-Cache", true);
        check("private=\"x, no-cache\"", false);
        check("private=\"a\\\", no-cache, \", max-age=1", false);
        check("no-cache=\"Set-Cookie\"", false);
        check("no-cached", false);
        check("", false);
    }
}
