//! What the fuzz targets hold heads and bodies to, on the way that an exchange takes. Nothing of it is in the product.

use std::net::SocketAddr;
use std::sync::Arc;

use h2::ext::Protocol;
use http::{Method, Request, Uri};

use super::answer::final_recipient;
use super::connection_fields::{ConnectionOptions, forwarded_trailers, is_own_name};
use super::http1::body::{Body, Piece, Source};
use super::http1::framing::{self, BodyLength};
use super::http1::head::{HeadLimits, absolute_authority, parse_request, parse_response};
use super::http1::write::{request_head, response_head};
use super::http2::request::head_of;
use super::http2::{fields_of, map_of};
use super::observe::{self, Client};
use super::prepare::{self, Answered, Asked, Persistence};
use super::worker::{AllThreads, Worker};
use super::{Shared, Snapshot};
use crate::analysis::exchange::{Role, Scheme};
use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::semantics::message::{RequestHead, ResponseHead, Version};
use crate::config::{Config, Forwarding, Secret, UpstreamUrl};
use crate::recorder::Recorder;

/// Of what comes.
const LIMITS: HeadLimits = HeadLimits { bytes: 8192, fields: 128, target: 4096 };

/// Of what goes on: there may be more of it.
const WIDE: HeadLimits = HeadLimits { bytes: 64 * 1024, fields: 512, target: 64 * 1024 };

/// What an HTTP/1 client sends.
///
/// # Panics
/// Where a head that is accepted does not go on as the head it is.
pub(crate) fn http1_request(bytes: &[u8]) {
    let Ok(Some((head, length))) = parse_request(bytes, LIMITS) else { return };
    assert!(length <= bytes.len());
    let Ok(body) = framing::of_request(&head.fields, head.version) else { return };
    Planes::with(|plane| goes_on(plane, head.clone(), body));
}

/// What an HTTP/2 client sends: method, authority, path, protocol, and then a field in each line.
///
/// # Panics
/// As [`http1_request`].
pub(crate) fn http2_request(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, authority, path, protocol) = (line(), line(), line(), line());
    let mut uri = Uri::builder().path_and_query(path);
    if !authority.is_empty() {
        uri = uri.scheme("http").authority(authority);
    }
    // Whatever the library lets nobody say is not our matter.
    let Ok(uri) = uri.build() else { return };
    let mut request = Request::builder().method(method).uri(uri);
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = line.split_at_checked(colon).unwrap_or_default();
        request = request.header(name, value.get(1..).unwrap_or_default());
    }
    let Ok(request) = request.body(()) else { return };
    let mut parts = request.into_parts().0;
    if !protocol.is_empty()
        && let Ok(protocol) = std::str::from_utf8(protocol)
    {
        parts.method = Method::CONNECT;
        parts.extensions.insert(Protocol::from(protocol));
    }
    let Ok(head) = head_of(&parts, LIMITS) else { return };
    let Ok(body) = framing::of_request(&head.head.fields, head.head.version) else { return };
    // A stream whose head announces nothing may still bring a body.
    for body in [Some(body), (body == BodyLength::Empty).then_some(BodyLength::Chunked)].into_iter().flatten() {
        Planes::with(|plane| goes_on(plane, head.head.clone(), body));
    }
}

/// What an upstream sends.
///
/// # Panics
/// Where a head that is accepted does not go on as the head it is.
pub(crate) fn http1_response(bytes: &[u8]) {
    let Ok(Some((head, length))) = parse_response(bytes, LIMITS) else { return };
    assert!(length <= bytes.len());
    for method in [Method::GET, Method::HEAD, Method::PUT] {
        let Ok(incoming) = framing::of_response(&method, head.status, &head.fields, head.version) else { continue };
        for version in [Version::Http10, Version::Http11, Version::Http2] {
            Planes::with(|plane| comes_back(plane, &method, version, &head, incoming));
        }
    }
}

