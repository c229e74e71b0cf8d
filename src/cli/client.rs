//! Talking to the admin API of a running instance.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use serde_json::Value;
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

use super::CliError;
use super::arguments::InstanceArguments;
use super::output::printable;
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
}

/// An answer that was read whole.
#[derive(Debug)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: u16,
    /// The body, as text.
    pub(super) body: String,
}

impl Client {
    /// To the instance that the arguments name.
    pub(super) fn new(arguments: &InstanceArguments) -> Result<Self, CliError> {
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
        Ok(Self { agent, base: arguments.admin.to_string(), token: token.transpose()? })
    }

    /// Asks, whatever the answer's status is.
    pub(super) fn ask(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Answer, CliError> {
        let mut request = Request::builder().method(method).uri(self.url(path, query));
        if let Some(authorization) = self.authorization() {
            request = request.header("Authorization", authorization);
        }
        let response = match body {
            Some(json) => {
                let request = request.header("Content-Type", "application/json").body(json.to_string());
                self.agent.run(request.map_err(|error| self.failed(&error))?)
            }
            None => self.agent.run(request.body(()).map_err(|error| self.failed(&error))?),
        };
        let response = response.map_err(|error| self.failed(&error))?;
        let status = response.status().as_u16();
        let mut body = response.into_body();
        let read = body.with_config().limit(ANSWER_BYTES_MAX).lossy_utf8(true).read_to_string();
        Ok(Answer { status, body: read.map_err(|error| self.failed(&error))? })
    }

    /// Asks for text that must be there.
    pub(super) fn text(&self, path: &str, query: &[(&str, String)]) -> Result<String, CliError> {
        self.ask("GET", path, query, None)?.well()
    }

    /// Asks for JSON that must be there.
    pub(super) fn json(&self, path: &str, query: &[(&str, String)]) -> Result<Value, CliError> {
        parse(&self.text(path, query)?)
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
        let request = request.body(()).map_err(|error| self.failed(&error))?;
        let response: Response<Body> = self.agent.run(request).map_err(|error| self.failed(&error))?;
        let status = response.status().as_u16();
        let mut body = response.into_body();
        if status != 200 {
            let body = body.read_to_string().unwrap_or_default();
            return Err(Answer { status, body }
                .well()
                .err()
                .unwrap_or_else(|| CliError::Failed("no events".to_owned())));
        }
        Ok(BufReader::new(body.into_with_config().limit(u64::MAX).reader()))
    }

    fn url(&self, path: &str, query: &[(&str, String)]) -> String {
        let pairs: Vec<_> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let mark = if pairs.is_empty() { "" } else { "?" };
        format!("{}{path}{mark}{}", self.base, pairs.join("&"))
    }

    fn authorization(&self) -> Option<Vec<u8>> {
        self.token.as_ref().map(|token| [b"Bearer ", token.expose()].concat())
    }

    fn failed(&self, error: &impl ToString) -> CliError {
        let error = error.to_string();
        CliError::Failed(format!(
            "{} does not answer: {error}; name the admin address of a running instance with --admin URL",
            self.base
        ))
    }
}

impl Answer {
    /// The body of a good answer; why it is none otherwise.
    pub(super) fn well(self) -> Result<String, CliError> {
        match self.status {
            200..300 => Ok(self.body),
            401 => Err(CliError::Failed("the instance wants its token; name its file with --token-file".to_owned())),
            status => Err(CliError::Failed(format!("the instance refused with {status}: {}", refusal(&self.body)))),
        }
    }
}

/// The sentence of a problem document (RFC 9457), or what else there is.
fn refusal(body: &str) -> String {
    let problem: Option<Value> = serde_json::from_str(body).ok();
    let member = |name: &str| problem.as_ref()?.get(name)?.as_str().map(str::to_owned);
    let said = member("detail").or_else(|| member("title")).or_else(|| member("error"));
    printable(said.as_deref().unwrap_or_else(|| body.trim()))
}

/// JSON from an instance.
pub(super) fn parse(text: &str) -> Result<Value, CliError> {
    serde_json::from_str(text).map_err(|error| CliError::Failed(format!("the instance answers with no JSON: {error}")))
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
        let answer = |status, body: &str| Answer { status, body: body.to_owned() }.well();
        assert_eq!(answer(200, "x").expect("well"), "x");
        let said = |status, body| answer(status, body).expect_err("refused").to_string();
        assert_eq!(
            said(404, r#"{"title":"Not Found","detail":"no such exchange"}"#),
            "the instance refused with 404: no such exchange"
        );
        assert_eq!(said(500, "oh\n"), "the instance refused with 500: oh");
        assert_eq!(said(401, ""), "the instance wants its token; name its file with --token-file");
    }
}
