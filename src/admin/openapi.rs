//! The description of the API, made of the handlers' own annotations.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::{OpenApi, ToSchema};

use super::{Shared, bypass, control, demo, events, exchanges, status};
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

/// The description of this API, of an instance that has a token or has none.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "control", operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")),
)]
pub(super) async fn document(State(shared): State<Shared>) -> Json<Value> {
    Json(described(shared.config.load().admin.token.is_some()))
}

/// What every operation may answer, beside what its handler says of itself: the guard comes before all of them.
const COMMON: [(&str, &str); 5] = [
    ("400", "a parameter that there is not, or one that cannot be"),
    ("403", "a host that is not of this instance, or a page of another origin"),
    ("408", "the request took too long"),
    ("413", "the body is too large"),
    ("415", "a body that is not application/json"),
];

/// Open to whoever reaches the address, with a token or without.
const OPEN: [&str; 2] = ["/livez", "/readyz"];

fn described(token: bool) -> Value {
    let mut document = serde_json::to_value(Description::openapi()).unwrap_or_default();
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for (path, operations) in paths {
            let guarded = token && !OPEN.contains(&path.as_str());
            for operation in operations.as_object_mut().into_iter().flat_map(Map::values_mut) {
                complete(operation, guarded);
            }
        }
    }
    if token && let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("securitySchemes".to_owned(), json!({ "token": { "type": "http", "scheme": "bearer" } }));
    }
    document
}

fn complete(operation: &mut Value, guarded: bool) {
    let problem = |says: &str| {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        json!({ "description": says, "content": { "application/problem+json": { "schema": schema } } })
    };
    if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
        for (status, says) in COMMON {
            responses.entry(status).or_insert_with(|| problem(says));
        }
        if guarded {
            responses.entry("401").or_insert_with(|| problem("no token, or not the right one"));
        }
    }
    if guarded && let Some(operation) = operation.as_object_mut() {
        operation.insert("security".to_owned(), json!([{ "token": [] }]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_record_are_described() {
        let document = serde_json::to_value(Description::openapi()).unwrap();
        assert!(document["components"]["schemas"]["Record"]["properties"]["diagnosis"].is_object());
    }

    #[test]
    fn what_the_guard_answers_is_described() {
        let (open, closed) = (described(false), described(true));
        let read = |document: &Value, path: &str| document["paths"][path]["get"].clone();
        for path in ["/livez", "/metrics", "/api/v1/exchanges/{id}"] {
            for (status, _) in COMMON {
                assert!(read(&open, path)["responses"][status].is_object(), "{status} of {path}");
            }
            assert_eq!(read(&open, path)["responses"]["401"], Value::Null);
            assert_eq!(read(&closed, path)["responses"]["401"].is_object(), path != "/livez", "{path}");
            assert_eq!(read(&closed, path)["security"].is_array(), path != "/livez", "{path}");
        }
        assert_eq!(closed["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    }
}