/// A body in chunks.
///
/// # Panics
/// Where it reads otherwise in pieces than at once, or otherwise than by the letter of RFC 9112 §7.1.
pub(crate) fn chunked_body(bytes: &[u8]) {
    let whole = Chunked::read(bytes, bytes.len());
    for step in [1, 3, 17] {
        assert_eq!(Chunked::read(bytes, step), whole, "in pieces of {step}");
    }
    let Chunked::Whole { content, consumed, trailers } = whole else { return };
    let (expected, trailer_section) = by_the_letter(bytes).expect("RFC 9112 §7.1 has no such body");
    assert_eq!(content, expected);
    assert!(consumed >= trailer_section + 2 && consumed <= bytes.len());
    for line in trailers.iter().flat_map(|trailers| trailers.iter()) {
        assert_clean(line.value);
        assert!(!is_own_name(line.name_bytes));
    }
}

/// What became of a chunked body.
#[derive(Debug)]
enum Chunked {
    Whole { content: Vec<u8>, consumed: usize, trailers: Option<Fields> },
    Unfinished,
    Refused,
}

impl PartialEq for Chunked {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Whole { content, consumed, trailers }, Self::Whole { content: c, consumed: n, trailers: t }) => {
                content == c && consumed == n && trailers.as_ref().map(lines) == t.as_ref().map(lines)
            }
            (Self::Unfinished, Self::Unfinished) | (Self::Refused, Self::Refused) => true,
            (Self::Whole { .. } | Self::Unfinished | Self::Refused, _) => false,
        }
    }
}

impl Chunked {
    /// Reads a body that comes in pieces of `step` bytes.
    fn read(bytes: &[u8], step: usize) -> Self {
        let mut body = Body::new(BodyLength::Chunked, LIMITS);
        let mut arriving = Arriving { bytes, start: 0, end: 0 };
        let mut content = Vec::new();
        loop {
            match body.step(&mut arriving) {
                Err(_) => return Self::Refused,
                Ok(Some(Piece::End(trailers))) => {
                    assert!(body.is_done());
                    let trailers = trailers.map(|trailers| forwarded_trailers(*trailers));
                    return Self::Whole { content, consumed: arriving.start, trailers };
                }
                Ok(Some(Piece::Data(count))) => {
                    assert!(count > 0, "a piece with nothing in it");
                    content.extend_from_slice(arriving.buffered().get(..count).expect("a piece is buffered"));
                    body.consume(&mut arriving, count);
                }
                Ok(None) if arriving.end == bytes.len() => return Self::Unfinished,
                Ok(None) => arriving.end = (arriving.end + step.max(1)).min(bytes.len()),
            }
        }
    }
}

/// Bytes that come one after the other.
struct Arriving<'a> {
    bytes: &'a [u8],
    start: usize,
    end: usize,
}

impl Source for Arriving<'_> {
    fn buffered(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).expect("what has come is there")
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        assert!(self.start <= self.end, "more is consumed than has come");
    }

    fn expect_much(&mut self) {}
}

/// The content of a chunked body and where its trailer section begins, read as strictly as RFC 9112 §7.1 can be read.
fn by_the_letter(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut content, mut at) = (Vec::new(), 0);
    loop {
        let line = bytes.get(at..)?;
        let end = line.windows(2).position(|two| two == b"\r\n")?;
        let line = line.get(..end)?;
        if line.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return None;
        }
        let digits = line.split(|byte| matches!(byte, b';' | b' ' | b'\t')).next()?;
        let size = usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        at += end + 2;
        if size == 0 {
            return Some((content, at));
        }
        content.extend_from_slice(bytes.get(at..at.checked_add(size)?)?);
        at += size;
        if bytes.get(at..at + 2)? != b"\r\n" {
            return None;
        }
        at += 2;
    }
}

