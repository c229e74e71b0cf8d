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
        document,
    ),
    components(schemas(Record))
)]
struct Description;

/// The description of this API.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "control", operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")),
)]
pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_record_are_described() {
        let document = serde_json::to_value(Description::openapi()).unwrap();
        assert!(document["components"]["schemas"]["Record"]["properties"]["diagnosis"].is_object());
    }
}
