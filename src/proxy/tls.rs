//! TLS from files: towards clients and towards upstreams. It reads and checks; it opens no connection.

use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::config::{ListenTls, UpstreamTls, UpstreamUrl};
use crate::tls::{certificates, client_config, private_key, provider, roots};

/// TLS towards clients: HTTP/2 and HTTP/1.1 by ALPN, client certificates where a CA for them is configured.
///
/// # Errors
/// What is wrong with which file, and what to do about it.
pub(super) fn acceptor(tls: &ListenTls) -> Result<TlsAcceptor, String> {
    let certificates = certificates(&tls.certificate)?;
    let key = private_key(&tls.key)?;
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?;
    let builder = match &tls.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(path)?), provider())
                .build()
                .map_err(|error| format!("{}: {error}; give a CA certificate in PEM", path.display()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(certificates, key).map_err(|error| {
        format!(
            "{} and {}: {error}; give a certificate chain, the server's own first, and its key",
            tls.certificate.display(),
            tls.key.display()
        )
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// TLS towards one address of an upstream.
#[derive(Clone)]
pub(super) struct UpstreamTlsClient {
    /// Makes the handshake. Its identity tells connections of different configurations apart.
    pub(super) config: Arc<ClientConfig>,
    /// The name to ask for and to verify.
    pub(super) name: ServerName<'static>,
}

impl UpstreamTlsClient {
    /// The connector.
    pub(super) fn connector(&self) -> TlsConnector {
        TlsConnector::from(Arc::clone(&self.config))
    }
}

/// Never shows keys.
impl std::fmt::Debug for UpstreamTlsClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpstreamTlsClient").field("name", &self.name).finish_non_exhaustive()
    }
}

/// TLS towards the upstream at `url`.
///
/// # Errors
/// What is wrong with which file or name, and what to do about it.
pub(super) fn client(tls: &UpstreamTls, url: &UpstreamUrl) -> Result<UpstreamTlsClient, String> {
    let name = tls.server_name.as_deref().unwrap_or(&url.host);
    let name = ServerName::try_from(name.to_owned())
        .map_err(|_| format!("\"{name}\" is not a name that TLS can verify; set tls.server_name"))?;
    let mut config = client_config(tls, "set tls.ca")?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(UpstreamTlsClient { config: Arc::new(config), name })
}
