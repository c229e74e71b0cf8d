//! HTTP/2 (RFC 9113) by hyper: one stream on a connection that serves no other.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::timeout;

use super::{BodyEnd, Failure, Limits, Request, Stream, is_of_the_connection};
use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::semantics::message::{ResponseHead, Version};

/// The body of an answer, and the connection that it comes over.
pub(super) struct Body {
    incoming: Incoming,
    /// Dropping it ends the connection.
    _connection: Task,
}

/// Sends the request and reads the head of its final answer.
pub(super) async fn ask(
    stream: Box<dyn Stream>,
    request: &Request,
    limits: Limits,
) -> Result<(ResponseHead, Body), Failure> {
    let asked = message(request)?;
    let broken = |error: hyper::Error| broken(request, limits, error);
    let head_bytes = u32::try_from(limits.head_bytes).unwrap_or(u32::MAX);
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .max_header_list_size(head_bytes)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let connection = Task(tokio::spawn(async move {
        // How it ends is told by the stream on it.
        let _ = connection.await;
    }));
    let (head, incoming) = sender.send_request(asked).await.map_err(broken)?.into_parts();
    let mut fields = Fields::with_capacity(1024, head.headers.len());
    for (name, value) in &head.headers {
        fields.push(name.as_str().as_bytes(), value.as_bytes());
    }
    let head = ResponseHead { status: head.status.as_u16(), reason: Vec::new(), version: Version::Http2, fields };
    Ok((head, Body { incoming, _connection: connection }))
}

/// The beginning of the body.
pub(super) async fn read(mut body: Body, limits: Limits, within: Duration) -> (Vec<u8>, BodyEnd) {
    let mut read = Vec::new();
    let reading = async {
        loop {
            match body.incoming.frame().await {
                None => return BodyEnd::Whole,
                Some(Err(_)) => return BodyEnd::Cut,
                Some(Ok(frame)) => {
                    let Some(data) = frame.data_ref() else { continue };
                    let room = limits.body_bytes.saturating_sub(read.len());
                    read.extend(data.iter().take(room));
                    if data.len() > room {
                        return BodyEnd::Limit;
                    }
                }
            }
        }
    };
    let end = timeout(within, reading).await.unwrap_or(BodyEnd::Late);
    (read, end)
}

/// A task that ends when it is dropped.
struct Task(tokio::task::JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn broken(request: &Request, limits: Limits, error: hyper::Error) -> Failure {
    let server = request.to.to_string();
    let text = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
    if text.contains("header list size") {
        return Failure::HeadTooLarge { server, bytes: limits.head_bytes };
    }
    if error.is_closed() || error.is_incomplete_message() {
        return Failure::ClosedEarly { server };
    }
    Failure::Broken { server, error: std::io::Error::other(text) }
}

/// RFC 9113 §8.2 and §8.3: names in lower case, the authority as a pseudo-field, nothing of the connection.
fn message(request: &Request) -> Result<http::Request<Full<Bytes>>, Failure> {
    let unsendable = |what: &str| Failure::Unsendable(format!("{what} cannot be sent over HTTP/2; use HTTP/1.1"));
    let authority = request.fields.first(FieldName::Host).unwrap_or(&request.authority);
    let uri = Uri::builder()
        .scheme(if request.to.https { "https" } else { "http" })
        .authority(authority)
        .path_and_query(request.target.as_slice())
        .build()
        .map_err(|_| unsendable("the URL"))?;
    let body = Full::new(request.body.clone().unwrap_or_default());
    let mut message = http::Request::new(body);
    *message.method_mut() = request.method.clone();
    *message.uri_mut() = uri;
    *message.version_mut() = http::Version::HTTP_2;
    for line in request.fields.iter() {
        let of_http1 = is_of_the_connection(line.name) || matches!(line.name, FieldName::Host | FieldName::Te);
        if of_http1 {
            continue;
        }
        let shown = String::from_utf8_lossy(line.name_bytes);
        let name =
            HeaderName::from_bytes(line.name_bytes).map_err(|_| unsendable(&format!("the field name {shown}")))?;
        let value = HeaderValue::from_bytes(line.value).map_err(|_| unsendable(&format!("the value of {shown}")))?;
        message.headers_mut().append(name, value);
    }
    if let Some(body) = &request.body {
        message.headers_mut().insert(http::header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    Ok(message)
}
