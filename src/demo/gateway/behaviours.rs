//! What the gateway does to exchanges that it had better left alone, each in one place of the URL space, as locations of
//! real gateways have their settings, and each with a switch.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::admin::{BehaviourView, UnknownBehaviour};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behaviour {
    GzipWeaken,
    GzipSuffix,
    StripTag,
    RewriteTag,
    Cache,
    AnswerFromStore,
    DropCondition,
    ReplayCondition,
    Resend,
}

/// What people are told of it, and where it is at work.
struct Description {
    behaviour: Behaviour,
    /// The beginning of the paths that it concerns.
    location: &'static str,
    id: &'static str,
    title: &'static str,
    says: &'static str,
    /// What is found of it.
    causes: &'static [&'static str],
}

const ALL: [Description; 9] = [
    Description {
        behaviour: Behaviour::GzipWeaken,
        location: "/orders/",
        id: "gzip-weaken",
        title: "Compress, and weaken the tag",
        says: "Compresses answers under /orders/ and puts W/ in front of their ETag, which no If-Match can match again. \
               nginx does so with gzip on, HAProxy with its compression filter, Varnish with do_gzip.",
        causes: &["etag-weakened"],
    },
    Description {
        behaviour: Behaviour::GzipSuffix,
        location: "/documents/",
        id: "gzip-suffix",
        title: "Compress, and add -gzip to the tag",
        says: "Compresses answers under /documents/ and adds -gzip to their ETag, a tag that the origin never issued. \
               Apache httpd does so with mod_deflate as shipped; Jetty adds --gzip.",
        causes: &["etag-suffixed"],
    },
    Description {
        behaviour: Behaviour::StripTag,
        location: "/people/cards/",
        id: "strip-tag",
        title: "Remove the tag from answers to writes",
        says: "Removes the ETag from answers to writes under /people/cards/, so that who has just saved holds nothing to \
               save with again. Gateways with a list of fields that may pass do so; httpd can be told to remove the tag \
               of what it compresses.",
        causes: &["etag-stripped"],
    },
    Description {
        behaviour: Behaviour::RewriteTag,
        location: "/catalog/",
        id: "rewrite-tag",
        title: "Replace the tag by one of its own",
        says: "Gives answers under /catalog/ an ETag made of the body as it passes, which the origin does not know. \
               Frameworks and gateways that compute tags for what they rewrite do so.",
        causes: &["etag-rewritten"],
    },
    Description {
        behaviour: Behaviour::Cache,
        location: "/wiki/",
        id: "cache",
        title: "Keep answers, and give them out after a write",
        says: "Keeps answers under /wiki/ for the 8 seconds that the origin allows and gives them out although the page \
               has been written since. No cache is obliged to look at the 412 that follows; nginx, Varnish, httpd and \
               HAProxy go on serving the old copy until it expires. This one heeds neither `no-cache` nor `no-store`: \
               switch a bypass on, and its copies are named `bypass-disobeyed`.",
        causes: &["stale-cache", "stale-response"],
    },
    Description {
        behaviour: Behaviour::AnswerFromStore,
        location: "/reports/",
        id: "answer-from-store",
        title: "Judge conditions on a stored copy",
        says: "Keeps reports for 8 seconds and judges If-Match of reads by its own copy, so that the current tag is \
               refused with a 412 that the origin never gave. nginx does so wherever proxy_cache is on.",
        causes: &["gateway-answered"],
    },
    Description {
        behaviour: Behaviour::DropCondition,
        location: "/settings/",
        id: "drop-condition",
        title: "Drop the condition of writes",
        says: "Removes If-Match and If-None-Match from writes under /settings/: both of two editors succeed, and one loses \
               what was saved. nginx does so where proxy_set_header empties the field, and so do gateways with a list \
               of fields that may pass.",
        causes: &["precondition-dropped"],
    },
    Description {
        behaviour: Behaviour::ReplayCondition,
        location: "/people/contacts/",
        id: "replay-condition",
        title: "Send the condition of the request before",
        says: "Sends a write under /people/contacts/ with the If-Match of the write before it. Integrations that keep one \
               object of fields from request to request do so.",
        causes: &["precondition-rewritten"],
    },
    Description {
        behaviour: Behaviour::Resend,
        location: "/ledger/",
        id: "resend",
        title: "Send a write again after a broken connection",
        says: "Sends a PUT under /ledger/ once more when the origin has closed the connection without an answer, though it \
               may have carried it out: the second one is refused, and the client is told that its own write failed. \
               nginx does so with connections kept open to the upstream or with two peers; Varnish does with DELETE.",
        causes: &["retry-after-applied"],
    },
];

/// The switches.
#[derive(Debug)]
pub(super) struct Switches([AtomicBool; ALL.len()]);

impl Default for Switches {
    /// Everything goes wrong.
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicBool::new(true)))
    }
}

impl Switches {
    /// Whether the gateway does so with requests for `path`.
    pub(super) fn applies(&self, behaviour: Behaviour, path: &str) -> bool {
        let mut all = self.0.iter().zip(&ALL);
        all.any(|(on, known)| {
            known.behaviour == behaviour && path.starts_with(known.location) && on.load(Ordering::Relaxed)
        })
    }

    /// As people see them.
    pub(super) fn view(&self) -> Vec<BehaviourView> {
        let view = |(on, known): (&AtomicBool, &Description)| BehaviourView {
            id: known.id,
            title: known.title,
            says: known.says,
            causes: known.causes,
            on: on.load(Ordering::Relaxed),
        };
        self.0.iter().zip(&ALL).map(view).collect()
    }

    /// Switches all of `wanted`, or none.
    pub(super) fn switch(&self, wanted: &BTreeMap<String, bool>) -> Result<(), UnknownBehaviour> {
        let unknown = wanted.keys().find(|id| !ALL.iter().any(|known| known.id == id.as_str()));
        if let Some(id) = unknown {
            return Err(UnknownBehaviour(id.clone()));
        }
        for (on, known) in self.0.iter().zip(&ALL) {
            if let Some(wanted) = wanted.get(known.id) {
                on.store(*wanted, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

/// Whether there is a behaviour of this name.
pub(in crate::demo) fn is_known(id: &str) -> bool {
    ALL.iter().any(|known| known.id == id)
}
