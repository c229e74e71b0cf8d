//! Listening sockets that outlive the process: handed to a successor, or held by whoever starts us.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use command_fds::{CommandFdExt as _, FdMapping};

use crate::harness::command::{command, why412};
use crate::harness::eventually;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::ports::free_address;
use crate::harness::wire::Wire;
use crate::load::Load;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A process that is ended with the test.
struct Guarded(u32);

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = std::process::Command::new("kill").arg(self.0.to_string()).status();
    }
}

struct GuardedChild(Child);

impl Drop for GuardedChild {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The process that has said of itself in the log that it was started as a successor.
fn successor(instance: &Instance) -> Option<u32> {
    let said = instance.said();
    let line = said.lines().find(|line| line.contains("handing over to a successor"))?;
    let fields: serde_json::Value = serde_json::from_str(line).ok()?;
    fields.pointer("/fields/pid").or_else(|| fields.get("pid"))?.as_u64()?.try_into().ok()
}

#[test]
fn a_successor_takes_over_without_one_failed_request() {
    let origin = Origin::always(OK);
    let mut instance = Instance::before(origin.address());
    let (address, stop) = (instance.address(), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                let mut whole = 0;
                while !stop.load(Ordering::SeqCst) {
                    let mut wire = Wire::over(TcpStream::connect(address).expect("never refused"));
                    // One connection for each request: none of them may meet a close.
                    let answer = wire.ask("GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n");
                    assert_eq!((answer.status(), answer.text().as_str()), (200, "ok"));
                    whole += 1;
                }
                whole
            })
        })
        .collect();
    eventually("traffic", || (origin.requests().len() > 100).then_some(()));

    instance.signal("USR2");
    let pid = eventually("a successor", || successor(&instance));
    let _successor = Guarded(pid);
    assert!(instance.ended().success(), "{}", instance.said());
    let before = origin.requests().len();
    eventually("traffic through the successor", || (origin.requests().len() > before + 100).then_some(()));
    stop.store(true, Ordering::SeqCst);
    let whole: usize = clients.into_iter().map(|client| client.join().expect("no request failed")).sum();
    assert_eq!(whole, origin.requests().len());
    // The control plane has moved as well.
    assert_eq!(instance.control("GET /readyz").status(), 200);
}

#[test]
fn a_successor_takes_over_under_full_load() {
    let origin = Origin::always(OK);
    let mut instance = Instance::before(origin.address());
    let load = Load::on(instance.address(), 4, 10_000_000);
    eventually("traffic", || (origin.requests().len() > 1000).then_some(()));

    instance.signal("USR2");
    let pid = eventually("a successor", || successor(&instance));
    let _successor = Guarded(pid);
    assert!(instance.ended().success(), "{}", instance.said());
    let before = origin.requests().len();
    eventually("traffic through the successor", || (origin.requests().len() > before + 100).then_some(()));
    // h2load makes no new connection after GOAWAY; what it had begun was answered.
    load.end(&[origin]);
}

#[test]
fn without_a_successor_everything_goes_on() {
    let origin = Origin::always(OK);
    let instance = Instance::configured(&format!("[upstream.api]\nurl = [\"http://{}\"]\n", origin.address()));
    // What the successor reads keeps it from starting.
    std::fs::write(instance.file(), "nonsense = 1\n").unwrap();
    instance.signal("USR2");
    eventually("the refusal", || instance.said().contains("the successor is not ready").then_some(()));
    assert_eq!(instance.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n").status(), 200);
    assert_eq!(instance.control("GET /readyz").status(), 200);
}

#[test]
fn an_inherited_socket_is_served() {
    let origin = Origin::always(OK);
    let listener = TcpListener::bind(free_address()).unwrap();
    let (address, admin) = (listener.local_addr().unwrap(), free_address());
    // It waits in the queue of the socket until somebody serves it.
    let mut early = Wire::to(address);
    early.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    let (listen, upstream) = (address.to_string(), format!("http://{}", origin.address()));
    let mut run = command(&["run", "--listen", &listen, "--admin", &admin.to_string(), "--upstream", &upstream]);
    run.env("LISTEN_FDS", "1").stdout(Stdio::null()).stderr(Stdio::null());
    run.fd_mappings(vec![FdMapping { parent_fd: listener.try_clone().unwrap().into(), child_fd: 3 }]).unwrap();
    let child = GuardedChild(run.spawn().unwrap());
    assert_eq!(early.answer_to("GET").status(), 200);
    drop(child);
    // Whoever holds the socket keeps its queue: the next one to be started answers.
    let mut late = Wire::to(address);
    late.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    let _again = GuardedChild(run.spawn().unwrap());
    assert_eq!(late.answer_to("GET").status(), 200);
}

#[test]
fn a_socket_that_nobody_asked_for_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (listen, admin) = (free_address().to_string(), free_address().to_string());
    let mut run = command(&["run", "--listen", &listen, "--admin", &admin, "--upstream", "http://127.0.0.1:9"]);
    run.env("LISTEN_FDS", "1");
    run.fd_mappings(vec![FdMapping { parent_fd: listener.into(), child_fd: 3 }]).unwrap();
    let output = run.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains(&format!("a listening socket was inherited at {address}")), "{said}");
    // Announced for another process: none of ours.
    let other = command(&["run", "--listen", &listen, "--admin", &listen, "--upstream", "http://127.0.0.1:9"])
        .env("LISTEN_FDS", "1")
        .env("LISTEN_PID", "1")
        .output()
        .unwrap();
    assert!(!String::from_utf8(other.stderr).unwrap().contains("inherited"));
    assert_eq!(why412(&["check", "--upstream", "http://127.0.0.1:9"]).code, 0);
}
