//! Connections that become something else.

use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

const HANDSHAKE: &str = "GET /chat HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

#[test]
fn an_upgraded_connection_carries_bytes_both_ways_until_both_have_ended() {
    let origin = Origin::serving(|wire, _| {
        let head = wire.head();
        assert_eq!(head.value("Upgrade"), Some("websocket"));
        assert_eq!(head.value("Connection"), Some("upgrade"));
        // The first bytes of the new protocol follow the head at once.
        wire.send(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x00\xffhello",
        );
        let sent = wire.rest().unwrap();
        wire.send([b"got ".as_slice(), &sent].concat());
    });
    let instance = Instance::before(origin.address());

    let mut client = instance.connect();
    client.send([HANDSHAKE.as_bytes(), b"\x81\x00early"].concat());
    let head = client.head();
    assert_eq!(head.status(), 101);
    assert_eq!(head.value("Upgrade"), Some("websocket"));
    assert_eq!(head.value("Sec-WebSocket-Accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(client.exactly(7).unwrap(), b"\x00\xffhello");
    client.send(b"\r\n\r\nGET / HTTP/1.1");
    client.end();

    assert_eq!(client.rest().unwrap(), b"got \x81\x00early\r\n\r\nGET / HTTP/1.1");
}

#[test]
fn a_refused_upgrade_is_an_ordinary_answer() {
    let origin = Origin::always(
        "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: h9\r\nContent-Length: 2\r\n\r\nno",
    );
    let instance = Instance::before(origin.address());

    let mut client = instance.connect();
    let answer = client.ask(HANDSHAKE);
    assert_eq!((answer.status(), answer.value("Upgrade"), answer.text().as_str()), (426, Some("h9"), "no"));

    assert_eq!(client.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n").status(), 426);
}

#[test]
fn connect_is_refused_unless_the_route_allows_it() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let instance = Instance::before(origin.address());

    let answer = instance.ask("CONNECT elsewhere.test:443 HTTP/1.1\r\nHost: elsewhere.test:443\r\n\r\n");

    assert_eq!(answer.status(), 501);
    assert_eq!(origin.requests(), []);
}

#[test]
fn an_allowed_connect_goes_to_the_upstream_of_its_route() {
    let origin = Origin::serving(|wire, _| {
        assert_eq!(wire.head().start, "CONNECT elsewhere.test:443 HTTP/1.1");
        wire.send("HTTP/1.1 200 Established\r\n\r\nwelcome");
        let sent = wire.rest().unwrap();
        wire.send(sent);
    });
    let instance = Instance::configured(&format!(
        "[upstream.api]\nurl = [\"http://{}\"]\n[[route]]\nname = \"all\"\npath = \"/{{*rest}}\"\nupstream = \"api\"\n\
         connect = true\n",
        origin.address()
    ));

    let mut client = instance.connect();
    client.send("CONNECT elsewhere.test:443 HTTP/1.1\r\nHost: elsewhere.test:443\r\n\r\n");
    assert_eq!(client.head().status(), 200);
    assert_eq!(client.exactly(7).unwrap(), b"welcome");
    client.send("ping");
    client.end();

    assert_eq!(client.rest().unwrap(), b"ping");
}
