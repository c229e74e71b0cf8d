//! Full load by tools that others trust, while the configuration changes under it or another process takes over.

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::harness::eventually;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// `wrk` and `h2load` at work, HTTP/1.1 and HTTP/2.
pub(crate) struct Load {
    wrk: Child,
    h2load: Child,
}

impl Load {
    /// For `seconds` by HTTP/1.1, and for `requests` by HTTP/2.
    pub(crate) fn on(address: SocketAddr, seconds: u32, requests: u32) -> Self {
        let begin = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(program);
            command
                .args(arguments)
                .arg(format!("http://{address}/{program}"))
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command.spawn().unwrap_or_else(|fault| panic!("{program} (tests/setup.sh installs it): {fault}"))
        };
        Self {
            wrk: begin("wrk", &["-t1", "-c4", &format!("-d{seconds}s")]),
            h2load: begin("h2load", &["-t1", "-c2", "-m8", &format!("-n{requests}")]),
        }
    }

    pub(crate) fn is_under_way(&mut self) -> bool {
        [&mut self.wrk, &mut self.h2load].into_iter().all(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Waits for both. By HTTP/1.1 nothing may have failed, and by HTTP/2 nothing that has reached the origins.
    pub(crate) fn end(self, origins: &[Origin]) -> String {
        let said = |child: Child| String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let wrk = said(self.wrk);
        assert!(wrk.contains("requests in"), "{wrk}");
        assert!(!wrk.contains("Socket errors") && !wrk.contains("Non-2xx"), "{wrk}");
        let h2load = said(self.h2load);
        let line = h2load.lines().find(|line| line.starts_with("requests: ")).unwrap_or_else(|| panic!("{h2load}"));
        let number = |of: &str| -> u32 {
            let part = line.split(", ").find_map(|part| part.strip_suffix(of)).unwrap_or_else(|| panic!("{h2load}"));
            part.trim_start_matches("requests: ").trim().parse().unwrap()
        };
        let (started, succeeded) = (number("started"), number("succeeded"));
        assert!(succeeded > 0, "{h2load}");
        let arrived = origins.iter().flat_map(Origin::requests).filter(|request| request.head.target() == "/h2load");
        assert_eq!(arrived.count(), succeeded as usize, "what arrived was answered: {h2load}");
        // What it has queued when GOAWAY comes, it counts as started and takes back: at most all streams of both
        // connections.
        assert!(started - succeeded <= 2 * 8, "{h2load}");
        assert!(h2load.contains(&format!("status codes: {succeeded} 2xx, 0 3xx, 0 4xx, 0 5xx")), "{h2load}");
        line.to_owned()
    }
}

#[test]
fn twenty_reloads_under_full_load_cost_no_request() {
    let origins = [Origin::always(OK), Origin::always(OK)];
    let file = |number: usize| format!("[upstream.api]\nurl = \"http://{}\"\n", origins[number % 2].address());
    let instance = Instance::configured(&file(0));
    let arrived = || origins.iter().map(|origin| origin.requests().len()).sum::<usize>();
    let mut load = Load::on(instance.address(), 6, 40_000);
    for number in 1..=20 {
        fs::write(instance.file(), file(number)).unwrap();
        assert_eq!(instance.control("POST /-/reload").status(), 200);
        assert_eq!(instance.control("GET /readyz").status(), 200);
        let before = origins[number % 2].requests().len();
        eventually("traffic", || (origins[number % 2].requests().len() > before + 20).then_some(()));
    }
    assert!(load.is_under_way(), "the reloads came while there was load: {} requests", arrived());
    let line = load.end(&origins);
    assert!(line.contains(" 0 failed, 0 errored, 0 timeout"), "{line}");
    instance.assert_metric("why412_config_reloads_total{outcome=\"refused\"}", 0.0);
}
