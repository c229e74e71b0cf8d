//! The gateways themselves, with no instance anywhere: what the stories about them rest on.

use crate::harness::gateway::Gateway;
use crate::harness::versioned;
use crate::harness::wire::Wire;

#[test]
fn nginx_with_gzip_hands_out_a_weakened_tag() {
    let origin = versioned::origin();
    let nginx = Gateway::nginx("gzip on; gzip_types *; gzip_proxied any;", "", origin.address());

    let plain = Wire::to(nginx.address()).ask("GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    let zipped =
        Wire::to(nginx.address()).ask("GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\nAccept-Encoding: gzip\r\n\r\n");

    assert_eq!(plain.value("ETag"), Some("\"v1\""));
    assert_eq!(zipped.value("ETag"), Some("W/\"v1\""));
}

#[test]
fn httpd_with_deflate_hands_out_a_suffixed_tag() {
    let origin = versioned::origin();
    let httpd = Gateway::httpd(&["filter", "deflate"], "SetOutputFilter DEFLATE", origin.address());

    let zipped =
        Wire::to(httpd.address()).ask("GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\nAccept-Encoding: gzip\r\n\r\n");

    assert_eq!(zipped.value("ETag"), Some("\"v1-gzip\""));
}
