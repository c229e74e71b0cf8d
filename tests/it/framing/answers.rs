//! Answers of upstreams that cannot be read, or can be read in two ways: a 502, and no byte of them to the client.

use std::sync::Mutex;
use std::time::Duration;

use super::before;
use crate::harness::frames::{DATA, END_STREAM, GOAWAY, HEADERS, RST_STREAM, begin, headers, next_of};
use crate::harness::origin::Origin;
use crate::harness::wire::Wire;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// An origin that gives what it is handed next to each request, and closes.
fn scripted() -> (Origin, std::sync::mpsc::Sender<Vec<u8>>) {
    let (tell, answers) = std::sync::mpsc::channel::<Vec<u8>>();
    let answers = Mutex::new(answers);
    let origin = Origin::serving(move |wire, _| {
        if wire.try_head().is_ok() {
            let answer = answers.lock().unwrap().recv().expect("an answer to give");
            let _ = wire.try_send(answer);
            wire.end();
        }
    });
    (origin, tell)
}

fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(character).expect("one byte")).collect()
}

const UNREADABLE: &[&str] = &[
    "",
    "HTTP/1.1 200 OK",
    "HTTP/1.1 200 OK\r\nX: 1\r\n",
    "hello\r\n\r\n",
    "HTTP/1.1\r\n\r\n",
    "HTTP/1.1 \r\n\r\n",
    "HTTP/1.1 OK\r\n\r\n",
    "HTTP/1.1 20 OK\r\n\r\n",
    "HTTP/1.1 2000 OK\r\n\r\n",
    "HTTP/1.1 099 OK\r\n\r\n",
    "HTTP/1.1 000 OK\r\n\r\n",
    "HTTP/1.1 +200 OK\r\n\r\n",
    "HTTP/1.1 -200 OK\r\n\r\n",
    "HTTP/1.1 2x0 OK\r\n\r\n",
    "HTTP/1.1  200 OK\r\n\r\n",
    "HTTP/1.1\t200 OK\r\n\r\n",
    "HTTP/1.1 200OK\r\n\r\n",
    "HTTP/1.1 200 O\0K\r\n\r\n",
    "HTTP/1.1 200 O\rK\r\n\r\n",
    " HTTP/1.1 200 OK\r\n\r\n",
    "HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1.2 200 OK\r\n\r\n",
    "HTTP/11 200 OK\r\n\r\n",
    "http/1.1 200 OK\r\n\r\n",
    "ICY 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 2 \u{b}\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nX\0: 1\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\n: 1\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nX Y: 1\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nok",
];

#[test]
fn what_cannot_be_read_is_a_502() {
    let (origin, tell) = scripted();
    let instance = before(&origin, "");
    let mut answers: Vec<String> = UNREADABLE.iter().map(|answer| (*answer).to_owned()).collect();
    answers.push(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(70_000)));
    answers.push(format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(70_000)));
    answers.push(format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: 1\r\n".repeat(600)));
    let mut faults = Vec::new();
    for answer in &answers {
        tell.send(bytes(answer)).unwrap();
        let mut client = instance.connect().patient_for(Duration::from_secs(3));
        client.send(GET);
        match client.try_answer_to("GET") {
            Ok(told) if told.status() == 502 && told.json()["status"] == 502 => {}
            told => faults.push(format!("{:?}: {told:?}", &answer[..answer.len().min(120)])),
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), answers.len(), faults.join("\n"));
    let failed =
        |reason| instance.metric(&format!("why412_upstream_failures_total{{reason=\"{reason}\",upstream=\"api\"}}"));
    assert_eq!(failed("malformed") + failed("closed"), answers.len() as f64);
    assert_eq!(failed("closed"), 3.0, "those that ended before their heads did");
}

#[test]
fn what_can_be_read_in_one_way_passes() {
    let (origin, tell) = scripted();
    let instance = before(&origin, "");
    // RFC 9112 §2.2 and §5.1 let recipients read these; what goes on is written anew.
    for answer in [
        "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
        "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n2 \r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 002\r\n\r\nok",
        "HTTP/1.0 200 OK\r\n\r\nok",
    ] {
        tell.send(bytes(answer)).unwrap();
        let told = instance.ask(GET);
        assert_eq!((told.status(), told.text().as_str()), (200, "ok"), "{answer:?}");
        assert!(told.head.values("Transfer-Encoding").iter().all(|coding| *coding == "chunked"), "{told:?}");
    }
}

#[test]
fn an_informational_answer_says_nothing_of_a_body() {
    let (origin, tell) = scripted();
    let instance = before(&origin, "");
    tell.send(bytes(
        "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nLink: </a>\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ))
    .unwrap();
    let told = instance.ask(GET);
    assert_eq!((told.text().as_str(), told.interim[0].lines.as_slice()), ("ok", ["Link: </a>".to_owned()].as_slice()));
}

#[test]
fn informational_answers_without_end_are_a_502() {
    let origin = Origin::serving(|wire, _| {
        if wire.try_head().is_ok() {
            while wire.try_send("HTTP/1.1 102 Processing\r\n\r\n".repeat(100)).is_ok() {}
        }
    });
    let instance = before(&origin, "");
    let told = instance.ask(GET);
    assert_eq!((told.status(), told.interim.len()), (502, 1000));
    instance.assert_metric("why412_upstream_failures_total{reason=\"malformed\",upstream=\"api\"}", 1.0);
}

#[test]
fn what_breaks_within_a_body_is_never_a_clean_end() {
    let (origin, tell) = scripted();
    let instance = before(&origin, "");
    let chunked = |body: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    let broken = [
        chunked("2\r\nok"),
        chunked("2\r\nok\r\n"),
        chunked("2\r\nok\r\n0\r\n"),
        chunked("2\r\nok\r\n0\r\nX: 1\r\n"),
        chunked("2\r\nokX0\r\n\r\n"),
        chunked("2\r\nok\n0\r\n\r\n"),
        chunked("2\r\nok\r\nzz\r\n"),
        chunked("2\r\nok\r\n-1\r\n"),
        chunked("2\r\nok\r\nfffffffffffffffff\r\n"),
        chunked("2\r\nok\r\n0\r\nX: \0\r\n\r\n"),
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok".to_owned(),
        "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok".to_owned(),
    ];
    for answer in &broken {
        for version in ["1.0", "1.1"] {
            tell.send(bytes(answer)).unwrap();
            let mut client = instance.connect();
            client.send(format!("GET / HTTP/{version}\r\nHost: a\r\n\r\n"));
            let told = client.try_answer_to("GET");
            assert!(told.is_err(), "HTTP/{version} of {answer:?}: {told:?}");
        }
        tell.send(bytes(answer)).unwrap();
        let mut client = Wire::to(instance.address());
        begin(&mut client);
        let head: [(&str, &[u8]); 4] =
            [(":method", b"GET"), (":scheme", b"http"), (":path", b"/"), (":authority", b"a")];
        client.send(headers(END_STREAM, 1, &head));
        loop {
            let frame = next_of(&mut client, &[HEADERS, DATA, RST_STREAM, GOAWAY]);
            if frame.kind == RST_STREAM {
                break;
            }
            let ended = matches!(frame.kind, HEADERS | DATA) && frame.flags & END_STREAM != 0;
            assert!(frame.kind != GOAWAY && !ended, "{answer:?}: {frame:?}");
        }
    }
    let cut = broken.len() as f64 * 3.0;
    instance.assert_metric("why412_upstream_failures_total{reason=\"body_cut\",upstream=\"api\"}", cut);
}
