//! Real gateways: what they alter is named with `--direct`, and suspected without; those that alter nothing are accused
//! of nothing.

use std::net::SocketAddr;

use super::{also, diagnose, url, verdict};
use crate::harness::gateway::Gateway;
use crate::harness::message::Message;
use crate::harness::origin::Origin;
use crate::harness::versioned;
use crate::harness::wire::Wire;

struct Altering {
    name: &'static str,
    start: fn(SocketAddr) -> Gateway,
    /// What clients are given in place of `"v1"` where they accept gzip.
    given: &'static str,
    cause: &'static str,
    product: Option<&'static str>,
}

const ALTERING: [Altering; 4] = [
    Altering {
        name: "nginx with gzip",
        start: |upstream| Gateway::nginx("gzip on; gzip_types *; gzip_proxied any;", "", upstream),
        given: "W/\"v1\"",
        cause: "etag-weakened",
        product: Some("nginx"),
    },
    Altering {
        name: "httpd with mod_deflate",
        start: |upstream| Gateway::httpd(&["filter", "deflate"], "SetOutputFilter DEFLATE", upstream),
        given: "\"v1-gzip\"",
        cause: "etag-suffixed",
        product: Some("Apache httpd"),
    },
    Altering {
        name: "HAProxy with compression",
        start: |upstream| Gateway::haproxy("compression algo gzip\n  compression type application/json", upstream),
        given: "W/\"v1\"",
        cause: "etag-weakened",
        product: None,
    },
    Altering {
        name: "Varnish with do_gzip",
        start: |upstream| Gateway::varnish("sub vcl_backend_response { set beresp.do_gzip = true; }", upstream),
        given: "W/\"v1\"",
        cause: "etag-weakened",
        product: Some("Varnish"),
    },
];

#[test]
fn what_a_gateway_alters_is_proven_with_the_way_around_it() {
    for setup in &ALTERING {
        let origin = versioned::origin();
        let gateway = (setup.start)(origin.address());
        let (at, direct) = (url(gateway.address(), "/orders/7"), url(origin.address(), ""));
        let condition = format!("If-Match: {}", setup.given);
        let put = ["-X", "PUT", "-H", &condition, "-d", "{}", &at, "--direct", &direct];

        let (said, code) = diagnose(&put);
        assert_eq!(code, 1, "{}", setup.name);
        assert_eq!(verdict(&said), format!("{} proven", setup.cause), "{}: {said:#}", setup.name);
        assert_eq!(said["outcome"]["about"], "would-be-refused", "{}", setup.name);
        assert_eq!(said["verdict"]["party"], "gateway", "{}", setup.name);
        assert_eq!(said["refreshed"]["value"], "\"v1\"", "{}: the origin's own", setup.name);
        assert_eq!(said["refreshed"]["same_version"], true, "{}", setup.name);
        let products: Vec<_> = said["alterations"].as_array().unwrap().iter().map(|one| &one["product"]).collect();
        assert!(products.iter().all(|product| product.as_str() == setup.product), "{}: {products:?}", setup.name);
        assert!(origin.requests().iter().all(is_read), "{}: only reads are sent", setup.name);

        let (said, _) = diagnose(&[&put[..], &["--send"]].concat());
        assert_eq!(verdict(&said), format!("{} proven", setup.cause), "{}: {said:#}", setup.name);
        assert_eq!(said["outcome"]["about"], "refused", "{}", setup.name);
        let writes = origin.requests().iter().filter(|request| !is_read(request)).count();
        assert_eq!(writes, 1, "{}: the write is sent once", setup.name);
    }
}

