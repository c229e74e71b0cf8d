//! What a message goes on with: the fields of RFC 9110 §7.6, those of a bypass, those that the configuration adds, and
//! nothing else.

use std::borrow::Cow;
use std::time::Duration;

use http::Method;

use super::answer::Refusal;
use super::connection_fields::{self, ConnectionOptions, copy};
use super::forwarded;
use super::http1::framing::BodyLength;
use super::http1::head::host_is_authority;
use super::observe::{Client, Pending};
use super::pair;
use super::snapshot::Taken;
use super::worker::Worker;
use crate::analysis::exchange::{BypassApplied, BypassScope, Role};
use crate::analysis::pairing::BypassMark;
use crate::analysis::semantics::fields::{FieldName, FieldSet, Fields};
use crate::analysis::semantics::message::{ResponseHead, Version};
use crate::bypass::{Active, FieldToAdd, REQUEST_FIELDS, RESPONSE_FIELDS};
use crate::recorder::record::id_text;

/// A request that is ready to go on.
pub(super) struct Prepared {
    /// Its fields, if not as they came.
    pub(super) forwarded: Option<Fields>,
    /// How its body goes on.
    pub(super) length: BodyLength,
    /// It may end in a tunnel.
    pub(super) tunnel: Tunnel,
    /// Its body waits for the origin's word (RFC 9110 §10.1.1).
    pub(super) expects: bool,
    /// What a bypass does to it.
    pub(super) bypass: Option<BypassApplied>,
}

/// Whether the connection may stop being HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tunnel {
    /// No.
    None,
    /// By 101.
    Upgrade,
    /// By a 2xx to CONNECT.
    Connect,
}

/// A request, and what decides how it goes on.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The thread that carries it.
    pub(super) worker: &'a Worker,
    /// Who sent it.
    pub(super) client: &'a Client,
    /// As it came.
    pub(super) pending: &'a Pending,
    /// What it says of its connection.
    pub(super) options: &'a ConnectionOptions,
    /// Its route.
    pub(super) taken: &'a Taken,
}

/// The request as it goes on by its route, with a body of that length.
///
/// # Errors
/// Why it does not go on.
pub(super) fn request(asked: Asked<'_>, length: BodyLength) -> Result<Prepared, Refusal> {
    let Asked { worker, client, pending, options, taken } = asked;
    let head = &pending.request;
    let expects = expectation(&head.fields, head.version)?;
    if pending.snapshot.config.limits.body_bytes.is_some_and(|most| matches!(length, BodyLength::Known(n) if n > most))
    {
        return Err(Refusal::BodyTooLarge);
    }
    let connect = head.method == Method::CONNECT;
    if connect && !taken.route.connect {
        return Err(Refusal::Connect);
    }
    let (mut forwarded, upgrade) = connection_fields::forwarded_request(&head.fields, options);
    let removed = forwarded.is_some();
    let upgrade = upgrade && head.version != Version::Http10;
    let bypass = bypass(worker, pending, taken);
    if let Some(bypass) = bypass {
        ask_past_caches(&mut forwarded, pending, taken, bypass);
    }
    host(&mut forwarded, pending, taken);
    count_down(&mut forwarded, &head.fields, &head.method);
    if taken.route.forwarding != Default::default() {
        forwarding(copy(&head.fields, &mut forwarded), client, pending, taken);
    }
    connection_fields::frame(&head.fields, &mut forwarded, length, length);
    let pairing = &pending.snapshot.config.pairing;
    let expected = (pairing.role == Role::Inner).then_some(FieldName::Why412Pair);
    // What is removed made a copy; most requests have none.
    if removed && pair::is_intruded(&head.fields, expected) {
        pending.intruded();
    }
    if pairing.role == Role::Outer && pair::can_be_marked(&head.method, bypass) {
        pair::mark(pending, bypass, &mut forwarded);
    }
    let tunnel = match (connect, upgrade) {
        (true, _) => Tunnel::Connect,
        (false, true) => Tunnel::Upgrade,
        (false, false) => Tunnel::None,
    };
    Ok(Prepared { forwarded, length, tunnel, expects, bypass })
}

