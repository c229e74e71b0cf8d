//! WebDAV, whose conditions and locks use more of HTTP than most: the litmus suite, which judges servers, must find the
//! same through an instance as it finds without one.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use crate::harness::gateway::{Gateway, program};
use crate::harness::instance::Instance;

#[test]
fn the_litmus_suite_finds_no_difference() {
    let direct = litmus(Gateway::webdav().address());
    let server = Gateway::webdav();
    let instance = Instance::before(server.address());
    let through = litmus(instance.address());
    assert!(direct.contains("summary for `locks'"), "the suite came to its locks: {direct}");
    assert_eq!(through, direct);
    // What it refuses on purpose is explained, and its refusals are the server's own.
    assert!(instance.records().iter().all(|record| record["diagnosis"]["cause"] != "unexplained"));
}

/// What it says of the server, without what differs from run to run.
fn litmus(server: SocketAddr) -> String {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new(program("litmus"))
        // Every part of the suite, also where one has failed.
        .args(["-k", &format!("http://{server}/")])
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).replace(&server.to_string(), "SERVER")
}
