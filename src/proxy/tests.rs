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

#[test]
fn pipelined_requests_and_their_answers_pass_as_they_are() {
    let scenes: &[Scene] = &[|origin| {
        origin.hears(PUT);
        origin.says(REFUSED);
        origin.hears(CHUNKED);
        origin.says(CHUNKED_OK);
    }];
    play(scenes, |plane| {
        let mut client = Peer::connect(plane);
        client.says(&format!("{PUT}{CHUNKED}"));
        client.hears(&format!("{REFUSED}{CHUNKED_OK}"));
    });
}

const EXPECTING: &str = "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";

#[test]
fn the_origin_decides_on_an_expectation() {
    let scenes: &[Scene] = &[
        |origin| {
            origin.hears(EXPECTING);
            origin.says("HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n");
            origin.hears("abc");
            origin.says(OK);
        },
        |origin| {
            origin.hears(EXPECTING);
            origin.says("HTTP/1.1 412 No\r\nContent-Length: 0\r\n\r\n");
            origin.hears_the_end();
        },
    ];
    play(scenes, |plane| {
        let began = crate::clock::now();
        let mut client = Peer::connect(plane);
        client.says(EXPECTING);
        client.hears("HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n");
        client.says("abc");
        client.hears(OK);
        // Of another connection, for the first one is still idle and open, but was left by its origin.
        let mut client = Peer::connect(plane);
        client.says(EXPECTING);
        client.hears("HTTP/1.1 412 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        assert!(crate::clock::now().since(began) < Duration::from_millis(900), "nothing waited for the time limit");
    });
}

#[test]
fn a_body_is_sent_when_the_origin_says_nothing_about_the_expectation() {
    let scenes: &[Scene] = &[|origin| {
        origin.hears(EXPECTING);
        origin.hears("abc");
        origin.says(OK);
    }];
    play(scenes, |plane| {
        let mut client = Peer::connect(plane);
        client.says(EXPECTING);
        client.says("abc");
        client.hears(OK);
    });
}

#[test]
fn an_early_answer_passes_while_the_request_goes_on() {
    let scenes: &[Scene] = &[|origin| {
        origin.hears("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
        origin.says(OK);
        origin.hears("def");
        origin.hears(GET);
        origin.says(OK);
    }];
    play(scenes, |plane| {
        let mut client = Peer::connect(plane);
        client.says("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
        client.hears(OK);
        client.says("def");
        client.says(GET);
        client.hears(OK);
    });
}

#[test]
fn an_early_answer_of_an_origin_that_then_closes_is_not_lost() {
    let scenes: &[Scene] = &[|origin| {
        origin.head();
        origin.says("HTTP/1.1 413 Too much\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    }];
    play(scenes, |plane| {
        let mut client = Peer::connect(plane);
        client.says("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
        let mut writer = client.0.try_clone().unwrap();
        let uploading = std::thread::spawn(move || while writer.write_all(&[b'a'; 65536]).is_ok() {});
        client.hears("HTTP/1.1 413 Too much\r\nContent-Length: 2\r\n\r\nno");
        drop(client);
        uploading.join().unwrap();
    });
}

#[test]
fn another_protocol_is_tunnelled_and_each_direction_ends_on_its_own() {
    let scenes: &[Scene] = &[|origin| {
        origin.hears("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
        origin.says("HTTP/1.1 101 Switching\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nhello");
        origin.hears("ping");
        origin.hears_the_end();
        origin.says("pong");
    }];
    play(scenes, |plane| {
        let mut client = Peer::connect(plane);
        client.says("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
        client.hears("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhello");
        client.says("ping");
        client.0.shutdown(std::net::Shutdown::Write).unwrap();
        client.hears("pong");
        client.hears_the_end();
    });
}

#[test]
fn a_cut_answer_is_never_a_clean_end() {
    let scenes: &[Scene] = &[
        |origin| {
            origin.head();
            origin.says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
        },
        |origin| {
            origin.head();
            origin.says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
        },
        |origin| {
            origin.head();
            origin.says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
        },
    ];
    play(scenes, |plane| {
        let mut client = Peer::connect(plane);
        client.says(GET);
        client.hears("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
        client.hears_the_end();
        let mut client = Peer::connect(plane);
        client.says(GET);
        client.hears("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
        client.hears_the_end();
        // HTTP/1.0 knows no end but the connection's: it has to be a reset.
        let mut client = Peer::connect(plane);
        client.says("GET / HTTP/1.0\r\nHost: x\r\n\r\n");
        client.hears("HTTP/1.1 200 OK\r\n\r\nab");
        assert_eq!(client.0.read(&mut [0]).map_err(|error| error.kind()), Err(std::io::ErrorKind::ConnectionReset));
    });
}

#[test]
fn a_write_is_never_sent_on_a_connection_that_the_origin_has_closed() {
    let scenes: &[Scene] = &[
        |origin| {
            origin.head();
            origin.says(OK);
        },
        |origin| {
            origin.hears(PUT);
            origin.says(OK);
        },
    ];
    play(scenes, |plane| {
        let mut client = Peer::connect(plane);
        client.says(GET);
        client.hears(OK);
        std::thread::sleep(Duration::from_millis(20));
        client.says(PUT);
        client.hears(OK);
    });
}

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

#[test]
fn requests_that_do_not_go_on_are_told_why() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let plane = plane(nobody, |config| {
        config.limits.body_bytes = Some(5);
        config.routes[0].path = "/a/{*rest}".to_owned();
    });
    let check = |request: &str, status, error| answered_by_ourselves(&plane, request, status, error);
    check("GET /a/ HTTP/1.1\r\nHost: x\r\n\r\n", 502, "connection_refused");
    check("GET /b HTTP/1.1\r\nHost: x\r\n\r\n", 404, "destination_not_found");
    check("PUT /a/ HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n", 413, "http_request_error");
    check("PUT /a/ HTTP/1.1\r\nHost: x\r\nExpect: else\r\n\r\n", 417, "http_request_error");
    check("PUT /a/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501, "http_request_error");
    check("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", 501, "http_request_denied");
    check("GET /#x HTTP/1.1\r\nHost: x\r\n\r\n", 400, "");
    check("GET / HTTP/1.1\r\n\r\n", 400, "");
    check("nonsense\r\n\r\n", 400, "");
    check("PUT /a/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "");
    check(&format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(100_000)), 414, "");
    check(&format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(200_000)), 431, "");
    check("OPTIONS * HTTP/1.1\r\nHost: x\r\nMax-Forwards: 0\r\n\r\n", 200, "");
}

#[test]
fn an_upstream_that_is_ourselves_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = UpstreamUrl { https: false, host: "localhost".to_owned(), port: address.port() };
    let config = Arc::new(Config::defaults_with_upstream(url));
    let recorder = Recorder::start(&config).unwrap();
    let snapshot = Snapshot::build(&config, &recorder).unwrap();
    let shared = Shared { snapshot: arc_swap::ArcSwap::from_pointee(snapshot), recorder, bypass: Arc::default() };
    let running = start(TcpListener::bind(address).unwrap(), Arc::new(shared)).unwrap();
    let plane = Plane { address, running };
    answered_by_ourselves(&plane, GET, 502, "proxy_loop_detected");
}

#[test]
fn a_dead_connection_is_mirrored_where_that_is_wanted() {
    let scenes: &[Scene] = &[|origin| {
        origin.head();
    }];
    let (upstream, thread) = origin(scenes);
    let plane = plane(upstream, |config| config.upstreams[0].on_failure = crate::config::OnUpstreamFailure::Mirror);
    let mut client = Peer::connect(&plane);
    client.says(GET);
    client.hears_the_end();
    thread.join().unwrap();
}

#[test]
fn draining_lets_the_answer_finish_and_says_close() {
    let scenes: &[Scene] = &[|origin| {
        origin.head();
        std::thread::sleep(Duration::from_millis(200));
        origin.says(OK);
    }];
    let (upstream, thread) = origin(scenes);
    let plane = plane(upstream, |_| {});
    let mut idle = Peer::connect(&plane);
    let mut client = Peer::connect(&plane);
    client.says(GET);
    std::thread::sleep(Duration::from_millis(100));
    plane.running.drain(Duration::from_secs(5));
    idle.hears_the_end();
    client.hears("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    client.hears_the_end();
    drop(client);
    plane.running.wait();
    thread.join().unwrap();
}

/// A CA, and a certificate for `name` with its key that comes from it, as files.
struct Authority {
    directory: tempfile::TempDir,
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let issuer = rcgen::Issuer::new(params, key);
        let authority = Self { directory: tempfile::tempdir().unwrap(), certificate, issuer };
        std::fs::write(authority.path("ca.pem"), authority.certificate.pem()).unwrap();
        authority
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn issues(&self, name: &str) -> (std::path::PathBuf, std::path::PathBuf) {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (certificate_file, key_file) = (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        std::fs::write(&certificate_file, certificate.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        (certificate_file, key_file)
    }
}

#[test]
fn tls_is_spoken_on_both_sides_with_certificates_of_both() {
    let authority = Authority::new();
    let (certificate, key) = authority.issues("api.example");
    let client_certificate = authority.issues("client.example");
    let scenes: &[Scene] = &[|origin| {
        origin.hears(PUT);
        origin.says(REFUSED);
        origin.hears(CHUNKED);
        origin.says(CHUNKED_OK);
    }];
    let (upstream, thread) = origin(scenes);
    let inner = plane(upstream, |config| {
        let client_ca = Some(authority.path("ca.pem"));
        config.listen.tls = Some(crate::config::ListenTls { certificate, key, client_ca });
    });
    let towards_inner = |change: &dyn Fn(&mut crate::config::UpstreamTls)| {
        plane(inner.address, |config| {
            config.upstreams[0].urls[0].https = true;
            let tls = &mut config.upstreams[0].tls;
            tls.ca = Some(authority.path("ca.pem"));
            tls.server_name = Some("api.example".to_owned());
            tls.client_certificate = Some(client_certificate.clone());
            change(tls);
        })
    };
    let outer = towards_inner(&|_| {});
    let mut client = Peer::connect(&outer);
    client.says(&format!("{PUT}{CHUNKED}"));
    client.hears(&format!("{REFUSED}{CHUNKED_OK}"));
    thread.join().unwrap();
    let other_name = towards_inner(&|tls| tls.server_name = Some("other.example".to_owned()));
    answered_by_ourselves(&other_name, GET, 502, "tls_protocol_error");
    let no_certificate = towards_inner(&|tls| tls.client_certificate = None);
    let mut client = Peer::connect(&no_certificate);
    client.says(GET);
    assert!(client.head().starts_with("HTTP/1.1 502 "));
}

#[test]
fn connect_goes_to_the_upstream_of_the_route_where_it_is_allowed() {
    let scenes: &[Scene] = &[|origin| {
        origin.hears("CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n");
        origin.says("HTTP/1.1 200 Fine\r\n\r\n");
        origin.hears("ping");
        origin.says("pong");
    }];
    let (upstream, thread) = origin(scenes);
    let plane = plane(upstream, |config| config.routes[0].connect = true);
    let mut client = Peer::connect(&plane);
    client.says("CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n");
    client.hears("HTTP/1.1 200 Fine\r\n\r\n");
    client.says("ping");
    client.hears("pong");
    client.hears_the_end();
    thread.join().unwrap();
}

#[test]
fn what_takes_too_long_is_ended() {
    let scenes: &[Scene] = &[
        |origin| {
            origin.head();
            std::thread::sleep(Duration::from_millis(300));
        },
        |origin| {
            origin.head();
            origin.hears_the_end();
        },
    ];
    let (upstream, thread) = origin(scenes);
    let plane = plane(upstream, |config| {
        config.timeouts.response_head = Duration::from_millis(100);
        config.timeouts.body_idle = Duration::from_millis(100);
        config.timeouts.header_read = Duration::from_millis(100);
        config.timeouts.idle = Duration::from_millis(300);
    });
    answered_by_ourselves(&plane, GET, 504, "http_response_timeout");
    answered_by_ourselves(&plane, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", 408, "http_request_error");
    let mut slow = Peer::connect(&plane);
    slow.says("GET / HT");
    slow.hears_the_end();
    Peer::connect(&plane).hears_the_end();
    thread.join().unwrap();
}

#[test]
fn max_forwards_is_counted_down_and_traces_end_here() {
    let scenes: &[Scene] = &[|origin| {
        origin.hears("OPTIONS / HTTP/1.1\r\nHost: x\r\nMax-Forwards: 2\r\n\r\n");
        origin.says(OK);
    }];
    play(scenes, |plane| {
        let mut client = Peer::connect(plane);
        client.says("OPTIONS / HTTP/1.1\r\nHost: x\r\nMax-Forwards: 3\r\n\r\n");
        client.hears(OK);
        client.says("TRACE /t HTTP/1.1\r\nHost: x\r\nMax-Forwards: 0\r\nCookie: secret\r\n\r\n");
        client.hears("HTTP/1.1 200 OK\r\nContent-Type: message/http\r\nContent-Length: 47\r\n\r\n");
        client.hears("TRACE /t HTTP/1.1\r\nHost: x\r\nMax-Forwards: 0\r\n\r\n");
    });
}

#[test]
fn several_addresses_are_used_and_one_that_is_gone_is_passed_over() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let scenes: &[Scene] = &[|origin| {
        for _ in 0..4 {
            origin.hears(GET);
            origin.says(OK);
        }
    }];
    let (upstream, thread) = origin(scenes);
    let plane = plane(upstream, |config| {
        let url = UpstreamUrl { https: false, host: gone.ip().to_string(), port: gone.port() };
        config.upstreams[0].urls.insert(0, url);
    });
    let mut client = Peer::connect(&plane);
    for _ in 0..4 {
        client.says(GET);
        client.hears(OK);
    }
    thread.join().unwrap();
}