#[test]
fn what_a_gateway_alters_is_suspected_without_the_way_around_it() {
    for setup in &ALTERING {
        let origin = versioned::origin();
        let gateway = (setup.start)(origin.address());
        let at = url(gateway.address(), "/orders/7");

        let (said, code) = diagnose(&["-X", "PUT", "-H", &format!("If-Match: {}", setup.given), "-d", "{}", &at]);
        assert_eq!(code, 1, "{}", setup.name);
        // Varnish serves what it has compressed to everybody, unpacked and weak: nothing shows that it ever was strong.
        let expected = if setup.name.starts_with("Varnish") { "weak-etag-in-if-match" } else { setup.cause };
        assert_eq!(verdict(&said), format!("{expected} likely"), "{}: {said:#}", setup.name);

        // Without any condition the way is checked all the same.
        let (said, _) = diagnose(&[&at, "--direct", &url(origin.address(), "")]);
        assert_eq!(also(&said), [format!("{} proven", setup.cause)], "{}: {said:#}", setup.name);
    }
}

#[test]
fn a_clean_way_is_accused_of_nothing() {
    type Start = fn(SocketAddr) -> Gateway;
    let clean: [(&str, Start); 5] = [
        ("nginx", |upstream| Gateway::nginx("", "", upstream)),
        ("nginx with proxy_cache", |upstream| {
            Gateway::nginx(
                "proxy_cache_path cache keys_zone=p:1m;",
                "proxy_cache p; proxy_cache_valid 200 1m;",
                upstream,
            )
        }),
        ("httpd", |upstream| Gateway::httpd(&[], "", upstream)),
        ("HAProxy", |upstream| Gateway::haproxy("", upstream)),
        ("Varnish", |upstream| Gateway::varnish("", upstream)),
    ];
    for (name, start) in clean {
        let origin = versioned::origin();
        let gateway = start(origin.address());
        let (at, direct) = (url(gateway.address(), "/orders/7"), url(origin.address(), ""));
        for around in [&[][..], &["--direct", &direct]] {
            let (said, code) = diagnose(&[&[at.as_str()][..], around].concat());
            assert_eq!((code, also(&said)), (0, vec![]), "{name}: {said:#}");
            let put = ["-X", "PUT", "-H", "If-Match: \"v1\"", "-d", "{}", &at];
            let (said, code) = diagnose(&[&put[..], around].concat());
            assert_eq!((code, verdict(&said)), (0, String::new()), "{name}: {said:#}");
            assert_eq!(said["outcome"]["about"], "would-hold", "{name}");
        }
    }
}

#[test]
fn an_old_copy_is_told_from_a_changed_tag() {
    let origin = versioned::origin();
    let gateway = Gateway::varnish("", origin.address());
    let (at, direct) = (url(gateway.address(), "/orders/7"), url(origin.address(), ""));
    Wire::to(gateway.address()).ask("GET /orders/7 HTTP/1.1\r\nHost: x\r\n\r\n");
    // Somebody writes around the cache.
    Wire::to(origin.address()).ask("PUT /orders/7 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    // Varnish names a hit by its second number, whatever the age.
    let put = ["-X", "PUT", "-H", "If-Match: \"v1\"", "-H", "Host: x", "-d", "{}", &at, "--direct", &direct];

    let (said, _) = diagnose(&put);
    assert_eq!(verdict(&said), "stale-cache likely", "{said:#}");
    assert_eq!(said["refreshed"]["same_version"], false, "what was read is not what is there");
}

#[test]
fn a_gateway_that_drops_the_condition_of_reads_is_noted() {
    let origin = Origin::answering({
        let resources = versioned::Resources::default();
        move |request: &Message| resources.answer(request)
    });
    let gateway = Gateway::nginx("", "proxy_set_header If-Match \"\";", origin.address());
    let (at, direct) = (url(gateway.address(), "/orders/7"), url(origin.address(), ""));
    let (said, _) = diagnose(&[&at, "--direct", &direct]);
    let notes = said["notes"].as_array().unwrap();
    assert!(notes.iter().any(|note| note.as_str().unwrap().contains("not through the URL")), "{said:#}");
}

fn is_read(request: &Message) -> bool {
    matches!(request.head.method(), "GET" | "HEAD")
}
