//! TLS material: certificates and keys from PEM files, and the configuration of a client. It opens no connection.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::UpstreamTls;

/// A client that trusts what `tls` says, without ALPN. Where the system has nothing to trust, `remedy` says what to do.
///
/// # Errors
/// What is wrong with which file, and what to do about it.
pub(crate) fn client_config(tls: &UpstreamTls, remedy: &str) -> Result<ClientConfig, String> {
    let roots = match &tls.ca {
        Some(path) => roots(path)?,
        None => system_roots(remedy)?,
    };
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|error| format!("certificates to trust: {error}; {remedy}"))?;
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?
        .with_webpki_verifier(verifier);
    match &tls.client_certificate {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => {
            builder.with_client_auth_cert(certificates(certificate)?, private_key(key)?).map_err(|error| {
                format!("{} and {}: {error}; give a chain and its key", certificate.display(), key.display())
            })
        }
    }
}

/// The cryptography that every connection uses.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The certificates in a PEM file, at least one.
///
/// # Errors
/// What is wrong with the file, and what to do about it.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if certificates.is_empty() => {
            Err(format!("{}: no certificate in it; give PEM with BEGIN CERTIFICATE", path.display()))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("{}: {error}; give a readable PEM file", path.display())),
    }
}

/// The private key in a PEM file.
///
/// # Errors
/// What is wrong with the file, and what to do about it.
pub(crate) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| format!("{}: {error}; give a private key in PEM without passphrase", path.display()))
}

/// The CA certificates in a PEM file.
///
/// # Errors
/// What is wrong with the file, and what to do about it.
pub(crate) fn roots(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| format!("{}: {error}; give CA certificates in PEM", path.display()))?;
    }
    Ok(roots)
}

fn system_roots(remedy: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    // Systems carry certificates that are too old to be read; the others count.
    let (usable, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if usable == 0 {
        return Err(format!("the system has no certificates to trust; {remedy}"));
    }
    Ok(roots)
}
