//! What an answer says of the stores and products it passed: Age, Cache-Status, X-Cache, Via, Server and their like.

use super::fields::{FieldName, FieldSet, Fields};

/// A software or service that is known to touch conditions or validators, or to judge them in a way of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each variant is the product of that name")]
pub enum Product {
    Nginx,
    Httpd,
    Varnish,
    HaProxy,
    TrafficServer,
    Squid,
    Caddy,
    Envoy,
    Kong,
    Cloudflare,
    CloudFront,
    Fastly,
    Akamai,
    Jetty,
    Iis,
    S3,
    MinIo,
    AzureStorage,
    GoogleStorage,
}

impl Product {
    /// As people call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Httpd => "Apache httpd",
            Self::Varnish => "Varnish",
            Self::HaProxy => "HAProxy",
            Self::TrafficServer => "Apache Traffic Server",
            Self::Squid => "Squid",
            Self::Caddy => "Caddy",
            Self::Envoy => "Envoy",
            Self::Kong => "Kong",
            Self::Cloudflare => "Cloudflare",
            Self::CloudFront => "Amazon CloudFront",
            Self::Fastly => "Fastly",
            Self::Akamai => "Akamai",
            Self::Jetty => "Jetty",
            Self::Iis => "IIS",
            Self::S3 => "Amazon S3",
            Self::MinIo => "MinIO",
            Self::AzureStorage => "Azure Storage",
            Self::GoogleStorage => "Google Cloud Storage",
        }
    }

    /// Whether it keeps copies where it stands in front of a service.
    pub const fn is_cache(self) -> bool {
        match self {
            Self::Nginx
            | Self::Varnish
            | Self::TrafficServer
            | Self::Squid
            | Self::Cloudflare
            | Self::CloudFront
            | Self::Fastly
            | Self::Akamai => true,
            Self::Httpd
            | Self::HaProxy
            | Self::Caddy
            | Self::Envoy
            | Self::Kong
            | Self::Jetty
            | Self::Iis
            | Self::S3
            | Self::MinIo
            | Self::AzureStorage
            | Self::GoogleStorage => false,
        }
    }
}

/// Parts of Via, Server, X-Cache and Cache-Status that name a product, in lower case. The first that is found counts.
const SIGNS: &[(&[u8], Product)] = &[
    (b"cloudflare", Product::Cloudflare),
    (b"cloudfront", Product::CloudFront),
    (b"akamai", Product::Akamai),
    (b"fastly", Product::Fastly),
    (b"varnish", Product::Varnish),
    (b"apachetrafficserver", Product::TrafficServer),
    (b"trafficserver", Product::TrafficServer),
    (b"ats/", Product::TrafficServer),
    (b"squid", Product::Squid),
    (b"haproxy", Product::HaProxy),
    (b"envoy", Product::Envoy),
    (b"kong", Product::Kong),
    (b"openresty", Product::Nginx),
    (b"nginx", Product::Nginx),
    (b"caddy", Product::Caddy),
    (b"apache", Product::Httpd),
    (b"jetty", Product::Jetty),
    (b"microsoft-iis", Product::Iis),
    (b"amazons3", Product::S3),
    (b"minio", Product::MinIo),
    (b"windows-azure-blob", Product::AzureStorage),
    (b"uploadserver", Product::GoogleStorage),
];

/// The gateway that an answer names, else the server. What stands nearest to us (the last of Via) comes first.
pub fn product(fields: &Fields) -> Option<Product> {
    if fields.contains(FieldName::CfCacheStatus) {
        return Some(Product::Cloudflare);
    }
    if fields.contains(FieldName::XVarnish) {
        return Some(Product::Varnish);
    }
    let named = |value: &[u8]| {
        let member = value.rsplit(|byte| *byte == b',').next().unwrap_or(value);
        SIGNS.iter().find(|(sign, _)| contains(member, sign)).map(|(_, product)| *product)
    };
    [FieldName::Via, FieldName::CacheStatus, FieldName::XCache, FieldName::Server]
        .into_iter()
        .find_map(|name| fields.all(name).last().and_then(named))
}

/// A sign that an answer came out of a store, and not from the origin for this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FromStore {
    /// `Age`, in seconds, above 0 (RFC 9111 §5.1).
    Age(u64),
    /// `Cache-Status` with `hit` (RFC 9211 §2.1).
    CacheStatus,
    /// `X-Cache` or `CF-Cache-Status` with a hit.
    XCache,
    /// `X-Varnish` with the number of the request that filled the store.
    XVarnish,
    /// The other instance of a pair reports that the origin gave it to an earlier exchange.
    EarlierReport,
}

