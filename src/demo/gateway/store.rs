//! Answers that the gateway keeps for a while, and what it answers by itself with them.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};

use super::{lists, page};
use crate::analysis::time::Time;
use crate::demo::wire::text;

/// For how long an answer is given out again.
const FRESH: Duration = Duration::from_secs(8);

/// Answers that are kept; the oldest goes first.
const ANSWERS_MAX: usize = 32;

/// By target, and by what the client accepts.
#[derive(Debug, Default)]
pub(super) struct Store(HashMap<(String, Option<HeaderValue>), (Time, Response<Bytes>)>);

/// A stored answer, and how old it is.
#[derive(Debug)]
pub(super) struct Held {
    response: Response<Bytes>,
    age: Option<Duration>,
}

impl Store {
    /// What is kept for this request.
    pub(super) fn fresh(&mut self, request: &Request<Bytes>, now: Time) -> Option<Held> {
        self.0.retain(|_, (at, _)| now.since(*at) < FRESH);
        let (at, response) = self.0.get(&key(request))?;
        Some(Held { response: response.clone(), age: Some(now.since(*at)) })
    }

    /// Keeps an answer that came just now.
    pub(super) fn keep(&mut self, request: &Request<Bytes>, response: Response<Bytes>, now: Time) -> Held {
        if self.0.len() >= ANSWERS_MAX {
            let oldest = self.0.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.0.remove(&key));
        }
        self.0.insert(key(request), (now, response.clone()));
        Held { response, age: None }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

fn key(request: &Request<Bytes>) -> (String, Option<HeaderValue>) {
    (request.uri().to_string(), request.headers().get(header::ACCEPT_ENCODING).cloned())
}

impl Held {
    /// The answer to a read: the copy, its confirmation, or a refusal by `if_match`, all by the copy alone.
    pub(super) fn answer(self, if_match: Option<&HeaderValue>, asked: &HeaderMap) -> Response<Bytes> {
        let Self { mut response, age } = self;
        if let Some(age) = age {
            response.headers_mut().insert(header::AGE, age.as_secs().into());
        }
        let tag = text(response.headers(), "etag").unwrap_or_default().to_owned();
        let is_refused = if_match.is_some_and(|wanted| {
            let wanted = HeaderMap::from_iter([(header::IF_MATCH, wanted.clone())]);
            !lists(&wanted, header::IF_MATCH, "*") && !lists(&wanted, header::IF_MATCH, &tag)
        });
        if is_refused {
            return page(StatusCode::PRECONDITION_FAILED, without_content(response.headers()));
        }
        if lists(asked, header::IF_NONE_MATCH, &tag) {
            let mut confirmed = Response::new(Bytes::new());
            *confirmed.headers_mut() = without_content(response.headers());
            *confirmed.status_mut() = StatusCode::NOT_MODIFIED;
            return confirmed;
        }
        response
    }
}

fn without_content(fields: &HeaderMap) -> HeaderMap {
    let mut fields = fields.clone();
    fields.remove(header::CONTENT_TYPE);
    fields.remove(header::CONTENT_ENCODING);
    fields
}
