//! What to change in a product that is known to interfere: one sentence each, shared by the entries that advise it.
//! Every sentence starts with a verb and names the directive; whether the product is there is the examining rule's
//! business.

use crate::analysis::semantics::caching::Product;

/// nginx weakens the tags of what it compresses, whatever `Cache-Control: no-transform` says.
pub const NGINX_COMPRESSION: &str = "Set `gzip off;` (and `brotli off;`, `zstd off;` where such a module is loaded) in \
    the `location` of this route in nginx, and no `sub_filter` or `ssi` there; it does not heed `no-transform`, but \
    passes what the origin has compressed itself, tag included.";
/// nginx removes tags in some filters, and malformed ones when it compresses.
pub const NGINX_STRIPPED: &str = "Remove `proxy_hide_header ETag`, `more_clear_headers` and `sub_filter` from this \
    route's `location` in nginx, and see that the origin's tag is quoted: gzip there drops a tag without quotes.";
/// nginx judges conditions on what it caches.
pub const NGINX_CACHE_ANSWERS: &str = "Set `proxy_cache off;` in the `location` of this route in nginx: with a cache \
    it judges If-Match and If-Unmodified-Since by itself, even where `proxy_cache_bypass` applies.";
/// nginx sends idempotent requests to the next peer, or again on a new connection.
pub const NGINX_RESEND: &str = "Set `proxy_next_upstream off;` in the `location` of this route in nginx: by default it \
    sends PUT and DELETE again when a connection dies before the answer.";
/// How to get an old copy out of nginx.
pub const NGINX_PURGE: &str = "Delete the entry from `proxy_cache_path` of nginx (or use `proxy_cache_purge` where it \
    is available), and set `proxy_cache off;` for what is edited: nginx neither drops a copy when a write passes nor \
    obeys `no-cache` of a request.";

/// mod_deflate appends `-gzip`.
pub const HTTPD_COMPRESSION: &str = "Exclude the route from mod_deflate in Apache httpd (`SetEnvIfNoCase Request_URI \
    \"^/api/\" no-gzip`), or set `DeflateAlterETag NoChange` for its virtual host (2.4.58 and later); with the latter one \
    strong tag names both encodings, so keep it away from what is fetched in ranges.";
/// mod_brotli appends `-br`.
pub const HTTPD_BROTLI: &str = "Exclude the route from mod_brotli in Apache httpd (`SetEnvIfNoCase Request_URI \"^/api/\" \
    no-brotli`), or set `BrotliAlterETag NoChange` for its virtual host, with the same reservation.";
/// httpd can be told to remove tags.
pub const HTTPD_STRIPPED: &str = "Remove `Header unset ETag`, `FileETag None` and `DeflateAlterETag Remove` for this \
    route in Apache httpd.";
/// mod_cache stores 412s with explicit freshness, and judges dates on what it has stored.
pub const HTTPD_CACHE_ANSWERS: &str = "Set `CacheDisable` for the path of this route in Apache httpd: mod_cache judges \
    If-Unmodified-Since on what it has stored, and stores a 412 that carries explicit freshness.";
/// How to get an old copy out of mod_cache.
pub const HTTPD_PURGE: &str = "Remove the URL from Apache httpd's store with `htcacheclean`, and set `CacheDisable` for \
    what is edited; a read with `Cache-Control: no-cache` fetches it anew.";

/// HAProxy weakens the tags of what it compresses, and heeds `no-transform`.
pub const HAPROXY_COMPRESSION: &str = "Remove `filter compression`, `compression algo` and `compression offload` from \
    the frontend or backend of this route in HAProxy, or have the origin send `Cache-Control: no-transform`, which it \
    obeys.";
/// HAProxy can be told to remove tags.
pub const HAPROXY_STRIPPED: &str = "Remove `http-response del-header ETag` (and `replace-header` rules on it) for this \
    route in HAProxy.";
/// HAProxy repeats where told so.
pub const HAPROXY_RESEND: &str = "Set `http-request disable-l7-retry if !METH_GET` in HAProxy where `retry-on` lists \
    more than `conn-failure`.";
/// HAProxy's cache has no purge.
pub const HAPROXY_PURGE: &str = "Remove `http-request cache-use` for what is edited in HAProxy, whose cache cannot be \
    purged by URL; a read with `Cache-Control: no-cache` passes it by.";

/// Varnish weakens where it compresses or decompresses.
pub const VARNISH_COMPRESSION: &str = "Remove `set beresp.do_gzip = true;` for this route in Varnish (`set \
    beresp.do_gzip = false;` in vcl_backend_response), and `return (pass);` in vcl_recv for what is edited: Varnish \
    also weakens a tag when it unpacks the origin's gzip for a client.";
/// Varnish answers valid conditions itself.
pub const VARNISH_CACHE_ANSWERS: &str = "Add `return (pass);` in vcl_recv of Varnish for this route, so that \
    conditions reach the origin.";
/// Varnish repeats a bodiless request on a dead connection.
pub const VARNISH_RESEND: &str = "Set Varnish's parameter `backend_idle_timeout` below the idle timeout of the origin: \
    it repeats a request without body, DELETE included, when a kept connection turns out dead.";
/// How to get an old copy out of Varnish.
pub const VARNISH_PURGE: &str = "Send a PURGE or ban for the URL to Varnish where the VCL allows it (`return (purge);`, \
    `varnishadm ban req.url == /path`), and have it purge when a write passes.";

