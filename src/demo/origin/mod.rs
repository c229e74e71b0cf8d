//! The origin: documents with versions, on two nodes. It judges conditions as RFC 9110 §13.2.2 says, except where a
//! [`Manner`] says that this part of the service has a fault of its own.

mod documents;
mod manners;

use std::sync::Arc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};

use super::wire::{NoAnswer, text};
use crate::analysis::exchange::Comparison;
use crate::analysis::semantics::conditions::Conditions;
use crate::analysis::semantics::entity_tag::EntityTag;
use crate::analysis::semantics::fields::Fields;
use crate::analysis::semantics::http_date::HttpDate;
use crate::analysis::semantics::precondition::{State, Verdict, evaluate};
use crate::clock;
use documents::{Document, Documents};
use manners::{Answers, Judges, Manner};

pub(super) use documents::Node;

/// The service.
#[derive(Debug, Default)]
pub(super) struct Origin {
    /// Guards the documents; held while one request is carried out, never while anybody waits.
    documents: Mutex<Documents>,
}

/// How a request ends.
enum Ending {
    Answered(Response<Bytes>),
    /// What was asked for is done, and the answer takes its time.
    Late(Response<Bytes>),
    /// What was asked for is done, and the connection breaks before the answer.
    Broken,
}

/// How long the slow part of the service thinks.
const LATE: Duration = Duration::from_millis(1500);

impl Origin {
    /// Carries a request out.
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Bytes>,
        node: Node,
    ) -> Result<Response<Bytes>, NoAnswer> {
        match self.carry_out(request, node) {
            Ending::Answered(response) => Ok(response),
            Ending::Late(response) => {
                tokio::time::sleep(LATE).await;
                Ok(response)
            }
            Ending::Broken => Err(NoAnswer),
        }
    }

    fn carry_out(&self, request: Request<Bytes>, node: Node) -> Ending {
        let (head, _) = request.into_parts();
        let path = head.uri.path();
        let manner = manners::of(path);
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        let above = path.rsplit_once('/').map(|(above, _)| documents.tag(above, &manner, node));
        let Some(document) = documents.at(path, &manner, clock::now()) else {
            return Ending::Answered(answer(StatusCode::NOT_FOUND, HeaderMap::new(), Bytes::new()));
        };
        let shown = document.shown(path, &manner, node);
        let judged_by = if manner.judges == Judges::ByTheCollection { above.flatten() } else { shown.etag.clone() };
        if let Some(response) = refused(&head, document, &manner, &shown, judged_by.as_deref()) {
            return Ending::Answered(response);
        }
        if head.method == Method::GET || head.method == Method::HEAD {
            return Ending::Answered(read(&head, document, &manner, &shown));
        }
        let response = written(&head, document, &manner, node);
        if manner.answers == Answers::Late {
            Ending::Late(response)
        } else if manner.answers == Answers::Broken && head.method == Method::PUT {
            Ending::Broken
        } else {
            Ending::Answered(response)
        }
    }
}

/// The answer to a condition that does not hold, or to what this part of the service never allows.
fn refused(
    head: &Parts,
    document: &mut Document,
    manner: &Manner,
    shown: &documents::Shown,
    judged_by: Option<&str>,
) -> Option<Response<Bytes>> {
    let is_read = head.method == Method::GET || head.method == Method::HEAD;
    let fields = fields_of(&head.headers);
    let conditions = Conditions::of(&fields);
    let current = |status| Some(answer(status, shown.validators(judged_by), problem(status)));
    let failed = || {
        if manner.answers == Answers::Bare {
            return Some(answer(StatusCode::PRECONDITION_FAILED, HeaderMap::new(), Bytes::new()));
        }
        let is_conflict = manner.answers == Answers::Conflict;
        current(if is_conflict { StatusCode::CONFLICT } else { StatusCode::PRECONDITION_FAILED })
    };
    let holds = |holds: bool| if holds { None } else { failed() };
    let judges = |how| manner.judges == how;
    if is_read && judges(Judges::NeverReads) || !is_read && judges(Judges::NothingOnWrites) {
        return None;
    }
    if judges(Judges::RefusesCreates) && text(&head.headers, "if-none-match") == Some("*") {
        return Some(answer(StatusCode::NOT_IMPLEMENTED, HeaderMap::new(), Bytes::new()));
    }
    if is_read && judges(Judges::DateFirst) {
        let since = conditions.if_modified_since.valid();
        if since.is_some_and(|since| shown.last_modified.is_some_and(|modified| modified <= *since)) {
            return Some(not_modified(shown, manner));
        }
    }
    if !is_read && judges(Judges::RuleOfItsOwn) {
        return failed();
    }
    if !is_read && judges(Judges::Generations) {
        let wanted = text(&head.headers, "x-goog-if-generation-match")?;
        return holds(wanted == document.generation().to_string());
    }
    if !is_read && judges(Judges::Letters) {
        return holds(judged_by == Some(text(&head.headers, "if-match")?));
    }
    if !is_read && judges(Judges::Fractions) {
        return holds(!document.is_modified_after(*conditions.if_unmodified_since.valid()?));
    }
    if !is_read && judges(Judges::AtSecondGlance) && conditions.if_match.is_present() {
        document.glances += 1;
        if document.glances % 2 == 1 {
            return failed();
        }
    }
    let state = State {
        exists: Some(document.exists),
        etag: judged_by.and_then(|tag| EntityTag::parse(tag.as_bytes())),
        last_modified: shown.last_modified,
    };
    match evaluate(&head.method, &conditions, &state, Comparison::Strong) {
        Verdict::NotModified => Some(not_modified(shown, manner)),
        Verdict::Failed { .. } => failed(),
        // What cannot be read cannot hold.
        Verdict::Undecidable { .. } if conditions.if_match.is_present() && !is_read => failed(),
        Verdict::Undecidable { .. } | Verdict::Proceed => None,
    }
}

