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
        Self::issuing(|_| {})
    }

    /// One whose certificate is changed before it is signed.
    fn issuing(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // OpenSSL takes a certificate for self-signed that has its issuer's name.
        params.distinguished_name.push(rcgen::DnType::CommonName, "authority of a test");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["shop.test".to_owned(), "127.0.0.1".to_owned()];
        let mut certificate = CertificateParams::new(names).unwrap();
        change(&mut certificate);
        let certificate = certificate.signed_by(&key, &authority).unwrap();
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
        ClientConnection::new(self.trusting(), "shop.test".try_into().unwrap()).unwrap()
    }

    /// One that shows a certificate of its own, too.
    fn known_client(&self) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![self.certificate.clone()], self.key.clone_key())
            .unwrap();
        ClientConnection::new(Arc::new(config), "shop.test".try_into().unwrap()).unwrap()
    }

    fn trusting(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
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

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const GET: &str = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

fn listening(authority: &Authority, rest: &str) -> String {
    let (certificate, key) = (authority.file("tls.pem"), authority.file("tls.key"));
    format!("[listen]\ntls = {{ certificate = \"{certificate}\", key = \"{key}\"{rest} }}")
}

#[test]
fn an_upstream_that_proves_to_be_another_is_a_502_until_a_reload_repairs_it() {
    let expired = |certificate: &mut CertificateParams| {
        certificate.not_before = rcgen::date_time_ymd(2019, 1, 1);
        certificate.not_after = rcgen::date_time_ymd(2020, 1, 1);
    };
    let other_name = |certificate: &mut CertificateParams| {
        certificate.subject_alt_names = vec![rcgen::SanType::DnsName("other.test".try_into().unwrap())];
    };
    for authority in [Authority::issuing(expired), Authority::issuing(other_name)] {
        let (origin, repaired) = (authority.origin(OK), Authority::new());
        let ca = repaired.file("trusted.pem");
        fs::copy(authority.file("ca.pem"), &ca).unwrap();
        let upstream = |origin: &Origin| {
            let address = origin.address();
            routed(&format!("url = \"https://{address}\"\ntls = {{ ca = \"{ca}\", server_name = \"shop.test\" }}"), "")
        };
        let instance = Instance::configured(&upstream(&origin));
        let answer = instance.ask(GET);
        assert_eq!(
            (answer.status(), answer.value("Proxy-Status")),
            (502, Some("why412; error=tls_protocol_error")),
            "{answer:?}"
        );
        assert_eq!(origin.requests(), [], "nothing is said to a stranger");
        instance.assert_metric("why412_upstream_failures_total{reason=\"tls\",upstream=\"api\"}", 1.0);
        // The files change under their names.
        let well = repaired.origin(OK);
        fs::copy(repaired.file("ca.pem"), &ca).unwrap();
        fs::write(instance.file(), upstream(&well)).unwrap();
        assert_eq!(instance.control("POST /-/reload").status(), 200);
        assert_eq!(instance.ask(GET).status(), 200);
    }
}

#[test]
fn clients_without_a_certificate_are_turned_away_where_one_is_asked_for() {
    let authority = Authority::new();
    let origin = Origin::always(OK);
    let listen = listening(&authority, &format!(", client_ca = \"{}\"", authority.file("ca.pem")));
    let instance = Instance::configured(&routed(&format!("url = \"http://{}\"", origin.address()), &listen));
    let mut stranger = instance.connect().secured_by_client(authority.client());
    let asked = stranger.try_send(GET).and_then(|()| stranger.try_answer_to("GET").map(drop));
    assert!(asked.is_err());
    instance.assert_metric("why412_connections_refused_total{reason=\"tls\"}", 1.0);
    let mut other = instance.connect().secured_by_client(Authority::new().known_client());
    assert!(other.try_send(GET).and_then(|()| other.try_answer_to("GET").map(drop)).is_err());
    assert_eq!(origin.requests(), []);
    let mut known = instance.connect().secured_by_client(authority.known_client());
    assert_eq!(known.ask(GET).status(), 200);
}

#[test]
fn a_client_that_comes_again_resumes_its_session() {
    let authority = Authority::new();
    let origin = Origin::always(OK);
    let instance =
        Instance::configured(&routed(&format!("url = \"http://{}\"", origin.address()), &listening(&authority, "")));
    let config = authority.trusting();
    for resumed in [false, true, true] {
        let session = ClientConnection::new(Arc::clone(&config), "shop.test".try_into().unwrap()).unwrap();
        let mut client = instance.connect().secured_by_client(session);
        assert_eq!(client.ask(GET).status(), 200);
        assert_eq!(client.is_resumed(), resumed);
    }
}

#[test]
fn an_upstream_is_asked_by_its_name_and_sessions_with_it_are_resumed() {
    let authority = Authority::new();
    let (config, seen) = (authority.server(), Arc::new(std::sync::Mutex::new(Vec::new())));
    let told = Arc::clone(&seen);
    let origin = Origin::serving(move |wire, _| {
        let session = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut wire = wire.clone_for_sending().secured_by_server(session);
        if wire.request().is_some() {
            told.lock().unwrap().push((wire.server_name(), wire.is_resumed()));
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
    let (address, ca) = (origin.address(), authority.file("ca.pem"));
    // Each thread shares what the configuration holds.
    let upstream = format!("url = \"https://{address}\"\ntls = {{ ca = \"{ca}\", server_name = \"shop.test\" }}");
    let instance = Instance::configured(&routed(&upstream, ""));
    for _ in 0..3 {
        assert_eq!(instance.ask(GET).status(), 200);
    }
    let name = Some("shop.test".to_owned());
    assert_eq!(*seen.lock().unwrap(), [(name.clone(), false), (name.clone(), true), (name, true)]);
}
