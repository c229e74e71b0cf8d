//! What a pair adds to messages and takes from them: the mark on a request, the report on its answer.
//!
//! `docs/pairing.md` describes both. An instance that stands alone has no part in this: it only counts what came to it
//! under these names, which is removed with everything else that must not pass.

use http::Method;

use super::connection_fields::{copy, is_own_name};
use super::observe::Pending;
use super::snapshot::Snapshot;
use crate::analysis::exchange::{BypassApplied, ExchangeId, Role};
use crate::analysis::memory::is_write;
use crate::analysis::pairing::{Authenticity, BypassMark, HEAD_BYTES_MAX, Keys, Mark, Report};
use crate::analysis::principal::Principal;
use crate::analysis::semantics::caching::from_store;
use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::semantics::message::ResponseHead;
use crate::bypass::NO_STORE;
use crate::config::Report as When;
use crate::recorder::metrics::PairingOutcome;

/// What a message brought from the other instance.
pub(super) enum Brought<T> {
    /// Nothing.
    Nothing,
    /// A mark or a report.
    Ours(Box<(T, Authenticity)>),
    /// Something under its name that is none: unreadable, not authentic, or there more than once.
    NotOurs,
}

/// The mark on a request, for an inner instance.
pub(super) fn mark_on(fields: &Fields, snapshot: &Snapshot) -> Brought<Mark> {
    match snapshot.config.pairing.role {
        Role::Inner => brought(fields, FieldName::Why412Pair, &snapshot.keys, Mark::decode),
        Role::Alone | Role::Outer => Brought::Nothing,
    }
}

/// The report on an answer, for an outer instance.
pub(super) fn report_on(fields: &Fields, snapshot: &Snapshot) -> Brought<Report> {
    match snapshot.config.pairing.role {
        Role::Outer => brought(fields, FieldName::Why412Report, &snapshot.keys, Report::decode),
        Role::Alone | Role::Inner => Brought::Nothing,
    }
}

/// Reads a field's value.
type Decode<T> = fn(&[u8], &Keys) -> Option<(T, Authenticity)>;

fn brought<T>(fields: &Fields, name: FieldName, keys: &Keys, decode: Decode<T>) -> Brought<T> {
    let mut values = fields.all(name);
    match (values.next(), values.next()) {
        (None, _) => Brought::Nothing,
        (Some(value), None) => decode(value, keys).map_or(Brought::NotOurs, |read| Brought::Ours(Box::new(read))),
        // Which of them would be the one? Whoever added a line wants us to take it.
        (Some(_), Some(_)) => Brought::NotOurs,
    }
}

/// The client that a mark names, where it can be believed: what tells clients apart must not be anybody's to choose. A
/// mark that came before can be with a request of somebody else, unless that is the same to all appearance.
pub(super) fn client_of(mark: &(Mark, Authenticity), arrived: &Fields) -> Option<Principal> {
    match mark.1 {
        Authenticity::Signed => mark.0.client,
        Authenticity::SignedBefore if mark.0.fits(arrived) => mark.0.client,
        Authenticity::SignedBefore | Authenticity::Unsigned => None,
    }
}

/// How a report counts that came with the answer to the exchange of that name. One that names no exchange, because the
/// mark was lost on the way in, is of this one unless the answer itself says that it was stored.
pub(super) fn outcome_of(report: &Report, id: ExchangeId, fields: &Fields) -> PairingOutcome {
    let from_store = report.marked.map_or_else(|| from_store(fields).is_some(), |marked| marked != id);
    if from_store { PairingOutcome::FromStore } else { PairingOutcome::Report }
}

/// Whether a message carries a field of ours that its sender has no business with. The bypass is told apart elsewhere.
pub(super) fn is_intruded(fields: &Fields, expected: Option<FieldName>) -> bool {
    fields
        .iter()
        .any(|line| is_own_name(line.name_bytes) && line.name != FieldName::Why412Bypass && Some(line.name) != expected)
}

/// Whether a mark on that request stays between the two instances: around the gateway there may be no inner one to
/// remove it, and TRACE is answered with the request as it came (RFC 9110 §9.3.8), by whichever gateway is its last.
pub(super) fn can_be_marked(method: &Method, bypass: Option<BypassApplied>) -> bool {
    *method != Method::TRACE && !bypass.is_some_and(|bypass| bypass.direct)
}

/// Marks a request that is otherwise ready to go on.
pub(super) fn mark(pending: &Pending, bypass: Option<BypassApplied>, forwarded: &mut Option<Fields>) {
    let bypass =
        bypass.map(
            |bypass| {
                if bypass.preconditions_removed { BypassMark::CachesAndPreconditions } else { BypassMark::Caches }
            },
        );
    let forwarded = copy(&pending.request.fields, forwarded);
    let mark = Mark::of(pending.id, Some(pending.client()), forwarded, bypass).encode(&pending.snapshot.keys);
    forwarded.push(b"Why412-Pair", mark.as_bytes());
}

/// The name under which a report travels.
const REPORT: &[u8] = b"Why412-Report";

/// Reports on an exchange with the origin, in an answer that is otherwise ready to go on. An answer whose head has no
/// room even for a reduced report goes without: no observer may be the reason for a 502.
pub(super) fn report(pending: &Pending, head: &ResponseHead, returned: &mut Option<Fields>) {
    let snapshot = &pending.snapshot;
    let marked = pending.mark().map(|mark| mark.exchange);
    if marked.is_none() && snapshot.config.pairing.report == When::Marked {
        return;
    }
    let fields = returned.as_ref().unwrap_or(&head.fields);
    let room = HEAD_BYTES_MAX.saturating_sub(head_bytes(head, fields) + REPORT.len() + ": \r\n".len());
    let (conditions, validators) = Report::fields_of(&pending.request.fields, &head.fields);
    let report = Report {
        exchange: pending.id,
        marked,
        status: head.status,
        at: Some(crate::clock::now()),
        conditions,
        validators,
        cause: if head.status == 412 { pending.verdict(head, fields).map(str::to_owned) } else { None },
        earlier: match marked {
            Some(marked) if no_cache_keeps(pending, fields) => pending.earlier_writes(marked),
            Some(_) | None => Vec::new(),
        },
        reduced: false,
    };
    let value = report.encode(&snapshot.keys, room);
    if value.len() <= room {
        copy(&head.fields, returned).push(REPORT, value.as_bytes());
    }
}

/// The size of the head as HTTP/1.1 writes it (RFC 9112 §2.1).
fn head_bytes(head: &ResponseHead, fields: &Fields) -> usize {
    let lines: usize = fields.iter().map(|line| line.name_bytes.len() + line.value.len() + ": \r\n".len()).sum();
    "HTTP/1.1 200 \r\n".len() + head.reason.len() + lines + "\r\n".len()
}

/// Whether a report on this answer reaches one exchange at most: what a cache hands out again would tell of old writes
/// for as long as it is kept.
fn no_cache_keeps(pending: &Pending, fields: &Fields) -> bool {
    is_write(&pending.request.method) || NO_STORE.stands_in(fields)
}
