//! The description of the API, made of the handlers' own annotations.

use axum::Json;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::{bypass, control, demo, events, exchanges, status};
use crate::recorder::record::Record;

/// A page of recorded exchanges.
#[derive(Serialize, ToSchema)]
pub(super) struct ExchangePage {
    /// In the order asked for.
    exchanges: Vec<Record>,
    /// The last of them, to go on behind it in the same direction; null if there are no more.
    next: Option<String>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "why412",
        description = "Why exchanges ended in 412 Precondition Failed, who has to act, and what to do. With a token \
                       configured everything but `GET /`, its assets, `/livez` and `/readyz` needs \
                       `Authorization: Bearer`.",
    ),
    paths(
        control::livez,
        control::readyz,
        control::metrics,
        control::reload,
        exchanges::list,
        exchanges::one,
        exchanges::probe,
        exchanges::as_har,
        exchanges::as_curl,
        exchanges::as_bundle,
        events::events,
        status::status,
        status::trends,
        control::routes,
        control::resource,
        bypass::read,
        bypass::begin,
        bypass::end,
        demo::read,
        demo::switch,
        control::causes,
        control::config,
    ),
    components(schemas(Record))
)]
struct Description;

/// The description of this API.
pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_described() {
        let document = serde_json::to_value(Description::openapi()).unwrap();
        let paths: Vec<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
        for path in [
            "/livez",
            "/readyz",
            "/metrics",
            "/-/reload",
            "/api/v1/exchanges",
            "/api/v1/exchanges/{id}",
            "/api/v1/exchanges/{id}/probe",
            "/api/v1/exchanges/{id}/har",
            "/api/v1/exchanges/{id}/curl",
            "/api/v1/exchanges/{id}/bundle",
            "/api/v1/events",
            "/api/v1/status",
            "/api/v1/trends",
            "/api/v1/routes",
            "/api/v1/resources",
            "/api/v1/bypass",
            "/api/v1/demo",
            "/api/v1/causes",
            "/api/v1/config",
        ] {
            assert!(paths.iter().any(|described| described == path), "{path} is not in {paths:?}");
        }
        assert!(document["components"]["schemas"]["Record"]["properties"]["diagnosis"].is_object());
    }
}
