//! Keyed 128-bit digests: of the bodies of conditional writes as they stream by, and of whatever else is compared and
//! never shown. Fast, and without the key nothing can be guessed from them.

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

/// The secret under which digests are taken. Digests compare only under the same key.
#[derive(Clone, Copy)]
pub struct DigestKey([u8; 16]);

impl DigestKey {
    /// A key of 128 random bits, or bits derived from a shared secret.
    pub const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    pub(super) const fn bytes(&self) -> [u8; 16] {
        self.0
    }

    /// The digest of `parts`, each delimited by its length, so that no two lists of parts run together.
    pub fn digest(&self, parts: &[&[u8]]) -> u128 {
        let mut digest = Digest::new(self);
        for part in parts {
            digest.part(part);
        }
        digest.finish()
    }
}

/// A key is never shown.
impl std::fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DigestKey(…)")
    }
}

/// A digest in the making.
#[derive(Clone, Copy)]
pub struct Digest(SipHasher13);

impl Digest {
    /// An empty one.
    pub fn new(key: &DigestKey) -> Self {
        Self(SipHasher13::new_with_key(&key.0))
    }

    /// Takes in the next bytes of a body; how they are cut into pieces does not matter.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// Takes in a whole value, delimited by its length.
    pub fn part(&mut self, bytes: &[u8]) {
        self.0.write(&(bytes.len() as u64).to_le_bytes());
        self.0.write(bytes);
    }

    /// The digest of all that was taken in.
    pub fn finish(self) -> u128 {
        self.0.finish128().as_u128()
    }
}

/// What went in is never shown.
impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digest(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: DigestKey = DigestKey::new([7; 16]);

    proptest! {
        #[test]
        fn pieces_do_not_matter(body in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..200) {
            let (head, tail) = body.split_at(at.min(body.len()));
            let mut pieces = Digest::new(&KEY);
            pieces.update(head);
            pieces.update(tail);
            let mut whole = Digest::new(&KEY);
            whole.update(&body);
            prop_assert_eq!(pieces.finish(), whole.finish());
        }
    }

    #[test]
    fn parts_and_keys_matter() {
        assert_ne!(KEY.digest(&[b"ab", b"c"]), KEY.digest(&[b"a", b"bc"]));
        assert_ne!(KEY.digest(&[b"a"]), DigestKey::new([8; 16]).digest(&[b"a"]));
    }
}
