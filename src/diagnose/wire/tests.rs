use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use super::*;

/// A server that reads until it has seen `until`, answers with these bytes and leaves; what it read is returned.
fn server(until: &'static [u8], answer: Vec<u8>) -> (UpstreamUrl, thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut read = Vec::new();
        let mut buffer = [0; 4096];
        while !read.windows(until.len()).any(|window| window == until) {
            let count = stream.read(&mut buffer).unwrap();
            read.extend_from_slice(&buffer[..count]);
        }
        let _ = stream.write_all(&answer);
        read
    });
    (UpstreamUrl { https: false, host: "127.0.0.1".to_owned(), port }, served)
}

fn request(to: UpstreamUrl, method: Method, lines: &[(&[u8], &[u8])], body: Option<Bytes>) -> Request {
    let mut fields = Fields::default();
    lines.iter().for_each(|(name, value)| fields.push(name, value));
    let (target, authority) = (b"/a%2F?b".to_vec(), b"api.example".to_vec());
    Request { to, trust: None, method, target, authority, fields, body }
}

fn ask(request: &Request) -> Result<Answer, Failure> {
    let timeouts = Timeouts {
        connect: Duration::from_secs(10),
        head: Duration::from_millis(1500),
        body: Duration::from_millis(500),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(send(request, timeouts, Limits { head_bytes: 8192, body_bytes: 1000 }))
}

fn get(answer: &[u8]) -> Result<Answer, Failure> {
    let (to, served) = server(b"\r\n\r\n", answer.to_vec());
    let answer = ask(&request(to, Method::GET, &[], None));
    served.join().unwrap();
    answer
}

#[test]
fn every_byte_goes_out_as_given_and_comes_back_as_sent() {
    let answer = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 412 Nope\xe9\r\nETAG: \"a\xe9\"\r\netag:\r\nContent-Length: 2\r\n\r\nhi";
    let (to, served) = server(b"abc", answer.to_vec());
    let lines: &[(&[u8], &[u8])] = &[
        (b"iF-mAtch", b"\"caf\xe9\""),
        (b"X", b"1"),
        (b"Content-Length", b"77"),
        (b"x", b""),
        (b"If-Match", b"W/\"b\""),
    ];
    let answer = ask(&request(to, Method::PUT, lines, Some(Bytes::from_static(b"abc")))).unwrap();
    let expected: &[u8] = b"PUT /a%2F?b HTTP/1.1\r\nHost: api.example\r\niF-mAtch: \"caf\xe9\"\r\nX: 1\r\nx: \r\nIf-Match: W/\"b\"\r\nContent-Length: 3\r\n\r\nabc";
    assert_eq!(served.join().unwrap(), expected);
    assert_eq!((answer.head.status, answer.head.reason.as_slice()), (412, &b"Nope\xe9"[..]));
    let lines: Vec<_> = answer.head.fields.iter().map(|line| (line.name_bytes, line.value)).collect();
    let expected: Vec<(&[u8], &[u8])> = vec![(b"ETAG", b"\"a\xe9\""), (b"etag", b""), (b"Content-Length", b"2")];
    assert_eq!(lines, expected);
    assert_eq!((answer.body.as_slice(), answer.body_end), (&b"hi"[..], BodyEnd::Whole));
}

#[test]
fn bodies_are_read_as_far_as_wanted() {
    let check = |answer: Vec<u8>, length: usize, end: BodyEnd| {
        let answer = get(&answer).unwrap();
        assert_eq!((answer.body.len(), answer.body_end), (length, end));
    };
    let with = |head: &str, body: &[u8]| [head.as_bytes(), b"\r\n\r\n", body].concat();
    check(
        with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"2\r\nhi\r\n1;x\r\n!\r\n0\r\n\r\n"),
        3,
        BodyEnd::Whole,
    );
    check(with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"2\r\nhi\r\n5\r\nx"), 3, BodyEnd::Cut);
    check(with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"zz\r\n"), 0, BodyEnd::Cut);
    check(with("HTTP/1.1 200 OK\r\nContent-Length: 9", b"cut"), 3, BodyEnd::Cut);
    check(with("HTTP/1.1 200 OK", b"to the end"), 10, BodyEnd::Whole);
    check(with("HTTP/1.1 200 OK\r\nContent-Length: 99999999", &[b'x'; 5000]), 1000, BodyEnd::Limit);
    check(with("HTTP/1.1 304 Not Modified\r\nContent-Length: 99", b""), 0, BodyEnd::Whole);
}

