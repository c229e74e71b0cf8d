//! Which resource a tag was issued for: the answer to "does this validator belong to another resource?".
//!
//! Only tags that can hardly be the same by chance are kept: `"1"` or `"v7"` says nothing of where it comes from.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use crate::analysis::time::Time;

/// One tag and the resource that showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The tag's opaque part.
    pub opaque: Bytes,
    /// The path of that resource.
    pub path: Box<[u8]>,
    /// When it was first shown there.
    pub at: Time,
    /// Resources of other paths showed it, too.
    pub several: bool,
}

/// The longest path that is kept to be shown, in bytes.
const PATH_MAX: usize = 256;

/// The index, bounded; the oldest entries go first.
#[derive(Debug, Default)]
pub(super) struct Issues {
    by_tag: HashMap<Bytes, (u128, Issued)>,
    order: VecDeque<Bytes>,
    bytes: usize,
}

/// How much may be indexed.
#[derive(Clone, Copy, Debug)]
pub(super) struct IssuesLimit {
    /// Tags.
    pub(super) tags: usize,
    /// Bytes.
    pub(super) bytes: usize,
}

impl Issues {
    /// Notes that a resource of the path with the hash `group` showed a tag.
    pub(super) fn note(&mut self, opaque: &[u8], group: u128, path: &[u8], at: Time, limit: IssuesLimit) {
        if is_distinctive(opaque) {
            self.note_any(opaque, group, path, at, limit);
        }
    }

    /// The same for any tag.
    pub(super) fn note_any(&mut self, opaque: &[u8], group: u128, path: &[u8], at: Time, limit: IssuesLimit) {
        if let Some((known, issued)) = self.by_tag.get_mut(opaque) {
            issued.several |= *known != group;
            return;
        }
        let path: Box<[u8]> = path.get(..path.len().min(PATH_MAX)).unwrap_or_default().into();
        let issued = Issued { opaque: Bytes::copy_from_slice(opaque), path, at, several: false };
        self.bytes += cost(&issued);
        self.order.push_back(issued.opaque.clone());
        self.by_tag.insert(issued.opaque.clone(), (group, issued));
        while self.order.len() > limit.tags || self.bytes > limit.bytes {
            let Some(oldest) = self.order.pop_front() else { return };
            let forgotten = self.by_tag.remove(&oldest);
            self.bytes = self.bytes.saturating_sub(forgotten.map_or(0, |(_, issued)| cost(&issued)));
        }
    }

    /// Bytes it takes, as well as they can be counted.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The resource of another path than `group` that showed a tag.
    pub(super) fn elsewhere(&self, opaque: &[u8], group: Option<u128>) -> Option<&Issued> {
        self.by_tag.get(opaque).filter(|(known, _)| Some(*known) != group).map(|(_, issued)| issued)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.order.len()
    }
}

/// One entry with its place in map and order.
fn cost(issued: &Issued) -> usize {
    issued.opaque.len() + issued.path.len() + 2 * size_of::<(Bytes, u128, Issued)>()
}

/// Whether a tag is unlikely to be given to two resources by chance. Counters, with or without letters before them,
/// are not; neither are a few letters.
pub fn is_distinctive(opaque: &[u8]) -> bool {
    let digits = opaque.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let before = opaque.len() - digits;
    let is_counter = digits < 10 && opaque.iter().take(before).all(u8::is_ascii_alphabetic) && digits + before < 12;
    opaque.len() >= 3 && !is_counter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_belong_to_nobody() {
        for tag in ["1", "v7", "abc", "123456", "rev12", ""] {
            assert!(!is_distinctive(tag.as_bytes()), "{tag}");
        }
        for tag in ["a-1", "5f1c0ffee", "1434641474977", "9b2cf535f27731c974343645a3985328", "0x8DABC"] {
            assert!(is_distinctive(tag.as_bytes()), "{tag}");
        }
    }

    #[test]
    fn another_path_and_no_more_than_allowed() {
        let mut issues = Issues::default();
        let at = Time::default();
        let limit = IssuesLimit { tags: 2, bytes: 4096 };
        issues.note(b"tag-a", 1, b"/a", at, limit);
        assert_eq!(issues.elsewhere(b"tag-a", Some(1)), None);
        assert_eq!(issues.elsewhere(b"tag-a", Some(2)).map(|issued| &*issued.path), Some(&b"/a"[..]));
        issues.note(b"tag-a", 2, b"/b", at, limit);
        assert!(issues.elsewhere(b"tag-a", None).is_some_and(|issued| issued.several));
        issues.note(b"tag-b", 1, b"/a", at, limit);
        issues.note(b"tag-c", 1, b"/a", at, limit);
        assert_eq!(issues.len(), 2);
        assert_eq!(issues.elsewhere(b"tag-a", None), None);
        issues.note(b"tag-d", 1, b"/a", at, IssuesLimit { tags: 2, bytes: 10 });
        assert_eq!((issues.len(), issues.bytes()), (0, 0));
    }
}
