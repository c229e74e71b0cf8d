//! Talking to the admin API of a running instance.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

use super::CliError;
use super::arguments::InstanceArguments;
use super::output::{Output, printable};
use super::progress::Progress;
use crate::config::Secret;

/// How long connecting, and an ordinary answer, may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The most that is read of an answer.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// One instance.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    base: String,
    token: Option<Secret>,
    output: Output,
}

/// An answer that was read whole.
#[derive(Debug)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: u16,
    /// The body, as text.
    pub(super) body: String,
    /// The time by the clock of who answered, if it says so.
    pub(super) date: Option<Timestamp>,
    /// Who speaks there.
    from: From,
}

/// Who it is that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// An admin API, or somebody who says nothing that it would not say.
    Admin,
    /// The data plane of an instance: its own refusals say so (RFC 9209).
    Proxy,
    /// Something else.
    Stranger,
}

impl Client {
    /// To the instance that the arguments name.
    pub(super) fn new(arguments: &InstanceArguments, output: Output) -> Result<Self, CliError> {
        if arguments.admin.https {
            let plain = format!("http://{}", arguments.admin.to_string().trim_start_matches("https://"));
            return Err(CliError::Usage(format!("the admin address speaks no TLS; write --admin {plain} instead")));
        }
        let token = arguments.token_file.as_ref().map(|path| match std::fs::read(path) {
            Ok(content) => Ok(Secret::new(content.trim_ascii().to_vec())),
            Err(error) => Err(CliError::Failed(format!("{}: {error}", path.display()))),
        });
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // The instance is near; a proxy for the web is not on the way to it.
            .proxy(None)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_WITHIN))
            .timeout_recv_response(Some(ANSWER_WITHIN))
            .build()
            .new_agent();
        Ok(Self { agent, base: arguments.admin.to_string(), token: token.transpose()?, output })
    }

    /// Asks, whatever the answer's status is.
    pub(super) fn ask(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Answer, CliError> {
        let _waiting = self.waiting();
        let response = self.sent(method, path, query, body)?;
        let (status, date, from) = (response.status().as_u16(), date(&response), From::of(&response));
        let mut body = response.into_body();
        let read = body.with_config().limit(ANSWER_BYTES_MAX).lossy_utf8(true).read_to_string();
        Ok(Answer { status, body: read.map_err(|error| self.unreachable(&error))?, date, from })
    }

    /// Asks for bytes that must be there.
    pub(super) fn bytes(&self, path: &str, query: &[(&str, String)]) -> Result<Vec<u8>, CliError> {
        let _waiting = self.waiting();
        let response = self.sent("GET", path, query, None)?;
        let (status, date, from) = (response.status().as_u16(), date(&response), From::of(&response));
        let mut body = response.into_body();
        let read = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let read = read.map_err(|error| self.unreachable(&error))?;
        if (200..300).contains(&status) && from == From::Admin {
            return Ok(read);
        }
        let body = String::from_utf8_lossy(&read).into_owned();
        let refused = self.well(Answer { status, body, date, from });
        Err(refused.err().unwrap_or_else(|| self.stranger()))
    }

    fn sent(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Response<Body>, CliError> {
        let mut request = Request::builder().method(method).uri(self.url(path, query));
        if let Some(authorization) = self.authorization() {
            request = request.header("Authorization", authorization);
        }
        let response = match body {
            Some(json) => {
                let request = request.header("Content-Type", "application/json").body(json.to_string());
                self.agent.run(request.map_err(|error| self.unreachable(&error.into()))?)
            }
            None => self.agent.run(request.body(()).map_err(|error| self.unreachable(&error.into()))?),
        };
        response.map_err(|error| self.unreachable(&error))
    }

    /// Asks for text that must be there.
    pub(super) fn text(&self, path: &str, query: &[(&str, String)]) -> Result<String, CliError> {
        self.well(self.ask("GET", path, query, None)?)
    }

    /// Asks for JSON that must be there, and have a member of this name.
    pub(super) fn json(&self, path: &str, query: &[(&str, String)], member: &str) -> Result<Value, CliError> {
        self.parsed(&self.text(path, query)?, member)
    }

    /// The JSON of an answer, which must have a member of this name.
    pub(super) fn parsed(&self, text: &str, member: &str) -> Result<Value, CliError> {
        let parsed = serde_json::from_str(text).ok().filter(|json: &Value| json.get(member).is_some());
        parsed.ok_or_else(|| self.stranger())
    }

    /// The body of a good answer; why it is none otherwise.
    pub(super) fn well(&self, answer: Answer) -> Result<String, CliError> {
        match (answer.from, answer.status) {
            (From::Proxy, _) => Err(CliError::Failed(format!(
                "{} is where clients connect, not the admin address; name that with --admin URL (http://127.0.0.1:4120 \
                 unless configured)",
                self.base
            ))),
            (_, 200..300) => Ok(answer.body),
            (From::Admin, 401) => Err(CliError::Failed(match self.token {
                None => {
                    "the instance wants its token; name the file with --token-file FILE or WHY412_TOKEN_FILE".to_owned()
                }
                Some(_) => {
                    "the instance does not take this token; name the file that its admin.token_file names, with \
                            --token-file FILE"
                        .to_owned()
                }
            })),
            (From::Admin, status) => {
                Err(CliError::Failed(format!("the instance refused with {status}: {}", refusal(&answer.body))))
            }
            (From::Stranger, _) => Err(self.stranger()),
        }
    }

    /// Opens a stream of server-sent events, after the one of that id.
    pub(super) fn events(&self, after: Option<&str>) -> Result<impl BufRead + use<>, CliError> {
        let url = self.url("/api/v1/events", &[]);
        let mut request = Request::builder().method("GET").uri(url).header("Accept", "text/event-stream");
        if let Some(authorization) = self.authorization() {
            request = request.header("Authorization", authorization);
        }
        if let Some(id) = after {
            request = request.header("Last-Event-ID", id);
        }
        let request = request.body(()).map_err(|error| self.unreachable(&error.into()))?;
        let waiting = self.waiting();
        let response: Response<Body> = self.agent.run(request).map_err(|error| self.unreachable(&error))?;
        drop(waiting);
        let (status, date, from) = (response.status().as_u16(), date(&response), From::of(&response));
        let is_feed = header(&response, "content-type").starts_with("text/event-stream");
        let mut body = response.into_body();
        if status != 200 || !is_feed {
            let body = body.read_to_string().unwrap_or_default();
            let refused = self.well(Answer { status, body, date, from });
            return Err(refused.err().unwrap_or_else(|| self.stranger()));
        }
        Ok(BufReader::new(body.into_with_config().limit(u64::MAX).reader()))
    }

    /// The address that is asked.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    fn url(&self, path: &str, query: &[(&str, String)]) -> String {
        let pairs: Vec<_> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let mark = if pairs.is_empty() { "" } else { "?" };
        format!("{}{path}{mark}{}", self.base, pairs.join("&"))
    }

    fn authorization(&self) -> Option<Vec<u8>> {
        self.token.as_ref().map(|token| [b"Bearer ", token.expose()].concat())
    }

    fn waiting(&self) -> Progress {
        self.output.progress(format!("waiting for {}", self.base))
    }

    /// What went wrong on the way there, and what to do.
    fn unreachable(&self, error: &ureq::Error) -> CliError {
        let base = &self.base;
        let refused = |fault: &std::io::Error| fault.kind() == std::io::ErrorKind::ConnectionRefused;
        let what = if matches!(error, ureq::Error::Io(fault) if refused(fault)) {
            format!("nothing listens at {base}")
        } else if matches!(error, ureq::Error::Timeout(_)) {
            format!("{base} does not answer in time")
        } else if matches!(error, ureq::Error::HostNotFound) {
            format!("there is no host of that name: {base}")
        } else {
            format!("{base} does not answer as HTTP does ({})", printable(&error.to_string()))
        };
        CliError::Failed(format!(
            "{what}. Is an instance running? Start one with `why412 run --upstream URL`, or name the admin address of one \
             with --admin URL or WHY412_ADMIN_URL"
        ))
    }

    /// What answers there is no admin API.
    pub(super) fn stranger(&self) -> CliError {
        CliError::Failed(format!(
            "{} answers, but not as the admin API of why412 does; name the admin address of an instance with --admin URL \
             (http://127.0.0.1:4120 unless configured; it is not where clients connect)",
            self.base
        ))
    }
}

