//! Real gateways from Debian's packages, with one instance in front of them or behind them, or with a pair around them.

mod alone;
mod matrix;
mod pairs;
mod setups;
mod stories;

use std::net::SocketAddr;

use crate::harness::gateway::Gateway;
use crate::harness::instance::Instance;
use crate::harness::message::Message;
use crate::harness::origin::Origin;
use crate::harness::versioned;
use crate::harness::wire::Wire;

/// A gateway as somebody would run it.
struct Setup {
    name: &'static str,
    start: fn(SocketAddr) -> Gateway,
}

const NGINX_PLAIN: Setup = Setup { name: "nginx", start: |upstream| Gateway::nginx("", "", upstream) };

const NGINX_KEEPALIVE: Setup = Setup {
    name: "nginx with keep-alive upstream",
    start: |upstream| Gateway::nginx("", "proxy_http_version 1.1; proxy_set_header Connection \"\";", upstream),
};

const NGINX_GZIP: Setup = Setup {
    name: "nginx with gzip",
    start: |upstream| Gateway::nginx("gzip on; gzip_types *; gzip_proxied any;", "", upstream),
};

const NGINX_CACHE: Setup = Setup {
    name: "nginx with proxy_cache",
    start: |upstream| {
        Gateway::nginx(
            "proxy_cache_path cache keys_zone=pages:1m;",
            "proxy_cache pages; proxy_cache_valid 200 1m;",
            upstream,
        )
    },
};

const HTTPD_PLAIN: Setup = Setup { name: "httpd", start: |upstream| Gateway::httpd(&[], "", upstream) };

const HTTPD_DEFLATE: Setup = Setup {
    name: "httpd with mod_deflate",
    start: |upstream| Gateway::httpd(&["filter", "deflate"], "SetOutputFilter DEFLATE", upstream),
};

const HAPROXY_PLAIN: Setup = Setup { name: "HAProxy", start: |upstream| Gateway::haproxy("", upstream) };

const HAPROXY_COMPRESSION: Setup = Setup {
    name: "HAProxy with compression",
    start: |upstream| Gateway::haproxy("compression algo gzip\n  compression type application/json", upstream),
};

const ALL: [&Setup; 8] = [
    &NGINX_PLAIN,
    &NGINX_KEEPALIVE,
    &NGINX_GZIP,
    &NGINX_CACHE,
    &HTTPD_PLAIN,
    &HTTPD_DEFLATE,
    &HAPROXY_PLAIN,
    &HAPROXY_COMPRESSION,
];

/// Where the only instance stands towards the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// On the client's side.
    Front,
    /// On the origin's side.
    Behind,
}

const PLACES: [Place; 2] = [Place::Front, Place::Behind];

/// A client's way through instance and gateway to an origin that judges strictly.
struct Path {
    entry: SocketAddr,
    instance: Instance,
    origin: Origin,
    _gateway: Gateway,
}

impl Path {
    fn through(setup: &Setup, place: Place) -> Self {
        let origin = versioned::origin();
        let (entry, instance, gateway) = match place {
            Place::Front => {
                let gateway = (setup.start)(origin.address());
                let instance = Instance::before(gateway.address());
                (instance.address(), instance, gateway)
            }
            Place::Behind => {
                let instance = Instance::before(origin.address());
                let gateway = (setup.start)(instance.address());
                (gateway.address(), instance, gateway)
            }
        };
        Self { entry, instance, origin, _gateway: gateway }
    }

    /// Sends a request of one user: `ask("anna", "GET /orders/7", "Accept-Encoding: gzip")`.
    fn ask(&self, user: &str, line: &str, fields: &str) -> Message {
        // RFC 7617: the user of Basic tells clients apart best.
        let user = match user {
            "anna" => "YW5uYTpzZWNyZXQ=",
            "bert" => "YmVydDpzZWNyZXQ=",
            _ => panic!("nobody knows {user}"),
        };
        let fields: String = fields.lines().map(|line| format!("{}\r\n", line.trim())).collect();
        let body = if line.starts_with("PUT") { "Content-Length: 16\r\n\r\n{\"changed\":true}" } else { "\r\n" };
        Wire::to(self.entry)
            .ask(format!("{line} HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Basic {user}\r\n{fields}{body}"))
    }
}
