//! Which route a request takes: one with its host before one without, then the most specific path.

use std::collections::HashMap;

use http::Method;

use crate::analysis::semantics::message::RequestHead;
use crate::config::Route;

/// The routes of a configuration, compiled. What it finds is an index into `Config::routes`.
#[derive(Debug)]
pub(super) struct Routes {
    by_host: HashMap<Box<[u8]>, Table>,
    any_host: Table,
}

/// The routes of one host.
#[derive(Debug, Default)]
struct Table {
    /// Paths without parameters, found without walking.
    fixed: HashMap<Box<[u8]>, usize>,
    templates: matchit::Router<usize>,
    /// What stands before a `{*rest}`, until the table is complete.
    rests: Vec<(String, usize)>,
    /// Of a request whose target has no path: the host's first route, and its first that passes CONNECT on.
    first: Option<usize>,
    connect: Option<usize>,
}

impl Routes {
    /// Compiles.
    ///
    /// # Errors
    /// Every template that cannot be read or names what another one names, with what to do about it.
    pub(super) fn compile(routes: &[Route]) -> Result<Self, Vec<String>> {
        let mut compiled = Self { by_host: HashMap::new(), any_host: Table::default() };
        let mut faults = Vec::new();
        for (index, route) in routes.iter().enumerate() {
            let table = match &route.host {
                Some(host) => compiled.by_host.entry(host.as_bytes().into()).or_default(),
                None => &mut compiled.any_host,
            };
            if let Err(fault) = table.insert(index, route) {
                faults.push(format!("route \"{}\": {fault}", route.name));
            }
        }
        for table in compiled.by_host.values_mut().chain([&mut compiled.any_host]) {
            table.complete();
        }
        if faults.is_empty() { Ok(compiled) } else { Err(faults) }
    }

    /// The route of a request.
    pub(super) fn find(&self, head: &RequestHead) -> Option<usize> {
        let own = if self.by_host.is_empty() { None } else { self.table_of(&head.authority) };
        own.and_then(|table| table.find(head)).or_else(|| self.any_host.find(head))
    }

    fn table_of(&self, authority: &[u8]) -> Option<&Table> {
        let host = host_of(authority);
        // The common spelling is found without a copy.
        self.by_host.get(host).or_else(|| self.by_host.get(host.to_ascii_lowercase().as_slice()))
    }
}

impl Table {
    fn insert(&mut self, index: usize, route: &Route) -> Result<(), String> {
        self.first.get_or_insert(index);
        if route.connect {
            self.connect.get_or_insert(index);
        }
        if !route.path.contains('{') {
            return match self.fixed.insert(route.path.as_bytes().into(), index) {
                None => Ok(()),
                Some(_) => Err(format!("path \"{}\" is there twice; remove one of the routes", route.path)),
            };
        }
        if let Some(prefix) = route.path.rfind("{*").and_then(|at| route.path.get(..at)) {
            self.rests.push((prefix.to_owned(), index));
        }
        self.templates.insert(route.path.as_str(), index).map_err(|error| {
            format!(
                "path \"{}\" cannot be used: {error}; write {{name}} for one segment, {{*rest}} at the end",
                route.path
            )
        })
    }

    /// `{*rest}` may be empty, which the router does not know.
    fn complete(&mut self) {
        for (prefix, index) in std::mem::take(&mut self.rests) {
            if prefix.contains('{') {
                // A conflict means that a route of its own takes this path already.
                let _ = self.templates.insert(prefix, index);
            } else {
                self.fixed.entry(prefix.into_bytes().into()).or_insert(index);
            }
        }
    }

    fn find(&self, head: &RequestHead) -> Option<usize> {
        if head.method == Method::CONNECT {
            return self.connect.or(self.first);
        }
        let path = path_of(&head.target);
        if path == b"*" {
            return self.first;
        }
        if let Some(index) = self.fixed.get(path) {
            return Some(*index);
        }
        let path = std::str::from_utf8(path).ok()?;
        self.templates.at(path).ok().map(|found| *found.value)
    }
}