/// Cloudflare weakens what it compresses or edits.
pub const CLOUDFLARE_COMPRESSION: &str = "Turn off what rewrites bodies for this path at Cloudflare (minification, \
    email obfuscation, Rocket Loader), turn on \"Respect Strong ETags\" in a cache rule for it, and have the origin \
    compress by itself or send `Cache-Control: no-transform`.";
/// CloudFront weakens what it compresses.
pub const CLOUDFRONT_COMPRESSION: &str = "Turn off \"Compress objects automatically\" in the cache behaviour of this \
    path in Amazon CloudFront: it makes the tag of what it compresses weak.";
/// Purging at CDNs.
pub const CDN_PURGE: &str = "Purge the URL at the CDN by its API (Cloudflare `purge_cache` with `files`, Fastly PURGE, \
    CloudFront invalidation, Akamai Fast Purge), and have the service do so after each write.";

/// Envoy's compressor removes strong tags.
pub const ENVOY_COMPRESSION: &str = "Set `disable_on_etag_header: true` in the compressor filter of Envoy: by default it \
    removes strong tags from what it compresses.";
/// Envoy repeats where told so.
pub const ENVOY_RESEND: &str = "Limit `retry_policy` of Envoy (and of meshes built on it) to `connect-failure` for \
    methods other than GET and HEAD.";

/// Traffic Server's compress plugin.
pub const TRAFFIC_SERVER_COMPRESSION: &str = "Add a `disallow` pattern for the path to the configuration of Apache \
    Traffic Server's compress (gzip) plugin.";
/// Jetty's compression handler.
pub const JETTY_COMPRESSION: &str = "Exclude the path from Jetty's `GzipHandler` (`addExcludedPaths`), or update Jetty \
    to a version that removes its `--gzip` from If-Match as well.";
/// IIS dynamic compression.
pub const IIS_COMPRESSION: &str = "Set `<urlCompression doDynamicCompression=\"false\" />` for the path in IIS.";

/// What a product is to be kept from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepFrom {
    /// Making strong tags weak.
    Weakening,
    /// Appending to tags.
    Suffixing,
    /// Removing tags.
    Stripping,
    /// Judging conditions by itself.
    Answering,
    /// Sending a request again.
    Resending,
    /// Giving out an old copy.
    OldCopies,
}

/// The sentence for a product that was recognised, where there is one.
pub fn advice(product: Product, from: KeepFrom) -> Option<&'static str> {
    let known: &[(Product, &str)] = match from {
        KeepFrom::Weakening => WEAKENING,
        KeepFrom::Suffixing => SUFFIXING,
        KeepFrom::Stripping => STRIPPING,
        KeepFrom::Answering => ANSWERING,
        KeepFrom::Resending => RESENDING,
        KeepFrom::OldCopies => OLD_COPIES,
    };
    known.iter().find(|(named, _)| *named == product).map(|(_, sentence)| *sentence)
}

const WEAKENING: &[(Product, &str)] = &[
    (Product::Nginx, NGINX_COMPRESSION),
    (Product::HaProxy, HAPROXY_COMPRESSION),
    (Product::Varnish, VARNISH_COMPRESSION),
    (Product::Cloudflare, CLOUDFLARE_COMPRESSION),
    (Product::CloudFront, CLOUDFRONT_COMPRESSION),
    (Product::Iis, IIS_COMPRESSION),
];

const SUFFIXING: &[(Product, &str)] = &[
    (Product::Httpd, HTTPD_COMPRESSION),
    (Product::TrafficServer, TRAFFIC_SERVER_COMPRESSION),
    (Product::Jetty, JETTY_COMPRESSION),
];

const STRIPPING: &[(Product, &str)] = &[
    (Product::Envoy, ENVOY_COMPRESSION),
    (Product::Nginx, NGINX_STRIPPED),
    (Product::Httpd, HTTPD_STRIPPED),
    (Product::HaProxy, HAPROXY_STRIPPED),
];

const ANSWERING: &[(Product, &str)] = &[
    (Product::Nginx, NGINX_CACHE_ANSWERS),
    (Product::Httpd, HTTPD_CACHE_ANSWERS),
    (Product::Varnish, VARNISH_CACHE_ANSWERS),
];

const RESENDING: &[(Product, &str)] = &[
    (Product::Nginx, NGINX_RESEND),
    (Product::HaProxy, HAPROXY_RESEND),
    (Product::Varnish, VARNISH_RESEND),
    (Product::Envoy, ENVOY_RESEND),
];

const OLD_COPIES: &[(Product, &str)] = &[
    (Product::Nginx, NGINX_PURGE),
    (Product::Varnish, VARNISH_PURGE),
    (Product::Httpd, HTTPD_PURGE),
    (Product::HaProxy, HAPROXY_PURGE),
    (Product::Cloudflare, CDN_PURGE),
    (Product::CloudFront, CDN_PURGE),
    (Product::Fastly, CDN_PURGE),
    (Product::Akamai, CDN_PURGE),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_the_product_it_is_for() {
        for (product, sentence) in [WEAKENING, SUFFIXING, STRIPPING, ANSWERING, RESENDING, OLD_COPIES].concat() {
            let name = product.as_str().trim_start_matches("Amazon ");
            assert!(sentence.contains(name), "{}: {sentence}", product.as_str());
        }
    }

    #[test]
    fn what_is_not_known_to_do_a_thing_is_not_told_to_stop_it() {
        assert_eq!(advice(Product::Nginx, KeepFrom::Weakening), Some(NGINX_COMPRESSION));
        assert_eq!(advice(Product::Nginx, KeepFrom::Suffixing), None);
        assert_eq!(advice(Product::S3, KeepFrom::OldCopies), None);
    }
}
