//! HTTP/2 towards upstreams, and what needs it on both sides: gRPC and extended CONNECT.

mod faults;
mod hostile;
mod messages;
mod peers;
mod streams;
mod tunnels;

use std::net::SocketAddr;

use crate::harness::instance::Instance;
use crate::transparency::comes_to_rest;

/// An instance that speaks HTTP/2 with prior knowledge to `upstream`; `more` stands in the upstream's section.
fn before(upstream: SocketAddr, more: &str) -> Instance {
    configured(&format!("url = \"http://{upstream}\"\nhttp = \"2\"\n{more}"), "")
}

/// An instance with that upstream section, and more of the file.
fn configured(upstream: &str, more: &str) -> Instance {
    Instance::configured(&format!(
        "[upstream.api]\n{upstream}\n[[route]]\nname = \"all\"\npath = \"/{{*rest}}\"\nupstream = \"api\"\n{more}"
    ))
}
