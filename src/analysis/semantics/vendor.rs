//! Vendor preconditions: conditions that HTTP does not define, in fields and in the query of the target.

use super::fields::Fields;

/// A vendor's condition as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorCondition {
    /// The field or query parameter, as it was written.
    pub name: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
    /// What it asks.
    pub asks: Asks,
}

/// What a vendor's condition asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asks {
    /// That the version is, or is not, a certain one.
    Version,
    /// That there is none yet.
    Absence,
    /// That a lease or lock is held.
    Lock,
}

/// Beginnings of field names, in lower case.
const FIELD_PREFIXES: &[&[u8]] = &[
    b"x-goog-if-",
    b"x-goog-copy-source-if-",
    b"x-amz-copy-source-if-",
    b"x-amz-if-match-",
    b"x-amz-rename-source-if-",
    b"x-ms-if-",
    b"x-ms-source-if-",
    b"x-ms-blob-condition-",
    b"x-ms-lease-id",
    b"x-ms-source-lease-id",
    b"x-ms-destination-lease-id",
    b"x-oss-copy-source-if-",
    b"x-cos-copy-source-if-",
    b"x-if-",
    b"opc-if-",
];

/// Whole field names, in lower case.
const FIELDS: &[&[u8]] = &[b"if", b"if-schedule-tag-match", b"oc-if-destination-match", b"overwrite", b"lock-token"];

/// Whole names of query parameters; their case matters.
const PARAMETERS: &[&[u8]] = &[
    b"ifGenerationMatch",
    b"ifGenerationNotMatch",
    b"ifMetagenerationMatch",
    b"ifMetagenerationNotMatch",
    b"ifSourceGenerationMatch",
    b"ifSourceGenerationNotMatch",
    b"ifSourceMetagenerationMatch",
    b"ifSourceMetagenerationNotMatch",
];

/// The vendor conditions of a request: fields first, then the query. `configured` are further names in lower case, of
/// fields or of parameters.
pub fn of(fields: &Fields, target: &[u8], configured: &[String]) -> Vec<VendorCondition> {
    let mut found = Vec::new();
    for line in fields.iter() {
        let mut lower = [0_u8; 64];
        let Some(lower) = lower.get_mut(..line.name_bytes.len()) else { continue };
        lower.copy_from_slice(line.name_bytes);
        lower.make_ascii_lowercase();
        let lower = &*lower;
        let known = FIELDS.contains(&lower) || FIELD_PREFIXES.iter().any(|prefix| lower.starts_with(prefix));
        if (known || configured.iter().any(|name| name.as_bytes() == lower)) && asks_something(lower, line.value) {
            found.push(condition(line.name_bytes, lower, line.value));
        }
    }
    let query = target.iter().position(|byte| *byte == b'?').and_then(|at| target.get(at + 1..)).unwrap_or_default();
    for pair in query.split(|byte| *byte == b'&') {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at_checked(at).unwrap_or_default();
        let own = configured.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        if PARAMETERS.contains(&name) || (own && !name.is_empty()) {
            let lower = name.to_ascii_lowercase();
            found.push(condition(name, &lower, value.get(1..).unwrap_or_default()));
        }
    }
    found
}

/// `Overwrite: T` is the default and asks nothing (RFC 4918 §10.6).
fn asks_something(lower: &[u8], value: &[u8]) -> bool {
    lower != b"overwrite" || value.trim_ascii().eq_ignore_ascii_case(b"f")
}

fn condition(name: &[u8], lower: &[u8], value: &[u8]) -> VendorCondition {
    let contains = |needle: &[u8]| super::caching::contains(value, needle);
    let is_generation = lower.ends_with(b"generation-match") || lower.ends_with(b"generationmatch");
    let asks = if (is_generation
        && !lower.ends_with(b"metageneration-match")
        && !lower.ends_with(b"metagenerationmatch")
        && value == b"0")
        || lower == b"overwrite"
    {
        Asks::Absence
    } else if lower.ends_with(b"lease-id")
        || lower == b"lock-token"
        || (lower == b"if" && (contains(b"opaquelocktoken:") || contains(b"urn:uuid:")))
    {
        Asks::Lock
    } else {
        Asks::Version
    };
    VendorCondition { name: name.to_vec(), value: value.to_vec(), asks }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[(&str, &str)], target: &str, expected: &[(&str, Asks)]) {
        let fields: Fields = lines.iter().copied().collect();
        let found = of(&fields, target.as_bytes(), &["x-version-is".to_owned()]);
        let found: Vec<_> =
            found.iter().map(|one| (String::from_utf8_lossy(&one.name).into_owned(), one.asks)).collect();
        let expected: Vec<_> = expected.iter().map(|(name, asks)| ((*name).to_owned(), *asks)).collect();
        assert_eq!(found, expected, "{lines:?} {target}");
    }

    #[test]
    fn fields_and_parameters() {
        check(&[("X-Goog-If-Generation-Match", "17")], "/", &[("X-Goog-If-Generation-Match", Asks::Version)]);
        check(&[("x-goog-if-generation-match", "0")], "/", &[("x-goog-if-generation-match", Asks::Absence)]);
        check(&[("x-goog-if-metageneration-match", "0")], "/", &[("x-goog-if-metageneration-match", Asks::Version)]);
        check(&[], "/b?name=l&ifGenerationMatch=0", &[("ifGenerationMatch", Asks::Absence)]);
        check(&[], "/b?ifgenerationmatch=0&x=ifGenerationMatch", &[]);
        check(&[("x-ms-lease-id", "a")], "/", &[("x-ms-lease-id", Asks::Lock)]);
        check(&[("If", "(<opaquelocktoken:1>)")], "/", &[("If", Asks::Lock)]);
        check(&[("If", "([\"e\"])")], "/", &[("If", Asks::Version)]);
        check(&[("Overwrite", "F")], "/", &[("Overwrite", Asks::Absence)]);
        check(&[("Overwrite", "T"), ("If-Match", "\"a\""), ("Depth", "1")], "/", &[]);
        check(&[("X-Version-Is", "3")], "/", &[("X-Version-Is", Asks::Version)]);
        check(&[("X-If-Unmodified-Since", "1.5")], "/", &[("X-If-Unmodified-Since", Asks::Version)]);
    }
}
