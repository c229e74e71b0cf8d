//! A configuration as it runs, in the words of the file, with its secrets hidden.

use serde_json::{Map, Value, json};

use super::values::{show_bytes, show_duration};
use super::{
    Bypass, Capture, Client, Config, Forwarding, Health, Ledger, Limits, ListenTls, Log, LogFormat, OnUpstreamFailure,
    Probe, Report, Route, Secret, Timeouts, TrustedField, Upstream, UpstreamHttp, UpstreamTls,
};
use crate::analysis::exchange::Comparison;

/// What stands for a secret.
const HIDDEN: &str = "(hidden)";

impl Config {
    /// The running configuration, with every key, for `GET /api/v1/config`. Secrets are hidden.
    pub fn shown(&self) -> Value {
        let upstreams: Map<String, Value> =
            self.upstreams.iter().map(|upstream| (upstream.name.clone(), show_upstream(upstream))).collect();
        let routes: Vec<Value> = self.routes.iter().map(|route| show_route(route, &self.upstreams)).collect();
        json!({
            "listen": {
                "address": self.listen.address.to_string(),
                "tls": self.listen.tls.as_ref().map(show_tls),
                "proxy_protocol": shown(&self.listen.proxy_protocol),
            },
            "admin": {
                "address": self.admin.address.to_string(),
                "token_file": hidden(self.admin.token.as_ref()),
                "telemetry": self.admin.telemetry.map(|address| address.to_string()),
                "hosts": self.admin.hosts,
            },
            "upstream": upstreams,
            "route": routes,
            "pairing": {
                "role": self.pairing.role.as_str(),
                "secret_file": hidden(self.pairing.secrets.first()),
                "report": match self.pairing.report {
                    Report::Always => "always",
                    Report::Marked => "marked",
                },
            },
            "client": show_client(&self.client),
            "bypass": show_bypass(&self.bypass),
            "capture": show_capture(&self.capture),
            "ledger": show_ledger(&self.ledger),
            "limits": show_limits(&self.limits),
            "timeouts": show_timeouts(&self.timeouts),
            "log": show_log(&self.log),
        })
    }
}

fn shown<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn show_client(client: &Client) -> Value {
    json!({
        "field": client.field,
        "cookie": client.cookie,
        "trusted_proxies": shown(&client.trusted.networks),
        "trusted_field": match client.trusted.field {
            TrustedField::XForwardedFor => "x-forwarded-for",
            TrustedField::Forwarded => "forwarded",
        },
    })
}

fn hidden(secret: Option<&Secret>) -> Option<&'static str> {
    secret.map(|_| HIDDEN)
}

fn show_tls(tls: &ListenTls) -> Value {
    json!({ "certificate": tls.certificate, "key": tls.key, "client_ca": tls.client_ca })
}

fn show_upstream(upstream: &Upstream) -> Value {
    json!({
        "url": shown(&upstream.urls),
        "direct": shown(&upstream.direct),
        "host": upstream.host,
        "http": match upstream.http {
            UpstreamHttp::Http1 => "1.1",
            UpstreamHttp::Http2 => "2",
            UpstreamHttp::Auto => "auto",
        },
        "on_upstream_failure": match upstream.on_failure {
            OnUpstreamFailure::Respond => "respond",
            OnUpstreamFailure::Mirror => "mirror",
        },
        "health": upstream.health.as_ref().map(show_health),
        "tls": show_upstream_tls(&upstream.tls),
    })
}

fn show_health(health: &Health) -> Value {
    json!({
        "path": health.path,
        "interval": show_duration(health.interval),
        "timeout": show_duration(health.timeout),
        "unhealthy_after": health.unhealthy_after,
        "healthy_after": health.healthy_after,
    })
}

fn show_upstream_tls(tls: &UpstreamTls) -> Value {
    let (certificate, key) = tls.client_certificate.clone().unzip();
    json!({ "ca": tls.ca, "server_name": tls.server_name, "certificate": certificate, "key": key })
}

fn show_route(route: &Route, upstreams: &[Upstream]) -> Value {
    json!({
        "name": route.name,
        "host": route.host,
        "path": route.path,
        "upstream": upstreams.get(route.upstream).map(|upstream| &upstream.name),
        "comparison": match route.policy.comparison {
            Comparison::Strong => "strong",
            Comparison::Weak => "weak",
        },
        "preconditions": route.policy.preconditions,
        "probe": match route.probe {
            Probe::Off => "off",
            Probe::Head => "head",
            Probe::Get => "get",
        },
        "probe_credentials": route.probe_credentials,
        "probes_per_minute": route.probes_per_minute,
        "annotate": route.annotate,
        "connect": route.connect,
        "allow_precondition_removal": route.allow_precondition_removal,
        "forwarding": show_forwarding(route.forwarding),
    })
}

fn show_forwarding(forwarding: Forwarding) -> Vec<&'static str> {
    let Forwarding { via, forwarded, x_forwarded } = forwarding;
    let kinds = [(via, "via"), (forwarded, "forwarded"), (x_forwarded, "x-forwarded")];
    kinds.into_iter().filter_map(|(on, name)| on.then_some(name)).collect()
}

fn show_bypass(bypass: &Bypass) -> Value {
    json!({
        "default": show_duration(bypass.default_duration),
        "longest": show_duration(bypass.longest_duration),
        "token_file": hidden(bypass.token.as_ref()),
        "direct_traffic": bypass.direct_traffic,
    })
}

fn show_capture(capture: &Capture) -> Value {
    json!({
        "file": capture.file,
        "records": capture.records,
        "bytes": show_bytes(capture.bytes),
        "redacted_fields": capture.redacted_fields,
        "redacted_parameters": capture.redacted_parameters,
        "repeats_per_minute": capture.repeats_per_minute,
    })
}

fn show_ledger(ledger: &Ledger) -> Value {
    json!({
        "store": "memory",
        "resources": ledger.resources,
        "sightings": ledger.sightings,
        "bytes": show_bytes(ledger.bytes as u64),
    })
}

fn show_limits(limits: &Limits) -> Value {
    json!({
        "header_bytes": show_bytes(limits.header_bytes as u64),
        "header_count": limits.header_count,
        "target_bytes": show_bytes(limits.target_bytes as u64),
        "body_bytes": show_bytes(limits.body_bytes.unwrap_or_default()),
        "connections": limits.connections,
        "connections_per_address": limits.connections_per_address.unwrap_or_default(),
        "exchanges": limits.exchanges,
        "streams": limits.streams,
        "upstream_idle": limits.upstream_idle,
        "threads": limits.threads.unwrap_or_default(),
        "routes": limits.routes,
        "probes_per_minute": limits.probes_per_minute,
    })
}

fn show_timeouts(timeouts: &Timeouts) -> Value {
    json!({
        "header_read": show_duration(timeouts.header_read),
        "body_idle": show_duration(timeouts.body_idle),
        "write": show_duration(timeouts.write),
        "connect": show_duration(timeouts.connect),
        "response_head": show_duration(timeouts.response_head),
        "idle": show_duration(timeouts.idle),
        "upstream_idle": show_duration(timeouts.upstream_idle),
        "upstream_ping": show_duration(timeouts.upstream_ping),
        "tunnel_idle": show_duration(timeouts.tunnel_idle),
        "drain": show_duration(timeouts.drain),
        "drain_delay": show_duration(timeouts.drain_delay),
    })
}

fn show_log(log: &Log) -> Value {
    json!({
        "format": match log.format {
            LogFormat::Json => "json",
            LogFormat::Text => "text",
        },
        "level": log.level,
        "access_sample": log.access_sample,
    })
}
