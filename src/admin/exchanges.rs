//! The recorded exchanges and their exports.

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::control::url_parts;
use super::problem::Problem;
use super::query::{Parameters, exchange_id, moment, number, wrong};
use super::status::status_of;
use crate::clock;
use crate::recorder::catalogue;
use crate::recorder::export::bundle::Bundle;
use crate::recorder::export::escalation::{self, Surroundings};
use crate::recorder::export::{curl, har};
use crate::recorder::probe::ProbeRefusal;
use crate::recorder::record::{Record, id_of_text, time_text};
use crate::recorder::resources::ResourceView;
use crate::recorder::store::{Page, Query, StoreError, Stored};

const PARAMETERS: &[&str] =
    &["after", "before", "limit", "route", "cause", "hazard", "status", "resource", "since", "until", "text"];
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;

/// Records of the same resource in a bundle, on either side of its own.
const RELATED: usize = 50;

/// Recorded exchanges: oldest first after `after`, otherwise newest first.
///
/// A search takes a bounded time: where it is over before `limit` records are found, the answer has fewer, perhaps none,
/// and `next` is set to go on with. Only where `next` is null there are no more.
#[utoipa::path(
    get, path = "/api/v1/exchanges", tag = "exchanges",
    params(
        ("after" = Option<String>, Query, description = "Those that became readable after this record, oldest first"),
        ("before" = Option<String>, Query, description = "Those that became readable before this record"),
        ("limit" = Option<usize>, Query, description = "At most so many: 1 to 1000, 100 if not given"),
        ("route" = Option<String>, Query, description = "Of this route"),
        ("cause" = Option<String>, Query, description = "With this primary cause"),
        ("hazard" = Option<String>, Query, description = "With this hazard"),
        ("status" = Option<u16>, Query, description = "Answered with this status"),
        ("resource" = Option<String>, Query, description = "Of this URL, or of this path and query"),
        ("since" = Option<String>, Query, description = "Begun then or later: RFC 3339, or a duration back from now \
            such as 15m"),
        ("until" = Option<String>, Query, description = "Begun before: RFC 3339, or a duration back from now"),
        ("text" = Option<String>, Query, description = "With this text, whatever its case, in the id, the client, the \
            URL, a field (its name, its value, or `Name: value`), a cause or a hazard"),
    ),
    responses(
        (status = 200, body = super::openapi::ExchangePage),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let query = read_query(query.as_deref())?;
    let page = shared.recorder.list(query).await.map_err(unavailable)?;
    Ok(json(page_text(&page)))
}

