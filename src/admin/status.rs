//! How this instance is, and how its counters moved.

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use tokio::time::MissedTickBehavior;
use utoipa::ToSchema;

use super::Shared;
use super::problem::Problem;
use super::query::{Parameters, number, wrong};
use crate::clock;
use crate::config::Report;
use crate::recorder::record::time_text;
use crate::recorder::status::{CapturesStatus, FeedStatus, LedgerStatus, PairSetting, PairingStatus};
use crate::recorder::trends::{REACH, STEP, TrendsView};

/// This instance.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Status {
    /// What tells its records from those of other instances.
    instance: String,
    /// Where it stands: alone, outer or inner.
    role: &'static str,
    /// The version of why412.
    version: &'static str,
    /// When it started: what it has counted began then.
    started_at: String,
    /// Its clock.
    now: String,
    /// Where clients connect.
    listen: String,
    /// Whether traffic should be sent here.
    ready: bool,
    /// Why not.
    not_ready_because: Option<String>,
    /// Whether it is part of `why412 demo`.
    demo: bool,
    /// What is kept of exchanges.
    captures: CapturesStatus,
    /// What is remembered of resources.
    ledger: LedgerStatus,
    /// The live feed.
    feed: FeedStatus,
    /// The pair.
    pairing: PairingStatus,
}

/// How this instance is: readiness, what it keeps, who listens, and whether the pair works.
#[utoipa::path(get, path = "/api/v1/status", tag = "state", responses((status = 200, body = Status)))]
pub(super) async fn status(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Result<Json<Status>, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    Ok(Json(status_of(&shared)))
}

/// The status now.
pub(super) fn status_of(shared: &Shared) -> Status {
    let (config, recorder) = (shared.config.load(), &shared.recorder);
    let not_ready_because = (shared.hooks.readiness)().err();
    let setting = PairSetting {
        role: config.pairing.role,
        signed: !config.pairing.secrets.is_empty(),
        report: match config.pairing.report {
            Report::Always => "always",
            Report::Marked => "marked",
        },
    };
    Status {
        instance: recorder.instance().to_owned(),
        role: config.pairing.role.as_str(),
        version: env!("CARGO_PKG_VERSION"),
        started_at: time_text(recorder.started_at()),
        now: time_text(clock::now()),
        listen: shared.listen.to_string(),
        ready: not_ready_because.is_none(),
        not_ready_because,
        demo: shared.switchboard.is_some(),
        captures: recorder.captures(),
        ledger: recorder.ledger(),
        feed: recorder.feed(),
        pairing: recorder.pairing(setting),
    }
}

/// How the counters of each route moved within the last minutes, in steps of ten seconds. A restart begins anew.
#[utoipa::path(
    get, path = "/api/v1/trends", tag = "state",
    params(("minutes" = Option<usize>, Query, description = "So far back: 1 to 60, 60 if not given")),
    responses(
        (status = 200, body = TrendsView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn trends(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<TrendsView>, Problem> {
    let parameters = Parameters::read(query.as_deref(), &["minutes"])?;
    let mut faults = Vec::new();
    let longest = usize::try_from(REACH.as_secs() / 60).unwrap_or(usize::MAX);
    let minutes = parameters.parsed("minutes", &mut faults, |text| number(text, 1, longest)).unwrap_or(longest);
    if !faults.is_empty() {
        return Err(wrong(faults));
    }
    let reach = std::time::Duration::from_secs(60 * minutes as u64).min(REACH);
    Ok(Json(shared.recorder.trends(reach)))
}

/// Samples the counters for the trends until the control plane stops.
pub(super) async fn sample(shared: Shared) {
    let mut stopping = shared.stopping.clone();
    let mut ticks = tokio::time::interval(STEP);
    // Where nobody could look in time the step was longer, and says so.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once.
    ticks.tick().await;
    loop {
        tokio::select! {
            _ = ticks.tick() => shared.recorder.sample(),
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}