#[test]
fn failures_say_what_to_do() {
    let check = |answer: &[u8], expected: &str| {
        let said = get(answer).unwrap_err().to_string();
        assert!(said.contains(expected), "{expected:?} in {said:?}");
    };
    check(b"SSH-2.0-OpenSSH_9.2\r\n", "something that is not HTTP");
    check(b"", "closed the connection before it had answered");
    check(b"HTTP/1.1 200 OK\r\nX: ", "ends within the head");
    check(&[b"HTTP/1.1 200 OK\r\nX: ", &[b'x'; 9000][..], b"\r\n\r\n"].concat(), "more than 8192 bytes");
    check(&b"HTTP/1.1 103 Early\r\nX: 1\r\n\r\n".repeat(400), "more than 8192 bytes");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = UpstreamUrl { https: false, host: "127.0.0.1".to_owned(), port: free };
    let failure = ask(&request(nobody, Method::GET, &[], None)).unwrap_err();
    assert!(matches!(failure, Failure::Connect { .. }) && !failure.may_have_arrived(), "{failure}");
}

#[test]
fn an_answer_that_does_not_come_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let to = UpstreamUrl { https: false, host: "127.0.0.1".to_owned(), port };
    let failure = ask(&request(to, Method::PUT, &[], Some(Bytes::new()))).unwrap_err();
    assert!(matches!(failure, Failure::NoAnswerInTime { .. }) && failure.may_have_arrived(), "{failure}");
}

#[test]
fn a_refusal_that_comes_before_the_body_is_written_counts() {
    let (to, _served) = server(b"\r\n\r\n", b"HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n".to_vec());
    let large = Bytes::from(vec![b'x'; 32 << 20]);
    assert_eq!(ask(&request(to, Method::PUT, &[], Some(large))).unwrap().head.status, 412);
}

#[test]
fn nothing_is_smuggled_into_a_request() {
    let (to, _served) = server(b"never", Vec::new());
    for value in [&b"a\r\nX: y"[..], b"a\nb", b"a\rb"] {
        let failure = ask(&request(to.clone(), Method::GET, &[(b"X", value)], None)).unwrap_err();
        assert!(matches!(failure, Failure::Unsendable(_)), "{failure}");
    }
}

#[test]
fn http2_is_spoken_where_the_server_offers_it_and_certificates_are_checked() {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let ca = directory.path().join("ca.pem");
    std::fs::write(&ca, key.cert.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let private = rustls_pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(stream) = acceptor.accept(stream).await else { continue };
                let service = hyper::service::service_fn(|asked: http::Request<hyper::body::Incoming>| async move {
                    assert_eq!(asked.uri().to_string(), "https://api.example/a%2F?b");
                    let answer =
                        http::Response::builder().status(412).header("etag", asked.headers()["if-match"].clone());
                    answer.body(http_body_util::Full::new(Bytes::from(vec![b'x'; 5000])))
                });
                let _ = hyper::server::conn::http2::Builder::new(hyper_util::rt::TokioExecutor::new())
                    .serve_connection(hyper_util::rt::TokioIo::new(stream), service)
                    .await;
            }
        });
        let to = UpstreamUrl { https: true, host: "127.0.0.1".to_owned(), port };
        let tls = crate::config::UpstreamTls { ca: Some(ca), server_name: None, client_certificate: None };
        let trust = Trust::new(&tls, "").unwrap();
        let mut asked = request(to.clone(), Method::GET, &[(b"If-Match", b"\"a\xe9\"")], None);
        asked.trust = Some(Arc::new(trust.named("localhost", &to)));
        let answer = send(&asked, Timeouts::default(), Limits { head_bytes: 8192, body_bytes: 1000 }).await.unwrap();
        assert_eq!((answer.head.status, answer.head.version.as_str()), (412, "HTTP/2"));
        assert_eq!(answer.head.fields.first(FieldName::ETag), Some(&b"\"a\xe9\""[..]));
        assert_eq!((answer.body.len(), answer.body_end), (1000, BodyEnd::Limit));
        asked.trust = Some(Arc::new(trust));
        let failure = send(&asked, Timeouts::default(), Limits::default()).await.unwrap_err();
        assert!(failure.to_string().contains("use the name that the certificate is for"), "{failure}");
    });
}
