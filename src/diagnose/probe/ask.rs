//! The questions of one probe: by the usual way and around it, at the same time.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Method;

use super::super::wire::{self, Limits, Request, Timeouts, Trust};
use crate::analysis::exchange::{ExchangeId, Role};
use crate::analysis::pairing::{Authenticity, Keys, Mark, Report};
use crate::analysis::probing::{ProbeAnswer, ProbeTarget, Probed, ProbedBy};
use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::semantics::message::ResponseHead;
use crate::clock;
use crate::config::{Config, Upstream, UpstreamHttp, UpstreamUrl};

/// The longest that a probe waits for a connection, and then for the head of an answer: it is worth no more.
const CONNECT_MAX: Duration = Duration::from_secs(5);
const HEAD_MAX: Duration = Duration::from_secs(10);

/// How the origin's log tells probes from clients.
const USER_AGENT: &str = concat!("why412/", env!("CARGO_PKG_VERSION"), " (probe)");

/// Whom to trust where an upstream speaks TLS.
type Trusted = Option<Result<Arc<Trust>, String>>;

/// Asks for `target`. Only heads are read; the connections are closed behind them.
pub(super) async fn ask(
    config: &Config,
    upstream: &Upstream,
    (method, target): (Method, &ProbeTarget),
    (by, trust): (ProbedBy, Trusted),
) -> Probed {
    let keys = Keys::new(config.pairing.secrets.iter().map(|secret| secret.expose().to_vec()).collect());
    let mark = (config.pairing.role == Role::Outer).then(|| fresh_name(clock::now().unix_micros()));
    let mut fields = target.fields.clone();
    fields.push(b"User-Agent", USER_AGENT.as_bytes());
    if let Some(name) = mark {
        // So that an inner instance knows it for what it is, on whichever way it meets it.
        fields.push(b"Why412-Pair", Mark::of_probe(name).encode(&keys).as_bytes());
    }
    let question = Question { config, method, target, fields, trust, http: upstream.http };
    let around = async { if upstream.direct.is_empty() { None } else { Some(question.of(&upstream.direct).await) } };
    let (through, direct) = tokio::join!(question.of(&upstream.urls), around);
    let report = through.head.as_ref().ok().filter(|_| mark.is_some()).and_then(|head| report_on(head, &keys));
    Probed { by, at: clock::now(), through, direct, credentials: target.credentials, mark, report }
}

/// What is asked on either way.
struct Question<'a> {
    config: &'a Config,
    method: Method,
    target: &'a ProbeTarget,
    fields: Fields,
    trust: Trusted,
    http: UpstreamHttp,
}

impl Question<'_> {
    /// The answer of the first of equal servers that can be reached; of the one that refused before others.
    async fn of(&self, urls: &[UpstreamUrl]) -> ProbeAnswer {
        let mut urls: Vec<&UpstreamUrl> = urls.iter().collect();
        urls.sort_by_key(|url| !self.target.refused_by.is_some_and(|address| is_at(url, address)));
        let timeouts = &self.config.timeouts;
        let timeouts = Timeouts {
            connect: timeouts.connect.min(CONNECT_MAX),
            head: timeouts.response_head.min(HEAD_MAX),
            body: Duration::ZERO,
        };
        let limits = Limits { head_bytes: self.config.limits.header_bytes, body_bytes: 0 };
        let mut answer = self.answer("", Err("there is no server to ask".to_owned()));
        for url in urls {
            let trust = match (&self.trust, url.https) {
                (Some(Err(fault)), true) => return self.answer(&url.to_string(), Err(fault.clone())),
                (Some(Ok(trust)), true) => Some(Arc::clone(trust)),
                (_, false) | (None, true) => None,
            };
            let request = self.request(url, trust);
            let sent = match self.http {
                UpstreamHttp::Http1 | UpstreamHttp::Auto => wire::send(&request, timeouts, limits).await,
                UpstreamHttp::Http2 => wire::send_by_prior_knowledge(&request, timeouts, limits).await,
            };
            match sent {
                Ok(answered) => return self.answer(&url.to_string(), Ok(answered.head)),
                Err(failure) => {
                    let may_have_arrived = failure.may_have_arrived();
                    answer = self.answer(&url.to_string(), Err(failure.to_string()));
                    if may_have_arrived {
                        break;
                    }
                }
            }
        }
        answer
    }

    fn request(&self, url: &UpstreamUrl, trust: Option<Arc<Trust>>) -> Request {
        Request {
            to: url.clone(),
            trust,
            method: self.method.clone(),
            target: self.target.target.clone(),
            authority: self.target.host.clone(),
            fields: self.fields.clone(),
            body: None,
        }
    }

    fn answer(&self, server: &str, head: Result<ResponseHead, String>) -> ProbeAnswer {
        let target: String = self.target.target.iter().map(|byte| char::from(*byte)).collect();
        let url = if target.starts_with('/') { format!("{server}{target}") } else { target };
        ProbeAnswer { method: self.method.clone(), url, at: clock::now(), head }
    }
}

fn is_at(url: &UpstreamUrl, address: SocketAddr) -> bool {
    url.port == address.port() && url.host.parse() == Ok(address.ip())
}

/// The report on an answer, if there is one and it is authentic.
fn report_on(head: &ResponseHead, keys: &Keys) -> Option<(Report, Authenticity)> {
    let mut values = head.fields.all(FieldName::Why412Report);
    let value = values.next().filter(|_| values.next().is_none())?;
    Report::decode(value, keys)
}

/// A name for a probe: like that of an exchange, so that a report can refer to it. The keys of a hash map are the
/// randomness that the standard library has to offer; names need to differ, not to be secret.
fn fresh_name(now_micros: u64) -> ExchangeId {
    const RANDOM_BITS: u32 = 80;
    let half = || u128::from(RandomState::new().build_hasher().finish());
    let random = ((half() << 64) | half()) & ((1 << RANDOM_BITS) - 1);
    ExchangeId((u128::from(now_micros / 1000) << RANDOM_BITS) | random)
}

/// Whom to trust, read from files once per configuration.
#[derive(Default)]
pub(super) struct Trusts {
    /// Guards what was read. Held while files are read; only probes wait for it.
    read: Mutex<Option<Read>>,
}

struct Read {
    config: Arc<Config>,
    of_upstream: HashMap<usize, Result<Arc<Trust>, String>>,
}

impl Trusts {
    /// As the upstream of that number says; `None` if it speaks no TLS.
    pub(super) fn of(&self, config: &Arc<Config>, number: usize, upstream: &Upstream) -> Trusted {
        if !upstream.urls.iter().chain(&upstream.direct).any(|url| url.https) {
            return None;
        }
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of_now = read.as_ref().is_some_and(|read| Arc::ptr_eq(&read.config, config));
        if !is_of_now {
            *read = Some(Read { config: Arc::clone(config), of_upstream: HashMap::new() });
        }
        let build = || {
            let remedy = "name one with ca under tls of the upstream";
            let trust = Trust::new(&upstream.tls, remedy)?;
            // In the version that traffic has.
            Ok(Arc::new(match upstream.http {
                UpstreamHttp::Http1 => trust.without_http2(),
                UpstreamHttp::Http2 | UpstreamHttp::Auto => trust,
            }))
        };
        read.as_mut().map(|read| read.of_upstream.entry(number).or_insert_with(build).clone())
    }
}
