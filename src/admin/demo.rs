//! The switchboard of a demonstration: what its gateway does, and what it leaves while somebody watches. Who performs is
//! not known here; an ordinary instance has none.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Shared;
use super::problem::Problem;
use super::query::Parameters;

/// Something that a gateway does, and that can be switched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BehaviourView {
    /// Its name in requests.
    pub id: &'static str,
    /// What people read first.
    pub title: &'static str,
    /// What it does to exchanges, and which real products do so.
    pub says: &'static str,
    /// The causes and hazards that it leads to.
    pub causes: &'static [&'static str],
    /// Whether the gateway does so now.
    pub on: bool,
}

/// One thing that clients do over and over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StoryView {
    /// Its name; the requests that tell it carry it in the field `Demo-Story`.
    pub id: String,
    /// What happens, in a sentence.
    pub title: String,
}

/// Who performs, and takes directions.
pub trait Switchboard: Send + Sync {
    /// Everything that can be switched, in the order to show it.
    fn behaviours(&self) -> Vec<BehaviourView>;

    /// What is played.
    fn stories(&self) -> Vec<StoryView>;

    /// Switches all of them, or none if there is one that does not exist.
    ///
    /// # Errors
    ///
    /// The first name that is none of those that [`Switchboard::behaviours`] has.
    fn switch(&self, wanted: &BTreeMap<String, bool>) -> Result<(), UnknownBehaviour>;
}

/// There is no behaviour of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownBehaviour(pub String);

/// What the demonstration plays, and what its gateway does.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DemoView {
    /// In the order to show them.
    behaviours: Vec<BehaviourView>,
    /// In the order of their first performance.
    stories: Vec<StoryView>,
}

/// What to switch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DemoRequest {
    /// By id, whether the gateway is to do so; what is not named stays as it is.
    behaviours: BTreeMap<String, bool>,
}

/// What the demonstration's gateway does now. Only an instance of `why412 demo` has this.
#[utoipa::path(
    get, path = "/api/v1/demo", tag = "demo", operation_id = "demo_read",
    responses(
        (status = 200, body = DemoView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn read(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Result<Json<DemoView>, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    board(&shared).map(|board| Json(view(board)))
}

/// Switches what the demonstration's gateway does, all that is named or nothing.
#[utoipa::path(
    put, path = "/api/v1/demo", tag = "demo", operation_id = "demo_switch", request_body = DemoRequest,
    responses(
        (status = 200, body = DemoView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn switch(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Json<DemoView>, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    let board = board(&shared)?;
    let request: DemoRequest =
        serde_json::from_slice(&body).map_err(|fault| Problem::bad_request(format!("the body: {fault}")))?;
    board.switch(&request.behaviours).map_err(|UnknownBehaviour(id)| {
        let known: Vec<_> = board.behaviours().into_iter().map(|behaviour| behaviour.id).collect();
        Problem::bad_request(format!("there is no behaviour {id:?}; there are {}", known.join(", ")))
    })?;
    Ok(Json(view(board)))
}

fn board(shared: &Shared) -> Result<&dyn Switchboard, Problem> {
    shared
        .switchboard
        .as_deref()
        .ok_or_else(|| Problem::not_found("this instance is no demo; `why412 demo` starts one"))
}

fn view(board: &dyn Switchboard) -> DemoView {
    DemoView { behaviours: board.behaviours(), stories: board.stories() }
}
