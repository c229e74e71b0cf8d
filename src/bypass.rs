//! The bypass switch: state, scope, expiry, and the fields it sets.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::analysis::time::Time;

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
}
