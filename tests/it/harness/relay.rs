//! A gateway that a test writes: it hands messages on to the byte, but for what the test wants altered, and remembers
//! what it saw.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use super::message::Message;
use super::origin::Origin;
use super::wire::Wire;

/// A gateway between two instances.
#[derive(Debug)]
pub(crate) struct Relay {
    front: Origin,
    answers: Arc<Mutex<Vec<Message>>>,
}

impl Relay {
    /// Hands everything on as it is.
    pub(crate) fn to(behind: SocketAddr) -> Self {
        Self::altering(behind, |_| {}, |_, _| {})
    }

    /// Hands requests on as `request` leaves them, and answers as `answer` does, which is given the request as it came.
    pub(crate) fn altering(
        behind: SocketAddr,
        request: impl Fn(&mut Message) + Send + Sync + 'static,
        answer: impl Fn(&Message, &mut Message) + Send + Sync + 'static,
    ) -> Self {
        let answers = Arc::<Mutex<Vec<Message>>>::default();
        let seen = Arc::clone(&answers);
        let front = Origin::answering(move |came| {
            let mut sent = came.clone();
            request(&mut sent);
            let mut given = Wire::to(behind).ask(bytes(&sent));
            seen.lock().unwrap().push(given.clone());
            answer(came, &mut given);
            bytes(&given)
        });
        Self { front, answers }
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.front.address()
    }

    /// The requests as they came, oldest first.
    pub(crate) fn requests(&self) -> Vec<Message> {
        self.front.requests()
    }

    /// The answers from behind as they came, oldest first.
    pub(crate) fn answers(&self) -> Vec<Message> {
        self.answers.lock().unwrap().clone()
    }

    /// The latest request, and the latest answer from behind.
    #[track_caller]
    pub(crate) fn latest(&self) -> (Message, Message) {
        (self.requests().pop().expect("a request"), self.answers().pop().expect("an answer"))
    }
}

/// A message as it is written, framed as its head says.
pub(crate) fn bytes(message: &Message) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    let mut text = |text: &str| bytes.extend(text.chars().map(|char| u8::try_from(char).expect("one byte each")));
    for interim in &message.interim {
        text(&format!("{}\r\n", interim.start));
        interim.lines.iter().for_each(|line| text(&format!("{line}\r\n")));
        text("\r\n");
    }
    text(&format!("{}\r\n", message.head.start));
    message.head.lines.iter().for_each(|line| text(&format!("{line}\r\n")));
    text("\r\n");
    let chunked = message.value("Transfer-Encoding").is_some();
    if chunked && !message.body.is_empty() {
        text(&format!("{:x}\r\n", message.body.len()));
    }
    bytes.extend(&message.body);
    if chunked {
        bytes.extend(if message.body.is_empty() { &b"0\r\n"[..] } else { b"\r\n0\r\n" });
        for line in &message.trailers {
            bytes.extend(line.chars().map(|char| u8::try_from(char).expect("one byte each")));
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"\r\n");
    }
    bytes
}
