//! One exchange beside what is known of its resource, and the questions that rules ask about them.

use http::Method;

use crate::analysis::exchange::{Comparison, Exchange, Role};
use crate::analysis::far_side::{AsGiven, Testimony};
use crate::analysis::judgement::Confidence;
use crate::analysis::memory::{self, Elsewhere, Resource, RouteHabits, Shown, Sighting, Write};
use crate::analysis::pairing::{Authenticity, CarriedValue};
use crate::analysis::principal::{Principal, ToldApartBy};
use crate::analysis::semantics::caching::{FromStore, Product, from_store, product};
use crate::analysis::semantics::conditions::{Conditions, tags_of};
use crate::analysis::semantics::entity_tag::{EntityTag, TagList};
use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::semantics::http_date::HttpDate;
use crate::analysis::semantics::precondition::{State, Verdict, evaluate};
use crate::analysis::semantics::validators::Validators;
use crate::analysis::semantics::vendor::{self, VendorCondition};
use crate::analysis::time::Time;

use super::Evidence;
use super::suffix::differs_by_suffix;

/// One exchange beside what is known of its resource: what the rules look at. What is known is as it was before the
/// exchange.
#[derive(Debug)]
pub struct Case<'a> {
    /// The exchange.
    pub exchange: &'a Exchange<'a>,
    /// Its conditions as they were sent on. What the client nominated as a connection option is not among them.
    pub conditions: Conditions<'a>,
    /// A digest of its conditions, vendor ones included; `None` if there are none.
    pub condition: Option<u128>,
    /// What is known of the resource.
    pub resource: Option<&'a Resource>,
    /// The same path with other queries, the latest first; only looked up where there is a condition or a 412.
    pub siblings: Vec<&'a Resource>,
    /// How the exchanges of the route usually go.
    pub route: &'a RouteHabits,
    /// Which other resources issued the tags of a 412.
    pub elsewhere: &'a Elsewhere,
    /// What the other instance of a pair says of the exchange.
    pub testimony: &'a Testimony<'a>,
}

/// A tag that was given out for the resource.
#[derive(Clone, Copy, Debug)]
pub struct Issue<'a> {
    /// By what.
    pub sighting: &'a Sighting,
    /// When it was last given to the client of the exchange, or else to anybody.
    pub at: Time,
    /// To the client of the exchange.
    pub to_client: bool,
    /// On the same path with another query.
    pub sibling: bool,
}

impl<'a> Case<'a> {
    /// Who asked.
    pub const fn client(&self) -> Principal {
        self.exchange.client
    }

    /// The status of the answer; 0 if there was none.
    pub fn status(&self) -> u16 {
        self.exchange.status().unwrap_or(0)
    }

