//! The page: its files, embedded in the binary and served as they are. What it shows it asks of the API like any other
//! client, so nothing here knows of exchanges.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::problem::Problem;

/// Under which the page's files are; they need no token, for they say nothing of this instance.
pub(super) const ASSETS: &str = "/assets/";

/// The same as a pattern of the router.
pub(super) const ASSETS_ROUTE: &str = "/assets/{*name}";

/// Nothing from elsewhere, nothing inline, nobody may frame it, and no text of ours or others ever becomes markup.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
);

/// Every file of the page, by its name below [`ASSETS`].
const FILES: &[(&str, &str)] = &[
    ("css/base.css", include_str!("css/base.css")),
    ("css/bypass.css", include_str!("css/bypass.css")),
    ("css/demo.css", include_str!("css/demo.css")),
    ("css/exchange.css", include_str!("css/exchange.css")),
    ("css/exchanges.css", include_str!("css/exchanges.css")),
    ("css/pair.css", include_str!("css/pair.css")),
    ("css/routes.css", include_str!("css/routes.css")),
    ("icon.svg", include_str!("icon.svg")),
    ("js/address.js", include_str!("js/address.js")),
    ("js/api.js", include_str!("js/api.js")),
    ("js/dom.js", include_str!("js/dom.js")),
    ("js/feed.js", include_str!("js/feed.js")),
    ("js/main.js", include_str!("js/main.js")),
    ("js/parts/actions.js", include_str!("js/parts/actions.js")),
    ("js/parts/catalogue.js", include_str!("js/parts/catalogue.js")),
    ("js/parts/chart.js", include_str!("js/parts/chart.js")),
    ("js/parts/client.js", include_str!("js/parts/client.js")),
    ("js/parts/copy.js", include_str!("js/parts/copy.js")),
    ("js/parts/difference.js", include_str!("js/parts/difference.js")),
    ("js/parts/events.js", include_str!("js/parts/events.js")),
    ("js/parts/evidence.js", include_str!("js/parts/evidence.js")),
    ("js/parts/filters.js", include_str!("js/parts/filters.js")),
    ("js/parts/gist.js", include_str!("js/parts/gist.js")),
    ("js/parts/keys.js", include_str!("js/parts/keys.js")),
    ("js/parts/lineage.js", include_str!("js/parts/lineage.js")),
    ("js/parts/list.js", include_str!("js/parts/list.js")),
    ("js/parts/matching.js", include_str!("js/parts/matching.js")),
    ("js/parts/messages.js", include_str!("js/parts/messages.js")),
    ("js/parts/model.js", include_str!("js/parts/model.js")),
    ("js/parts/moment.js", include_str!("js/parts/moment.js")),
    ("js/parts/nothing.js", include_str!("js/parts/nothing.js")),
    ("js/parts/numbers.js", include_str!("js/parts/numbers.js")),
    ("js/parts/observed.js", include_str!("js/parts/observed.js")),
    ("js/parts/overview.js", include_str!("js/parts/overview.js")),
    ("js/parts/related.js", include_str!("js/parts/related.js")),
    ("js/parts/rows.js", include_str!("js/parts/rows.js")),
    ("js/parts/shell.js", include_str!("js/parts/shell.js")),
    ("js/parts/stations.js", include_str!("js/parts/stations.js")),
    ("js/parts/status.js", include_str!("js/parts/status.js")),
    ("js/parts/summary.js", include_str!("js/parts/summary.js")),
    ("js/parts/switch.js", include_str!("js/parts/switch.js")),
    ("js/parts/theme.js", include_str!("js/parts/theme.js")),
    ("js/parts/time.js", include_str!("js/parts/time.js")),
    ("js/parts/timeline.js", include_str!("js/parts/timeline.js")),
    ("js/parts/token.js", include_str!("js/parts/token.js")),
    ("js/parts/trends.js", include_str!("js/parts/trends.js")),
    ("js/views/bypass.js", include_str!("js/views/bypass.js")),
    ("js/views/catalogue.js", include_str!("js/views/catalogue.js")),
    ("js/views/demo.js", include_str!("js/views/demo.js")),
    ("js/views/exchange.js", include_str!("js/views/exchange.js")),
    ("js/views/exchanges.js", include_str!("js/views/exchanges.js")),
    ("js/views/pair.js", include_str!("js/views/pair.js")),
    ("js/views/resource.js", include_str!("js/views/resource.js")),
    ("js/views/routes.js", include_str!("js/views/routes.js")),
];

/// `GET /`
pub(super) async fn page() -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    (headers, include_str!("index.html")).into_response()
}

/// `GET /assets/…`
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let file = FILES.iter().find(|(known, _)| *known == name);
    let (name, content) = file.ok_or_else(|| Problem::not_found("the page has no such file"))?;
    let tag = entity_tag(content);
    // The next version of the binary brings other files under the same names, so a browser has to ask each time.
    let kept = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    // RFC 9110 §13.1.2: no comma can be within a tag of ours, so that a list is read well enough by its commas.
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        let mut listed = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        listed.any(|listed| listed.strip_prefix(b"W/").unwrap_or(listed) == tag.as_bytes())
    });
    if known {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    Ok((kept, [(header::CONTENT_TYPE, media_type(name))], *content).into_response())
}

/// The same content has the same tag, in every build.
fn entity_tag(content: &str) -> HeaderValue {
    let digest: String = Sha256::digest(content).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{digest}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
