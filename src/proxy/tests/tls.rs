//! TLS on both sides.

use super::*;

/// A CA, and a certificate for `name` with its key that comes from it, as files.
struct Authority {
    directory: tempfile::TempDir,
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let issuer = rcgen::Issuer::new(params, key);
        let authority = Self { directory: tempfile::tempdir().unwrap(), certificate, issuer };
        std::fs::write(authority.path("ca.pem"), authority.certificate.pem()).unwrap();
        authority
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn issues(&self, name: &str) -> (std::path::PathBuf, std::path::PathBuf) {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (certificate_file, key_file) = (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        std::fs::write(&certificate_file, certificate.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        (certificate_file, key_file)
    }
}

#[test]
fn tls_is_spoken_on_both_sides_with_certificates_of_both() {
    let authority = Authority::new();
    let (certificate, key) = authority.issues("api.example");
    let client_certificate = authority.issues("client.example");
    let scenes: &[Scene] = &[|origin| {
        origin.hears(PUT);
        origin.says(REFUSED);
        origin.hears(CHUNKED);
        origin.says(CHUNKED_OK);
    }];
    let (upstream, thread) = origin(scenes);
    let inner = plane(upstream, |config| {
        let client_ca = Some(authority.path("ca.pem"));
        config.listen.tls = Some(crate::config::ListenTls { certificate, key, client_ca });
    });
    let towards_inner = |change: &dyn Fn(&mut crate::config::UpstreamTls)| {
        plane(inner.address, |config| {
            config.upstreams[0].urls[0].https = true;
            let tls = &mut config.upstreams[0].tls;
            tls.ca = Some(authority.path("ca.pem"));
            tls.server_name = Some("api.example".to_owned());
            tls.client_certificate = Some(client_certificate.clone());
            change(tls);
        })
    };
    let outer = towards_inner(&|_| {});
    let mut client = Peer::connect(&outer);
    client.says(&format!("{PUT}{CHUNKED}"));
    client.hears(&format!("{REFUSED}{CHUNKED_OK}"));
    thread.join().unwrap();
    let other_name = towards_inner(&|tls| tls.server_name = Some("other.example".to_owned()));
    answered_by_ourselves(&other_name, GET, 502, "tls_protocol_error");
    let no_certificate = towards_inner(&|tls| tls.client_certificate = None);
    let mut client = Peer::connect(&no_certificate);
    client.says(GET);
    assert!(client.head().starts_with("HTTP/1.1 502 "));
}
