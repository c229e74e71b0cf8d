//! Real peers on either side: nginx over TLS, and gRPC as its own library speaks it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use http::Request;

use super::configured;
use crate::harness::gateway::Gateway;
use crate::harness::http2::Http2;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::tls::Authority;

const GET: &str = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

/// nginx over TLS, which says which version it was spoken to in.
fn nginx(authority: &Authority, listen: &str, more: &str) -> Gateway {
    let server = format!(
        "ssl_certificate {}; ssl_certificate_key {}; {more}
         location / {{ add_header ETag '\"v1\"'; return 200 \"$server_protocol $http_host\"; }}",
        authority.file("tls.pem"),
        authority.file("tls.key")
    );
    Gateway::nginx_server("", listen, &server)
}

fn before(nginx: &Gateway, authority: &Authority, http: &str) -> Instance {
    let address = nginx.address();
    let ca = authority.file("ca.pem");
    configured(
        &format!("url = \"https://{address}\"\nhttp = \"{http}\"\ntls = {{ ca = \"{ca}\" }}"),
        "[limits]\nthreads = 1\n",
    )
}

#[test]
fn over_tls_the_version_is_what_alpn_agrees_on() {
    let authority = Authority::new();
    let both = nginx(&authority, "ssl http2", "");
    let old = nginx(&authority, "ssl", "");

    for (nginx, http, expected) in [
        (&both, "2", "HTTP/2.0 shop.test"),
        (&both, "auto", "HTTP/2.0 shop.test"),
        (&both, "1.1", "HTTP/1.1 shop.test"),
        (&old, "auto", "HTTP/1.1 shop.test"),
    ] {
        let instance = before(nginx, &authority, http);
        for _ in 0..3 {
            let answer = instance.ask(GET);
            assert_eq!((answer.text().as_str(), answer.value("etag")), (expected, Some("\"v1\"")), "{http}");
        }
    }
    let refused = before(&old, &authority, "2").ask(GET);
    assert_eq!(
        (refused.status(), refused.json()["detail"].as_str()),
        (502, Some("The upstream does not speak HTTP/2."))
    );
}

#[test]
fn an_upgrade_finds_a_connection_of_http_1_1_where_http_2_offers_none() {
    let authority = Authority::new();
    let nginx = nginx(&authority, "ssl http2", "");
    let instance = before(&nginx, &authority, "auto");
    assert_eq!(instance.ask(GET).text(), "HTTP/2.0 shop.test");

    let asked = "GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

    assert_eq!(instance.ask(asked).text(), "HTTP/1.1 shop.test");
}

#[test]
fn connections_that_end_after_a_few_requests_lose_no_read() {
    let authority = Authority::new();
    let nginx = nginx(&authority, "ssl http2", "keepalive_requests 7;");
    let instance = before(&nginx, &authority, "2");

    let client = Http2::to(instance.address());
    for _ in 0..5 {
        let requests = (0..20).map(|at| Request::get(format!("http://shop.test/{at}")).body(()).unwrap()).collect();
        for answer in client.ask_all(requests) {
            let answer = answer.unwrap();
            assert_eq!((answer.status(), answer.body.as_slice()), (200, &b"HTTP/2.0 shop.test"[..]));
        }
    }
}

#[test]
fn haproxy_and_httpd_are_spoken_to_by_prior_knowledge() {
    let origin = Origin::answering(|request| {
        let (tag, length) = (request.value("If-Match").unwrap_or("none").to_owned(), request.body.len());
        format!(
            "HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nX-Asked: {tag} {length}\r\nContent-Length: 0\r\n\r\n"
        )
    });
    for gateway in
        [Gateway::haproxy("", origin.address()), Gateway::httpd(&["http2"], "Protocols h2c http/1.1", origin.address())]
    {
        let instance = super::before(gateway.address(), "");
        let large = "x".repeat(300_000);
        let put = "PUT /a HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v1\"\r\nContent-Length: 300000\r\n\r\n";

        let answer = instance.ask(format!("{put}{large}"));

        assert_eq!((answer.status(), answer.value("x-asked")), (412, Some("\"v1\" 300000")));
        assert_eq!(instance.record_of_412("PUT")["response"]["version"], "HTTP/2");
    }
}

/// The server of `grpc_peers.py`. It ends when dropped.
struct Grpc {
    child: Child,
    address: SocketAddr,
}

impl Grpc {
    fn serving(files: &[String]) -> Self {
        let mut child = peers().arg("serve").args(files).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
        let port = port.trim().parse().expect("Debian's python3-grpcio is installed by tests/setup.sh");
        Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }
}

impl Drop for Grpc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Debian's Python, which has Debian's library.
fn peers() -> Command {
    let mut command = Command::new("/usr/bin/python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/http2/grpc_peers.py"));
    // Loopback is reached directly, whatever the environment says of proxies.
    command.env("no_proxy", "*").env("no_grpc_proxy", "*");
    command
}

#[track_caller]
fn everything_works(instance: &Instance, files: &[String]) {
    let said = peers().arg("ask").arg(instance.address().to_string()).args(files).output().unwrap();
    assert!(said.status.success(), "{}\n{}", String::from_utf8_lossy(&said.stderr), instance.said());
}

#[test]
fn grpc_works_over_cleartext() {
    let server = Grpc::serving(&[]);
    let instance = super::before(server.address, "");

    everything_works(&instance, &[]);

    assert_eq!(instance.records(), [] as [serde_json::Value; 0], "nothing of it is worth a record");
}

#[test]
fn grpc_works_over_tls_on_both_sides() {
    let authority = Authority::new();
    let server = Grpc::serving(&[authority.file("tls.pem"), authority.file("tls.key")]);
    let instance = Instance::configured(&format!(
        "[listen]\ntls = {{ certificate = \"{}\", key = \"{}\" }}\n[upstream.api]\nurl = \"https://{}\"\n\
         http = \"auto\"\ntls = {{ ca = \"{}\" }}\n",
        authority.file("tls.pem"),
        authority.file("tls.key"),
        server.address,
        authority.file("ca.pem")
    ));

    everything_works(&instance, &[authority.file("ca.pem")]);
}
