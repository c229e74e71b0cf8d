//! How many probes are sent: by the minute, and at once; per route and in all. A service that refuses much must not be
//! asked much on top of it, and one that answers slowly must not keep probes of others waiting.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::analysis::time::Time;
use crate::config::{Config, Route};

/// Probes of one route under way at once.
const OF_ROUTE_MAX: usize = 4;

/// Probes under way at once, of all routes.
const ALL_MAX: usize = 32;

const MINUTE: Duration = Duration::from_secs(60);

/// Counts what is sent.
#[derive(Debug)]
pub(super) struct Admission {
    minute: Minute,
    places: Arc<Semaphore>,
    /// By name; those that are configured.
    routes: HashMap<String, OfRoute>,
}

#[derive(Debug)]
struct OfRoute {
    minute: Minute,
    places: Arc<Semaphore>,
}

/// A place for one probe, given back when it is over.
#[derive(Debug)]
pub(super) struct Admitted(#[expect(dead_code, reason = "held until it is dropped")] [OwnedSemaphorePermit; 2]);

/// Why a probe is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// As many were sent as may be in a minute.
    Limited,
    /// As many are under way as may be at once.
    Busy,
}

impl Default for Admission {
    fn default() -> Self {
        Self { minute: Minute::default(), places: Arc::new(Semaphore::new(ALL_MAX)), routes: HashMap::new() }
    }
}

impl Admission {
    /// A place for a probe of that route, if there is one.
    pub(super) fn admit(&mut self, config: &Config, route: &Route, now: Time) -> Result<Admitted, Refused> {
        if self.routes.len() > config.routes.len() {
            self.routes.retain(|name, _| config.routes.iter().any(|route| route.name == *name));
        }
        let fresh = || OfRoute { minute: Minute::default(), places: Arc::new(Semaphore::new(OF_ROUTE_MAX)) };
        let own = self.routes.entry(route.name.clone()).or_insert_with(fresh);
        let place = |places: &Arc<Semaphore>| Arc::clone(places).try_acquire_owned().map_err(|_| Refused::Busy);
        let places = [place(&own.places)?, place(&self.places)?];
        if own.minute.is_full(route.probes_per_minute, now) || self.minute.is_full(config.limits.probes_per_minute, now)
        {
            return Err(Refused::Limited);
        }
        own.minute.count(route.probes_per_minute, now);
        self.minute.count(config.limits.probes_per_minute, now);
        Ok(Admitted(places))
    }
}

/// A bucket that holds a minute's worth and fills up again evenly.
#[derive(Debug, Default)]
struct Minute {
    /// When the bucket will be full again, if nothing more is taken.
    full_at: Time,
}

impl Minute {
    fn is_full(&self, most: u32, now: Time) -> bool {
        self.full_at.since(now) + Self::share(most) > MINUTE
    }

    fn count(&mut self, most: u32, now: Time) {
        self.full_at = self.full_at.max(now).plus(Self::share(most));
    }

    fn share(most: u32) -> Duration {
        MINUTE / most.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::UpstreamUrl;

    fn config() -> Config {
        let mut config = Config::defaults_with_upstream(UpstreamUrl { https: false, host: "h".to_owned(), port: 80 });
        let route = config.routes[0].clone();
        config.routes.push(Route { name: "other".to_owned(), ..route });
        config
    }

    /// How many of `tries` are admitted, and why the first that is not.
    fn admitted(
        admission: &mut Admission,
        config: &Config,
        route: usize,
        at: u64,
        tries: u32,
    ) -> (u32, Option<Refused>) {
        let mut count = 0;
        for _ in 0..tries {
            match admission.admit(config, &config.routes[route], Time::from_unix_micros(at * 1_000_000)) {
                Ok(_over_at_once) => count += 1,
                Err(refused) => return (count, Some(refused)),
            }
        }
        (count, None)
    }

    #[test]
    fn a_route_has_its_share_of_a_minute_and_no_more() {
        let (mut admission, mut config) = (Admission::default(), config());
        config.routes[0].probes_per_minute = 3;
        assert_eq!(admitted(&mut admission, &config, 0, 1000, 4), (3, Some(Refused::Limited)));
        assert_eq!(admitted(&mut admission, &config, 1, 1000, 4), (4, None), "another route has its own");
        assert_eq!(admitted(&mut admission, &config, 0, 1019, 1), (0, Some(Refused::Limited)));
        assert_eq!(admitted(&mut admission, &config, 0, 1020, 2), (1, Some(Refused::Limited)));
        assert_eq!(admitted(&mut admission, &config, 0, 9000, 9), (3, Some(Refused::Limited)), "nothing is saved up");
    }

    #[test]
    fn all_routes_share_a_minute() {
        let (mut admission, mut config) = (Admission::default(), config());
        config.limits.probes_per_minute = 5;
        assert_eq!(admitted(&mut admission, &config, 0, 1000, 3), (3, None));
        assert_eq!(admitted(&mut admission, &config, 1, 1000, 3), (2, Some(Refused::Limited)));
    }

    #[test]
    fn a_slow_route_does_not_take_every_place() {
        let (mut admission, mut config) = (Admission::default(), config());
        config.routes[0].probes_per_minute = 1000;
        config.limits.probes_per_minute = 1000;
        let now = Time::from_unix_micros(1);
        let held: Vec<_> = (0..OF_ROUTE_MAX).map(|_| admission.admit(&config, &config.routes[0], now)).collect();
        assert!(held.iter().all(Result::is_ok));
        assert_eq!(admission.admit(&config, &config.routes[0], now).err(), Some(Refused::Busy));
        assert!(admission.admit(&config, &config.routes[1], now).is_ok());
        drop(held);
        assert!(admission.admit(&config, &config.routes[0], now).is_ok());
    }

    #[test]
    fn routes_that_are_gone_are_forgotten() {
        let (mut admission, mut config) = (Admission::default(), config());
        for number in 0..100 {
            config.routes[0].name = format!("route-{number}");
            let _ = admission.admit(&config, &config.routes[0], Time::from_unix_micros(1));
        }
        assert!(admission.routes.len() <= config.routes.len() + 1, "{}", admission.routes.len());
    }
}
