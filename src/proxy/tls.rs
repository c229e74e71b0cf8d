//! TLS from files: towards clients and towards upstreams. It reads and checks; it opens no connection.

use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::config::{ListenTls, UpstreamHttp, UpstreamTls, UpstreamUrl};
use crate::tls::{certificates, client_config, private_key, provider, roots};

/// The names of the versions of HTTP in ALPN (RFC 7301 §6).
pub(super) const HTTP1: &[u8] = b"http/1.1";
/// See [`HTTP1`].
pub(super) const HTTP2: &[u8] = b"h2";

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
    config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
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

    /// The connector for a connection that has to speak HTTP/1.1.
    pub(super) fn connector_http1(&self) -> TlsConnector {
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = vec![HTTP1.to_vec()];
        TlsConnector::from(Arc::new(config))
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
pub(super) fn client(tls: &UpstreamTls, url: &UpstreamUrl, http: UpstreamHttp) -> Result<UpstreamTlsClient, String> {
    let name = tls.server_name.as_deref().unwrap_or(&url.host);
    let name = ServerName::try_from(name.to_owned())
        .map_err(|_| format!("\"{name}\" is not a name that TLS can verify; set tls.server_name"))?;
    let mut config = client_config(tls, "set tls.ca")?;
    config.alpn_protocols = match http {
        UpstreamHttp::Http1 => vec![HTTP1.to_vec()],
        UpstreamHttp::Http2 => vec![HTTP2.to_vec()],
        UpstreamHttp::Auto => vec![HTTP2.to_vec(), HTTP1.to_vec()],
    };
    Ok(UpstreamTlsClient { config: Arc::new(config), name })
}
