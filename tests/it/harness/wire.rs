//! One end of a connection: bytes go out as given, what comes is read by the byte.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use rustls::{ClientConnection, ServerConnection, StreamOwned};

use super::message::{Head, Message, field_line};
use super::{PATIENCE, latin1};

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Wire {
    /// The connection itself.
    stream: TcpStream,
    /// TLS over it.
    tls: Option<Tls>,
    /// Received and not yet read.
    received: Vec<u8>,
}

#[derive(Debug)]
enum Tls {
    Client(Box<StreamOwned<ClientConnection, TcpStream>>),
    Server(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Wire {
    /// Connects.
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap_or_else(|fault| panic!("connecting to {address}: {fault}")))
    }

    /// Takes a connection over.
    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("the timeout is not zero");
        stream.set_write_timeout(Some(PATIENCE)).expect("the timeout is not zero");
        stream.set_nodelay(true).expect("a TCP socket");
        Self { stream, tls: None, received: Vec::new() }
    }

    /// Gives up sooner on what does not come.
    pub(crate) fn patient_for(self, limit: Duration) -> Self {
        self.stream.set_read_timeout(Some(limit)).expect("the timeout is not zero");
        self
    }

    /// Speaks TLS from here on, as the client.
    pub(crate) fn secured_by_client(mut self, session: ClientConnection) -> Self {
        let stream = self.stream.try_clone().expect("an open socket");
        self.tls = Some(Tls::Client(Box::new(StreamOwned::new(session, stream))));
        self
    }

    /// Speaks TLS from here on, as the server.
    pub(crate) fn secured_by_server(mut self, session: ServerConnection) -> Self {
        let stream = self.stream.try_clone().expect("an open socket");
        self.tls = Some(Tls::Server(Box::new(StreamOwned::new(session, stream))));
        self
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).expect("the other side takes what is sent");
    }

    /// Sends bytes as they are, to a peer that may have gone.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        match &mut self.tls {
            None => self.stream.write_all(bytes.as_ref()),
            Some(Tls::Client(stream)) => stream.write_all(bytes.as_ref()),
            Some(Tls::Server(stream)) => stream.write_all(bytes.as_ref()),
        }
    }

    /// Sends a request and reads its answer.
    pub(crate) fn ask(&mut self, request: impl AsRef<[u8]>) -> Message {
        let method = latin1(request.as_ref()).split(' ').next().unwrap_or_default().to_owned();
        self.send(request);
        self.answer_to(&method)
    }

    /// Reads the answer to a request of that method.
    #[track_caller]
    pub(crate) fn answer_to(&mut self, method: &str) -> Message {
        self.try_answer_to(method).expect("a whole answer")
    }

    /// Reads the answer to a request of that method, which may be cut.
    pub(crate) fn try_answer_to(&mut self, method: &str) -> io::Result<Message> {
        let mut interim = Vec::new();
        let head = loop {
            let head = self.try_head()?;
            if !(100..200).contains(&head.status()) || head.status() == 101 {
                break head;
            }
            interim.push(head);
        };
        // RFC 9112 §6.3 rules 1 and 2.
        let bodiless = method == "HEAD" || matches!(head.status(), 101 | 204 | 304);
        let (body, trailers) = if bodiless { Default::default() } else { self.body(&head, true)? };
        Ok(Message { interim, head, body, trailers })
    }

    /// Reads a whole request; `None` once the other side has ended.
    pub(crate) fn request(&mut self) -> Option<Message> {
        let head = self.try_head().ok()?;
        let (body, trailers) = self.body(&head, false).ok()?;
        Some(Message { interim: Vec::new(), head, body, trailers })
    }

    /// Reads a head.
    #[track_caller]
    pub(crate) fn head(&mut self) -> Head {
        self.try_head().expect("a whole head")
    }

    /// Reads a head; a failure if the other side ends before it is whole.
    pub(crate) fn try_head(&mut self) -> io::Result<Head> {
        let bytes = self.until(b"\r\n\r\n")?;
        Ok(Head::parse(&latin1(&bytes)))
    }

    /// Reads exactly `count` bytes.
    pub(crate) fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.received.len() < count {
            self.fill()?;
        }
        Ok(self.received.drain(..count).collect())
    }

    /// Reads all there is until the other side ends its direction. A reset is a failure.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.fill() {
                Ok(()) => {}
                Err(fault) if fault.kind() == ErrorKind::UnexpectedEof => {
                    return Ok(std::mem::take(&mut self.received));
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Ends this direction; the other stays open.
    pub(crate) fn end(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Ends the connection with a reset. What the other side has not read yet may be lost with it.
    pub(crate) fn reset(&self) {
        let socket = socket2::SockRef::from(&self.stream);
        socket.set_linger(Some(Duration::ZERO)).expect("an open socket");
    }

    /// Whether its TLS handshake resumed an earlier session.
    pub(crate) fn is_resumed(&self) -> bool {
        let kind = match self.tls.as_ref().expect("it speaks TLS") {
            Tls::Client(stream) => stream.conn.handshake_kind(),
            Tls::Server(stream) => stream.conn.handshake_kind(),
        };
        kind == Some(rustls::HandshakeKind::Resumed)
    }

    /// The name that a client asked for in its TLS handshake.
    pub(crate) fn server_name(&self) -> Option<String> {
        match self.tls.as_ref().expect("it speaks TLS") {
            Tls::Client(_) => None,
            Tls::Server(stream) => stream.conn.server_name().map(str::to_owned),
        }
    }

    /// The same connection, for another thread that sends.
    pub(crate) fn clone_for_sending(&self) -> Self {
        Self::over(self.stream.try_clone().expect("an open socket"))
    }

    fn body(&mut self, head: &Head, until_close: bool) -> io::Result<(Vec<u8>, Vec<String>)> {
        if head.values("Transfer-Encoding").last().is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return self.chunked();
        }
        match head.value("Content-Length") {
            Some(length) => Ok((self.exactly(length.parse().expect("Content-Length is a number"))?, Vec::new())),
            None if until_close => Ok((self.rest()?, Vec::new())),
            None => Ok(Default::default()),
        }
    }

    fn chunked(&mut self) -> io::Result<(Vec<u8>, Vec<String>)> {
        let mut body = Vec::new();
        loop {
            let line = latin1(&self.until(b"\r\n")?);
            let size = line.trim_end().split(';').next().unwrap_or_default();
            let size = usize::from_str_radix(size, 16).map_err(|_| io::Error::other(format!("chunk size {line:?}")))?;
            if size == 0 {
                break;
            }
            body.extend(self.exactly(size)?);
            assert_eq!(self.exactly(2)?, b"\r\n", "a chunk ends with CRLF");
        }
        let mut trailers = Vec::new();
        loop {
            let line = latin1(&self.until(b"\r\n")?);
            match line.trim_end() {
                "" => return Ok((body, trailers)),
                line => trailers.push(field_line(line)),
            }
        }
    }

    fn until(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            if let Some(at) = self.received.windows(end.len()).position(|window| window == end) {
                return Ok(self.received.drain(..at + end.len()).collect());
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut buffer = [0; 64 * 1024];
        let mut read = || match &mut self.tls {
            None => self.stream.read(&mut buffer),
            Some(Tls::Client(stream)) => stream.read(&mut buffer),
            Some(Tls::Server(stream)) => stream.read(&mut buffer),
        };
        let count = loop {
            match read() {
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        match count {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            count => {
                self.received.extend_from_slice(&buffer[..count]);
                Ok(())
            }
        }
    }
}
