//! The condition was false by what was known, and the request succeeded.

use http::Method;

use super::common::{has_created, is_fresh_content, last_write, replaced_by, successful_write};
use crate::analysis::diagnosis::case::is_other_version;
use crate::analysis::diagnosis::{Case, Detail, Evidence, Hazard};
use crate::analysis::exchange::Role;
use crate::analysis::judgement::{Confidence, Finding};
use crate::analysis::memory::{Resource, Shown, Sighting};
use crate::analysis::semantics::entity_tag::{EntityTag, TagList};
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static HAZARD: Hazard = Hazard {
    id: "precondition-not-enforced",
    title: "The service carried out a write although its precondition was false",
    explanation: "By everything that was seen, the condition of this write did not hold: the resource had another \
        validator than the one sent. The write succeeded all the same. Clients believe that they are protected from \
        overwriting each other, and are not.",
    example: r#"bob    PUT /notes/1 | If-Match: "n1" -> 204 | ETag: "n2"
alice  PUT /notes/1 | If-Match: "n1" -> 204 | ETag: "n3""#,
    fix: &[
        "Make the service judge If-Match, If-None-Match and If-Unmodified-Since before it writes, in the same \
            transaction as the write.",
        "Check file servers and WebDAV modules: some implement no If-Unmodified-Since, or no conditions on PUT at \
            all.",
        "Compare the stored content with what both clients wrote; the first write is probably gone.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §13.2.1"],
    details: &[
        Detail {
            id: "star-as-tag",
            explanation: "`If-None-Match: *` was taken for a tag named `*`: a create replaced what existed.",
            fix: &["Handle `*` before comparing tags (RFC 9110 §13.1.2)."],
        },
        Detail {
            id: "weak-match-accepted",
            explanation: "A weak tag was accepted in If-Match, which compares strongly.",
            fix: &[
                "Compare strongly in If-Match, or set `comparison = \"weak\"` on the route where weak tags are the \
                    API's design.",
            ],
        },
        Detail {
            id: "ignored",
            explanation: "The service seems not to look at this condition at all.",
            fix: &["Implement the condition, or refuse what cannot be judged; until then offer clients one that is \
                    judged."],
        },
    ],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let answer = successful_write(case)?;
    // The service can only heed what arrives.
    if may_be_applied_already(case) || case.testimony.is_condition_altered() {
        return None;
    }
    let conditions = &case.conditions;
    if conditions.if_match.is_present() {
        // RFC 9110 §13.2.2: where If-Match is present, If-Unmodified-Since is not looked at.
        return superseded(case).or_else(|| weak_tag(case));
    }
    if conditions.if_none_match.valid() == Some(&TagList::Any) {
        return created_over(case, answer.head.status);
    }
    modified_after_the_date(case)
}

/// RFC 9110 §13.1.1: what has been applied already may be answered with success again.
fn may_be_applied_already(case: &Case<'_>) -> bool {
    let exchange = case.exchange;
    let last = case.resource.and_then(|resource| resource.writes.last());
    last.is_some_and(|last| {
        last.method == exchange.request.method
            && last.body.digest.is_some()
            && last.body.digest == exchange.request_body.digest
    })
}

/// No tag that was sent was the current one any more.
fn superseded(case: &Case<'_>) -> Option<Finding> {
    let sent = case.if_match();
    let resource = case.resource.filter(|_| !sent.is_empty())?;
    let mut evidence = vec![case.sent(FieldName::IfMatch)];
    let mut surest = Confidence::Likely;
    for tag in sent {
        let of_tag = |seen: &&Sighting| seen.tag().is_some_and(|shown| !is_other_version(shown, tag));
        // Not known to have been anybody's: it may be the one that is current.
        let old = case.own_sightings().filter(of_tag).max_by_key(|seen| seen.last)?;
        let (confidence, successor) = overwritten(case, tag, old).or_else(|| read_since(case, resource, tag, old))?;
        surest = surest.min(confidence);
        evidence.push(Evidence::given(old, case.client(), false));
        evidence.push(successor);
    }
    Some(Finding::new(surest, evidence).detail("ignored"))
}

/// The last write had replaced the version that `old` showed.
fn overwritten(case: &Case<'_>, tag: EntityTag<'_>, old: &Sighting) -> Option<(Confidence, Evidence)> {
    let write = last_write(case).filter(|write| old.last < write.at)?;
    let shown_since = || {
        let since = case.own_sightings().filter(|seen| seen.first >= write.at && seen.store.is_none());
        since.filter(|seen| seen.variant.accepts_coding == old.variant.accepts_coding).last()
    };
    let current = write.tag().or_else(|| shown_since()?.tag());
    let fact = Evidence::wrote(write, case.client(), false);
    match current {
        Some(current) if is_other_version(tag, current) => Some((replaced_by(case, old, write)?, fact)),
        Some(_) => None,
        // Two different contents were accepted for one and the same version: unless the first was what was there.
        None => {
            let based_on = write.if_match.as_deref().and_then(EntityTag::parse);
            let is_same_base = based_on.is_some_and(|other| !is_other_version(tag, other));
            let bodies = (write.body.digest, case.exchange.request_body.digest);
            let differ = matches!(bodies, (Some(one), Some(other)) if one != other);
            (is_same_base && differ && write.method == Method::PUT).then_some((Confidence::Possible, fact))
        }
    }
}

