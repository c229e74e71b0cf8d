//! The control plane: the admin API and its guard, on a thread of its own. It shows and switches; it never touches an
//! exchange.

mod bypass;
mod control;
mod demo;
mod events;
mod exchanges;
mod guard;
mod openapi;
mod page;
mod problem;
mod query;
mod serve;
mod status;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use std::{io, thread};

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::{Semaphore, oneshot, watch};

use crate::analysis::exchange::ExchangeId;
use crate::bypass::Switch;
use crate::config::Config;
use crate::recorder::Recorder;
use crate::recorder::probe::ProbeRefusal;
use crate::recorder::store::Stored;
use problem::Problem;

pub use demo::{BehaviourView, StoryView, Switchboard, UnknownBehaviour};

/// Reads the configuration again; the faults if that cannot be.
pub type Reload = Box<dyn Fn() -> Result<(), Vec<String>> + Send + Sync>;

/// Whether this instance is ready; the reason if not.
pub type Readiness = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Probes a recorded exchange; what comes is its amended record.
pub type Probe = Box<dyn Fn(ExchangeId) -> oneshot::Receiver<Result<Stored, ProbeRefusal>> + Send + Sync>;

/// What the control plane asks of the lifecycle.
pub struct Hooks {
    /// For `POST /-/reload`.
    pub reload: Reload,
    /// For `GET /readyz`.
    pub readiness: Readiness,
    /// For `POST /api/v1/exchanges/{id}/probe`.
    pub probe: Probe,
}

/// What the control plane shows and switches.
pub struct AdminContext {
    /// What is remembered.
    pub recorder: Arc<Recorder>,
    /// The bypass switch.
    pub bypass: Arc<Switch>,
    /// The running configuration.
    pub config: Arc<ArcSwap<Config>>,
    /// The lifecycle.
    pub hooks: Hooks,
    /// What `/api/v1/demo` shows and switches; nothing is found there otherwise.
    pub switchboard: Option<Arc<dyn Switchboard>>,
    /// Where clients connect, with the port that the system has chosen where none is configured.
    pub listen: SocketAddr,
}

/// A request body of ours is a few lines of JSON.
const BODY_BYTES_MAX: usize = 64 << 10;

/// From the head of a request to the head of its answer, its body included.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Readers of the feed at once.
const READERS_MAX: usize = 64;

/// What every handler may use.
#[derive(Clone)]
struct Shared {
    recorder: Arc<Recorder>,
    bypass: Arc<Switch>,
    config: Arc<ArcSwap<Config>>,
    hooks: Arc<Hooks>,
    switchboard: Option<Arc<dyn Switchboard>>,
    listen: SocketAddr,
    readers: Arc<Semaphore>,
    /// Turns true when the control plane stops, so that feeds end.
    stopping: watch::Receiver<bool>,
}

/// A control plane at work, on a thread of its own.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    within: watch::Sender<Duration>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Stops accepting, ends the feeds, waits for what is in flight no longer than `within`.
    pub fn stop(self, within: Duration) {
        self.within.send_replace(within);
        self.stop.send_replace(true);
        // A thread that panicked has nothing in flight any more.
        let _ = self.thread.join();
    }
}