fn not_modified(shown: &documents::Shown, manner: &Manner) -> Response<Bytes> {
    let mut fields = shown.validators(shown.etag.as_deref());
    if manner.answers != Answers::PoorConfirmations {
        fields.extend(caching(manner));
    }
    answer(StatusCode::NOT_MODIFIED, fields, Bytes::new())
}

fn read(head: &Parts, document: &Document, manner: &Manner, shown: &documents::Shown) -> Response<Bytes> {
    if !document.exists {
        return answer(StatusCode::NOT_FOUND, HeaderMap::new(), problem(StatusCode::NOT_FOUND));
    }
    let mut fields = shown.validators(shown.etag.as_deref());
    fields.extend(caching(manner));
    if manner.judges == Judges::Generations {
        fields.insert("x-goog-generation", document.generation().into());
    }
    let is_page = text(&head.headers, "accept").is_some_and(|accept| accept.starts_with("text/html"));
    let body = document.body(head.uri.path());
    if manner.answers == Answers::Pages && is_page {
        fields.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html; charset=utf-8"));
        return answer(StatusCode::OK, fields, format!("<!doctype html><pre>{body}</pre>\n").into());
    }
    fields.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    if manner.answers == Answers::Ranges {
        fields.insert(header::ACCEPT_RANGES, header::HeaderValue::from_static("bytes"));
        if let Some(part) = part(&head.headers, &mut fields, &body) {
            return answer(StatusCode::PARTIAL_CONTENT, fields, part);
        }
    }
    let body = if head.method == Method::HEAD { Bytes::new() } else { body.into() };
    answer(StatusCode::OK, fields, body)
}

/// `Range: bytes=N-`, served whatever If-Range says.
fn part(asked: &HeaderMap, fields: &mut HeaderMap, body: &str) -> Option<Bytes> {
    let from: usize = text(asked, "range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()?;
    let rest = body.get(from..).filter(|rest| !rest.is_empty())?;
    let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
    fields.insert(header::CONTENT_RANGE, range.parse().ok()?);
    Some(Bytes::copy_from_slice(rest.as_bytes()))
}

fn caching(manner: &Manner) -> HeaderMap {
    let mut fields = HeaderMap::new();
    if let Some(policy) = manner.caching {
        fields.insert(header::CACHE_CONTROL, header::HeaderValue::from_static(policy));
    }
    fields
}

/// Does what was asked for, and says what there is now.
fn written(head: &Parts, document: &mut Document, manner: &Manner, node: Node) -> Response<Bytes> {
    if head.method == Method::DELETE {
        document.exists = false;
        return answer(StatusCode::NO_CONTENT, HeaderMap::new(), Bytes::new());
    }
    if head.method == Method::POST {
        return answer(StatusCode::OK, HeaderMap::new(), Bytes::from_static(b"{\"accepted\":true}\n"));
    }
    if head.method != Method::PUT && head.method != Method::PATCH {
        return answer(StatusCode::METHOD_NOT_ALLOWED, HeaderMap::new(), Bytes::new());
    }
    let existed = document.exists;
    document.write(clock::now());
    let shown = document.shown(head.uri.path(), manner, node);
    let is_told = manner.answers != Answers::NoTagToWriters;
    let fields = if is_told { shown.validators(shown.etag.as_deref()) } else { HeaderMap::new() };
    answer(if existed { StatusCode::NO_CONTENT } else { StatusCode::CREATED }, fields, Bytes::new())
}

fn fields_of(headers: &HeaderMap) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in headers {
        fields.push(name.as_str().as_bytes(), value.as_bytes());
    }
    fields
}

/// RFC 9457.
fn problem(status: StatusCode) -> Bytes {
    let title = status.canonical_reason().unwrap_or_default();
    format!("{{\"status\":{},\"title\":\"{title}\"}}\n", status.as_u16()).into()
}

fn answer(status: StatusCode, fields: HeaderMap, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    response
}

impl documents::Shown {
    /// As fields, with `etag` for the tag.
    fn validators(&self, etag: Option<&str>) -> HeaderMap {
        let mut fields = HeaderMap::new();
        if let Some(Ok(etag)) = etag.map(str::parse) {
            fields.insert(header::ETAG, etag);
        }
        if let Some(Ok(date)) = self.last_modified.map(HttpDate::to_imf).map(|date| date.parse()) {
            fields.insert(header::LAST_MODIFIED, date);
        }
        fields
    }
}
