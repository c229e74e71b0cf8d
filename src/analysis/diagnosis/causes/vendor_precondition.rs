//! A condition outside RFC 9110 failed: a vendor's field, a lock, a lease.

use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::caching::Product;
use crate::analysis::semantics::fields::FieldName;
use crate::analysis::semantics::vendor::Asks;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "vendor-precondition",
    party: Party::Client,
    other_parties: &[],
    title: "A condition by the service's own rules failed, not one of HTTP's",
    explanation: "What failed is a rule that HTTP itself does not define: a vendor's condition in the request (a \
        generation, a lease, a lock token, a copy-source condition, a condition in the query), a lease or lock \
        that the request did not name, or If-Modified-Since on a write, where HTTP gives it no meaning. The \
        evidence names it. Its rules are the vendor's: some compare versions, some ask for a lock that has run \
        out.",
    example: r#"client  PUT /bucket/state.json | x-goog-if-generation-match: 1715 -> 412"#,
    fix: &[
        "Read the current value that the named condition is about (generation, metageneration, lease, schedule tag, \
            lock token) and repeat the work on top of it.",
        "Follow the vendor's documentation of the field that the evidence names; a standard If-Match beside it does \
            not help.",
    ],
    specification: &["RFC 4918 §10.4", "RFC 6638 §8.3", "RFC 9110 §15.5.13"],
    details: &[
        Detail {
            id: "lease-missing",
            explanation: "The resource is leased or locked, and the request did not name the lease or lock.",
            fix: &["Send the lease or lock token that was given out when it was acquired, or acquire it first."],
        },
        Detail {
            id: "lease-lost",
            explanation: "The lease or lock that the request named is not the one in force: it ran out, was \
                broken or released, or is another one.",
            fix: &["Acquire the lease or lock anew, read the resource again, and renew it well before it ends."],
        },
    ],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    if let Some(finding) = named_by_service(case) {
        return Some(finding);
    }
    let standard = &case.conditions;
    let is_alone = !standard.if_match.is_present()
        && !standard.if_none_match.is_present()
        && !standard.if_unmodified_since.is_present();
    let confidence = if is_alone { Confidence::Likely } else { Confidence::Possible };
    let conditions = case.vendor_conditions();
    let Some(asked) =
        conditions.iter().find(|one| one.asks != Asks::Absence || one.name.eq_ignore_ascii_case(b"overwrite"))
    else {
        // RFC 9110 §13.1.3 knows If-Modified-Since on GET and HEAD alone; some APIs judge it on writes.
        let judged = standard.if_modified_since.is_present() && case.is_write() && is_alone && conditions.is_empty();
        return judged.then(|| Finding::new(Confidence::Likely, vec![case.sent(FieldName::IfModifiedSince)]));
    };
    let sent = Evidence::Sent { field: asked.name.clone(), value: asked.value.clone() };
    let finding = Finding::new(confidence, vec![sent, case.named_evidence()]);
    Some(match asked.asks {
        Asks::Lock => finding.detail("lease-lost"),
        Asks::Version | Asks::Absence => finding,
    })
}

/// Azure's storage says in a field of its own which lease it misses.
fn named_by_service(case: &Case<'_>) -> Option<Finding> {
    const CODE: &[u8] = b"x-ms-error-code";
    let Some(code) = case.answer_fields()?.all_named(CODE).next() else {
        // Without a condition this service refuses for a lease alone.
        let unconditional = case.condition.is_none() && case.product() == Some(Product::AzureStorage);
        let says = Evidence::Recognised { product: Product::AzureStorage };
        return unconditional
            .then(|| Finding::new(Confidence::Likely, vec![Evidence::SentNone, says]).detail("lease-missing"));
    };
    let detail = if code == b"LeaseIdMissing" {
        "lease-missing"
    } else if code == b"LeaseLost" || code.starts_with(b"LeaseIdMismatch") || code.starts_with(b"LeaseNotPresent") {
        "lease-lost"
    } else {
        return None;
    };
    let says = Evidence::Fact { kind: "error-code", says: "The service's error code names the lease as the reason." };
    Some(Finding::new(Confidence::Likely, vec![says]).detail(detail))
}
