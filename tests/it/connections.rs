//! Who is at the other end of a connection, where something in front speaks for its clients, and how many there may be.

use std::net::{IpAddr, SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

use crate::harness::gateway::Gateway;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::wire::Wire;
use crate::harness::{PATIENCE, eventually};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const GET: &str = "GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\n\r\n";

/// The signature of version 2, `command` 0x21 (PROXY) or 0x20 (LOCAL), and what follows.
fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n".as_slice(), &[command, family], &length, rest].concat()
}

fn instance(origin: &Origin, more: &str) -> Instance {
    Instance::configured(&format!(
        "{more}\n[upstream.api]\nurl = [\"http://{}\"]\n[[route]]\nname = \"all\"\nforwarding = [\"x-forwarded\", \
         \"forwarded\"]\n",
        origin.address()
    ))
}

/// A connection whose client has that address, one of loopback's.
fn from(address: &str, to: SocketAddr) -> Wire {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(address.parse::<IpAddr>().unwrap(), 0).into()).unwrap();
    socket.connect_timeout(&to.into(), PATIENCE).unwrap();
    Wire::over(TcpStream::from(socket))
}

const BALANCED: &str = "[listen]\nproxy_protocol = [\"127.0.0.1\"]";

#[test]
fn a_proxy_header_names_the_client() {
    let origin = Origin::always(OK);
    let instance = instance(&origin, BALANCED);
    let v4 = [203, 0, 113, 7, 192, 0, 2, 1, 0x12, 0x67, 0, 80];
    let mut v6 = [0; 36];
    v6[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    v6[15] = 7;
    // A type-length-value behind the addresses is nobody's business here.
    let with_more = [v4.as_slice(), &[4, 0, 1, 42]].concat();
    for (header, expected) in [
        (b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 80\r\n".to_vec(), "203.0.113.7"),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n".to_vec(), "2001:db8::7"),
        (b"PROXY UNKNOWN\r\n".to_vec(), "127.0.0.1"),
        (version_2(0x21, 0x11, &v4), "203.0.113.7"),
        (version_2(0x21, 0x11, &with_more), "203.0.113.7"),
        (version_2(0x21, 0x21, &v6), "2001:db8::7"),
        (version_2(0x20, 0x00, &[]), "127.0.0.1"),
    ] {
        // In one piece with the request, and byte by byte.
        let mut whole = instance.connect();
        assert_eq!(whole.ask([header.as_slice(), GET.as_bytes()].concat().as_slice()).status(), 200);
        let mut slow = instance.connect();
        for byte in &header {
            slow.send([*byte]);
        }
        assert_eq!(slow.ask(GET).status(), 200);
        assert_eq!(slow.ask(GET).status(), 200, "the header comes once per connection");
        for request in origin.requests().iter().rev().take(3) {
            assert_eq!(request.value("X-Forwarded-For"), Some(expected), "{}", header.escape_ascii());
        }
    }
}

#[test]
fn a_connection_without_its_proxy_header_is_closed_and_counted() {
    let origin = Origin::always(OK);
    let instance = instance(&origin, BALANCED);
    let long = format!("PROXY TCP4 {}\r\n", "1".repeat(120));
    let mut refused = 0.0;
    for beginning in [
        GET.as_bytes().to_vec(),
        b"PROXY TCP4 nonsense\r\nGET / HTTP/1.1\r\n\r\n".to_vec(),
        b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 99999\r\n".to_vec(),
        long.into_bytes(),
        version_2(0x21, 0x11, &[1, 2, 3]),
        version_2(0x31, 0x11, &[0; 12]),
        version_2(0x21, 0x11, &[0; 4097]),
    ] {
        let mut client = instance.connect();
        let _ = client.try_send(&beginning);
        // Closed or reset, and never an answer.
        assert!(client.rest().map_or(true, |said| said.is_empty()), "{}", beginning.escape_ascii());
        refused += 1.0;
        instance.assert_metric("why412_connections_refused_total{reason=\"proxy_protocol\"}", refused);
    }
    let mut cut = instance.connect();
    cut.send("PROXY TCP4 203.0");
    cut.end();
    assert!(cut.rest().is_ok_and(|said| said.is_empty()));
    instance.assert_metric("why412_connections_refused_total{reason=\"proxy_protocol\"}", refused + 1.0);
    assert!(origin.requests().is_empty());
    // From elsewhere no header is expected, and none is believed.
    let mut other = from("127.0.0.2", instance.address());
    assert_eq!(other.ask(GET).status(), 200);
    assert_eq!(origin.only_request().value("X-Forwarded-For"), Some("127.0.0.2"));
    let mut liar = from("127.0.0.2", instance.address());
    assert_eq!(liar.ask("PROXY TCP4 203.0.113.7 192.0.2.1 4711 80\r\n").status(), 400);
}

#[test]
fn haproxy_passes_its_clients_on() {
    for option in ["send-proxy", "send-proxy-v2"] {
        let origin = Origin::always(OK);
        let instance = instance(&origin, BALANCED);
        let haproxy = Gateway::haproxy(&format!("default-server {option}"), instance.address());
        let mut client = from("127.0.0.3", haproxy.address());
        assert_eq!(client.ask(GET).status(), 200);
        assert_eq!(origin.only_request().value("X-Forwarded-For"), Some("127.0.0.3"), "{option}");
    }
}

#[test]
fn only_trusted_proxies_are_believed() {
    let origin = Origin::always(OK);
    let instance = instance(&origin, "[client]\ntrusted_proxies = [\"127.0.0.0/30\"]");
    let forwarded = "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\nx-forwarded-host: shop.example\r\n\
                     Forwarded: for=203.0.113.7\r\n";
    let request = format!("GET / HTTP/1.1\r\nHost: shop.test\r\n{forwarded}\r\n");
    let mut proxy = from("127.0.0.1", instance.address());
    assert_eq!(proxy.ask(&request).status(), 200);
    let seen = origin.only_request();
    assert_eq!(seen.value("X-Forwarded-For"), Some("203.0.113.7, 127.0.0.1"));
    assert_eq!(seen.value("X-Forwarded-Proto"), Some("https"));
    assert_eq!(seen.value("X-Forwarded-Host"), Some("shop.example"));
    assert_eq!(seen.head.values("Forwarded").len(), 2);
    let mut stranger = from("127.0.0.9", instance.address());
    assert_eq!(stranger.ask(&request).status(), 200);
    let seen = origin.requests().pop().unwrap();
    assert_eq!(seen.head.values("X-Forwarded-For"), ["127.0.0.9"]);
    assert_eq!(seen.head.values("X-Forwarded-Proto"), ["http"]);
    assert_eq!(seen.head.values("X-Forwarded-Host"), ["shop.test"]);
    assert_eq!(seen.head.values("Forwarded"), ["for=127.0.0.9;host=\"shop.test\";proto=http"]);
}

#[test]
fn clients_behind_a_trusted_proxy_are_told_apart() {
    let origin = Origin::always("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n");
    let instance = instance(&origin, "[client]\ntrusted_proxies = [\"127.0.0.1\"]");
    for address in ["203.0.113.7", "203.0.113.8", "203.0.113.7"] {
        let request = format!(
            "PUT /a HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-For: {address}\r\nIf-Match: \"v1\"\r\nContent-Length: \
             0\r\n\r\n"
        );
        assert_eq!(instance.ask(request).status(), 412);
    }
    let clients: Vec<_> = eventually("three records", || {
        let records = instance.records();
        (records.len() == 3).then(|| records.iter().map(|record| record["client"].clone()).collect())
    });
    assert_eq!(clients[0], clients[2]);
    assert_ne!(clients[0], clients[1]);
}

#[test]
fn one_address_takes_no_more_connections_than_it_may() {
    let origin = Origin::always(OK);
    let instance = instance(&origin, "[limits]\nconnections_per_address = 2");
    let mut first = from("127.0.0.5", instance.address());
    let mut second = from("127.0.0.5", instance.address());
    assert_eq!((first.ask(GET).status(), second.ask(GET).status()), (200, 200));
    let mut third = from("127.0.0.5", instance.address());
    let answer = third.answer_to("GET");
    assert_eq!((answer.status(), answer.value("Retry-After")), (503, Some("1")));
    assert!(third.rest().is_ok_and(|said| said.is_empty()), "and closed");
    instance.assert_metric("why412_connections_refused_total{reason=\"address_limit\"}", 1.0);
    let mut other = from("127.0.0.6", instance.address());
    assert_eq!(other.ask(GET).status(), 200, "others are unharmed");
    drop(first);
    eventually("a place that is free again", || {
        let mut next = from("127.0.0.5", instance.address());
        next.try_send(GET).ok()?;
        next.try_answer_to("GET").ok().filter(|answer| answer.status() == 200)
    });
}

#[test]
fn no_more_connections_than_there_may_be() {
    let origin = Origin::always(OK);
    let instance = instance(&origin, "[limits]\nconnections = 2");
    let mut open = [instance.connect(), instance.connect()];
    for client in &mut open {
        assert_eq!(client.ask(GET).status(), 200);
    }
    let answer = instance.connect().answer_to("GET");
    assert_eq!((answer.status(), answer.value("Retry-After")), (503, Some("1")));
    instance.assert_metric("why412_connections_refused_total{reason=\"limit\"}", 1.0);
    for client in &mut open {
        assert_eq!(client.ask(GET).status(), 200, "those that are there go on");
    }
}

#[test]
fn one_exchange_too_many_is_told_when_to_come_again() {
    let origin = Origin::serving(|wire, _| {
        let _ = wire.request();
        // The answer never comes: the exchange stays in flight until its client leaves.
        let _ = wire.rest();
    });
    let instance = instance(&origin, "[limits]\nexchanges = 1");
    let mut first = instance.connect();
    first.send(GET);
    eventually("the exchange in flight", || (instance.metric("why412_exchanges_in_flight") > 0.0).then_some(()));
    let answer = instance.ask(GET);
    assert_eq!((answer.status(), answer.value("Retry-After")), (503, Some("1")));
    assert_eq!(answer.value("Proxy-Status"), Some("why412; error=connection_limit_reached"));
    drop(first);
}