impl FromStore {
    /// The sign as a sentence names it.
    pub fn says(self) -> String {
        match self {
            Self::Age(seconds) => format!("Age: {seconds}"),
            Self::CacheStatus => "Cache-Status: hit".to_owned(),
            Self::XCache => "X-Cache: HIT".to_owned(),
            Self::XVarnish => "X-Varnish with two numbers".to_owned(),
            Self::EarlierReport => "it carried the report of an earlier exchange".to_owned(),
        }
    }
}

/// Fields that can be a sign of a store.
const STORES: FieldSet = FieldSet::of(&[
    FieldName::Age,
    FieldName::CacheStatus,
    FieldName::XCache,
    FieldName::CfCacheStatus,
    FieldName::XVarnish,
]);

/// Whether an answer came out of a store. A copy that was revalidated for this request did not.
pub fn from_store(fields: &Fields) -> Option<FromStore> {
    if !fields.present().intersects(STORES) {
        return None;
    }
    let status = || {
        fields
            .all(FieldName::CacheStatus)
            .chain(fields.all(FieldName::XCache))
            .chain(fields.all(FieldName::CfCacheStatus))
    };
    // A revalidated copy is as good as the origin's word, whatever its age says.
    if status().any(|value| contains(value, b"revalidated") || contains(value, b"refresh")) {
        return None;
    }
    // RFC 9211 §2.1: `hit` is a parameter of a member. The nearest cache stands last.
    let has_hit = |value: &[u8]| {
        value.split(|byte| matches!(byte, b';' | b',')).any(|part| matches!(part.trim_ascii(), b"hit" | b"hit=?1"))
    };
    if fields.all(FieldName::CacheStatus).any(has_hit) {
        return Some(FromStore::CacheStatus);
    }
    let hit = |name| fields.all(name).any(|value| contains(value, b"hit") || contains(value, b"stale"));
    if hit(FieldName::XCache) || hit(FieldName::CfCacheStatus) {
        return Some(FromStore::XCache);
    }
    let two = |value: &[u8]| value.split(|byte| *byte == b' ').filter(|part| !part.is_empty()).count() == 2;
    if fields.first(FieldName::XVarnish).is_some_and(two) {
        return Some(FromStore::XVarnish);
    }
    age(fields).filter(|age| *age > 0).map(FromStore::Age)
}

/// RFC 9111 §5.1: whole seconds; the first member counts.
pub fn age(fields: &Fields) -> Option<u64> {
    let raw = fields.first(FieldName::Age)?;
    let first = raw.split(|byte| *byte == b',').next()?.trim_ascii();
    std::str::from_utf8(first).ok()?.parse().ok()
}

/// Whether `needle`, in lower case, stands somewhere in `text`.
pub fn contains(text: &[u8], needle: &[u8]) -> bool {
    text.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[(&str, &str)], stored: Option<FromStore>, named: Option<Product>) {
        let fields: Fields = lines.iter().copied().collect();
        assert_eq!(from_store(&fields), stored, "{lines:?}");
        assert_eq!(product(&fields), named, "{lines:?}");
    }

    #[test]
    fn stores_and_products() {
        check(&[("Age", "0")], None, None);
        check(&[("Age", "12"), ("Server", "Apache/2.4.62")], Some(FromStore::Age(12)), Some(Product::Httpd));
        check(&[("Age", "x")], None, None);
        check(&[("Cache-Status", "Souin; fwd=request; detail=REQUEST-REVALIDATION")], None, None);
        check(&[("Cache-Status", "Edge; hit; ttl=30")], Some(FromStore::CacheStatus), None);
        check(&[("X-Cache", "Hit from cloudfront")], Some(FromStore::XCache), Some(Product::CloudFront));
        check(&[("X-Cache", "RefreshHit from cloudfront"), ("Age", "9")], None, Some(Product::CloudFront));
        check(&[("X-Cache", "MISS")], None, None);
        check(&[("CF-Cache-Status", "DYNAMIC"), ("Server", "cloudflare")], None, Some(Product::Cloudflare));
        check(&[("X-Varnish", "3 2"), ("Age", "0")], Some(FromStore::XVarnish), Some(Product::Varnish));
        check(&[("X-Varnish", "3")], None, Some(Product::Varnish));
        check(&[("Via", "1.1 varnish, 1.1 ATS/9.2"), ("Server", "nginx")], None, Some(Product::TrafficServer));
        check(&[("Server", "own")], None, None);
    }
}