    /// The fields of the answer, if there was one.
    pub fn answer_fields(&self) -> Option<&'a Fields> {
        self.exchange.answer().map(|answer| &answer.head.fields)
    }

    /// Whether the method changes the resource.
    pub fn is_write(&self) -> bool {
        memory::is_write(&self.exchange.request.method)
    }

    /// Whether it was answered with success.
    pub fn succeeded(&self) -> bool {
        matches!(self.status(), 200..=299)
    }

    /// Whether the route compares If-Match weakly by design.
    pub fn compares_weakly(&self) -> bool {
        self.exchange.policy.comparison == Comparison::Weak
    }

    /// The validators of the answer.
    pub fn validators(&self) -> Option<Validators<'a>> {
        self.answer_fields().map(Validators::of)
    }

    /// The tag that the answer names.
    pub fn named(&self) -> Option<EntityTag<'a>> {
        EntityTag::parse(self.answer_fields()?.first(FieldName::ETag)?)
    }

    /// The Last-Modified that the answer names.
    pub fn named_date(&self) -> Option<HttpDate> {
        HttpDate::parse(self.answer_fields()?.first(FieldName::LastModified)?).ok()
    }

    /// The vendor conditions of the request.
    pub fn vendor_conditions(&self) -> Vec<VendorCondition> {
        vendor::of(self.exchange.forwarded, &self.exchange.request.target, &self.exchange.policy.preconditions)
    }

    /// The tags of If-Match, in one line or several.
    pub fn if_match(&self) -> Vec<EntityTag<'_>> {
        tags_of(&self.conditions.if_match)
    }

    /// The tags of If-None-Match.
    pub fn if_none_match(&self) -> Vec<EntityTag<'_>> {
        tags_of(&self.conditions.if_none_match)
    }

    /// The only tag of If-Match.
    pub fn only_tag(&self) -> Option<EntityTag<'_>> {
        let tags = self.if_match();
        let [tag] = tags.as_slice() else { return None };
        // The list goes, what it points into stays.
        Some(*tag)
    }

    /// The tag of If-Match that a refusal is best judged by: of a list, the one that was given out last.
    pub fn judged_tag(&self) -> Option<EntityTag<'_>> {
        let tags = self.if_match();
        let known = tags.iter().filter_map(|tag| Some((self.issue(*tag)?.at, *tag))).max_by_key(|(at, _)| *at);
        known.map(|(_, tag)| tag).or_else(|| tags.first().copied())
    }

    /// The resource and then its siblings, the latter marked.
    pub fn histories(&self) -> impl Iterator<Item = (bool, &'a Resource)> {
        let own = self.resource.map(|resource| (false, resource));
        own.into_iter().chain(self.siblings.iter().map(|sibling| (true, *sibling)))
    }

    /// Every sighting of the resource and its siblings.
    pub fn sightings(&self) -> impl Iterator<Item = (bool, &'a Sighting)> {
        self.histories().flat_map(|(sibling, resource)| resource.sightings.iter().map(move |seen| (sibling, seen)))
    }

    /// Sightings of the resource itself.
    pub fn own_sightings(&self) -> impl Iterator<Item = &'a Sighting> {
        self.resource.into_iter().flat_map(|resource| &resource.sightings)
    }

    /// Writes that succeeded, of the resource and its siblings, each list oldest first.
    pub fn applied(&self) -> impl Iterator<Item = (bool, &'a Write)> {
        let writes =
            self.histories().flat_map(|(sibling, resource)| resource.writes.iter().map(move |write| (sibling, write)));
        writes.filter(|(_, write)| write.is_applied())
    }

    /// The issue of exactly this tag that counts most: to this client before others, here before siblings, late before
    /// early.
    pub fn issue(&self, tag: EntityTag<'_>) -> Option<Issue<'a>> {
        self.issue_where(|seen| seen.tag() == Some(tag) && seen.by.gives_out())
    }

    /// The issue of a tag with the same opaque part and the other strength.
    pub fn issue_of_other_strength(&self, tag: EntityTag<'_>) -> Option<Issue<'a>> {
        self.issue(EntityTag { weak: !tag.weak, opaque: tag.opaque })
    }

    /// The issue of a date.
    pub fn issue_of_date(&self, date: HttpDate) -> Option<Issue<'a>> {
        self.issue_where(|seen| seen.date() == Some(date) && seen.by.gives_out())
    }

    fn issue_where(&self, fits: impl Fn(&Sighting) -> bool) -> Option<Issue<'a>> {
        let client = self.client();
        self.sightings()
            .filter(|(_, seen)| fits(seen))
            .map(|(sibling, sighting)| {
                let own = sighting.given_at(client);
                Issue { sighting, at: own.unwrap_or(sighting.last), to_client: own.is_some(), sibling }
            })
            .max_by_key(|issue| (issue.to_client, !issue.sibling, issue.at))
    }

    /// Whether the tag was ever shown here or brought back with success, with whatever strength.
    pub fn is_known(&self, tag: EntityTag<'_>) -> bool {
        let shown = self.sightings().any(|(_, seen)| seen.tag().is_some_and(|seen| seen.weak_eq(&tag)));
        let doubled = || self.sightings().any(|(_, seen)| seen.double_tag().is_some_and(|seen| seen.weak_eq(&tag)));
        let issued = || self.sightings().any(|(_, seen)| originally(seen).is_some_and(|given| given.weak_eq(&tag)));
        shown || doubled() || issued() || self.accepted_at(tag).is_some()
    }

    /// The validators that the origin gave when `tag` was last given to this client, or else to anybody.
    pub fn as_origin_gave(&self, tag: EntityTag<'_>) -> Option<(&'a Sighting, &'a AsGiven)> {
        self.given_where(|seen| seen.tag() == Some(tag))
    }

    /// The validators that the origin gave when a tag of exactly these bytes, well-formed or not, was last given out.
    pub fn as_origin_gave_bytes(&self, raw: &[u8]) -> Option<(&'a Sighting, &'a AsGiven)> {
        self.given_where(|seen| seen.etag.as_deref() == Some(raw))
    }

    /// The validators that the origin gave when the date was last given to this client, or else to anybody.
    pub fn as_origin_gave_date(&self, date: HttpDate) -> Option<(&'a Sighting, &'a AsGiven)> {
        self.given_where(|seen| seen.date() == Some(date))
    }

    fn given_where(&self, fits: impl Fn(&Sighting) -> bool) -> Option<(&'a Sighting, &'a AsGiven)> {
        let client = self.client();
        let given = self.sightings().map(|(_, seen)| seen).filter(|seen| seen.by != Shown::Refused && fits(seen));
        let told = given.filter_map(|seen| Some((seen, seen.origin.as_deref()?)));
        told.max_by_key(|(seen, _)| (seen.given_at(client), seen.last))
    }

    /// Whether what arrived of If-Match or If-Unmodified-Since is what the origin had given, although neither was what
    /// passed here: the gateway undid its own alteration, and nothing follows from either.
    pub fn is_undone(&self, given: &AsGiven) -> bool {
        let arrived = |field, value: Option<&CarriedValue>| {
            self.testimony.altered(field).zip(value).is_some_and(|(altered, value)| {
                altered.arrived.iter().any(|line| {
                    value.is_of(line)
                        || TagList::parse(line)
                            .is_some_and(|list| list.tags().iter().any(|tag| value.is_of(&tag.to_bytes())))
                })
            })
        };
        arrived(FieldName::IfMatch, given.etag.as_ref())
            || arrived(FieldName::IfUnmodifiedSince, given.last_modified.as_ref())
    }

    /// The sign that the answer came out of a store: its own fields, or the report of an earlier exchange.
    pub fn store_sign(&self) -> Option<FromStore> {
        let own = self.answer_fields().and_then(from_store);
        own.or_else(|| self.testimony.is_from_store().then_some(FromStore::EarlierReport))
    }

    /// The state of the resource as the refusal itself shows it, and where it does not, as it was last known.
    pub fn refused_state(&self) -> State<'a> {
        let etag = self.named_by_origin();
        if etag.is_none() && self.named_date().is_none() {
            return self.last_known_state();
        }
        State { exists: Some(true), etag, last_modified: self.named_date() }
    }

    /// RFC 9110 §13.2.2 on the conditions as they were sent and as they arrived, judged by the state that the refusal
    /// shows; `None` where they were not altered, or are not known whole.
    pub fn both_verdicts(&self) -> Option<(Verdict, Verdict)> {
        let both = self.testimony.both.as_deref().filter(|both| both.is_whole)?;
        let state = self.refused_state();
        let method = &self.exchange.request.method;
        let verdict = |fields| evaluate(method, &Conditions::of(fields), &state, self.exchange.policy.comparison);
        Some((verdict(&both.sent), verdict(&both.arrived)))
    }

    /// The tag that the origin named: by its report where there is one, for a gateway may have altered it.
    pub fn named_by_origin(&self) -> Option<EntityTag<'a>> {
        let report = self.testimony.own_report().filter(|report| report.status == self.status());
        let carried = report.and_then(|report| report.validators.iter().find(|one| one.name == FieldName::ETag));
        match carried.and_then(|one| one.values.first()) {
            Some(CarriedValue::Whole(bytes)) => EntityTag::parse(bytes),
            Some(CarriedValue::Digest { .. }) | None => self.named(),
        }
    }

    /// When a write with exactly this tag in If-Match was accepted, and by whom: it was current then.
    pub fn accepted_at(&self, tag: EntityTag<'_>) -> Option<&'a Write> {
        let accepted = |write: &&Write| write.if_match.as_deref().and_then(EntityTag::parse) == Some(tag);
        self.applied().map(|(_, write)| write).filter(accepted).max_by_key(|write| write.ended)
    }

    /// The last write after `since` that succeeded and did not itself give `tag`, by a client that `whose` accepts.
    pub fn write_after(
        &self,
        since: Time,
        tag: Option<EntityTag<'_>>,
        whose: impl Fn(Principal) -> bool,
    ) -> Option<(bool, &'a Write)> {
        self.applied()
            .filter(|(_, write)| write.ended > since && whose(write.by))
            .filter(|(_, write)| tag.is_none() || write.tag().is_none() || write.tag() != tag)
            // A write to the resource itself says more than one to a sibling.
            .max_by_key(|(sibling, write)| (!sibling, write.ended))
    }

    /// Whether the resource was seen not to be there, or deleted, after `since`.
    pub fn was_gone_after(&self, since: Time) -> bool {
        let absence = self.resource.and_then(|resource| resource.absence).is_some_and(|absence| absence.at > since);
        absence
            || self.applied().any(|(sibling, write)| {
                !sibling && write.ended > since && (write.method == Method::DELETE || write.method.as_str() == "MOVE")
            })
    }

    /// A write after `since` that had no answer and may have been applied.
    pub fn maybe_written_after(&self, since: Time) -> Option<&'a Write> {
        let writes = self.resource.map(|resource| resource.writes.as_slice()).unwrap_or_default();
        writes.iter().rev().find(|write| !write.is_applied() && write.ended > since)
    }

    /// A validator of another version that was seen after `since`, by whatever answer that was not out of a store.
    pub fn newer_than(&self, tag: EntityTag<'_>, since: Time) -> Option<&'a Sighting> {
        let here = memory::negotiated(&self.exchange.request.fields);
        self.own_sightings()
            .filter(|seen| seen.last > since && seen.store.is_none())
            .filter(|seen| seen.tag().is_some_and(|other| is_other_version(tag, other)))
            // Other representations have other tags of their own.
            .filter(|seen| {
                seen.by.names_the_version() || seen.variant.negotiated == here || self.same_variant(tag, seen)
            })
            .max_by_key(|seen| seen.last)
    }

    fn same_variant(&self, tag: EntityTag<'_>, seen: &Sighting) -> bool {
        self.own_sightings().any(|known| known.tag() == Some(tag) && known.variant == seen.variant)
    }

    /// A validator of another version that this client was handed after `since`, or at all if it never was handed
    /// `tag`: then only by answers that name the version.
    pub fn handed_newer(&self, tag: EntityTag<'_>, since: Option<Time>) -> Option<(&'a Sighting, Time)> {
        let client = self.client();
        self.own_sightings()
            .filter(|seen| seen.tag().is_some_and(|other| is_other_version(tag, other)) && seen.store.is_none())
            .filter(|seen| seen.by.names_the_version() || (since.is_some() && self.same_variant(tag, seen)))
            .filter_map(|seen| Some((seen, seen.given_at(client)?)))
            .filter(|(_, at)| since.is_none_or(|since| *at >= since))
            .max_by_key(|(_, at)| *at)
    }

    /// Whether the answer names exactly this tag as current: then nothing that is out of date explains a refusal.
    pub fn names(&self, tag: EntityTag<'_>) -> bool {
        self.named_by_origin() == Some(tag)
    }

    /// The tag of another version that the answer names.
    pub fn names_other(&self, tag: EntityTag<'_>) -> Option<EntityTag<'a>> {
        self.named_by_origin().filter(|named| is_other_version(tag, *named))
    }

    /// This client's earlier refusal of the same condition.
    pub fn refused_before(&self) -> Option<&'a memory::Refusal> {
        let condition = self.condition?;
        let refusals = self.resource.map(|resource| resource.refusals.as_slice()).unwrap_or_default();
        refusals.iter().rev().find(|refusal| refusal.by == self.client() && refusal.condition == Some(condition))
    }

    /// How sure a verdict can be that turns on `other` being, or not being, the client of this exchange; and the
    /// evidence for it.
    pub fn told_apart(&self, other: Principal) -> (Confidence, Evidence) {
        // The weaker of the two decides.
        let by = self.client().by.max(other.by);
        let confidence = match by {
            ToldApartBy::Mark
            | ToldApartBy::Certificate
            | ToldApartBy::JwtSubject
            | ToldApartBy::BasicUser
            | ToldApartBy::Configured => Confidence::Proven,
            ToldApartBy::Authorization => Confidence::Likely,
            ToldApartBy::Address => Confidence::Possible,
        };
        // An address that a mark names is the one that the outer instance saw.
        let is_own = self.exchange.far_side.mark.is_some_and(|(_, sure)| *sure != Authenticity::Unsigned);
        let hidden = by == ToldApartBy::Address && !is_own && self.is_behind_gateway();
        (confidence, Evidence::ToldApart { by, hidden })
    }

    /// Whether a gateway stands between the client and this instance.
    pub fn is_behind_gateway(&self) -> bool {
        let fields = &self.exchange.request.fields;
        let forwarding = [FieldName::Via, FieldName::Forwarded, FieldName::XForwardedFor];
        self.exchange.role == Role::Inner || forwarding.into_iter().any(|name| fields.contains(name))
    }

    /// The product that the answer names, or else one that earlier answers named.
    pub fn product(&self) -> Option<Product> {
        let own = self.answer_fields().and_then(product);
        own.or_else(|| self.own_sightings().filter_map(|seen| seen.product).last())
    }

    /// The state of the resource as it was last seen, in the representation that this request selects. What a write
    /// has left behind without saying its validator is not known.
    pub fn last_known_state(&self) -> State<'a> {
        let Some(resource) = self.resource else { return State::default() };
        if resource.absence.is_some() {
            return State { exists: Some(false), ..State::default() };
        }
        let here = memory::negotiated(&self.exchange.request.fields);
        let accepts = memory::accepts_coding(&self.exchange.request.fields);
        let selected = |seen: &&Sighting| {
            seen.by.names_the_version() || (seen.variant.negotiated == here && seen.variant.accepts_coding == accepts)
        };
        let newest = resource.sightings.iter().filter(|seen| seen.store.is_none()).filter(selected);
        let Some(newest) = newest.max_by_key(|seen| seen.last) else {
            return State { exists: resource.last_applied().map(|_| true), ..State::default() };
        };
        let written_since = resource.writes.iter().any(|write| write.ended > newest.last);
        if written_since {
            return State { exists: Some(true), ..State::default() };
        }
        State { exists: Some(true), etag: newest.tag(), last_modified: newest.date() }
    }

    /// RFC 9110 §13.2.2 on what was sent and what was last known.
    pub fn verdict(&self) -> Verdict {
        let method = &self.exchange.request.method;
        evaluate(method, &self.conditions, &self.last_known_state(), self.exchange.policy.comparison)
    }

    /// Evidence of a condition as it was sent.
    pub fn sent(&self, field: FieldName) -> Evidence {
        let values: Vec<_> = self.exchange.forwarded.all(field).collect();
        Evidence::Sent { field: super::spelling::title(field).into_bytes(), value: values.join(&b", "[..]) }
    }

    /// Evidence of what the answer names as current.
    pub fn named_evidence(&self) -> Evidence {
        let fields = self.answer_fields();
        let named = [FieldName::ETag, FieldName::LastModified]
            .into_iter()
            .find_map(|field| Some((field, fields?.first(field)?)));
        named.map_or(Evidence::NamedNone, |(field, value)| Evidence::Named {
            status: self.status(),
            field,
            value: value.to_vec(),
        })
    }
}

impl Shown {
    /// Whether the answer speaks of the version itself and not of one representation that was selected.
    pub const fn names_the_version(self) -> bool {
        match self {
            Self::Refused | Self::Written => true,
            Self::Get | Self::Head | Self::NotModified | Self::Probed | Self::Other => false,
        }
    }

    /// Whether a client got a validator by it that it may use.
    pub const fn gives_out(self) -> bool {
        match self {
            Self::Refused | Self::Probed => false,
            Self::Get | Self::Head | Self::NotModified | Self::Written | Self::Other => true,
        }
    }
}

/// The tag as the origin gave it, where it is known whole.
pub fn originally(sighting: &Sighting) -> Option<EntityTag<'_>> {
    match sighting.origin.as_ref()?.etag.as_ref()? {
        CarriedValue::Whole(bytes) => EntityTag::parse(bytes),
        CarriedValue::Digest { .. } => None,
    }
}

/// Whether two tags are of different versions: neither the same opaque part, nor the same but for a compressor's mark.
pub fn is_other_version(one: EntityTag<'_>, other: EntityTag<'_>) -> bool {
    !one.weak_eq(&other) && !differs_by_suffix(one.opaque, other.opaque)
}