/// This client had since been shown another version, in the same variant and by the same node.
fn read_since(
    case: &Case<'_>,
    resource: &Resource,
    tag: EntityTag<'_>,
    old: &Sighting,
) -> Option<(Confidence, Evidence)> {
    let client = case.client();
    let newest = case.own_sightings().filter(|seen| seen.by == Shown::Get && seen.store.is_none());
    let newest = newest.max_by_key(|seen| seen.last).filter(|newest| newest.given_at(client).is_some())?;
    let is_newer = old.by == Shown::Get
        && newest.tag().is_some_and(|current| is_other_version(tag, current))
        && newest.first > old.last
        && newest.variant == old.variant
        && newest.upstream == old.upstream
        && newest.last <= case.exchange.at;
    let unchanged_since = !resource.writes.iter().any(|write| write.ended > newest.last);
    (is_newer && unchanged_since).then(|| (Confidence::Possible, Evidence::given(newest, client, false)))
}

/// RFC 9110 §13.1.1: a weak tag never matches.
fn weak_tag(case: &Case<'_>) -> Option<Finding> {
    let sent = case.if_match();
    if case.compares_weakly() || sent.is_empty() || !sent.iter().all(|tag| tag.weak) {
        return None;
    }
    // In front of a gateway one cannot see whether it makes the tag strong again on the way in.
    let confidence = if case.exchange.role == Role::Inner { Confidence::Likely } else { Confidence::Possible };
    Some(Finding::new(confidence, vec![case.sent(FieldName::IfMatch)]).detail("weak-match-accepted"))
}

/// `If-None-Match: *`, and the resource had been seen to exist. 201 says that it did not any more.
fn created_over(case: &Case<'_>, status: u16) -> Option<Finding> {
    let resource = case.resource.filter(|resource| resource.absence.is_none() && status != 201)?;
    let client = case.client();
    let sent = case.sent(FieldName::IfNoneMatch);
    let shown = |seen: &&Sighting| is_fresh_content(seen) || seen.by == Shown::Written;
    let own = case.own_sightings().filter(shown).filter(|seen| seen.given_at(client).is_some()).last();
    if let Some(own) = own {
        let evidence = vec![sent, Evidence::given(own, client, false)];
        return Some(Finding::new(Confidence::Likely, evidence).detail("star-as-tag"));
    }
    // What another has under this URL need not be what this client writes to.
    let other = case.own_sightings().filter(shown).last().map(|seen| Evidence::given(seen, client, false));
    let written = || resource.last_applied().map(|write| Evidence::wrote(write, client, false));
    let exists = other.or_else(written)?;
    Some(Finding::new(Confidence::Possible, vec![sent, exists]).detail("star-as-tag"))
}

/// If-Unmodified-Since before a Last-Modified that had been shown.
fn modified_after_the_date(case: &Case<'_>) -> Option<Finding> {
    let sent = *case.conditions.if_unmodified_since.valid()?;
    // RFC 9110 §13.1.4: what is not there has no date, and the condition is ignored.
    let resource = case.resource.filter(|resource| resource.absence.is_none() && case.status() != 201)?;
    if resource.writes.last().is_some_and(|last| last.method == Method::DELETE) {
        return None;
    }
    let client = case.client();
    let is_later = |seen: &&Sighting| {
        seen.store.is_none() && seen.last <= case.exchange.at && seen.date().is_some_and(|date| date > sent)
    };
    let of_sent = |seen: &&Sighting| seen.date() == Some(sent);
    let shared = |later: &Sighting| {
        let mut same = case.own_sightings().filter(of_sent).flat_map(|earlier| &earlier.given_to);
        same.any(|(to, _)| later.given_at(*to).is_some())
    };
    let later = case.own_sightings().filter(is_later).last()?;
    let is_own = later.given_at(client).is_some() || shared(later);
    if !is_own && (later.by != Shown::Written || holds_its_own(case, later)) {
        return None;
    }
    // What another wrote under this URL need not be what this client writes to.
    let confidence = if is_own { Confidence::Likely } else { Confidence::Possible };
    let evidence = vec![case.sent(FieldName::IfUnmodifiedSince), Evidence::given(later, client, false)];
    Some(Finding::new(confidence, evidence).detail("ignored"))
}

/// Whether whoever was given `sighting` had something else under this URL before.
fn holds_its_own(case: &Case<'_>, sighting: &Sighting) -> bool {
    let read = |to| case.own_sightings().any(|seen| is_fresh_content(seen) && seen.given_at(to).is_some());
    sighting.given_to.iter().any(|(to, _)| read(*to) || has_created(case, *to))
}
