//! The field lines of one message, in order, byte for byte, with the names that matter recognised once.

use std::fmt;

macro_rules! field_names {
    ($($variant:ident $text:literal,)*) => {
        /// A field name that some step looks at, recognised when the line is read. Case does not matter (RFC 9110 §5.1).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "each variant is the field of that name")]
        pub enum FieldName { $($variant,)* Other }

        impl FieldName {
            /// Every recognised name.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in lower case, as HTTP/2 and the records write it; empty for `Other`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* Self::Other => "" }
            }

            fn from_lower(lower: &[u8]) -> Self {
                $(if lower == $text.as_bytes() { return Self::$variant; })*
                Self::Other
            }
        }
    };
}

field_names! {
    // The message and its connection.
    Host "host",
    Connection "connection",
    KeepAlive "keep-alive",
    ProxyConnection "proxy-connection",
    Te "te",
    Trailer "trailer",
    TransferEncoding "transfer-encoding",
    Upgrade "upgrade",
    ContentLength "content-length",
    Expect "expect",
    MaxForwards "max-forwards",
    Http2Settings "http2-settings",
    Date "date",
    Server "server",
    // The five conditions.
    IfMatch "if-match",
    IfNoneMatch "if-none-match",
    IfModifiedSince "if-modified-since",
    IfUnmodifiedSince "if-unmodified-since",
    IfRange "if-range",
    // Validators and their vendor doubles.
    ETag "etag",
    LastModified "last-modified",
    OcETag "oc-etag",
    XETag "x-etag",
    // Content and its negotiation.
    ContentType "content-type",
    ContentEncoding "content-encoding",
    ContentRange "content-range",
    ContentLocation "content-location",
    Location "location",
    Accept "accept",
    AcceptEncoding "accept-encoding",
    AcceptLanguage "accept-language",
    AcceptRanges "accept-ranges",
    Range "range",
    Vary "vary",
    // Caches and gateways.
    Age "age",
    CacheControl "cache-control",
    Pragma "pragma",
    Expires "expires",
    CacheStatus "cache-status",
    XCache "x-cache",
    CfCacheStatus "cf-cache-status",
    XVarnish "x-varnish",
    Via "via",
    ProxyStatus "proxy-status",
    CdnCacheControl "cdn-cache-control",
    SurrogateControl "surrogate-control",
    RetryAfter "retry-after",
    Forwarded "forwarded",
    XForwardedFor "x-forwarded-for",
    // Who asked.
    Authorization "authorization",
    ProxyAuthorization "proxy-authorization",
    Cookie "cookie",
    SetCookie "set-cookie",
    // Vendor preconditions.
    XGoogIfGenerationMatch "x-goog-if-generation-match",
    XGoogIfMetagenerationMatch "x-goog-if-metageneration-match",
    XGoogCopySourceIfGenerationMatch "x-goog-copy-source-if-generation-match",
    XAmzCopySourceIfMatch "x-amz-copy-source-if-match",
    XAmzCopySourceIfNoneMatch "x-amz-copy-source-if-none-match",
    XAmzCopySourceIfModifiedSince "x-amz-copy-source-if-modified-since",
    XAmzCopySourceIfUnmodifiedSince "x-amz-copy-source-if-unmodified-since",
    XMsLeaseId "x-ms-lease-id",
    WebdavIf "if",
    IfScheduleTagMatch "if-schedule-tag-match",
    Overwrite "overwrite",
    Destination "destination",
    Depth "depth",
    LockToken "lock-token",
    XIfUnmodifiedSince "x-if-unmodified-since",
    XIfModifiedSince "x-if-modified-since",
    OcIfDestinationMatch "oc-if-destination-match",
    // Our own.
    Why412Pair "why412-pair",
    Why412Report "why412-report",
    Why412Bypass "why412-bypass",
}

const _: () = assert!(FieldName::ALL.len() < 128, "the set of names is a u128");

impl FieldName {
    /// The longest recognised name.
    const LENGTH_MAX: usize = 40;

    /// Recognises a name, whatever its case.
    pub fn recognise(name: &[u8]) -> Self {
        let mut lower = [0_u8; Self::LENGTH_MAX];
        let Some(lower) = lower.get_mut(..name.len()) else { return Self::Other };
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        Self::from_lower(lower)
    }

    const fn bit(self) -> u128 {
        if matches!(self, Self::Other) { 0 } else { 1 << self as u8 }
    }
}

/// A set of recognised names.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct FieldSet(u128);

impl FieldSet {
    /// The set of these names.
    pub const fn of(names: &[FieldName]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < names.len() {
            #[expect(clippy::indexing_slicing, reason = "`at` is below the length")]
            let name = names[at];
            bits |= name.bit();
            at += 1;
        }
        Self(bits)
    }

    /// The set with one more name.
    #[must_use]
    pub const fn with(self, name: FieldName) -> Self {
        Self(self.0 | name.bit())
    }

    /// Whether the two sets share a name.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the set holds `name`.
    pub const fn contains(self, name: FieldName) -> bool {
        self.0 & name.bit() != 0
    }
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(FieldName::ALL.iter().filter(|name| self.contains(**name))).finish()
    }
}

/// One field line.
#[derive(Clone, Copy)]
pub struct FieldLine<'a> {
    /// The name, if some step looks at it.
    pub name: FieldName,
    /// The name as it was written.
    pub name_bytes: &'a [u8],
    /// The value without the white space around it.
    pub value: &'a [u8],
}

