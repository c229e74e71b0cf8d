//! The data plane through real sockets, without the rest of the product.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use super::{Running, Shared, Snapshot, start};
use crate::config::{Config, UpstreamUrl};
use crate::recorder::Recorder;

/// A data plane before `upstream`.
struct Plane {
    address: SocketAddr,
    running: Running,
}

fn plane(upstream: SocketAddr, change: impl FnOnce(&mut Config)) -> Plane {
    let url = UpstreamUrl { https: false, host: upstream.ip().to_string(), port: upstream.port() };
    let mut config = Config::defaults_with_upstream(url);
    config.limits.threads = Some(1);
    change(&mut config);
    let config = Arc::new(config);
    let recorder = Recorder::start(&config).unwrap();
    let snapshot = Snapshot::build(&config, &recorder).unwrap();
    let shared = Shared { snapshot: arc_swap::ArcSwap::from_pointee(snapshot), recorder, bypass: Arc::default() };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    Plane { address, running: start(listener, Arc::new(shared)).unwrap() }
}

/// An origin that takes connections one after the other, reads what it is told to and says what it is told to.
fn origin(script: Vec<(&'static str, &'static str)>) -> (SocketAddr, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        for (expected, said) in script {
            let mut read = vec![0; expected.len()];
            stream.read_exact(&mut read).unwrap();
            assert_eq!(String::from_utf8_lossy(&read), expected);
            stream.write_all(said.as_bytes()).unwrap();
        }
    });
    (address, thread)
}

#[track_caller]
fn talk(plane: &Plane, says: &str, hears: &str) -> TcpStream {
    let mut stream = TcpStream::connect(plane.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(says.as_bytes()).unwrap();
    let mut heard = vec![0; hears.len()];
    let read = stream.read_exact(&mut heard);
    assert_eq!(String::from_utf8_lossy(&heard), hears, "{read:?}");
    stream
}

#[test]
fn requests_and_answers_pass_as_they_are() {
    let put = "PUT /a HTTP/1.1\r\nHost: x\r\nIf-match: \"v1\"\r\nContent-Length: 3\r\n\r\nabc";
    let refused = "HTTP/1.1 412 Nope\r\neTag: \"v2\"\r\nContent-Length: 2\r\n\r\nno";
    let chunked = "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n";
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-U: 2\r\n\r\n";
    let (upstream, thread) = origin(vec![(put, refused), (chunked, answer)]);
    let plane = plane(upstream, |_| {});
    talk(&plane, &format!("{put}{chunked}"), &format!("{refused}{answer}"));
    thread.join().unwrap();
    plane.running.drain(Duration::from_secs(1));
    plane.running.wait();
}