/// One recorded exchange.
#[utoipa::path(
    get, path = "/api/v1/exchanges/{id}", tag = "exchanges",
    params(("id" = String, Path, description = "The exchange")),
    responses(
        (status = 200, body = Record),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn one(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    Ok(json(find(&shared, &id).await?.json.to_string()))
}

/// Asks for the current validators of the resource, through the path and around it, without credentials; amends the
/// record by what it learned.
#[utoipa::path(
    post, path = "/api/v1/exchanges/{id}/probe", tag = "exchanges",
    params(("id" = String, Path, description = "The exchange")),
    responses(
        (status = 200, description = "the amended record", body = Record),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "it cannot be asked for any more", body = Problem,
            content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn probe(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    let id = id_of_text(&id).ok_or_else(|| refused(&ProbeRefusal::Unknown))?;
    let outcome = (shared.hooks.probe)(id).await;
    let stored = outcome.unwrap_or(Err(ProbeRefusal::Busy)).map_err(|refusal| refused(&refusal))?;
    Ok(json(stored.json.to_string()))
}

fn refused(refusal: &ProbeRefusal) -> Problem {
    let status = match refusal {
        ProbeRefusal::Unknown => StatusCode::NOT_FOUND,
        ProbeRefusal::RouteGone(_) | ProbeRefusal::Secret | ProbeRefusal::Unreadable => StatusCode::CONFLICT,
        ProbeRefusal::Limited => StatusCode::TOO_MANY_REQUESTS,
        ProbeRefusal::Busy | ProbeRefusal::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    Problem::new(status, refusal.to_string())
}

/// One recorded exchange as HTTP Archive 1.2.
#[utoipa::path(
    get, path = "/api/v1/exchanges/{id}/har", tag = "exchanges",
    params(("id" = String, Path, description = "The exchange")),
    responses(
        (status = 200, description = "HAR 1.2", content_type = "application/json"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn as_har(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    let record = record(&find(&shared, &id).await?)?;
    let mut response = json(har::archive(&record).to_string());
    name_file(&mut response, &format!("{}.har", escalation::name(&record)));
    Ok(response)
}

/// One recorded exchange as a curl command.
#[utoipa::path(
    get, path = "/api/v1/exchanges/{id}/curl", tag = "exchanges",
    params(("id" = String, Path, description = "The exchange")),
    responses(
        (status = 200, description = "a command for bash", content_type = "text/plain"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn as_curl(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    let record = record(&find(&shared, &id).await?)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], curl::command(&record)).into_response())
}

/// Everything that is known of one exchange, in one archive to hand over.
///
/// It holds the verdict, both sides, the timeline of the resource, the exchange as HAR and as curl command, related
/// records, the running configuration and the build, each file with its checksum; `README.txt` tells what is what.
/// Everything in it is redacted.
#[utoipa::path(
    get, path = "/api/v1/exchanges/{id}/bundle", tag = "exchanges",
    params(
        ("id" = String, Path, description = "The exchange"),
        ("as" = Option<String>, Query, description = "zip, or tar.gz; zip if not given"),
    ),
    responses(
        (status = 200, description = "an archive", content_type = "application/zip"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn as_bundle(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let format = Parameters::read(query.as_deref(), &["as"])?.text("as");
    let (media_type, ending, pack): (_, _, fn(&Bundle) -> Vec<u8>) = match format.as_deref() {
        None | Some("zip") => ("application/zip", "zip", Bundle::zip),
        Some("tar.gz") => ("application/gzip", "tar.gz", Bundle::tar_gz),
        Some(other) => return Err(Problem::bad_request(format!("as: {other:?} is neither \"zip\" nor \"tar.gz\""))),
    };
    let record = record(&find(&shared, &id).await?)?;
    let related = related(&shared, &record).await?;
    let resource = resource_of(&shared, &record);
    let name = escalation::name(&record);
    let surroundings = (shared.config.load().shown(), status_of(&shared), route_of(&shared, &record.route));
    // Packing takes its time: not on the thread that serves.
    let packed = tokio::task::spawn_blocking(move || {
        let (configuration, status, route) = surroundings;
        let made_at = time_text(clock::now());
        let around = Surroundings {
            related: &related,
            resource: resource.as_ref(),
            configuration,
            status: serde_json::to_value(status).unwrap_or_default(),
            route,
            made_at: &made_at,
        };
        pack(&escalation::bundle(&record, &around))
    });
    let archive = packed.await.map_err(|_| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the bundle could not be packed; the other exports may work")
    })?;
    let mut response = ([(header::CONTENT_TYPE, media_type)], archive).into_response();
    name_file(&mut response, &format!("{name}.{ending}"));
    Ok(response)
}

/// The records of the same resource around this one, newest first.
async fn related(shared: &Shared, of: &Record) -> Result<Vec<Record>, Problem> {
    let id = id_of_text(&of.id);
    let query = Query { limit: RELATED, resource: Some(of.request.url.clone()), ..Query::default() };
    let after = shared.recorder.list(Query { after: id, ..query.clone() }).await.map_err(unavailable)?;
    let before = shared.recorder.list(Query { before: id, ..query }).await.map_err(unavailable)?;
    let mut records = after.records.iter().rev().map(record).collect::<Result<Vec<_>, _>>()?;
    records.push(of.clone());
    for stored in &before.records {
        records.push(record(stored)?);
    }
    Ok(records)
}

/// What the ledger knows; nothing where the URL that is recorded is not the whole URL.
fn resource_of(shared: &Shared, of: &Record) -> Option<ResourceView> {
    let (scheme, authority, target) = url_parts(&of.request.url)?;
    shared.recorder.resource(scheme, authority, target)
}

fn route_of(shared: &Shared, name: &str) -> serde_json::Value {
    let route = shared.recorder.routes().into_iter().find(|route| route.route == name);
    serde_json::to_value(route).unwrap_or_default()
}

/// Under which name a browser saves it.
fn name_file(response: &mut Response, name: &str) {
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
}

fn read_query(query: Option<&str>) -> Result<Query, Problem> {
    let parameters = Parameters::read(query, PARAMETERS)?;
    let mut faults = Vec::new();
    let now = clock::now();
    let known = |kind: &'static str| {
        move |text: &str| {
            let entry = catalogue::view_of(text).filter(|entry| entry.kind == kind && entry.id == text);
            entry.map(|entry| entry.id.to_owned()).ok_or_else(|| format!("{text:?} is no {kind} of the catalogue"))
        }
    };
    let query = Query {
        after: parameters.parsed("after", &mut faults, exchange_id),
        before: parameters.parsed("before", &mut faults, exchange_id),
        limit: parameters.parsed("limit", &mut faults, |text| number(text, 1, LIMIT_MAX)).unwrap_or(LIMIT_DEFAULT),
        route: parameters.text("route"),
        cause: parameters.parsed("cause", &mut faults, known("cause")),
        hazard: parameters.parsed("hazard", &mut faults, known("hazard")),
        status: parameters
            .parsed("status", &mut faults, |text| number(text, 100, 599))
            .and_then(|status| u16::try_from(status).ok()),
        resource: parameters.text("resource"),
        since: parameters.parsed("since", &mut faults, |text| moment(text, now)),
        until: parameters.parsed("until", &mut faults, |text| moment(text, now)),
        text: parameters.text("text"),
    };
    if query.since.zip(query.until).is_some_and(|(since, until)| since >= until) {
        faults.push("since: it is not before until, so nothing can fit".to_owned());
    }
    if faults.is_empty() { Ok(query) } else { Err(wrong(faults)) }
}

/// Records are stored as JSON, and so are put together as text.
fn page_text(page: &Page) -> String {
    let records = page.records.iter().map(|stored| &*stored.json).collect::<Vec<_>>().join(",");
    let next = page.next.as_ref().map(|next| format!("\"{next}\""));
    format!("{{\"exchanges\":[{records}],\"next\":{}}}", next.as_deref().unwrap_or("null"))
}

async fn find(shared: &Shared, id: &str) -> Result<Stored, Problem> {
    let unknown = || Problem::not_found("there is no record of that exchange; it may have made room for others");
    let id = id_of_text(id).ok_or_else(unknown)?;
    shared.recorder.one(id).await.map_err(unavailable)?.ok_or_else(unknown)
}

fn record(stored: &Stored) -> Result<Record, Problem> {
    serde_json::from_str(&stored.json).map_err(|fault| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the record cannot be read back: {fault}"))
    })
}

pub(super) fn unavailable(error: StoreError) -> Problem {
    Problem::unavailable(error.to_string())
}

pub(super) fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn queries_are_read_strictly() {
        let query = read_query(Some("limit=5&status=412&after=01JD0Z00000000000000000000")).unwrap();
        assert_eq!((query.limit, query.status), (5, Some(412)));
        assert!(query.after.is_some());
        for wrong in
            ["limit=0", "limit=1001", "status=99", "after=x", "cause=nonsense", "hazard=stale-validator", "q=1"]
        {
            assert_eq!(read_query(Some(wrong)).unwrap_err().status, 400, "{wrong}");
        }
    }

    #[test]
    fn the_next_page_is_named_only_where_there_is_one() {
        let stored = Stored { key: 1, id: "01A".to_owned(), json: Arc::from("{\"id\":\"01A\"}") };
        let mut page = Page { records: vec![stored], next: Some("01A".to_owned()) };
        assert_eq!(page_text(&page), "{\"exchanges\":[{\"id\":\"01A\"}],\"next\":\"01A\"}");
        page.next = None;
        assert_eq!(page_text(&page), "{\"exchanges\":[{\"id\":\"01A\"}],\"next\":null}");
        assert_eq!(page_text(&Page::default()), "{\"exchanges\":[],\"next\":null}");
    }
}
