//! Exchanges that do not, and what the client is told.

use super::*;

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
    let shared = Shared::new(snapshot, recorder, Arc::default());
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
fn an_upstream_that_does_not_read_is_given_up() {
    let scenes: &[Scene] = &[|origin| {
        origin.head();
        std::thread::sleep(Duration::from_millis(800));
    }];
    let (upstream, thread) = origin(scenes);
    let plane = plane(upstream, |config| config.timeouts.write = Duration::from_millis(200));
    let mut client = Peer::connect(&plane);
    client.says("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
    let mut writer = client.0.try_clone().unwrap();
    let uploading = std::thread::spawn(move || while writer.write_all(&[b'a'; 65536]).is_ok() {});
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 504 ") && head.contains("error=connection_write_timeout\r\n"), "{head}");
    drop(client);
    uploading.join().unwrap();
    thread.join().unwrap();
}

#[test]
fn a_close_on_a_reused_connection_is_ours_to_tell_and_never_mirrored() {
    let scenes: &[Scene] = &[|origin| {
        origin.hears(GET);
        origin.says(OK);
        origin.hears(GET);
    }];
    let (upstream, thread) = origin(scenes);
    let plane = plane(upstream, |config| config.upstreams[0].on_failure = crate::config::OnUpstreamFailure::Mirror);
    let mut client = Peer::connect(&plane);
    client.says(GET);
    client.hears(OK);
    client.says(GET);
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 502 ") && head.contains("error=connection_terminated\r\n"), "{head}");
    thread.join().unwrap();
}
