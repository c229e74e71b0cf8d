//! The head of a request that came by HTTP/2, as HTTP/1.1 writes it. What the library lets through and other readers
//! could take for something else is refused here.

use h2::ext::Protocol;
use http::request::Parts;
use http::{HeaderMap, Method, header};

use super::{check_size, push};
use crate::analysis::semantics::fields::Fields;
use crate::analysis::semantics::message::{RequestHead, Version};
use crate::proxy::http1::head::{HeadFault, HeadLimits, connected, host_is_authority};
use crate::proxy::websocket;

/// A head, and whether it asks for a tunnel by extended CONNECT.
pub(in crate::proxy) struct Head {
    /// As HTTP/1.1 writes it: an extended CONNECT (RFC 8441) is the `GET` with `Upgrade` that it stands for.
    pub(in crate::proxy) head: RequestHead,
    /// It came as extended CONNECT.
    pub(in crate::proxy) extended: bool,
}

/// Reads the head of a request (RFC 9113 §8.3.1): `Host` from `:authority`, the crumbs of `Cookie` joined (§8.2.3).
///
/// # Errors
/// [`HeadFault`] where two readers could disagree, or a limit is crossed.
pub(in crate::proxy) fn head_of(parts: &Parts, limits: HeadLimits) -> Result<Head, HeadFault> {
    let authority = authority(parts)?;
    let protocol = parts.extensions.get::<Protocol>().map(Protocol::as_str);
    let target = match (&parts.method, protocol) {
        (&Method::CONNECT, None) => &authority,
        _ => parts.uri.path_and_query().map_or("*", http::uri::PathAndQuery::as_str).as_bytes(),
    };
    // RFC 9113 §8.3.1: `:path` begins with a slash, or is the asterisk of OPTIONS.
    let plain_connect = parts.method == Method::CONNECT && protocol.is_none();
    if plain_connect {
        connected(target, None)?;
    }
    let asterisk = parts.method == Method::OPTIONS && target == b"*";
    if !plain_connect && target.first() != Some(&b'/') && !asterisk {
        return Err(HeadFault::Malformed(":path is no path"));
    }
    if target.len() > limits.target {
        return Err(HeadFault::TargetTooLong);
    }
    check_size(&parts.headers, limits)?;
    let mut fields = fields(&parts.headers, &authority);
    let method = match protocol {
        Some(protocol) => {
            upgrade(&mut fields, protocol)?;
            Method::GET
        }
        None => parts.method.clone(),
    };
    if fields.len() > limits.fields {
        return Err(HeadFault::TooLarge);
    }
    let target = target.to_vec();
    let head = RequestHead { method, target, authority, version: Version::Http2, fields };
    Ok(Head { head, extended: protocol.is_some() })
}

/// Whom the request is for. `:authority` and `Host` may both say it, and must not say two things.
fn authority(parts: &Parts) -> Result<Vec<u8>, HeadFault> {
    let mut hosts = parts.headers.get_all(header::HOST).iter().map(http::HeaderValue::as_bytes);
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(HeadFault::Malformed("more than one Host"));
    }
    let pseudo = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    let authority = match (pseudo, host) {
        (Some(pseudo), Some(host)) if !pseudo.eq_ignore_ascii_case(host) => {
            return Err(HeadFault::Malformed(":authority and Host name different authorities"));
        }
        (Some(authority), _) | (None, Some(authority)) => authority,
        (None, None) => return Err(HeadFault::Malformed("neither :authority nor Host")),
    };
    // RFC 9113 §8.3.1: no userinfo in :authority; and no more in it than in a Host of HTTP/1.1.
    if !host_is_authority(authority) {
        return Err(HeadFault::Malformed(":authority is not an authority"));
    }
    Ok(authority.to_vec())
}

fn fields(map: &HeaderMap, authority: &[u8]) -> Fields {
    let mut fields = Fields::with_capacity(512, map.len() + 2);
    fields.push(b"host", authority);
    let mut cookie = Vec::new();
    let mut secret_cookie = false;
    for (name, value) in map {
        if *name == header::COOKIE {
            if !cookie.is_empty() {
                cookie.extend_from_slice(b"; ");
            }
            cookie.extend_from_slice(value.as_bytes());
            secret_cookie |= value.is_sensitive();
        } else if *name != header::HOST {
            push(&mut fields, name.as_str(), value);
        }
    }
    match (cookie.is_empty(), secret_cookie) {
        (true, _) => {}
        (false, false) => fields.push(b"cookie", &cookie),
        (false, true) => fields.push_never_indexed(b"cookie", &cookie),
    }
    fields
}