/// RFC 9110 §10.1.1: the one expectation there is; HTTP/1.0 has none.
fn expectation(fields: &Fields, version: Version) -> Result<bool, Refusal> {
    let mut expects = false;
    let values = fields.all(FieldName::Expect).flat_map(|value| value.split(|byte| *byte == b','));
    for value in values.map(<[u8]>::trim_ascii).filter(|value| !value.is_empty()) {
        if !value.eq_ignore_ascii_case(b"100-continue") {
            return Err(Refusal::Expectation);
        }
        expects = version != Version::Http10;
    }
    Ok(expects)
}

/// What a bypass does to this exchange: the request's own by its token, else the switch's.
fn bypass(worker: &Worker, pending: &Pending, taken: &Taken) -> Option<BypassApplied> {
    let config = &pending.snapshot.config;
    let by_token = config.bypass.token.as_ref().is_some_and(|token| {
        pending.request.fields.all(FieldName::Why412Bypass).any(|value| same_secret(value, token.expose()))
    });
    let switched = worker.shared.bypass.covering(&taken.route.name, pending.at);
    let removes = |active: &Active| active.remove_preconditions && taken.route.allow_precondition_removal;
    match switched {
        Some(active) => Some(BypassApplied {
            by: if active.route.is_some() { BypassScope::Route } else { BypassScope::All },
            direct: active.direct && config.bypass.direct_traffic && !taken.upstream.direct.is_empty(),
            preconditions_removed: removes(&active) && pending.request.fields.present().intersects(REMOVABLE),
        }),
        None if by_token => {
            Some(BypassApplied { by: BypassScope::Request, direct: false, preconditions_removed: false })
        }
        // A pair switches as one.
        None => pending.mark().and_then(|mark| mark.bypass).map(|bypass| BypassApplied {
            by: BypassScope::Pair,
            direct: false,
            preconditions_removed: bypass == BypassMark::CachesAndPreconditions,
        }),
    }
}

