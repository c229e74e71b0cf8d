//! Extended CONNECT (RFC 8441) and CONNECT, and what they are to HTTP/1.1.

use bytes::Bytes;
use h2::Reason;
use h2::ext::Protocol;
use http::Request;

use super::{before, configured};
use crate::harness::http2::Http2;
use crate::harness::http2_origin::{Http2Origin, status};
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

/// RFC 6455 §1.3.
const HANDSHAKE: &str = "GET /chat HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn websocket() -> Request<()> {
    Request::connect("http://shop.test/chat?room=1")
        .extension(Protocol::from_static("websocket"))
        .header("sec-websocket-version", "13")
        .header("sec-websocket-protocol", "soap")
        .body(())
        .unwrap()
}

/// An origin that takes extended CONNECT, and sends back what it is sent.
fn echoing() -> Http2Origin {
    let mut builder = h2::server::Builder::new();
    builder.enable_connect_protocol();
    Http2Origin::with(builder, |mut stream| async move {
        assert_eq!(stream.request.extensions().get::<Protocol>().map(Protocol::as_str), Some("websocket"));
        assert_eq!(stream.request.uri().path_and_query().unwrap(), "/chat");
        let mut back = stream.head(status(200).header("sec-websocket-protocol", "soap"));
        stream.note();
        while let Some(Ok(data)) = stream.body.data().await {
            stream.body.flow_control().release_capacity(data.len()).unwrap();
            if !data.is_empty() {
                back.send_data([b"got ".as_slice(), &data].concat().into(), false).unwrap();
            }
        }
        back.send_data(Bytes::from_static(b"bye"), true).unwrap();
    })
}

#[test]
fn from_http_2_to_http_1_1() {
    let origin = Origin::serving(|wire, _| {
        let head = wire.head();
        assert_eq!(head.start, "GET /chat?room=1 HTTP/1.1");
        assert_eq!((head.value("upgrade"), head.value("connection")), (Some("websocket"), Some("upgrade")));
        assert_eq!((head.value("host"), head.value("sec-websocket-protocol")), (Some("shop.test"), Some("soap")));
        let accept = accept_of(head.value("sec-websocket-key").unwrap());
        wire.send(format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: soap\r\n\r\nhello"
        ));
        let sent = wire.rest().unwrap();
        wire.send([b"got ".as_slice(), &sent].concat());
    });
    let instance = Instance::before(origin.address());

    let client = Http2::to(instance.address());
    let mut tunnel = client.tunnel(websocket()).unwrap();
    assert_eq!(tunnel.head.status(), 200);
    let named: Vec<&str> = tunnel.head.headers().keys().map(http::HeaderName::as_str).collect();
    assert_eq!(named, ["sec-websocket-protocol"], "nothing that only HTTP/1.1 says");
    assert_eq!(client.exactly(&mut tunnel, 5), b"hello");
    client.tell(&mut tunnel, b"\x81\x00ping", true);
    assert_eq!(client.rest(&mut tunnel).unwrap(), b"got \x81\x00ping");
}

#[test]
fn from_http_1_1_to_http_2() {
    let origin = echoing();
    let instance = before(origin.address(), "");

    let mut client = instance.connect();
    client.send(HANDSHAKE);
    let head = client.head();
    assert_eq!(head.start, "HTTP/1.1 101 Switching Protocols");
    assert_eq!((head.value("upgrade"), head.value("connection")), (Some("websocket"), Some("upgrade")));
    assert_eq!(
        (head.value("sec-websocket-accept"), head.value("sec-websocket-protocol")),
        (Some(ACCEPT), Some("soap"))
    );
    client.send("one");
    assert_eq!(client.exactly(7).unwrap(), b"got one");
    client.end();
    assert_eq!(client.rest().unwrap(), b"bye");
    let asked = origin.only_request();
    for field in ["sec-websocket-key", "connection", "upgrade"] {
        assert_eq!(asked.values(field).len(), 0, "{field}");
    }
}

#[test]
fn from_http_2_to_http_2() {
    let origin = echoing();
    let instance = before(origin.address(), "");

    let client = Http2::to(instance.address());
    let mut asked = websocket();
    *asked.uri_mut() = "http://shop.test/chat".parse().unwrap();
    let mut tunnel = client.tunnel(asked).unwrap();
    assert_eq!(tunnel.head.status(), 200);
    client.tell(&mut tunnel, b"one", false);
    assert_eq!(client.exactly(&mut tunnel, 7), b"got one");
    client.tell(&mut tunnel, b"", true);
    assert_eq!(client.rest(&mut tunnel).unwrap(), b"bye");
}

