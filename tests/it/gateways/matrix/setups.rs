//! The gateways, as Debian's packages and their documentation make them.

use super::super::{HAPROXY_COMPRESSION, HAPROXY_PLAIN, HTTPD_DEFLATE, NGINX_CACHE, NGINX_GZIP, NGINX_KEEPALIVE};
use super::super::{NGINX_PLAIN, Setup};
use crate::harness::gateway::Gateway;

pub(super) const NGINX: [&Setup; 6] =
    [&NGINX_PLAIN, &NGINX_GZIP, &NGINX_CACHE, &NGINX_GZIP_CACHE, &NGINX_KEEPALIVE, &NGINX_CLEARS];

pub(super) const HTTPD: [&Setup; 4] = [&HTTPD_DEFLATE, &HTTPD_NO_CHANGE, &HTTPD_REMOVE, &HTTPD_CACHE];

pub(super) const VARNISH: [&Setup; 3] = [&VARNISH_DEFAULT, &VARNISH_GZIP, &VARNISH_PASS];

pub(super) const HAPROXY: [&Setup; 4] = [&HAPROXY_PLAIN, &HAPROXY_COMPRESSION, &HAPROXY_CACHE, &HAPROXY_CLEARS];

const NGINX_GZIP_CACHE: Setup = Setup {
    name: "nginx with gzip and proxy_cache",
    start: |upstream| {
        Gateway::nginx(
            "gzip on; gzip_types *; gzip_proxied any; proxy_cache_path cache keys_zone=pages:1m;",
            "proxy_cache pages; proxy_cache_valid 200 1m;",
            upstream,
        )
    },
};

const NGINX_CLEARS: Setup = Setup {
    name: "nginx that clears If-Match",
    start: |upstream| Gateway::nginx("", "proxy_set_header If-Match \"\";", upstream),
};

const HTTPD_NO_CHANGE: Setup =
    Setup { name: "httpd with mod_deflate and NoChange", start: |upstream| deflate("NoChange", upstream) };

const HTTPD_REMOVE: Setup =
    Setup { name: "httpd with mod_deflate and Remove", start: |upstream| deflate("Remove", upstream) };

fn deflate(etag: &str, upstream: std::net::SocketAddr) -> Gateway {
    Gateway::httpd(&["filter", "deflate"], &format!("DeflateAlterETag {etag}\nSetOutputFilter DEFLATE"), upstream)
}

const HTTPD_CACHE: Setup = Setup {
    name: "httpd with mod_cache",
    start: |upstream| {
        Gateway::httpd(
            &["cache", "cache_socache", "socache_shmcb"],
            // With one thread the next request comes after the copy has been stored.
            "ThreadLimit 1\nThreadsPerChild 1\nServerLimit 1\nMaxRequestWorkers 1\nCacheSocache shmcb\nCacheEnable socache /",
            upstream,
        )
    },
};

const VARNISH_DEFAULT: Setup = Setup { name: "Varnish", start: |upstream| Gateway::varnish("", upstream) };

const VARNISH_GZIP: Setup = Setup {
    name: "Varnish with do_gzip",
    start: |upstream| Gateway::varnish("sub vcl_backend_response { set beresp.do_gzip = true; }", upstream),
};

const VARNISH_PASS: Setup = Setup {
    name: "Varnish that passes",
    start: |upstream| Gateway::varnish("sub vcl_recv { return (pass); }", upstream),
};

const HAPROXY_CACHE: Setup = Setup {
    name: "HAProxy with its cache",
    start: |upstream| Gateway::haproxy("http-request cache-use pages\n  http-response cache-store pages", upstream),
};

const HAPROXY_CLEARS: Setup = Setup {
    name: "HAProxy that deletes If-Match",
    start: |upstream| Gateway::haproxy("http-request del-header If-Match", upstream),
};