/// Compares in a time that tells nothing of where the difference is.
fn same_secret(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// The conditions that a bypass can remove as a test: those that say nothing but "only if".
const REMOVABLE: FieldSet = FieldSet::of(&[
    FieldName::IfMatch,
    FieldName::IfNoneMatch,
    FieldName::IfModifiedSince,
    FieldName::IfUnmodifiedSince,
    FieldName::IfRange,
    FieldName::XGoogIfGenerationMatch,
    FieldName::XGoogIfMetagenerationMatch,
    FieldName::XIfUnmodifiedSince,
    FieldName::XIfModifiedSince,
    FieldName::IfScheduleTagMatch,
]);

/// The fields of a bypass on a request, as further lines, not where the directive stands already.
fn ask_past_caches(forwarded: &mut Option<Fields>, pending: &Pending, taken: &Taken, bypass: BypassApplied) {
    let fields = &pending.request.fields;
    // The outer instance of the pair has removed what it wanted removed; what comes now came from in between.
    if bypass.preconditions_removed && bypass.by != BypassScope::Pair {
        tracing::warn!(route = %taken.route.name, "preconditions removed by a bypass");
        copy(fields, forwarded).retain(|line| !REMOVABLE.contains(line.name));
    }
    match pending.snapshot.config.pairing.role {
        Role::Outer | Role::Alone => {
            for added in &REQUEST_FIELDS {
                add_directive(fields, forwarded, added);
            }
        }
        Role::Inner => {}
    }
}

fn add_directive(fields: &Fields, forwarded: &mut Option<Fields>, added: &FieldToAdd) {
    if !added.stands_in(forwarded.as_ref().unwrap_or(fields)) {
        copy(fields, forwarded).push(added.name.as_bytes(), added.directive.as_bytes());
    }
}

/// The Host that the configuration wants, or that HTTP/1.1 needs where an HTTP/1.0 client gave none.
fn host(forwarded: &mut Option<Fields>, pending: &Pending, taken: &Taken) {
    let fields = &pending.request.fields;
    let host = match &taken.upstream.host {
        // RFC 9112 §3.2.3: the Host of a CONNECT is its target.
        Some(host) if pending.request.method != Method::CONNECT => Cow::Borrowed(host.as_bytes()),
        _ if fields.contains(FieldName::Host) => return,
        // What an absolute-form names it names to the origin as well.
        _ if !pending.request.authority.is_empty() && host_is_authority(&pending.request.authority) => {
            Cow::Borrowed(pending.request.authority.as_slice())
        }
        _ => match taken.upstream.endpoints.first() {
            Some(endpoint) => Cow::Owned(endpoint.authority().into_bytes()),
            None => return,
        },
    };
    let forwarded = copy(fields, forwarded);
    forwarded.retain(|line| line.name != FieldName::Host);
    forwarded.push(b"Host", &host);
}

/// RFC 9110 §7.6.2: Max-Forwards is counted down on TRACE and OPTIONS.
fn count_down(forwarded: &mut Option<Fields>, fields: &Fields, method: &Method) {
    if !matches!(*method, Method::TRACE | Method::OPTIONS) {
        return;
    }
    let Some(left) = max_forwards(fields) else { return };
    let forwarded = copy(fields, forwarded);
    forwarded.retain(|line| line.name != FieldName::MaxForwards);
    forwarded.push(b"Max-Forwards", left.saturating_sub(1).to_string().as_bytes());
}

/// What Max-Forwards says, where it is one number.
pub(super) fn max_forwards(fields: &Fields) -> Option<u64> {
    let mut values = fields.all(FieldName::MaxForwards);
    let value = values.next().filter(|value| value.iter().all(u8::is_ascii_digit))?;
    if values.next().is_some() {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// What stands here already stays where the client is a trusted proxy, or nobody was named one; else it begins anew:
/// anybody can have written it.
fn forwarding(fields: &mut Fields, client: &Client, pending: &Pending, taken: &Taken) {
    let wanted = taken.route.forwarding;
    let head = &pending.request;
    let ip = client.address.ip().to_canonical();
    let host = String::from_utf8_lossy(&head.authority);
    let scheme = client.scheme.as_str();
    let trusted = &pending.snapshot.config.client.trusted;
    let (told, untold) = (forwarded::is_trusted(trusted, ip), trusted.networks.is_empty());
    let keeps = told || untold;
    if wanted.via {
        fields.push(b"Via", via(head.version));
    }
    if wanted.forwarded {
        if !keeps {
            remove(fields, &[b"forwarded"]);
        }
        // RFC 7239 §4 and §6: an IPv6 address is bracketed and quoted.
        let node = if ip.is_ipv6() { format!("\"[{ip}]\"") } else { ip.to_string() };
        let host = host.replace(['"', '\\'], "");
        fields.push(b"Forwarded", format!("for={node};host=\"{host}\";proto={scheme}").as_bytes());
    }
    if wanted.x_forwarded {
        // The last entry of the list is what we know.
        let mut list: Vec<u8> = Vec::new();
        for value in head.fields.all(FieldName::XForwardedFor).filter(|_| keeps) {
            list.extend_from_slice(value);
            list.extend_from_slice(b", ");
        }
        list.extend_from_slice(ip.to_string().as_bytes());
        remove(fields, &[b"x-forwarded-for"]);
        fields.push(b"X-Forwarded-For", &list);
        for (name, lower, known) in [
            ("X-Forwarded-Proto", b"x-forwarded-proto".as_slice(), scheme),
            ("X-Forwarded-Host", b"x-forwarded-host".as_slice(), host.as_ref()),
        ] {
            // A trusted proxy knows better than we how the client reached it.
            if !(told && head.fields.all_named(lower).next().is_some()) {
                remove(fields, &[lower]);
                fields.push(name.as_bytes(), known.as_bytes());
            }
        }
    }
}

fn remove(fields: &mut Fields, names: &[&[u8]]) {
    fields.retain(|line| !names.iter().any(|name| name.eq_ignore_ascii_case(line.name_bytes)));
}

/// RFC 9110 §7.6.3: the version the message came in, and our pseudonym.
const fn via(version: Version) -> &'static [u8] {
    match version {
        Version::Http10 => b"1.0 why412",
        Version::Http11 => b"1.1 why412",
        Version::Http2 => b"2.0 why412",
    }
}

/// Whether a connection can carry another exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persistence {
    /// It can.
    Stays,
    /// It ends with this exchange.
    Ends,
}

impl Persistence {
    /// What sender and version say (RFC 9112 §9.3).
    pub(super) const fn of(version: Version, options: &ConnectionOptions) -> Self {
        let stays = match version {
            Version::Http10 => options.keep_alive && !options.close,
            Version::Http11 => !options.close,
            Version::Http2 => true,
        };
        if stays { Self::Stays } else { Self::Ends }
    }

    /// This, or its end if `ends`.
    #[must_use]
    pub(super) const fn unless(self, ends: bool) -> Self {
        if ends { Self::Ends } else { self }
    }

    /// What `Connection` tells a client of that version, where it would think otherwise.
    pub(super) const fn option(self, version: Version) -> Option<&'static [u8]> {
        match (version, self) {
            (Version::Http11, Self::Ends) => Some(b"close"),
            (Version::Http10, Self::Stays) => Some(b"keep-alive"),
            (Version::Http11, Self::Stays) | (Version::Http10, Self::Ends) | (Version::Http2, _) => None,
        }
    }
}

