//! Gateways that only a pair is put around.

use super::Setup;
use crate::harness::gateway::Gateway;

pub(super) const NGINX_CACHE_GZIP: Setup = Setup {
    name: "nginx with proxy_cache and gzip",
    start: |upstream| {
        Gateway::nginx(
            "proxy_cache_path cache keys_zone=pages:1m; gzip on; gzip_types *; gzip_proxied any;",
            "proxy_cache pages; proxy_cache_valid 200 1m;",
            upstream,
        )
    },
};

pub(super) const NGINX_DROPS: Setup = Setup {
    name: "nginx that clears If-Match",
    start: |upstream| Gateway::nginx("", "proxy_set_header If-Match \"\";", upstream),
};

pub(super) const HTTPD_NO_CHANGE: Setup = Setup {
    name: "httpd with mod_deflate and DeflateAlterETag NoChange",
    start: |upstream| {
        Gateway::httpd(&["filter", "deflate"], "SetOutputFilter DEFLATE\nDeflateAlterETag NoChange", upstream)
    },
};

pub(super) const HTTPD_REMOVE: Setup = Setup {
    name: "httpd with mod_deflate and DeflateAlterETag Remove",
    start: |upstream| {
        Gateway::httpd(&["filter", "deflate"], "SetOutputFilter DEFLATE\nDeflateAlterETag Remove", upstream)
    },
};

pub(super) const HTTPD_CACHE: Setup = Setup {
    name: "httpd with mod_cache",
    start: |upstream| {
        Gateway::httpd(
            &["cache", "cache_socache", "socache_shmcb"],
            // With one thread the next request comes after the copy has been stored. While it is busy, httpd closes idle
            // connections; so there are none.
            "ThreadLimit 1\nThreadsPerChild 1\nServerLimit 1\nMaxRequestWorkers 1\nAsyncRequestWorkerFactor 64\n\
             KeepAlive Off\n\
             CacheSocache shmcb\nCacheEnable socache /\nCacheDefaultExpire 60\nCacheQuickHandler on",
            upstream,
        )
    },
};

pub(super) const HAPROXY_CACHE: Setup = Setup {
    name: "HAProxy with a cache",
    start: |upstream| Gateway::haproxy("http-request cache-use pages\n  http-response cache-store pages", upstream),
};

pub(super) const HAPROXY_DROPS: Setup = Setup {
    name: "HAProxy that deletes If-Match",
    start: |upstream| Gateway::haproxy("http-request del-header If-Match", upstream),
};

pub(super) const VARNISH: Setup = Setup { name: "Varnish", start: |upstream| Gateway::varnish("", upstream) };

pub(super) const VARNISH_GZIP: Setup = Setup {
    name: "Varnish with do_gzip",
    start: |upstream| Gateway::varnish("sub vcl_backend_response { set beresp.do_gzip = true; }", upstream),
};

pub(super) const VARNISH_PASS: Setup = Setup {
    name: "Varnish that passes",
    start: |upstream| Gateway::varnish("sub vcl_recv { return (pass); }", upstream),
};