/// RFC 8441 §5: what HTTP/1.1 says in fields, with the key that HTTP/2 has no need of.
fn upgrade(fields: &mut Fields, protocol: &str) -> Result<(), HeadFault> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~/".contains(&byte);
    if protocol.is_empty() || !protocol.bytes().all(is_token) {
        return Err(HeadFault::Malformed(":protocol is not the name of one"));
    }
    fields.push(b"connection", b"upgrade");
    fields.push(b"upgrade", protocol.as_bytes());
    if protocol.eq_ignore_ascii_case("websocket") {
        fields.retain(|line| !line.name_bytes.eq_ignore_ascii_case(websocket::KEY));
        fields.push(websocket::KEY, websocket::new_key().as_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::semantics::fields::FieldName;
    use crate::http1::head::parse_request;

    const LIMITS: HeadLimits = HeadLimits { bytes: 4096, fields: 8, target: 64 };

    fn read(request: http::request::Builder) -> Result<Head, HeadFault> {
        head_of(&request.body(()).unwrap().into_parts().0, LIMITS)
    }

    #[track_caller]
    fn refused(request: http::request::Builder, fault: fn(&HeadFault) -> bool) {
        let result = read(request);
        assert!(result.as_ref().err().is_some_and(fault), "{:?}", result.map(|head| head.head));
    }

    const MALFORMED: fn(&HeadFault) -> bool = |fault| matches!(fault, HeadFault::Malformed(_));

    #[test]
    fn authorities_that_disagree_are_refused() {
        refused(Request::get("http://a/").header("host", "b"), MALFORMED);
        refused(Request::get("http://a/").header("host", "a").header("host", "a"), MALFORMED);
        refused(Request::get("http://u@a/"), MALFORMED);
        refused(Request::get("/"), MALFORMED);
        refused(Request::get("/").header("host", "a b"), MALFORMED);
        let agreed = read(Request::get("http://A:8/").header("host", "a:8")).unwrap().head;
        assert_eq!((agreed.authority.as_slice(), agreed.fields.all(FieldName::Host).count()), (&b"A:8"[..], 1));
    }

    proptest! {
        /// What goes out as HTTP/1.1 is read back as what came by HTTP/2: one request, with the same lines.
        #[test]
        fn a_head_is_one_head_of_http_1_1(
            method in "[A-Z!#$%&'*+.^_`|~-]{1,8}",
            target in "[!-~]{0,12}",
            authority in "[a-zA-Z0-9._:@%-]{1,8}",
            lines in proptest::collection::vec(
                ("[a-z0-9!#$%&'*+.^_`|~-]{1,8}", proptest::collection::vec(32_u8..=255, 0..12)),
                0..6,
            ),
        ) {
            let mut request = Request::builder().method(method.as_str()).uri(format!("http://{authority}/{target}"));
            for (name, value) in &lines {
                request = request.header(name.to_ascii_lowercase(), value.as_slice());
            }
            // Whatever the library lets nobody say is not our matter.
            let request = request.body(()).map_err(|_| TestCaseError::reject("no request"))?;
            let read = head_of(&request.into_parts().0, LIMITS);
            let head = read.map_err(|_| TestCaseError::reject("refused"))?.head;
            let mut written = [head.method.as_str().as_bytes(), b" ", &head.target, b" HTTP/1.1\r\n"].concat();
            for line in head.fields.iter() {
                written.extend([line.name_bytes, b": ", line.value, b"\r\n"].concat());
            }
            written.extend_from_slice(b"\r\n");
            let read = parse_request(&written, HeadLimits { bytes: 4096, fields: 64, target: 4096 });
            let Ok(Some((read, length))) = read else { panic!("{read:?} of {:?}", String::from_utf8_lossy(&written)) };
            prop_assert_eq!(length, written.len());
            prop_assert_eq!((&read.method, &read.target), (&head.method, &head.target));
            let trimmed = |fields: &Fields| -> Vec<(Vec<u8>, Vec<u8>)> {
                fields.iter().map(|line| (line.name_bytes.to_vec(), line.value.trim_ascii().to_vec())).collect()
            };
            prop_assert_eq!(trimmed(&read.fields), trimmed(&head.fields));
        }
    }

    #[test]
    fn limits_hold() {
        refused(Request::get(format!("http://a/{}", "x".repeat(64))), |fault| *fault == HeadFault::TargetTooLong);
        let many = (0..8).fold(Request::get("http://a/"), |request, at| request.header(format!("x-{at}"), "1"));
        refused(many, |fault| *fault == HeadFault::TooLarge);
    }

    #[test]
    fn an_extended_connect_is_the_upgrade_it_stands_for() {
        let asked = Request::connect("http://a/chat?x")
            .extension(Protocol::from_static("websocket"))
            .header("sec-websocket-key", "forged")
            .header("sec-websocket-version", "13");
        let Head { head, extended } = read(asked).unwrap();
        assert!(extended);
        assert_eq!((head.method, head.target.as_slice()), (Method::GET, &b"/chat?x"[..]));
        assert_eq!(head.fields.all(FieldName::Upgrade).collect::<Vec<_>>(), [b"websocket"]);
        let keys: Vec<_> = head.fields.all_named(websocket::KEY).collect();
        assert!(keys.len() == 1 && keys[0].len() == 24 && keys[0].ends_with(b"=="), "{keys:?}");
        let odd = Request::connect("http://a/").extension(Protocol::from("a b"));
        refused(odd, MALFORMED);
    }

    #[test]
    fn only_options_asks_for_all_of_a_server() {
        let asks = |method: &str| Request::builder().method(method).uri("*").header("host", "a");
        refused(asks("GET"), MALFORMED);
        assert_eq!(read(asks("OPTIONS")).unwrap().head.target, b"*");
    }

    #[test]
    fn a_plain_connect_names_its_authority_alone() {
        let head = read(Request::connect("a:443")).unwrap();
        assert_eq!((head.head.target.as_slice(), head.extended), (&b"a:443"[..], false));
    }
}
