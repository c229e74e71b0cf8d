//! Probes, metrics, reload, and what this instance is set to.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Shared;
use super::problem::Problem;
use super::query::Parameters;
use crate::analysis::exchange::Scheme;
use crate::clock;
use crate::recorder::catalogue::{self, CatalogueView};
use crate::recorder::metrics::Format;
use crate::recorder::resources::ResourceView;
use crate::recorder::routes::RouteSummary;

/// The totals of every route.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RouteList {
    /// By name.
    routes: Vec<RouteSummary>,
}

/// Whether the process works at all.
#[utoipa::path(get, path = "/livez", tag = "control", responses((status = 200, content_type = "text/plain")))]
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// Whether traffic should be sent here.
#[utoipa::path(
    get, path = "/readyz", tag = "control",
    responses(
        (status = 200, content_type = "text/plain"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn readyz(State(shared): State<Shared>) -> Result<&'static str, Problem> {
    (shared.hooks.readiness)().map(|()| "ok\n").map_err(Problem::unavailable)
}

/// Everything that is measured: Prometheus text 0.0.4, or OpenMetrics where it is asked for.
#[utoipa::path(get, path = "/metrics", tag = "control", responses((status = 200, content_type = "text/plain")))]
pub(super) async fn metrics(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = Format::negotiated(accept);
    let text = shared.recorder.scrape(format, &shared.bypass.active(clock::now()));
    ([(header::CONTENT_TYPE, format.content_type())], text).into_response()
}

/// Reads the configuration again, all or nothing.
#[utoipa::path(
    post, path = "/-/reload", tag = "control",
    responses(
        (status = 200, description = "applied"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn reload(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Result<Json<Value>, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    let hooks = Arc::clone(&shared.hooks);
    // Files are read: not on the thread that serves.
    let outcome = tokio::task::spawn_blocking(move || (hooks.reload)()).await;
    match outcome {
        Ok(Ok(())) => Ok(Json(json!({ "reloaded": true }))),
        Ok(Err(faults)) => Err(Problem::bad_request(faults.join("\n")).with_faults(faults)),
        Err(_) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the reload ended unexpectedly")),
    }
}

/// Per route: totals, the share of 412s, causes, hazards, alterations.
#[utoipa::path(get, path = "/api/v1/routes", tag = "state", responses((status = 200, body = RouteList)))]
pub(super) async fn routes(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<RouteList>, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    Ok(Json(RouteList { routes: shared.recorder.routes() }))
}

/// What the ledger knows of a resource: validators, when, from whom, writes.
#[utoipa::path(
    get, path = "/api/v1/resources", tag = "state",
    params(("url" = String, Query, description = "The resource, with scheme, host and query")),
    responses(
        (status = 200, body = ResourceView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn resource(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<ResourceView>, Problem> {
    let url = Parameters::read(query.as_deref(), &["url"])?.text("url").unwrap_or_default();
    let (scheme, authority, target) = url_parts(&url).ok_or_else(|| {
        Problem::bad_request("url: give the resource as an absolute URL, such as http://api.example.com/orders/7")
    })?;
    let known = shared.recorder.resource(scheme, authority, target);
    known.map(Json).ok_or_else(|| Problem::not_found("nothing is known of that resource"))
}

/// Scheme, authority, and path with query of an absolute URL; its fragment is no part of the resource.
pub(super) fn url_parts(url: &str) -> Option<(Scheme, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = [Scheme::Http, Scheme::Https].into_iter().find(|known| scheme.eq_ignore_ascii_case(known.as_str()))?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let authority = authority.rsplit('@').next().unwrap_or_default();
    (!authority.is_empty()).then_some((scheme, authority, if target.is_empty() { "/" } else { target }))
}

/// The catalogue of causes and hazards.
#[utoipa::path(get, path = "/api/v1/causes", tag = "state", responses((status = 200, body = CatalogueView)))]
pub(super) async fn causes(RawQuery(query): RawQuery) -> Result<Json<CatalogueView>, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    Ok(Json(catalogue::view()))
}

/// The running configuration, secrets hidden.
#[utoipa::path(
    get, path = "/api/v1/config", tag = "state",
    responses((status = 200, description = "every key, in the words of the file")),
)]
pub(super) async fn config(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Result<Json<Value>, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    Ok(Json(shared.config.load().shown()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        assert_eq!(url_parts("http://h:1/a?b#c"), Some((Scheme::Http, "h:1", "/a?b")));
        assert_eq!(url_parts("HTTPS://u:p@h"), Some((Scheme::Https, "h", "/")));
        assert_eq!(url_parts("https://h?x"), Some((Scheme::Https, "h", "?x")));
        for wrong in ["", "/a", "ftp://h/", "http://", "http:///a", "h/a"] {
            assert_eq!(url_parts(wrong), None, "{wrong}");
        }
    }
}
