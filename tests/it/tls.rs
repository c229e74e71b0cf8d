//! TLS on either side.

use std::fs;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use tempfile::TempDir;

use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::wire::Wire;

/// An authority of the test's own, and a certificate from it for `shop.test` and loopback, as files too.
pub(crate) struct Authority {
    root: CertificateDer<'static>,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    files: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // OpenSSL takes a certificate for self-signed that has its issuer's name.
        params.distinguished_name.push(rcgen::DnType::CommonName, "authority of a test");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["shop.test".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
        let files = tempfile::tempdir().unwrap();
        for (name, pem) in
            [("ca.pem", authority.pem()), ("tls.pem", certificate.pem()), ("tls.key", key.serialize_pem())]
        {
            fs::write(files.path().join(name), pem).unwrap();
        }
        Self {
            root: authority.der().clone(),
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            files,
        }
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.files.path().join(name).display().to_string()
    }

    /// A client that trusts this authority alone.
    fn client(&self) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        ClientConnection::new(Arc::new(config), "shop.test".try_into().unwrap()).unwrap()
    }

    /// A server with the certificate.
    fn server(&self) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key())
            .unwrap();
        Arc::new(config)
    }

    /// An origin that speaks TLS.
    fn origin(&self, answer: &'static str) -> Origin {
        let config = self.server();
        Origin::serving(move |wire, log| {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut wire = wire.clone_for_sending().secured_by_server(session);
            while let Some(request) = wire.request() {
                log.push(&request);
                if wire.try_send(answer).is_err() {
                    return;
                }
            }
        })
    }
}

fn routed(upstream: &str, listen: &str) -> String {
    format!(
        "{listen}\n[upstream.api]\n{upstream}\n[[route]]\nname = \"all\"\npath = \"/{{*rest}}\"\nupstream = \"api\"\n"
    )
}

#[test]
fn towards_clients() {
    let authority = Authority::new();
    let origin = Origin::always("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 2\r\n\r\nok");
    let instance = Instance::configured(&routed(
        &format!("url = \"http://{}\"", origin.address()),
        &format!(
            "[listen]\ntls = {{ certificate = \"{}\", key = \"{}\" }}",
            authority.file("tls.pem"),
            authority.file("tls.key")
        ),
    ));

    let mut client = Wire::to(instance.address()).secured_by_client(authority.client());
    for _ in 0..2 {
        let answer = client.ask("GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\nIf-None-Match: \"v0\"\r\n\r\n");
        assert_eq!((answer.value("ETag"), answer.text().as_str()), (Some("\"v1\""), "ok"));
    }
    assert_eq!(origin.requests()[1].value("If-None-Match"), Some("\"v0\""));
}

#[test]
fn behind_a_proxy_header() {
    let authority = Authority::new();
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let instance = Instance::configured(&format!(
        "{}forwarding = [\"x-forwarded\"]\n",
        routed(
            &format!("url = \"http://{}\"", origin.address()),
            &format!(
                "[listen]\nproxy_protocol = [\"127.0.0.0/8\"]\ntls = {{ certificate = \"{}\", key = \"{}\" }}",
                authority.file("tls.pem"),
                authority.file("tls.key")
            ),
        )
    ));
    let mut client = Wire::to(instance.address());
    client.send("PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n");
    let mut client = client.secured_by_client(authority.client());
    assert_eq!(client.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n").status(), 200);
    let seen = origin.only_request();
    assert_eq!((seen.value("X-Forwarded-For"), seen.value("X-Forwarded-Proto")), (Some("203.0.113.7"), Some("https")));
}

#[test]
fn towards_an_upstream() {
    let authority = Authority::new();
    let origin = authority.origin("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 2\r\n\r\nok");
    let instance = Instance::configured(&routed(
        &format!("url = \"https://{}\"\ntls = {{ ca = \"{}\" }}", origin.address(), authority.file("ca.pem")),
        "",
    ));

    let mut client = instance.connect();
    for _ in 0..2 {
        let answer = client.ask("GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\n\r\n");
        assert_eq!((answer.status(), answer.text().as_str()), (200, "ok"));
    }
    assert_eq!(origin.requests().len(), 2);
}

#[test]
fn an_upstream_that_nobody_vouches_for_is_a_502() {
    let origin = Authority::new().origin("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let stranger = Authority::new();
    let instance = Instance::configured(&routed(
        &format!("url = \"https://{}\"\ntls = {{ ca = \"{}\" }}", origin.address(), stranger.file("ca.pem")),
        "",
    ));

    let answer = instance.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");

    assert_eq!(answer.status(), 502);
    assert_eq!(origin.requests(), []);
}

#[test]
fn probes_trust_whom_traffic_trusts() {
    let authority = Authority::new();
    let origin = authority.origin("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n");
    let config = routed(
        &format!(
            "url = \"https://{}\"\ntls = {{ ca = \"{}\", server_name = \"shop.test\" }}",
            origin.address(),
            authority.file("ca.pem")
        ),
        "",
    );
    let instance = Instance::configured(&format!("{config}probe = \"get\"\n"));
    instance.ask("PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v1\"\r\nContent-Length: 0\r\n\r\n");
    let record = instance.record("a probe", |record| !record["probe"].is_null());
    assert_eq!(record["probe"]["through"]["status"], 412, "an answer came: {record:#}");
    let methods: Vec<_> = origin.requests().iter().map(|request| request.head.method().to_owned()).collect();
    assert_eq!(methods, ["PUT", "GET"]);
}