/// The field lines of one message: order, case and bytes as on the wire.
///
/// All bytes live in one buffer, so a message costs two allocations however many fields it has, and keeps nothing of a
/// connection's read buffer alive.
#[derive(Clone, Default)]
pub struct Fields {
    bytes: Vec<u8>,
    lines: Vec<Line>,
    present: FieldSet,
}

#[derive(Clone, Copy)]
struct Line {
    name: FieldName,
    name_length: u16,
    start: u32,
    value_length: u32,
    never_indexed: bool,
}

impl Fields {
    /// No lines, with room for `bytes` of names and values in `lines` lines.
    pub fn with_capacity(bytes: usize, lines: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), lines: Vec::with_capacity(lines), present: FieldSet::default() }
    }

    /// Adds a line at the end. Names beyond 64 KiB and values beyond 4 GiB, which no limit of the proxy lets through,
    /// are cut.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        let recognised = FieldName::recognise(name);
        let name_length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        let start = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let value_length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        self.bytes.extend(name.iter().take(name_length as usize));
        self.bytes.extend_from_slice(value);
        self.lines.push(Line { name: recognised, name_length, start, value_length, never_indexed: false });
        self.present.0 |= recognised.bit();
    }

    /// Adds a line at the end whose sender wants no compression table to keep it (RFC 7541 §6.2.3).
    pub fn push_never_indexed(&mut self, name: &[u8], value: &[u8]) {
        self.push(name, value);
        if let Some(line) = self.lines.last_mut() {
            line.never_indexed = true;
        }
    }

    /// The lines in order.
    pub fn iter(&self) -> impl Iterator<Item = FieldLine<'_>> + Clone {
        self.lines.iter().map(|line| self.line(*line))
    }

    /// Of each line, in order, whether no compression table may keep it.
    pub fn never_indexed(&self) -> impl Iterator<Item = bool> + Clone {
        self.lines.iter().map(|line| line.never_indexed)
    }

    /// The values of every line of that recognised name, in order.
    pub fn all(&self, name: FieldName) -> impl Iterator<Item = &[u8]> + Clone {
        // The bit of an absent name spares the walk.
        let lines = if self.present.contains(name) { self.lines.as_slice() } else { &[] };
        lines.iter().filter(move |line| line.name == name).map(|line| self.line(*line).value)
    }

    /// The values of every line of any name, compared without case.
    pub fn all_named<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.iter().filter(move |line| line.name_bytes.eq_ignore_ascii_case(name)).map(|line| line.value)
    }

    /// The value of the first line of that name.
    pub fn first(&self, name: FieldName) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// Whether there is a line of that name.
    pub const fn contains(&self, name: FieldName) -> bool {
        self.present.contains(name)
    }

    /// The recognised names that are present.
    pub const fn present(&self) -> FieldSet {
        self.present
    }

    /// Keeps the lines for which `keep` is true, in order.
    pub fn retain(&mut self, mut keep: impl FnMut(FieldLine<'_>) -> bool) {
        let bytes = &self.bytes;
        self.lines.retain(|line| keep(slice(bytes, *line)));
        self.present = FieldSet(self.lines.iter().fold(0, |bits, line| bits | line.name.bit()));
    }

    /// Number of lines.
    pub const fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are no lines.
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Removes every line and keeps the memory for the next message.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
        self.present = FieldSet::default();
    }

    fn line(&self, line: Line) -> FieldLine<'_> {
        slice(&self.bytes, line)
    }
}

fn slice(bytes: &[u8], line: Line) -> FieldLine<'_> {
    let rest = bytes.get(line.start as usize..).unwrap_or_default();
    let (name_bytes, rest) = rest.split_at_checked(line.name_length as usize).unwrap_or_default();
    let value = rest.get(..line.value_length as usize).unwrap_or_default();
    FieldLine { name: line.name, name_bytes, value }
}

/// Values can be secrets: only names are shown.
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|line| String::from_utf8_lossy(line.name_bytes).into_owned())).finish()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Fields {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(lines: I) -> Self {
        let mut fields = Self::default();
        for (name, value) in lines {
            fields.push(name.as_bytes(), value.as_bytes());
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_order_case_and_bytes() {
        let mut fields: Fields =
            [("if-MATCH", "\"a\""), ("X-Own", "caf\u{e9}"), ("If-Match", "\"b\"")].into_iter().collect();
        assert_eq!(fields.all(FieldName::IfMatch).collect::<Vec<_>>(), [b"\"a\"", b"\"b\""]);
        assert_eq!(fields.all_named(b"x-own").count(), 1);
        fields.retain(|line| line.value != b"\"a\"");
        assert_eq!(fields.iter().map(|line| line.name_bytes).collect::<Vec<_>>(), [&b"X-Own"[..], b"If-Match"]);
        fields.retain(|line| line.name != FieldName::IfMatch);
        assert!(!fields.contains(FieldName::IfMatch));
    }

    #[test]
    fn every_name_recognises_itself_in_any_case() {
        for name in FieldName::ALL {
            assert!(name.as_str().len() <= FieldName::LENGTH_MAX, "{name:?}");
            assert_eq!(FieldName::recognise(name.as_str().to_ascii_uppercase().as_bytes()), *name);
        }
        assert_eq!(FieldName::recognise(b"if-matc"), FieldName::Other);
    }
}
