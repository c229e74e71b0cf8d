//! The gateway: passes requests on, and on the way does what its [`Behaviour`]s say. It knows nothing of why412; what the
//! two instances tell each other passes through it as through any other.

mod behaviours;
mod compress;
mod store;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use sha2::{Digest as _, Sha256};

use super::stories::Story;
use super::wire::{self, Names, NoAnswer, text};
use crate::admin::{BehaviourView, StoryView, Switchboard, UnknownBehaviour};
use crate::analysis::time::Time;
use crate::clock;
use behaviours::{Behaviour, Switches};
use store::{Held, Store};

pub(super) use behaviours::is_known;

/// The gateway between the two instances.
#[derive(Debug)]
pub(super) struct Gateway {
    upstream: SocketAddr,
    switches: Switches,
    /// Guards the stored answers; held for a look-up or an insertion.
    store: Mutex<Store>,
    /// The If-Match of the latest write that is not used up yet. Held to take or put one.
    kept: Mutex<Option<(Time, HeaderValue)>>,
    stories: Vec<StoryView>,
}

impl Gateway {
    /// In front of `upstream`.
    pub(super) fn new(upstream: SocketAddr, stories: &[Story]) -> Self {
        let view = |story: &Story| StoryView { id: story.name.clone(), title: story.title.clone() };
        Self {
            upstream,
            switches: Switches::default(),
            store: Mutex::default(),
            kept: Mutex::default(),
            stories: stories.iter().map(view).collect(),
        }
    }

    /// Answers one request.
    pub(super) async fn pass(self: Arc<Self>, mut request: Request<Bytes>) -> Result<Response<Bytes>, NoAnswer> {
        let path = request.uri().path().to_owned();
        let does = |behaviour| self.switches.applies(behaviour, &path);
        remove_connection_fields(request.headers_mut());
        let is_read = request.method() == Method::GET;
        let judged = if is_read && does(Behaviour::AnswerFromStore) {
            request.headers_mut().remove(header::IF_MATCH)
        } else {
            None
        };
        let stores = is_read && (does(Behaviour::Cache) || does(Behaviour::AnswerFromStore));
        if stores && let Some(held) = self.stored(&request) {
            return Ok(held.answer(judged.as_ref(), request.headers()));
        }
        if !is_read && does(Behaviour::DropCondition) {
            request.headers_mut().remove(header::IF_MATCH);
            request.headers_mut().remove(header::IF_NONE_MATCH);
        }
        if !is_read && does(Behaviour::ReplayCondition) {
            self.replay(request.headers_mut());
        }
        let Ok(mut response) = self.forward(&request, does(Behaviour::Resend)).await else {
            return Ok(bad_gateway());
        };
        remove_connection_fields(response.headers_mut());
        if !is_read && does(Behaviour::StripTag) {
            response.headers_mut().remove(header::ETAG);
        }
        if is_read && does(Behaviour::RewriteTag) {
            rewrite_tag(&mut response);
        }
        if does(Behaviour::GzipWeaken) {
            compress::compress(request.headers(), &mut response, compress::weakened);
        }
        if does(Behaviour::GzipSuffix) {
            compress::compress(request.headers(), &mut response, compress::suffixed);
        }
        if stores && response.status() == StatusCode::OK {
            let held = self.store.lock().unwrap_or_else(PoisonError::into_inner).keep(&request, response, clock::now());
            return Ok(held.answer(judged.as_ref(), request.headers()));
        }
        Ok(response)
    }

    fn stored(&self, request: &Request<Bytes>) -> Option<Held> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).fresh(request, clock::now())
    }

    /// Puts the condition of the write before in the place of this one's.
    fn replay(&self, fields: &mut HeaderMap) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::now();
        match kept.take().filter(|(at, _)| now.since(*at) < KEPT) {
            Some((_, before)) => drop(fields.insert(header::IF_MATCH, before)),
            None => *kept = fields.get(header::IF_MATCH).map(|condition| (now, condition.clone())),
        }
    }

    async fn forward(&self, request: &Request<Bytes>, resends: bool) -> io::Result<Response<Bytes>> {
        let once = || {
            let mut request = request.clone();
            *request.version_mut() = Version::HTTP_11;
            wire::send(self.upstream, request, Names::AsTheyCame)
        };
        match once().await {
            // RFC 9110 §9.2.2: PUT is idempotent, and so gateways take the liberty.
            Err(_) if resends && request.method() == Method::PUT => once().await,
            ended => ended,
        }
    }
}

impl Switchboard for Gateway {
    fn behaviours(&self) -> Vec<BehaviourView> {
        self.switches.view()
    }

    fn stories(&self) -> Vec<StoryView> {
        self.stories.clone()
    }

    fn switch(&self, wanted: &BTreeMap<String, bool>) -> Result<(), UnknownBehaviour> {
        self.switches.switch(wanted)?;
        // Whoever switches wants to see the difference now, and not when the last copy has expired.
        self.store.lock().unwrap_or_else(PoisonError::into_inner).clear();
        drop(self.kept.lock().unwrap_or_else(PoisonError::into_inner).take());
        Ok(())
    }
}

/// For how long a condition is kept for the next write.
const KEPT: Duration = Duration::from_secs(2);

/// RFC 9110 §7.6.1, for what loopback clients send: both ends frame their bodies anew.
fn remove_connection_fields(fields: &mut HeaderMap) {
    for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::UPGRADE, header::TE] {
        fields.remove(name);
    }
    fields.remove("keep-alive");
}

fn rewrite_tag(response: &mut Response<Bytes>) {
    let digest = Sha256::digest(response.body());
    let short: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    if response.status() == StatusCode::OK
        && let Ok(tag) = format!("\"{short}\"").parse()
    {
        response.headers_mut().insert(header::ETAG, tag);
    }
}

fn bad_gateway() -> Response<Bytes> {
    page(StatusCode::BAD_GATEWAY, HeaderMap::new())
}

/// An answer of the gateway's own.
fn page(status: StatusCode, mut fields: HeaderMap) -> Response<Bytes> {
    let text = format!("<html><h1>{status}</h1></html>\n");
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    response
}

/// Whether a list of codings or tags names `wanted`.
fn lists(fields: &HeaderMap, name: header::HeaderName, wanted: &str) -> bool {
    text(fields, name.as_str()).is_some_and(|list| list.split(',').any(|member| member.trim() == wanted))
}