/// A request goes on as the one that came, and can be read in one way only.
fn goes_on(plane: &Plane, head: RequestHead, body: BodyLength) {
    assert_clean(head.method.as_str().as_bytes());
    assert_clean(&head.target);
    let options = ConnectionOptions::of(&head.fields);
    let pending = observe::request(&plane.worker, &plane.client, plane.worker.snapshot(), head);
    let Some(taken) = pending.taken() else { return };
    if final_recipient(&pending.request).is_some() {
        return;
    }
    let asked = Asked { worker: &plane.worker, client: &plane.client, pending: &pending, options: &options, taken };
    let Ok(prepared) = prepare::request(asked, body) else { return };
    let head = &pending.request;
    let fields = prepared.forwarded.as_ref().unwrap_or(&head.fields);
    let mut written = Vec::new();
    request_head(&mut written, head, fields);
    let read = parse_request(&written, WIDE);
    let shown = written.escape_ascii();
    let Ok(Some((read, length))) = read else { panic!("what goes on cannot be read: {read:?}\n{shown}") };
    assert_eq!(length, written.len(), "what goes on is more than one head:\n{shown}");
    assert_eq!(read.method, head.method, "{shown}");
    // Where the configuration says another Host, the authority is cut from an absolute-form.
    let cut = || {
        absolute_authority(&head.target).is_some()
            && head.target.ends_with(read.target.strip_prefix(b"/").unwrap_or_default())
    };
    assert!(read.target == head.target || (!plane.keeps_host && cut()), "{shown}");
    assert_eq!(lines(&read.fields), lines(fields), "{shown}");
    assert_eq!(framing::of_request(&read.fields, Version::Http11), Ok(prepared.length), "{shown}");
    assert_framed_once(fields, &shown);
    assert!(fields.all(FieldName::Host).count() == 1, "{shown}");
    if plane.keeps_host && head.fields.contains(FieldName::Host) {
        assert!(read.authority.eq_ignore_ascii_case(&head.authority), "{shown}");
    }
    let as_http2 = map_of(fields);
    assert!(fields_of(&as_http2).iter().all(|line| !line.value.contains(&b'\n')));
    // Dropped, it is judged and recorded: so the analysis and the record meet every head as well.
    pending.prepared(prepared.forwarded, prepared.bypass, None);
    pending.answered(
        ResponseHead { status: 412, reason: Vec::new(), version: Version::Http11, fields: Fields::default() },
        None,
    );
    pending.complete();
}

/// An answer goes to the client as the one that came.
fn comes_back(plane: &Plane, method: &Method, client: Version, head: &ResponseHead, incoming: BodyLength) {
    let asked = RequestHead {
        method: method.clone(),
        target: b"/a".to_vec(),
        authority: b"a".to_vec(),
        version: client,
        fields: [("Host", "a"), ("If-Match", "\"v1\"")].into_iter().collect(),
    };
    let pending = observe::request(&plane.worker, &plane.client, plane.worker.snapshot(), asked);
    let taken = pending.taken().expect("the default route fits");
    pending.prepared(None, None, None);
    pending.reported(&head.fields);
    let persistence = Persistence::Stays;
    let prepared = prepare::answer(Answered { pending: &pending, taken, bypass: None, head, incoming, persistence });
    let fields = prepared.returned.as_ref().unwrap_or(&head.fields);
    let mut written = Vec::new();
    response_head(&mut written, head.status, &head.reason, fields);
    let shown = written.escape_ascii();
    if client == Version::Http2 {
        for (name, value) in &map_of(fields) {
            assert_clean(name.as_str().as_bytes());
            assert_clean(value.as_bytes());
        }
    } else {
        let read = parse_response(&written, WIDE);
        let Ok(Some((read, length))) = read else { panic!("what comes back cannot be read: {read:?}\n{shown}") };
        assert_eq!(length, written.len(), "what comes back is more than one head:\n{shown}");
        assert_eq!((read.status, &read.reason), (head.status, &head.reason), "{shown}");
        assert_eq!(lines(&read.fields), lines(fields), "{shown}");
        let framed = framing::of_response(method, read.status, &read.fields, Version::Http11);
        assert_eq!(framed, Ok(prepared.length), "{shown}");
        assert_framed_once(fields, &shown);
    }
    pending.answered(head.clone(), prepared.returned);
    pending.complete();
}