#[test]
fn a_refusal_is_an_ordinary_answer_and_a_2xx_that_changes_nothing_is_none() {
    for (says, expected) in [
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", 403),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 502),
        // A proof that fits another key.
        (
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
            502,
        ),
    ] {
        let origin = Origin::always(says);
        let instance = Instance::before(origin.address());

        let client = Http2::to(instance.address());
        let tunnel = client.tunnel(websocket()).unwrap();

        assert_eq!(tunnel.head.status().as_u16(), expected, "{says}");
    }
}

#[test]
fn an_upstream_that_offers_none_is_told_nothing() {
    let origin = Http2Origin::always(|| status(426), "no");
    let instance = before(origin.address(), "");

    // A client that can only be told of a change is told that there is none; another one is served without.
    let client = Http2::to(instance.address());
    assert_eq!(client.tunnel(websocket()).unwrap().head.status(), 502);
    assert_eq!(origin.requests().len(), 0);
    assert_eq!(instance.ask(HANDSHAKE).status(), 426);
    let asked = origin.only_request();
    assert_eq!((asked.head.method().as_str(), asked.values("upgrade").len()), ("GET", 0));
}

#[test]
fn a_tunnel_that_breaks_is_a_reset() {
    let mut builder = h2::server::Builder::new();
    builder.enable_connect_protocol();
    let origin = Http2Origin::with(builder, |mut stream| async move {
        let mut back = stream.head(status(200));
        back.send_data(Bytes::from_static(b"half"), false).unwrap();
        let _ = stream.body.data().await;
        back.send_reset(Reason::INTERNAL_ERROR);
    });
    let instance = before(origin.address(), "");

    let client = Http2::to(instance.address());
    let mut tunnel = client.tunnel(websocket()).unwrap();
    assert_eq!(client.exactly(&mut tunnel, 4), b"half");
    client.tell(&mut tunnel, b"go", false);

    assert_eq!(client.rest(&mut tunnel).unwrap_err().reason(), Some(Reason::CANCEL));
}

#[test]
fn connect_follows_the_route_and_never_the_authority() {
    let origin = Origin::serving(|wire, _| {
        assert_eq!(wire.head().start, "CONNECT elsewhere.test:443 HTTP/1.1");
        wire.send("HTTP/1.1 200 Established\r\n\r\nwelcome");
        let sent = wire.rest().unwrap();
        wire.send(sent);
    });
    let connect = || Request::connect("elsewhere.test:443").body(()).unwrap();

    let refusing = Instance::before(origin.address());
    assert_eq!(Http2::to(refusing.address()).tunnel(connect()).unwrap().head.status(), 501);

    let instance = configured(&format!("url = \"http://{}\"", origin.address()), "connect = true\n");
    let client = Http2::to(instance.address());
    let mut tunnel = client.tunnel(connect()).unwrap();
    assert_eq!(tunnel.head.status(), 200);
    assert_eq!(client.exactly(&mut tunnel, 7), b"welcome");
    client.tell(&mut tunnel, b"ping", true);
    assert_eq!(client.rest(&mut tunnel).unwrap(), b"ping");
}

#[test]
fn connect_goes_to_an_upstream_of_http_2_as_well() {
    let origin = Http2Origin::serving(|mut stream| async move {
        assert_eq!(
            (stream.request.method().as_str(), stream.request.uri().to_string()),
            ("CONNECT", "e.test:1".into())
        );
        let mut back = stream.head(status(200));
        while let Some(Ok(data)) = stream.body.data().await {
            stream.body.flow_control().release_capacity(data.len()).unwrap();
            back.send_data(data, false).unwrap();
        }
        back.send_data(Bytes::new(), true).unwrap();
    });
    let instance = configured(&format!("url = \"http://{}\"\nhttp = \"2\"", origin.address()), "connect = true\n");

    let mut client = instance.connect();
    client.send("CONNECT e.test:1 HTTP/1.1\r\nHost: e.test:1\r\n\r\n");
    assert_eq!(client.head().status(), 200);
    client.send("ping");
    client.end();
    assert_eq!(client.rest().unwrap(), b"ping");
}

/// What proves that a key was understood, by a program that is not ours.
fn accept_of(key: &str) -> String {
    let said = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!("printf %s '{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11' | openssl dgst -sha1 -binary | base64"))
        .output()
        .expect("there is a shell");
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}
