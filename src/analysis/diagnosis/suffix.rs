//! The marks that compressors put at the end of the opaque part of a tag.

/// A tag that ends in such a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suffixed<'a> {
    /// The opaque part without the mark.
    pub bare: &'a [u8],
    /// The mark, separator included.
    pub suffix: &'a [u8],
    /// The coding it names; `df` names none.
    pub coding: &'a [u8],
}

/// Content codings (RFC 9110 §8.4.1 and its registry) and the marks of compressors that are none.
const CODINGS: [&[u8]; 9] = [b"x-gzip", b"gzip", b"br", b"zstd", b"deflate", b"compress", b"dcb", b"dcz", b"df"];

/// Separators, longest first.
const SEPARATORS: [&[u8]; 4] = [b"--", b"-", b";", b":"];

/// Takes the mark off.
pub fn split(opaque: &[u8]) -> Option<Suffixed<'_>> {
    for coding in CODINGS {
        let Some(head) = opaque.strip_suffix(coding) else { continue };
        for separator in SEPARATORS {
            let Some(bare) = head.strip_suffix(separator).filter(|bare| !bare.is_empty()) else { continue };
            let suffix = opaque.get(bare.len()..)?;
            return Some(Suffixed { bare, suffix, coding });
        }
    }
    None
}

/// Whether one is the other with a mark.
pub fn differs_by_suffix(one: &[u8], other: &[u8]) -> bool {
    let is_bare = |long: &[u8], short: &[u8]| split(long).is_some_and(|split| split.bare == short);
    is_bare(one, other) || is_bare(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(opaque: &str, expected: Option<(&str, &str)>) {
        let found = split(opaque.as_bytes()).map(|split| (split.bare, split.suffix));
        assert_eq!(found, expected.map(|(bare, suffix)| (bare.as_bytes(), suffix.as_bytes())), "{opaque}");
    }

    #[test]
    fn marks() {
        check("v1-gzip", Some(("v1", "-gzip")));
        check("r7--gzip", Some(("r7", "--gzip")));
        check("v1;br", Some(("v1", ";br")));
        check("v1:zstd", Some(("v1", ":zstd")));
        check("a-df", Some(("a", "-df")));
        check("v1-x-gzip", Some(("v1", "-x-gzip")));
        for plain in ["v1.gz", "v1gzip", "-gzip", "gzip", "v1-gz", "v1-GZIP", ""] {
            check(plain, None);
        }
    }
}
