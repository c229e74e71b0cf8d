//! Whom to trust where TLS is spoken.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;

use crate::config::{UpstreamTls, UpstreamUrl};
use crate::tls;

/// How TLS is spoken with a server: HTTP/2 and HTTP/1.1 are offered.
#[derive(Clone)]
pub struct Trust {
    config: Arc<ClientConfig>,
    server_name: Option<String>,
}

impl Trust {
    /// As `tls` says; the system's certificates where it names none. `remedy` says what to do if there are none.
    ///
    /// # Errors
    /// What is wrong with which file, and what to do about it.
    pub fn new(tls: &UpstreamTls, remedy: &str) -> Result<Self, String> {
        let mut config = tls::client_config(tls, remedy)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), server_name: tls.server_name.clone() })
    }

    /// The same, but HTTP/2 is not offered.
    #[must_use]
    pub fn without_http2(&self) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { config: Arc::new(config), server_name: self.server_name.clone() }
    }

    /// The same, with `name` asked for and verified wherever the server is known by an address alone.
    #[must_use]
    pub fn named(&self, name: &str, server: &UpstreamUrl) -> Self {
        let is_address = server.host.parse::<IpAddr>().is_ok();
        let server_name = self.server_name.clone().or_else(|| is_address.then(|| name.to_owned()));
        Self { config: Arc::clone(&self.config), server_name }
    }

    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    pub(super) fn name_for(&self, server: &UpstreamUrl) -> Result<ServerName<'static>, String> {
        let name = self.server_name.as_deref().unwrap_or(&server.host);
        ServerName::try_from(name.to_owned()).map_err(|_| format!("\"{name}\" is not a name that TLS can verify"))
    }
}

/// Never shows keys.
impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trust").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}
