//! Gateways × stories: a pair around each of Debian's gateways is held to what its ends saw.
//!
//! Each story is told twice, once through the bare gateway and once through the pair around it. Client and origin write
//! down what they sent and what they received; from this alone follow the alterations that were made, the cause of each
//! 412, and what else went wrong ([`truth`]). The pair must say exactly this, and change nothing ([`checks`]).

mod checks;
mod stories;
mod truth;
mod way;

use std::collections::BTreeSet;

use super::setups::{
    HAPROXY_CACHE, HAPROXY_DROPS, HTTPD_CACHE, HTTPD_NO_CHANGE, HTTPD_REMOVE, NGINX_CACHE_GZIP, NGINX_DROPS, VARNISH,
    VARNISH_GZIP, VARNISH_PASS,
};
use super::{
    HAPROXY_COMPRESSION, HAPROXY_PLAIN, HTTPD_DEFLATE, NGINX_CACHE, NGINX_GZIP, NGINX_KEEPALIVE, NGINX_PLAIN, Setup,
};
use way::Way;

/// Tells every story through every gateway. `expected` is what the gateways of a kind are known to do, between them: a
/// table in which nothing happens would prove nothing.
fn tell(setups: &[&Setup], expected: &[&str]) {
    let (mut faults, mut happened) = (Vec::new(), BTreeSet::new());
    for setup in setups {
        let (bare, pair) = told_alike(setup);
        let found = checks::same(&bare, &pair).into_iter().chain(checks::told(&pair));
        faults.extend(found.map(|fault| format!("{}: {fault}", setup.name)));
        happened.extend(checks::happened(&pair));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(happened, expected.iter().map(|what| (*what).to_owned()).collect());
}

/// Both ways after every story, again if they differ: whether a connection is back in its pool by the next request is up
/// to the gateway's threads, with or without us.
fn told_alike(setup: &Setup) -> (Way, Way) {
    let mut left = 3;
    loop {
        let (bare, pair) = (Way::through(setup), Way::by_pair(setup));
        for (name, story) in stories::ALL {
            for way in [&bare, &pair] {
                way.begin(name);
                story(way);
            }
        }
        left -= 1;
        if left == 0 || checks::same(&bare, &pair).is_none() {
            return (bare, pair);
        }
    }
}

#[test]
fn a_pair_around_nginx_tells_the_truth() {
    tell(
        &[&NGINX_PLAIN, &NGINX_GZIP, &NGINX_CACHE, &NGINX_CACHE_GZIP, &NGINX_KEEPALIVE, &NGINX_DROPS],
        &[
            "bypass-disobeyed",
            "gateway-answered",
            "not-modified-mismatch",
            "outdated-date",
            "precondition-dropped",
            "proven concurrent-update",
            "proven etag-weakened",
            "proven retry-after-applied/by-client",
            "proven stale-cache",
            "request if-match stripped",
            "response etag weakened",
            "retry-after-applied/by-client",
            "retry-after-applied/by-gateway",
            "stale-response",
        ],
    );
}

#[test]
fn a_pair_around_httpd_tells_the_truth() {
    tell(
        &[&HTTPD_DEFLATE, &HTTPD_NO_CHANGE, &HTTPD_REMOVE, &HTTPD_CACHE],
        &[
            "gateway-answered",
            "missed-304",
            "outdated-date",
            "proven concurrent-update",
            "proven etag-suffixed",
            "proven retry-after-applied/by-client",
            "request if-match merged",
            "response etag stripped",
            "response etag suffixed",
            "retry-after-applied/by-client",
            "shared-strong-tag",
        ],
    );
}

#[test]
fn a_pair_around_varnish_tells_the_truth() {
    tell(
        &[&VARNISH, &VARNISH_GZIP, &VARNISH_PASS],
        &[
            "bypass-disobeyed",
            "outdated-date",
            "proven concurrent-update",
            "proven etag-weakened",
            "proven retry-after-applied/by-client",
            "proven stale-cache",
            "response etag weakened",
            "retry-after-applied/by-client",
            "retry-after-applied/by-gateway",
            "stale-response",
        ],
    );
}

#[test]
fn a_pair_around_haproxy_tells_the_truth() {
    tell(
        &[&HAPROXY_PLAIN, &HAPROXY_COMPRESSION, &HAPROXY_CACHE, &HAPROXY_DROPS],
        &[
            "not-modified-mismatch",
            "outdated-date",
            "precondition-dropped",
            "proven concurrent-update",
            "proven etag-weakened",
            "request if-match stripped",
            "response etag weakened",
            "retry-after-applied/by-client",
        ],
    );
}
