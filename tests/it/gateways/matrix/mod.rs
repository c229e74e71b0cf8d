//! Gateways × stories: a pair around each of Debian's gateways is held to what its ends saw.
//!
//! Each story is told twice, once through the bare gateway and once through the pair around it. Client and origin write
//! down what they sent and what they received; from this alone follow the alterations that were made, the cause of each
//! 412, and what else went wrong ([`truth`]). The pair must say exactly this, and change nothing ([`checks`]).

mod checks;
mod setups;
mod stories;
mod truth;
mod way;

use super::Setup;
use way::Way;

/// Tells every story through every gateway.
fn tell(setups: &[&Setup]) {
    let faults: Vec<_> = setups.iter().flat_map(|setup| faults(setup)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What a pair around one gateway changes, or says wrongly.
fn faults(setup: &Setup) -> Vec<String> {
    let mut differing = Vec::new();
    // Whether a connection is back in the pool by the next request is up to the gateway's threads, with or without us.
    for _ in 0..3 {
        let (bare, pair) = (Way::through(setup), Way::by_pair(setup));
        for (name, story) in stories::ALL {
            for way in [&bare, &pair] {
                way.begin(name);
                story(way);
            }
        }
        let told = checks::told(&pair);
        differing = checks::same(&bare, &pair);
        if !told.is_empty() || differing.is_empty() {
            return told.iter().map(|fault| format!("{}: {fault}", setup.name)).collect();
        }
    }
    differing.iter().map(|fault| format!("{}: {fault}", setup.name)).collect()
}

#[test]
fn a_pair_around_nginx_tells_the_truth() {
    tell(&setups::NGINX);
}

#[test]
fn a_pair_around_httpd_tells_the_truth() {
    tell(&setups::HTTPD);
}

#[test]
fn a_pair_around_varnish_tells_the_truth() {
    tell(&setups::VARNISH);
}

#[test]
fn a_pair_around_haproxy_tells_the_truth() {
    tell(&setups::HAPROXY);
}
