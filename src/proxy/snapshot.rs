//! A configuration as the data path uses it: files read, routes compiled, metric series resolved. Built whole or not at
//! all; an exchange keeps the one it began with.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;

use super::http1::head::HeadLimits;
use super::routes::Routes;
use super::tls;
use super::upstream::endpoint::Endpoint;
use crate::analysis::exchange::RoutePolicy;
use crate::analysis::pairing::Keys;
use crate::analysis::principal::ClientPolicy;
use crate::analysis::semantics::message::RequestHead;
use crate::config::{Config, Health, OnUpstreamFailure, Route, Upstream, UpstreamUrl};
use crate::recorder::Recorder;
use crate::recorder::metrics::RouteSeries;

/// A configuration, ready to be used.
pub struct Snapshot {
    /// The configuration it was made of.
    pub config: Arc<Config>,
    /// Towards clients.
    pub(super) acceptor: Option<TlsAcceptor>,
    /// Of request heads, and of answers.
    pub(super) head_limits: HeadLimits,
    /// How clients are told apart.
    pub(super) client_policy: ClientPolicy,
    /// What marks and reports are signed with.
    pub(super) keys: Keys,
    groups: Vec<Arc<Group>>,
    routes: Routes,
    taken: Vec<Taken>,
    unmatched: Unmatched,
}

/// What requests use that take one route.
#[derive(Debug)]
pub(super) struct Taken {
    /// As configured.
    pub(super) route: Route,
    /// Its metrics.
    pub(super) series: Arc<RouteSeries>,
    /// Where they go.
    pub(super) upstream: Arc<Group>,
}

/// What requests use that no route fits.
#[derive(Debug)]
pub(super) struct Unmatched {
    /// Their metrics.
    pub(super) series: Arc<RouteSeries>,
    /// As if nothing were configured.
    pub(super) policy: RoutePolicy,
}

/// Equal upstream addresses.
#[derive(Debug)]
pub(super) struct Group {
    /// As configured.
    pub(super) name: String,
    /// For the usual way.
    pub(super) endpoints: Vec<Arc<Endpoint>>,
    /// For the way around the gateway; may be empty.
    pub(super) direct: Vec<Arc<Endpoint>>,
    /// The Host to send instead of the client's.
    pub(super) host: Option<String>,
    /// What a client is given when the upstream closes without an answer.
    pub(super) on_failure: OnUpstreamFailure,
    /// How its addresses are asked whether they are well, if they are.
    pub(super) health: Option<Health>,
}

impl Snapshot {
    /// Reads the files that `config` names and compiles it.
    ///
    /// # Errors
    /// Every fault, with what to do about it.
    pub fn build(config: &Arc<Config>, recorder: &Arc<Recorder>) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let acceptor = config.listen.tls.as_ref().and_then(|tls| kept(tls::acceptor(tls), &mut faults));
        let groups: Vec<_> = config.upstreams.iter().map(|upstream| group(config, upstream, &mut faults)).collect();
        let routes = Routes::compile(&config.routes).map_err(|more| faults.extend(more));
        let taken = config.routes.iter().filter_map(|route| {
            let upstream = groups.get(route.upstream)?;
            let name = config.upstreams.get(route.upstream)?.name.as_str();
            let series = recorder.series(&route.name, name);
            Some(Taken { route: route.clone(), series, upstream: Arc::clone(upstream) })
        });
        let taken: Vec<_> = taken.collect();
        let Ok(routes) = routes else { return Err(faults) };
        if !faults.is_empty() {
            return Err(faults);
        }
        let head_limits = HeadLimits {
            bytes: config.limits.header_bytes,
            fields: config.limits.header_count,
            target: config.limits.target_bytes,
        };
        let unmatched = Unmatched { series: recorder.series("unmatched", ""), policy: RoutePolicy::default() };
        let client_policy = ClientPolicy { field: config.client.field.clone(), cookie: config.client.cookie.clone() };
        let keys = Keys::new(config.pairing.secrets.iter().map(|secret| secret.expose().to_vec()).collect());
        let config = Arc::clone(config);
        Ok(Self { config, acceptor, head_limits, client_policy, keys, groups, routes, taken, unmatched })
    }

    /// Every upstream.
    pub(super) fn groups(&self) -> &[Arc<Group>] {
        &self.groups
    }

    /// Keeps what `before` knew of the addresses that are still configured: their names may not resolve any more.
    pub(super) fn inherit(&self, before: &Self) {
        let all = |groups: &[Arc<Group>]| -> Vec<Arc<Endpoint>> {
            groups.iter().flat_map(|group| group.endpoints.iter().chain(&group.direct).cloned()).collect()
        };
        let known = all(&before.groups);
        for endpoint in all(&self.groups) {
            known.iter().for_each(|before| endpoint.inherit(before));
        }
    }

    /// What the request uses, if a route fits it.
    pub(super) fn take(&self, head: &RequestHead) -> Option<usize> {
        self.routes.find(head).filter(|index| *index < self.taken.len())
    }

    /// See [`Snapshot::take`].
    pub(super) fn taken(&self, index: usize) -> Option<&Taken> {
        self.taken.get(index)
    }

    /// What requests use that no route fits.
    pub(super) const fn unmatched(&self) -> &Unmatched {
        &self.unmatched
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("taken", &self.taken).finish_non_exhaustive()
    }
}

fn group(config: &Config, upstream: &Upstream, faults: &mut Vec<String>) -> Arc<Group> {
    let mut endpoints = |urls: &[UpstreamUrl]| {
        let endpoint = |url: &UpstreamUrl| {
            let made =
                endpoint(config, upstream, url).map_err(|fault| format!("upstream \"{}\": {fault}", upstream.name));
            kept(made, faults)
        };
        urls.iter().filter_map(endpoint).collect()
    };
    Arc::new(Group {
        name: upstream.name.clone(),
        endpoints: endpoints(&upstream.urls),
        direct: endpoints(&upstream.direct),
        host: upstream.host.clone(),
        on_failure: upstream.on_failure,
        health: upstream.health.clone(),
    })
}

fn endpoint(config: &Config, upstream: &Upstream, url: &UpstreamUrl) -> Result<Arc<Endpoint>, String> {
    let tls = if url.https { Some(tls::client(&upstream.tls, url, upstream.http)?) } else { None };
    let endpoint = Endpoint::new(&url.host, url.port, tls, upstream.http);
    let own = [Some(config.listen.address), Some(config.admin.address), config.admin.telemetry];
    if own.into_iter().flatten().any(|listener| endpoint.is_literally(listener)) {
        return Err(format!(
            "{}:{} is an address this instance listens at, requests would come back to it; name the server behind it",
            url.host, url.port
        ));
    }
    Ok(Arc::new(endpoint))
}

fn kept<T>(result: Result<T, String>, faults: &mut Vec<String>) -> Option<T> {
    result.map_err(|fault| faults.push(fault)).ok()
}
