//! The data plane through real sockets, without the rest of the product.

mod exchanges;
mod faults;
mod tls;

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
    let shared = Shared::new(snapshot, recorder, Arc::default());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    Plane { address, running: start(listener, Arc::new(shared)).unwrap() }
}

/// One connection of an origin: what it expects and what it says.
struct Peer(TcpStream);

impl Peer {
    fn of(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        Self(stream)
    }

    fn connect(plane: &Plane) -> Self {
        Self::of(TcpStream::connect(plane.address).unwrap())
    }

    #[track_caller]
    fn hears(&mut self, expected: &str) {
        let mut heard = vec![0; expected.len()];
        let mut count = 0;
        while count < heard.len() {
            match self.0.read(&mut heard[count..]) {
                Ok(0) | Err(_) => break,
                Ok(more) => count += more,
            }
        }
        assert_eq!(String::from_utf8_lossy(&heard[..count]), expected);
    }

    #[track_caller]
    fn says(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).unwrap();
    }

    #[track_caller]
    fn hears_the_end(&mut self) {
        let mut rest = Vec::new();
        let read = self.0.read_to_end(&mut rest);
        assert_eq!((read.map_err(|error| error.kind()), String::from_utf8_lossy(&rest).as_ref()), (Ok(0), ""));
    }

    /// Everything up to the end of a head.
    fn head(&mut self) -> String {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && self.0.read(&mut byte).is_ok_and(|count| count == 1) {
            head.push(byte[0]);
        }
        String::from_utf8(head).unwrap()
    }
}

type Scene = fn(&mut Peer);

/// An origin whose connections each play a scene, one after the other.
fn origin(scenes: &'static [Scene]) -> (SocketAddr, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        for scene in scenes {
            scene(&mut Peer::of(listener.accept().unwrap().0));
        }
    });
    (address, thread)
}

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// The client's side of a test before an origin that plays `scenes`.
fn play(scenes: &'static [Scene], client: impl FnOnce(&Plane)) {
    let (upstream, thread) = origin(scenes);
    let plane = plane(upstream, |_| {});
    client(&plane);
    thread.join().unwrap();
    plane.running.drain(Duration::from_secs(1));
    plane.running.wait();
}

const PUT: &str = "PUT /a HTTP/1.1\r\nHost: x\r\nIf-match: \"v1\"\r\nContent-Length: 3\r\n\r\nabc";
const REFUSED: &str = "HTTP/1.1 412 Nope\r\neTag: \"v2\"\r\nContent-Length: 2\r\n\r\nno";
const CHUNKED: &str =
    "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n";
const CHUNKED_OK: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-U: 2\r\n\r\n";

#[track_caller]
fn answered_by_ourselves(plane: &Plane, request: &str, status: u16, error: &str) {
    let mut client = Peer::connect(plane);
    client.says(request);
    let head = client.head();
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {head}");
    if error.is_empty() {
        assert!(head.contains("Content-Length: 0\r\n"), "{head}");
    } else {
        assert!(head.contains(&format!("Proxy-Status: why412; error={error}\r\n")), "{request}: {head}");
        assert!(head.contains("Content-Type: application/problem+json\r\n"), "{head}");
    }
}