/// An answer as it goes to the client.
pub(super) struct PreparedAnswer {
    /// Its fields, if not as they came.
    pub(super) returned: Option<Fields>,
    /// How its body goes on.
    pub(super) length: BodyLength,
    /// What becomes of the client's connection.
    pub(super) persistence: Persistence,
}

/// The upstream's final answer, and what decides how it goes to the client.
#[derive(Clone, Copy)]
pub(super) struct Answered<'a> {
    /// What it answers.
    pub(super) pending: &'a Pending,
    /// The route of that.
    pub(super) taken: &'a Taken,
    /// What a bypass did to the request.
    pub(super) bypass: Option<BypassApplied>,
    /// As it came.
    pub(super) head: &'a ResponseHead,
    /// How long its body is.
    pub(super) incoming: BodyLength,
    /// What would become of the client's connection.
    pub(super) persistence: Persistence,
}

/// The upstream's final answer as it goes to the client.
pub(super) fn answer(answered: Answered<'_>) -> PreparedAnswer {
    let Answered { pending, taken, bypass, head, incoming, persistence } = answered;
    let options = ConnectionOptions::of(&head.fields);
    let fields = &head.fields;
    let mut returned = connection_fields::forwarded_response(head.status, fields, &options);
    let role = pending.snapshot.config.pairing.role;
    let expected = (role == Role::Outer).then_some(FieldName::Why412Report);
    if returned.is_some() && pair::is_intruded(fields, expected) {
        pending.intruded();
    }
    if bypass.is_some() {
        forbid_storing(fields, &mut returned, role);
    }
    // RFC 9110 §8.6: no Content-Length in a 204; HTTP/2 would take it for an announcement.
    if head.status == 204 && fields.contains(FieldName::ContentLength) {
        copy(fields, &mut returned).retain(|line| line.name != FieldName::ContentLength);
    }
    if taken.route.annotate && head.status == 412 {
        // What this instance makes of it by what it remembers, before anything that follows: nothing is waited for. As
        // a further line, behind what those closer to the origin have said (RFC 9209 §2).
        let cause = pending.verdict(head, returned.as_ref().unwrap_or(fields)).unwrap_or("unexplained");
        let says = annotation(head.status, cause, &id_text(pending.id));
        copy(fields, &mut returned).push(b"Proxy-Status", says.as_bytes());
    }
    if taken.route.forwarding.via {
        copy(fields, &mut returned).push(b"Via", via(head.version));
    }
    let http1 = pending.request.version != Version::Http2;
    let length = length_towards(pending.request.version, incoming);
    connection_fields::frame(fields, &mut returned, incoming, length);
    if http1 && lacks_length(pending, head, incoming) {
        copy(fields, &mut returned).push(b"Content-Length", b"0");
    }
    let persistence = persistence.unless(http1 && length == BodyLength::UntilClose);
    if head.status != 101
        && let Some(option) = persistence.option(pending.request.version)
    {
        let returned = copy(fields, &mut returned);
        returned.retain(|line| line.name != FieldName::Connection);
        let upgrade: &[u8] = if head.status == 426 { b", upgrade" } else { b"" };
        returned.push(b"Connection", &[option, upgrade].concat());
    }
    if role == Role::Inner {
        pair::report(pending, head, &mut returned);
    }
    PreparedAnswer { returned, length, persistence }
}

