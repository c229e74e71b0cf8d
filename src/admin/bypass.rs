//! The bypass switch over HTTP: a list with an entity-tag, so that two people who switch at once notice each other.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tracing::warn;
use utoipa::ToSchema;

use super::Shared;
use super::problem::Problem;
use super::query::{Parameters, wrong};
use crate::bypass::{Active, Bounds, Wanted, entity_tag};
use crate::clock;
use crate::config::Config;
use crate::recorder::record::time_text;

/// Every bypass at work.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BypassList {
    /// One for all routes at most, and one per route.
    bypasses: Vec<BypassView>,
}

/// One bypass.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BypassView {
    /// The route it covers; null for all.
    route: Option<String>,
    /// When it ends by itself.
    until: String,
    /// Traffic takes the direct addresses, around the gateway.
    direct: bool,
    /// keep, or remove as a test.
    preconditions: &'static str,
    /// What to know while it lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
}

/// What to switch on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BypassRequest {
    /// The route to cover; null for all.
    #[serde(default)]
    route: Option<String>,
    /// How long, such as `15m`; the configured default if not given.
    #[serde(default, rename = "for")]
    lasting: Option<String>,
    /// Traffic takes the direct addresses; needs `bypass.direct_traffic`.
    #[serde(default)]
    direct: bool,
    /// `keep`, or `remove` where a route allows it.
    #[serde(default)]
    preconditions: Preconditions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Preconditions {
    #[default]
    Keep,
    Remove,
}

const DIRECT_WARNING: &str = "writes sent directly leave the caches they go around stale";

/// The bypasses at work.
#[utoipa::path(
    get, path = "/api/v1/bypass", tag = "bypass", operation_id = "bypass_read",
    params(("If-None-Match" = Option<String>, Header, description = "Not if the list is still the one with this ETag")),
    responses(
        (status = 200, body = BypassList, headers(("ETag" = String, description = "of the list"))),
        (status = 304, description = "the list is the one with that ETag"),
    ),
)]
pub(super) async fn read(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    let active = shared.bypass.active(clock::now());
    let tag = entity_tag(&active);
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| names(value, &tag));
    if known {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(answer(&active))
}

