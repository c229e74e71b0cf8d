//! Documents and their versions.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::manners::{Manner, Tags};
use crate::analysis::semantics::http_date::HttpDate;
use crate::analysis::time::Time;

/// Which of the origin's nodes is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Node {
    North,
    South,
}

/// All of them, by path.
#[derive(Debug, Default)]
pub(super) struct Documents(HashMap<String, Document>);

/// Paths that are kept; there are more than the stories need, for those who try it out by hand.
const DOCUMENTS_MAX: usize = 2000;

/// How long a document has been as it is when the play begins.
const AGE: Duration = Duration::from_secs(26 * 60 * 60);

/// How long after a read the service's own job comes by.
const TOUCHED_AFTER: Duration = Duration::from_millis(1200);

/// One document.
#[derive(Debug)]
pub(super) struct Document {
    version: u32,
    pub(super) exists: bool,
    modified: Time,
    /// When the service's own job changes it next.
    touch: Option<Time>,
    /// Answers that were given a tag of their own.
    answers: u64,
    /// Conditional writes that were looked at.
    pub(super) glances: u64,
}

/// What an answer says of the version.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<HttpDate>,
}

impl Documents {
    /// What is under `path`. Everything is there from the beginning, but for names that begin with `new-`: those are free
    /// until somebody creates them.
    pub(super) fn at(&mut self, path: &str, manner: &Manner, now: Time) -> Option<&mut Document> {
        if self.0.len() >= DOCUMENTS_MAX && !self.0.contains_key(path) {
            return None;
        }
        let document = self.0.entry(path.to_owned()).or_insert_with(|| Document::new(path, now));
        if manner.touched {
            document.job(now);
        }
        Some(document)
    }

    /// The tag of what is under `path`, if anybody has asked for it yet.
    pub(super) fn tag(&mut self, path: &str, manner: &Manner, node: Node) -> Option<String> {
        self.0.get_mut(path)?.shown(path, manner, node).etag
    }
}

impl Document {
    fn new(path: &str, now: Time) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default();
        let age = u64::try_from(AGE.as_micros()).unwrap_or_default();
        let modified = Time::from_unix_micros(now.unix_micros().saturating_sub(age));
        Self { version: 1, exists: !name.starts_with("new-"), modified, touch: None, answers: 0, glances: 0 }
    }

    fn job(&mut self, now: Time) {
        match self.touch {
            Some(at) if at <= now => {
                self.version += 1;
                self.modified = at;
                self.touch = None;
            }
            Some(_) => {}
            None => self.touch = Some(now.plus(TOUCHED_AFTER)),
        }
    }

    /// The next version.
    pub(super) fn write(&mut self, now: Time) {
        self.version += 1;
        self.exists = true;
        self.modified = now;
        self.touch = None;
    }

    /// What an answer from `node` says of it.
    pub(super) fn shown(&mut self, path: &str, manner: &Manner, node: Node) -> Shown {
        if !self.exists {
            return Shown { etag: None, last_modified: None };
        }
        let strong = |salt: u64| tag(path, self.version, salt);
        let etag = match manner.tags {
            Tags::Strong => Some(format!("\"{}\"", strong(0))),
            Tags::Weak => Some(format!("W/\"{}\"", strong(0))),
            Tags::Unquoted => Some(strong(0)),
            Tags::PerNode => Some(format!("\"{}\"", strong(if node == Node::North { 1 } else { 2 }))),
            Tags::PerAnswer => {
                self.answers += 1;
                Some(format!("\"{}\"", tag(path, self.version, 2 + self.answers)))
            }
            Tags::None => None,
        };
        Shown { etag, last_modified: manner.dated.then(|| HttpDate(self.modified.unix_seconds())) }
    }

    /// The number of the version; 0 says that there is none.
    pub(super) const fn generation(&self) -> u32 {
        if self.exists { self.version } else { 0 }
    }

    /// To the microsecond.
    pub(super) fn is_modified_after(&self, date: HttpDate) -> bool {
        let date = u64::try_from(date.0).unwrap_or_default().saturating_mul(1_000_000);
        self.exists && self.modified.unix_micros() > date
    }

    /// Long enough to be worth compressing.
    pub(super) fn body(&self, path: &str) -> String {
        let mut body = format!("{{\"document\":\"{path}\",\"version\":{},\"lines\":[", self.version);
        for line in 1..=LINES {
            // Writing to a String cannot fail.
            let _ = write!(body, "{{\"line\":{line},\"item\":\"something\",\"count\":{}}},", line * 3 % 7);
        }
        body.push_str("null]}\n");
        body
    }
}

/// Lines of a document.
const LINES: u32 = 40;

/// Eight characters of a tag, the first a capital letter: what happens to letters on the way can be seen.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789xy";

/// The opaque part: the version for people, and what makes it this resource's alone.
fn tag(path: &str, version: u32, salt: u64) -> String {
    let digest = Sha256::digest(format!("{path} {version} {salt}"));
    let mut text = format!("v{version}-");
    for (at, byte) in digest.iter().take(8).enumerate() {
        let among = if at == 0 { 26 } else { LETTERS.len() };
        text.extend(LETTERS.get(usize::from(*byte) % among).map(|letter| char::from(*letter)));
    }
    text
}