/// How a body of that length is sent to a client of that version.
const fn length_towards(client: Version, incoming: BodyLength) -> BodyLength {
    match (client, incoming) {
        // HTTP/1.0 reads no chunks.
        (Version::Http10, BodyLength::Chunked | BodyLength::UntilClose) => BodyLength::UntilClose,
        (Version::Http11, BodyLength::Chunked | BodyLength::UntilClose) => BodyLength::Chunked,
        (Version::Http10 | Version::Http11, BodyLength::Empty | BodyLength::Known(_)) => incoming,
        // HTTP/2 frames every body itself.
        (Version::Http2, BodyLength::Empty) => BodyLength::Empty,
        (Version::Http2, BodyLength::Known(_) | BodyLength::Chunked | BodyLength::UntilClose) => BodyLength::UntilClose,
    }
}

/// RFC 9209 §2.1.4 and §2.1.5: what came, and why; by the id the record is found.
fn annotation(status: u16, cause: &str, id: &str) -> String {
    format!("why412; received-status={status}; details={}", quoted(&format!("cause={cause}; id={id}")))
}

/// A text as a String of RFC 9651 §4.1.6; what cannot stand in one is left out.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars().filter(|character| matches!(character, ' '..='~')) {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// Whether nothing in a head of HTTP/2 says what its stream said: that there is no body. A client of HTTP/1 would wait
/// for one (RFC 9112 §6.3 rule 8).
fn lacks_length(pending: &Pending, head: &ResponseHead, incoming: BodyLength) -> bool {
    head.version == Version::Http2
        && incoming == BodyLength::Empty
        && pending.request.method != Method::HEAD
        && !matches!(head.status, 100..=199 | 204 | 304)
        && !head.fields.contains(FieldName::ContentLength)
}

/// The fields of a bypass on an answer, so that the caches in front let go of it.
fn forbid_storing(fields: &Fields, returned: &mut Option<Fields>, role: Role) {
    match role {
        Role::Inner | Role::Alone => {
            for added in &RESPONSE_FIELDS {
                add_directive(fields, returned, added);
            }
        }
        Role::Outer => {}
    }
}

/// How long the upstream keeps an idle connection, where it says so in Keep-Alive. A second less than it says, for what
/// is on its way when it closes.
pub(super) fn keep_alive(fields: &Fields, most: Duration) -> Duration {
    let timeout = fields
        .all(FieldName::KeepAlive)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .filter_map(|parameter| parameter.trim_ascii().strip_prefix(b"timeout="))
        .filter_map(|seconds| std::str::from_utf8(seconds.trim_ascii()).ok()?.parse::<u64>().ok())
        .min();
    timeout.map_or(most, |seconds| most.min(Duration::from_secs(seconds.saturating_sub(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_is_a_member_of_a_structured_field() {
        let says = annotation(412, "stale-validator", "01JD0Z00000000000000000000");
        let expected = "why412; received-status=412; details=\"cause=stale-validator; id=01JD0Z00000000000000000000\"";
        assert_eq!(says, expected);
        assert_eq!(quoted("a \"b\" \\ c\r\n\u{e9}"), r#""a \"b\" \\ c""#);
    }
}
