//! Who asked, as a keyed hash, and what told them apart.

/// What told one client from another; the stronger first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ToldApartBy {
    /// The client hash of a verified mark of an outer instance.
    Mark,
    /// The key of a client certificate.
    Certificate,
    /// `iss` and `sub` of a JWT (RFC 7519), decoded and not verified.
    JwtSubject,
    /// The user of Basic credentials (RFC 7617).
    BasicUser,
    /// The field or cookie that the configuration names.
    Configured,
    /// The whole Authorization value: opaque, it may change without the client changing.
    Authorization,
    /// The address alone: many clients may share one.
    Address,
}

/// A client: 128 bits under a key, and what told them apart. Equal when the hash is.
#[derive(Clone, Copy, Debug)]
pub struct Principal {
    /// The keyed hash.
    pub key: u128,
    /// What it was made of.
    pub by: ToldApartBy,
}

impl PartialEq for Principal {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Principal {}