/// The host of an authority, without userinfo and port.
fn host_of(authority: &[u8]) -> &[u8] {
    let host = authority.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
    if host.first() == Some(&b'[') {
        let end = host.iter().position(|byte| *byte == b']').map_or(host.len(), |end| end + 1);
        return host.get(..end).unwrap_or_default();
    }
    let host = host.split(|byte| *byte == b':').next().unwrap_or_default();
    // RFC 3986 §3.2.2: a name may end in a dot.
    host.strip_suffix(b".").unwrap_or(host)
}

/// The path of a target in origin-form, absolute-form or asterisk-form (RFC 9112 §3.2).
pub(super) fn path_of(target: &[u8]) -> &[u8] {
    let path_and_query = if target.first() == Some(&b'/') || target == b"*" {
        target
    } else {
        let authority = target.windows(3).position(|window| window == b"://").map_or(0, |at| at + 3);
        let rest = target.get(authority..).unwrap_or_default();
        let path = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
        rest.get(path..).unwrap_or_default()
    };
    let path = path_and_query.split(|byte| *byte == b'?').next().unwrap_or_default();
    if path.is_empty() { b"/" } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::semantics::message::Version;

    fn route(host: Option<&str>, path: &str, connect: bool) -> Route {
        Route {
            name: path.to_owned(),
            host: host.map(str::to_owned),
            path: path.to_owned(),
            upstream: 0,
            policy: Default::default(),
            probe: Default::default(),
            probe_credentials: false,
            probes_per_minute: 10,
            annotate: false,
            connect,
            allow_precondition_removal: false,
            forwarding: Default::default(),
        }
    }

    fn head(method: &str, authority: &str, target: &str) -> RequestHead {
        RequestHead {
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            target: target.into(),
            authority: authority.into(),
            version: Version::Http11,
            fields: Default::default(),
        }
    }

    #[track_caller]
    fn check(routes: &[Route], method: &str, authority: &str, target: &str, expected: Option<usize>) {
        let compiled = Routes::compile(routes).unwrap();
        assert_eq!(compiled.find(&head(method, authority, target)), expected, "{method} {authority} {target}");
    }

    #[test]
    fn the_rest_may_be_empty() {
        let routes = [route(None, "/{*rest}", false)];
        check(&routes, "GET", "a", "/", Some(0));
        check(&routes, "GET", "a", "/x/y?z", Some(0));
        check(&routes, "GET", "a", "http://a", Some(0));
        check(&routes, "OPTIONS", "a", "*", Some(0));
        let routes = [route(None, "/x/{*rest}", false), route(None, "/x/", false)];
        check(&routes, "GET", "a", "/x/", Some(1));
        check(&routes, "GET", "a", "/x/1/2", Some(0));
        check(&routes, "GET", "a", "/x", None);
        let routes = [route(None, "/{tenant}/files/{*rest}", false)];
        check(&routes, "GET", "a", "/t/files/", Some(0));
        check(&routes, "GET", "a", "/t/files/a/b", Some(0));
    }

    #[test]
    fn a_host_comes_before_none_and_then_the_most_specific_path() {
        let routes = [
            route(None, "/orders/{id}", false),
            route(Some("api.example"), "/{*rest}", false),
            route(Some("api.example"), "/orders/{id}", false),
            route(Some("api.example"), "/orders/new", false),
            route(Some("[::1]"), "/", true),
        ];
        check(&routes, "GET", "other", "/orders/7", Some(0));
        check(&routes, "GET", "API.example:8080", "/orders/7?x=1", Some(2));
        check(&routes, "GET", "api.example.", "/orders/new", Some(3));
        check(&routes, "GET", "api.example", "/orders/7/lines", Some(1));
        check(&routes, "GET", "other", "/elsewhere", None);
        check(&routes, "CONNECT", "[::1]:443", "[::1]:443", Some(4));
        check(&routes, "CONNECT", "api.example:443", "api.example:443", Some(1));
        check(&routes, "GET", "other", "http://api.example/orders/7", Some(0));
    }

    #[test]
    fn the_same_twice_is_a_fault() {
        let twice = |a, b| Routes::compile(&[route(None, a, false), route(None, b, false)]).unwrap_err().len();
        assert_eq!(twice("/a", "/a"), 1);
        assert_eq!(twice("/a/{x}", "/a/{y}"), 1);
    }
}
