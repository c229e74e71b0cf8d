//! Load for `benches/proxy.sh`: requests at a fixed rate with their latencies, and connections that stay idle.
//!
//! ```text
//! load rate ADDRESS REQUESTS_PER_SECOND SECONDS    prints the median and the 99th percentile, in microseconds
//! load hold ADDRESS CONNECTIONS                    one request on each, then "held"; ends with its standard input
//! ```
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a tool of its own, which measures time and prints what it found"
)]

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

const REQUEST: &[u8] = b"GET /1k HTTP/1.1\r\nHost: bench.test\r\nIf-None-Match: \"other\"\r\nAccept: */*\r\n\r\n";
const THREADS: u64 = 8;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["rate", address, rate, seconds] => rate_of(address, number(rate), number(seconds)),
        ["hold", address, connections] => hold(address, number(connections)),
        _ => {
            eprintln!("usage: load rate ADDRESS REQUESTS_PER_SECOND SECONDS | load hold ADDRESS CONNECTIONS");
            // `cargo bench` runs every benchmark without arguments that mean anything to this one.
            return ExitCode::SUCCESS;
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("load: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Each thread sends at its share of the rate. A request's latency counts from when it was due, or, if the thread woke
/// late, from then: the timer's slack is not the proxy's.
fn rate_of(address: &str, rate: u64, seconds: u64) -> io::Result<()> {
    let period = Duration::from_nanos(1_000_000_000 * THREADS / rate.max(1));
    let count = rate * seconds / THREADS;
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let address = address.to_owned();
            thread::spawn(move || latencies(&address, period, period * (thread as u32) / THREADS as u32, count))
        })
        .collect();
    let mut all = Vec::new();
    for thread in threads {
        all.extend(thread.join().map_err(|_| io::Error::other("a thread ended badly"))??);
    }
    all.sort_unstable();
    let at = |share: f64| all.get((all.len() as f64 * share) as usize).map_or(0, Duration::as_micros);
    println!("{} {}", at(0.5), at(0.99));
    Ok(())
}

fn latencies(address: &str, period: Duration, offset: Duration, count: u64) -> io::Result<Vec<Duration>> {
    let mut connection = Connection::to(address)?;
    let start = Instant::now() + offset;
    let mut latencies = Vec::new();
    for turn in 0..count {
        let due = start + period * (turn as u32);
        let early = due.saturating_duration_since(Instant::now());
        thread::sleep(early);
        // Behind because the answer before was late: that is the proxy's, and counts.
        let since = if early.is_zero() { due } else { Instant::now() };
        connection.ask()?;
        latencies.push(since.elapsed());
    }
    Ok(latencies)
}

fn hold(address: &str, connections: u64) -> io::Result<()> {
    let mut held = Vec::new();
    for _ in 0..connections {
        let mut connection = Connection::to(address)?;
        connection.ask()?;
        held.push(connection);
    }
    println!("held");
    io::stdin().read_to_end(&mut Vec::new())?;
    drop(held);
    Ok(())
}

struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    fn to(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(2048, stream) })
    }

    fn ask(&mut self) -> io::Result<()> {
        self.stream.get_mut().write_all(REQUEST)?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = number(value.trim());
            }
        }
        self.stream.read_exact(&mut vec![0; length as usize])
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}