/// Switches a bypass on, in place of an earlier one of the same scope.
#[utoipa::path(
    put, path = "/api/v1/bypass", tag = "bypass", operation_id = "bypass_begin", request_body = BypassRequest,
    params(("If-Match" = Option<String>, Header, description = "Only if the list is still the one with this ETag")),
    responses(
        (status = 200, body = BypassList),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn begin(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    let request: BypassRequest =
        serde_json::from_slice(&body).map_err(|fault| Problem::bad_request(format!("the body: {fault}")))?;
    let wanted = checked(request, &shared.config.load())?;
    let now = clock::now();
    check_if_match(&headers, &shared.bypass.active(now))?;
    let begun = shared.bypass.begin(&wanted, now);
    let (route, until) = (begun.route.as_deref().unwrap_or("all routes"), time_text(begun.until));
    let (direct, remove_preconditions) = (begun.direct, begun.remove_preconditions);
    warn!(route, until, direct, remove_preconditions, "bypass begun");
    if direct {
        warn!(route, "{DIRECT_WARNING}");
    }
    Ok(answer(&shared.bypass.active(now)))
}

/// Switches a bypass off: that of `route`, or without it all.
#[utoipa::path(
    delete, path = "/api/v1/bypass", tag = "bypass", operation_id = "bypass_end",
    params(
        ("route" = Option<String>, Query, description = "The route; all bypasses end if not given"),
        ("If-Match" = Option<String>, Header, description = "Only if the list is still the one with this ETag"),
    ),
    responses(
        (status = 200, body = BypassList),
        (status = 412, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn end(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(query.as_deref(), &["route"])?;
    let now = clock::now();
    check_if_match(&headers, &shared.bypass.active(now))?;
    let route = parameters.text("route");
    let ended = match &route {
        Some(route) => shared.bypass.end(Some(route), now),
        None => shared.bypass.end_all(now),
    };
    if ended {
        warn!(route = route.as_deref().unwrap_or("all routes"), "bypass ended");
    }
    Ok(answer(&shared.bypass.active(now)))
}

fn checked(request: BypassRequest, config: &Config) -> Result<Wanted, Problem> {
    let route = request.route.as_deref();
    let covered: Vec<_> = config.routes.iter().filter(|of| route.is_none_or(|name| name == of.name)).collect();
    let mut faults = Vec::new();
    if covered.is_empty() {
        faults.push(format!("route: there is no route {:?}", route.unwrap_or_default()));
    }
    if request.direct && !config.bypass.direct_traffic {
        faults.push("direct: traffic takes the direct addresses only where bypass.direct_traffic = true".to_owned());
    }
    let has_direct = |index: usize| config.upstreams.get(index).is_some_and(|upstream| !upstream.direct.is_empty());
    if request.direct && !covered.iter().any(|of| has_direct(of.upstream)) {
        faults.push("direct: the upstream has no direct addresses".to_owned());
    }
    let remove_preconditions = request.preconditions == Preconditions::Remove;
    if remove_preconditions && !covered.iter().any(|of| of.allow_precondition_removal) {
        faults.push("preconditions: only a route with allow_precondition_removal = true lets them go".to_owned());
    }
    let bounds = Bounds { default: config.bypass.default_duration, longest: config.bypass.longest_duration };
    let lasting = request
        .lasting
        .as_deref()
        .map(duration)
        .transpose()
        .and_then(|asked| bounds.lasting(asked).map_err(|fault| fault.to_string()));
    match lasting {
        Ok(lasting) if faults.is_empty() => {
            Ok(Wanted { route: request.route, lasting, direct: request.direct, remove_preconditions })
        }
        Ok(_) => Err(wrong(faults)),
        Err(fault) => {
            faults.push(format!("for: {fault}"));
            Err(wrong(faults))
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    parsed.ok_or_else(|| format!("{text:?} is not a duration such as \"15m\""))
}

/// RFC 9110 §13.1.1. The list is always there, so `*` always holds.
fn check_if_match(headers: &HeaderMap, active: &[Active]) -> Result<(), Problem> {
    let tag = entity_tag(active);
    let mut conditions = headers.get_all(header::IF_MATCH).iter().peekable();
    if conditions.peek().is_none() || conditions.any(|value| names(value, &tag)) {
        return Ok(());
    }
    let detail = format!("the bypasses have changed; the list is now {tag}");
    Err(Problem::new(StatusCode::PRECONDITION_FAILED, detail))
}

/// Whether a list of entity-tags holds ours, which is strong and has no comma within its quotes.
fn names(value: &HeaderValue, tag: &str) -> bool {
    let value = value.to_str().unwrap_or_default();
    value.trim() == "*" || value.split(',').any(|listed| listed.trim() == tag)
}

fn answer(active: &[Active]) -> Response {
    let view = |bypass: &Active| BypassView {
        route: bypass.route.clone(),
        until: time_text(bypass.until),
        direct: bypass.direct,
        preconditions: if bypass.remove_preconditions { "remove" } else { "keep" },
        warning: bypass.direct.then_some(DIRECT_WARNING),
    };
    let list = BypassList { bypasses: active.iter().map(view).collect() };
    ([(header::ETAG, entity_tag(active))], Json(list)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_tags_are_read() {
        let names = |value: &'static str| names(&HeaderValue::from_static(value), "\"a1\"");
        assert!(names("\"a1\"") && names("\"x\" , \"a1\"") && names("*"));
        // RFC 9110 §8.8.3.2: a weak tag never equals a strong one in a strong comparison.
        assert!(!names("W/\"a1\"") && !names("\"a\"") && !names("a1") && !names(""));
    }

    #[test]
    fn durations_are_read() {
        assert_eq!(duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["15", "-5m", "", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