impl From {
    fn of(response: &Response<Body>) -> Self {
        // Refusals of the admin API are problem documents without this field; the data plane's have it.
        if header(response, "proxy-status").starts_with("why412") {
            return Self::Proxy;
        }
        let is_refusal = response.status().as_u16() >= 300;
        let is_problem = header(response, "content-type").starts_with("application/problem+json");
        if is_refusal && !is_problem { Self::Stranger } else { Self::Admin }
    }
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn date(response: &Response<Body>) -> Option<Timestamp> {
    let time = httpdate::parse_http_date(header(response, "date")).ok()?;
    Timestamp::try_from(time).ok()
}

/// The sentence of a problem document (RFC 9457), or what else there is.
fn refusal(body: &str) -> String {
    let problem: Option<Value> = serde_json::from_str(body).ok();
    let member = |name: &str| problem.as_ref()?.get(name)?.as_str().map(str::to_owned);
    let said = member("detail").or_else(|| member("title"));
    printable(said.as_deref().unwrap_or_else(|| body.trim()))
}

/// RFC 3986 §2.1: everything but unreserved characters is encoded.
pub(super) fn encoded(text: &str) -> String {
    let one = |byte: u8| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded() {
        assert_eq!(encoded("http://a/b?c=d&ü"), "http%3A%2F%2Fa%2Fb%3Fc%3Dd%26%C3%BC");
    }

    #[test]
    fn refusals_are_read() {
        assert_eq!(refusal(r#"{"title":"Not Found","detail":"no such exchange"}"#), "no such exchange");
        assert_eq!(refusal(r#"{"title":"Not Found"}"#), "Not Found");
        assert_eq!(refusal("oh\u{1b}\n"), "oh\\u{1b}");
    }
}