/// Serves the admin API on `listener`, and /livez, /readyz and /metrics alone on `telemetry`.
pub fn start(listener: TcpListener, telemetry: Option<TcpListener>, context: AdminContext) -> io::Result<Running> {
    let (stop, stopping) = watch::channel(false);
    let (within, allowed) = watch::channel(Duration::ZERO);
    let shared = Shared {
        recorder: context.recorder,
        bypass: context.bypass,
        config: context.config,
        hooks: Arc::new(context.hooks),
        switchboard: context.switchboard,
        listen: context.listen,
        readers: Arc::new(Semaphore::new(READERS_MAX)),
        stopping,
    };
    listener.set_nonblocking(true)?;
    if let Some(telemetry) = &telemetry {
        telemetry.set_nonblocking(true)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (listener, telemetry) = {
        let _entered = runtime.enter();
        let telemetry = telemetry.map(tokio::net::TcpListener::from_std).transpose()?;
        (tokio::net::TcpListener::from_std(listener)?, telemetry)
    };
    let work = move || runtime.block_on(serve_both(listener, telemetry, shared, allowed));
    let thread = thread::Builder::new().name("why412-admin".to_owned()).spawn(work)?;
    Ok(Running { stop, within, thread })
}

async fn serve_both(
    listener: tokio::net::TcpListener,
    telemetry: Option<tokio::net::TcpListener>,
    shared: Shared,
    within: watch::Receiver<Duration>,
) {
    let mut stopping = shared.stopping.clone();
    tokio::spawn(status::sample(shared.clone()));
    let api = serve::serve(listener, router(shared.clone()), stopping.clone());
    let stopping_as_well = stopping.clone();
    let alone = async move {
        if let Some(listener) = telemetry {
            serve::serve(listener, telemetry_router(shared), stopping_as_well).await;
        }
    };
    let both = async { tokio::join!(api, alone) };
    tokio::pin!(both);
    tokio::select! {
        _ = both.as_mut() => return,
        // An error says that the sender is gone, which is a stop as well.
        _ = stopping.wait_for(|stop| *stop) => {}
    }
    let within = *within.borrow();
    // What is not answered by then is cut.
    let _ = tokio::time::timeout(within, both).await;
}

fn router(shared: Shared) -> Router {
    let exchanges = Router::new()
        .route("/", get(exchanges::list))
        .route("/{id}", get(exchanges::one))
        .route("/{id}/probe", post(exchanges::probe))
        .route("/{id}/har", get(exchanges::as_har))
        .route("/{id}/curl", get(exchanges::as_curl))
        .route("/{id}/bundle", get(exchanges::as_bundle));
    Router::new()
        .route("/", get(page::page))
        .route(page::ASSETS_ROUTE, get(page::asset))
        .route("/livez", get(control::livez))
        .route("/readyz", get(control::readyz))
        .route("/metrics", get(control::metrics))
        .route("/-/reload", post(control::reload))
        .nest("/api/v1/exchanges", exchanges)
        .route("/api/v1/events", get(events::events))
        .route("/api/v1/status", get(status::status))
        .route("/api/v1/trends", get(status::trends))
        .route("/api/v1/routes", get(control::routes))
        .route("/api/v1/resources", get(control::resource))
        .route("/api/v1/bypass", get(bypass::read).put(bypass::begin).delete(bypass::end))
        .route("/api/v1/demo", get(demo::read).put(demo::switch))
        .route("/api/v1/causes", get(control::causes))
        .route("/api/v1/config", get(control::config))
        .route("/api/v1/openapi.json", get(openapi::document))
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_this_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(shared.clone(), guarded))
        .layer(middleware::from_fn(in_our_manner))
        .with_state(shared)
}

/// For scrapes and probes from elsewhere: without token, whatever the host is called, and with nothing to steal.
fn telemetry_router(shared: Shared) -> Router {
    Router::new()
        .route("/livez", get(control::livez))
        .route("/readyz", get(control::readyz))
        .route("/metrics", get(control::metrics))
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_this_method)
        .layer(middleware::from_fn(in_our_manner))
        .with_state(shared)
}

async fn guarded(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match guard::check(&parts, &shared.config.load().admin) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => problem.into_response(),
    }
}

/// What every answer has in common: nothing may be guessed at, nothing is kept unless it says so, and every error is a problem document.
async fn in_our_manner(request: Request, next: Next) -> Response {
    let mut response = match tokio::time::timeout(ANSWER_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(StatusCode::REQUEST_TIMEOUT, "the request took too long").into_response(),
    };
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/problem+json"));
    let status = response.status();
    if (status.is_client_error() || status.is_server_error()) && !is_problem {
        let detail = if status == StatusCode::PAYLOAD_TOO_LARGE {
            "the body is too large"
        } else {
            "the request cannot be understood"
        };
        response = Problem::new(status, detail).into_response();
    }
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn nothing_here() -> Problem {
    Problem::not_found("there is nothing here; /api/v1/openapi.json tells what there is")
}

async fn not_this_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "that method does nothing here; Allow tells which do")
}
