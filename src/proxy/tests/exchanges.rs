//! Exchanges that go well.

use super::*;

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

#[test]
fn a_refused_precondition_is_annotated_where_that_is_wanted() {
    let scenes: &[Scene] = &[|origin| {
        origin.hears(PUT);
        origin.says(REFUSED);
    }];
    let (upstream, thread) = origin(scenes);
    let plane = plane(upstream, |config| config.routes[0].annotate = true);
    let mut client = Peer::connect(&plane);
    client.says(PUT);
    let head = client.head();
    let begins = "\r\nProxy-Status: why412; received-status=412; details=\"cause=stale-validator; id=";
    assert!(head.contains(begins), "{head}");
    thread.join().unwrap();
}

#[test]
fn forwarding_fields_are_added_where_they_are_wanted() {
    let scenes: &[Scene] = &[|origin| {
        origin.hears(
            "GET / HTTP/1.1\r\nHost: x\r\nVia: 1.1 why412\r\nForwarded: for=127.0.0.1;host=\"x\";proto=http\r\n\
             X-Forwarded-For: 203.0.113.7, 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: x\r\n\r\n",
        );
        origin.says(OK);
    }];
    let (upstream, thread) = origin(scenes);
    let plane = plane(upstream, |config| {
        config.routes[0].forwarding = crate::config::Forwarding { via: true, forwarded: true, x_forwarded: true };
    });
    let mut client = Peer::connect(&plane);
    client.says("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7\r\nx-forwarded-host: forged\r\n\r\n");
    client.hears("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.1 why412\r\n\r\nok");
    thread.join().unwrap();
}

#[test]
fn the_host_is_the_configured_one_or_the_upstream_s_where_the_client_names_none() {
    let scenes: &[Scene] = &[|origin| {
        origin.hears("GET / HTTP/1.1\r\nHost: inside.example\r\n\r\n");
        origin.says(OK);
    }];
    let (upstream, thread) = origin(scenes);
    let configured = plane(upstream, |config| config.upstreams[0].host = Some("inside.example".to_owned()));
    let mut client = Peer::connect(&configured);
    client.says(GET);
    client.hears(OK);
    thread.join().unwrap();
    let scenes: &[Scene] = &[|origin| {
        assert!(origin.head().starts_with("GET /old HTTP/1.1\r\nHost: 127.0.0.1:"));
        origin.says(OK);
    }];
    play(scenes, |plane| {
        let mut client = Peer::connect(plane);
        client.says("GET /old HTTP/1.0\r\n\r\n");
        client.hears(OK);
        client.hears_the_end();
    });
}

#[test]
fn what_had_arrived_when_draining_began_is_still_answered() {
    const COUNT: usize = 50;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut peer = Peer::of(stream.unwrap());
            std::thread::spawn(move || {
                while !peer.head().is_empty() {
                    peer.says(OK);
                }
            });
        }
    });
    let plane = plane(upstream, |_| {});
    let mut clients: Vec<_> = (0..COUNT).map(|_| Peer::connect(&plane)).collect();
    for client in &mut clients {
        client.says(GET);
    }
    plane.running.drain(Duration::from_secs(5));
    for client in &mut clients {
        assert!(client.head().starts_with("HTTP/1.1 200 OK\r\n"));
    }
    drop(clients);
    plane.running.wait();
}