/// The framing is said once, in the one spelling that no two readers read differently.
fn assert_framed_once(fields: &Fields, shown: &dyn std::fmt::Display) {
    let codings: Vec<&[u8]> = fields.all(FieldName::TransferEncoding).collect();
    let lengths: Vec<&[u8]> = fields.all(FieldName::ContentLength).collect();
    let one = match codings.as_slice() {
        [] => lengths.len() <= 1,
        [coding] => coding.eq_ignore_ascii_case(b"chunked") && lengths.is_empty(),
        [_, _, ..] => false,
    };
    assert!(one, "the framing can be read in two ways:\n{shown}");
    for line in fields.iter() {
        assert_clean(line.name_bytes);
        assert_clean(line.value);
    }
}

fn assert_clean(bytes: &[u8]) {
    assert!(!bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "{}", bytes.escape_ascii());
}

fn lines(fields: &Fields) -> Vec<(Vec<u8>, Vec<u8>)> {
    // Space around a value is no part of it (RFC 9110 §5.5).
    let trimmed = |value: &[u8]| value.trim_ascii().to_vec();
    fields.iter().map(|line| (line.name_bytes.to_vec(), trimmed(line.value))).collect()
}

/// A data plane that opens nothing.
struct Plane {
    worker: Worker,
    client: Client,
    /// The Host of the client goes on.
    keeps_host: bool,
}

/// The roles, and everything that can be added to a message beside nothing at all.
struct Planes(Vec<Plane>);

thread_local! {
    /// Made once: a recorder has a thread and keys of its own.
    static PLANES: Planes = Planes(vec![
        plane(|_| {}),
        plane(|config| {
            config.pairing.role = Role::Outer;
            for upstream in &mut config.upstreams {
                upstream.host = Some("origin.test".to_owned());
            }
            everything(config);
        }),
        plane(|config| {
            config.pairing.role = Role::Inner;
            everything(config);
        }),
    ]);
}

impl Planes {
    fn with(check: impl Fn(&Plane)) {
        PLANES.with(|planes| planes.0.iter().for_each(&check));
    }
}

fn everything(config: &mut Config) {
    config.pairing.secrets = vec![Secret::new(vec![b's'; 32])];
    config.bypass.token = Some(Secret::new(b"token".to_vec()));
    for route in &mut config.routes {
        route.annotate = true;
        route.connect = true;
        route.allow_precondition_removal = true;
        route.forwarding = Forwarding { via: true, forwarded: true, x_forwarded: true };
    }
}

fn plane(change: impl FnOnce(&mut Config)) -> Plane {
    let url = UpstreamUrl { https: false, host: "127.0.0.1".to_owned(), port: 9 };
    let mut config = Config::defaults_with_upstream(url);
    // A fuzzer runs long, and in little memory.
    config.capture.records = 256;
    config.ledger.resources = 1024;
    change(&mut config);
    let keeps_host = config.upstreams.iter().all(|upstream| upstream.host.is_none());
    let config = Arc::new(config);
    let recorder = Recorder::start(&config).expect("a recorder");
    let snapshot = Snapshot::build(&config, &recorder).expect("defaults have no fault");
    let shared = Shared::new(snapshot, recorder, Arc::default());
    let address = SocketAddr::from(([127, 0, 0, 1], 9));
    let client = Client { address, scheme: Scheme::Http, certificate_key: None };
    Plane { worker: Worker::new(Arc::new(shared), address, &AllThreads::default()), client, keeps_host }
}
