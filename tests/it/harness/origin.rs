//! An origin whose answers a test writes, to the byte, and which remembers what arrived.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::message::Message;
use super::wire::Wire;
use super::{eventually, latin1};

/// An origin. It stops accepting when dropped.
#[derive(Debug)]
pub(crate) struct Origin {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Message>>>,
    stopped: Arc<AtomicBool>,
}

impl Origin {
    /// Answers each request with what `answer` returns. An answer with `Connection: close` ends the connection.
    pub(crate) fn answering<A: AsRef<[u8]>>(answer: impl Fn(&Message) -> A + Send + Sync + 'static) -> Self {
        Self::serving(move |wire, log| {
            while let Some(request) = wire.request() {
                log.push(&request);
                let answer = answer(&request);
                if wire.try_send(answer.as_ref()).is_err() || closes(answer.as_ref()) {
                    break;
                }
            }
        })
    }

    /// Gives the same answer to every request.
    pub(crate) fn always(answer: &'static str) -> Self {
        Self::answering(move |_| answer)
    }

    /// Lets `serve` have each connection, on a thread of its own. The connection ends with it.
    pub(crate) fn serving(serve: impl Fn(&mut Wire, &Log) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let log = Log { requests: Arc::default() };
        let origin = Self { address, requests: Arc::clone(&log.requests), stopped: Arc::default() };
        let (stopped, serve) = (Arc::clone(&origin.stopped), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (serve, log) = (Arc::clone(&serve), log.clone());
                thread::spawn(move || serve(&mut Wire::over(stream), &log));
            }
        });
        origin
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has arrived so far.
    pub(crate) fn requests(&self) -> Vec<Message> {
        self.requests.lock().unwrap().clone()
    }

    /// The only request, once it has arrived.
    #[track_caller]
    pub(crate) fn only_request(&self) -> Message {
        let requests = eventually("a request at the origin", || Some(self.requests()).filter(|all| !all.is_empty()));
        assert_eq!(requests.len(), 1, "{requests:#?}");
        requests.into_iter().next().unwrap()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
    }
}

/// Where an origin writes down what arrived.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    requests: Arc<Mutex<Vec<Message>>>,
}

impl Log {
    /// How many requests with that method have arrived.
    pub(crate) fn count(&self, method: &str) -> usize {
        self.requests.lock().unwrap().iter().filter(|request| request.head.method() == method).count()
    }

    /// Writes down that a request came, whose bytes the test reads by itself.
    pub(crate) fn note(&self, method: &str) {
        let head = super::message::Head { start: method.to_owned(), lines: Vec::new() };
        let request = Message { interim: Vec::new(), head, body: Vec::new(), trailers: Vec::new() };
        self.requests.lock().unwrap().push(request);
    }

    /// Writes a request down.
    pub(crate) fn push(&self, request: &Message) {
        self.requests.lock().unwrap().push(request.clone());
    }
}

fn closes(answer: &[u8]) -> bool {
    latin1(answer).to_ascii_lowercase().contains("\r\nconnection: close\r\n")
}
