//! Notices that the configuration, or a file that it names, has changed: by content, since modification times lie and a
//! mounted ConfigMap is exchanged by a symbolic link.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;

/// The content of files, as one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint(u64);

/// Takes the content of `files` as it is now. A file that cannot be read is a content of its own.
pub(super) fn fingerprint(files: &[PathBuf]) -> Fingerprint {
    let mut hasher = DefaultHasher::new();
    for file in files {
        std::fs::read(file).ok().hash(&mut hasher);
    }
    Fingerprint(hasher.finish())
}

/// Sees changes, and waits until they are whole: a file that is just being written differs twice in a row.
#[derive(Debug)]
pub(super) struct Watch {
    settled: Fingerprint,
    latest: Fingerprint,
}

impl Watch {
    /// Watches for anything but `loaded`.
    pub(super) const fn new(loaded: Fingerprint) -> Self {
        Self { settled: loaded, latest: loaded }
    }

    /// The content `loaded` has been read, by whatever reason.
    pub(super) const fn loaded(&mut self, loaded: Fingerprint) {
        *self = Self::new(loaded);
    }

    /// Whether there is another content that has stayed the same since the last look.
    pub(super) fn look(&mut self, now: Fingerprint) -> bool {
        let steady = now == self.latest;
        self.latest = now;
        steady && now != self.settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_counts_once_it_stays() {
        let print = Fingerprint;
        let mut watch = Watch::new(print(1));
        let looks = [(1, false), (2, false), (3, false), (3, true)];
        for (content, changed) in looks {
            assert_eq!(watch.look(print(content)), changed, "{content}");
        }
        watch.loaded(print(3));
        for content in [3, 4, 3, 3] {
            assert!(!watch.look(print(content)), "{content} is the loaded one, or too young");
        }
    }

    #[test]
    fn content_counts_and_missing_files_too() {
        let directory = tempfile::tempdir().expect("a directory");
        let files = [directory.path().join("a"), directory.path().join("b")];
        let missing = fingerprint(&files);
        std::fs::write(&files[0], "").expect("written");
        let empty = fingerprint(&files);
        assert_ne!(missing, empty);
        std::fs::write(&files[0], "x").expect("written");
        assert_ne!(fingerprint(&files), empty);
        std::fs::write(&files[0], "").expect("written");
        assert_eq!(fingerprint(&files), empty);
    }
}
