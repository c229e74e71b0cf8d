//! An instance of the real binary, and what it says of itself.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::message::Message;
use super::ports::free_address;
use super::wire::Wire;
use super::{eventually, within};

/// A running instance. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Instance {
    child: Child,
    address: SocketAddr,
    admin: SocketAddr,
    directory: TempDir,
}

impl Instance {
    /// One with `upstream` behind it and no file.
    pub(crate) fn before(upstream: SocketAddr) -> Self {
        Self::with(&["--upstream", &format!("http://{upstream}")], None)
    }

    /// One with a configuration file. Where it listens is settled by flags, so the file must not say it.
    pub(crate) fn configured(file: &str) -> Self {
        Self::with(&[], Some(file))
    }

    /// One with these flags of `run`, and a configuration file.
    #[track_caller]
    pub(crate) fn with(flags: &[&str], file: Option<&str>) -> Self {
        Self::in_environment(flags, file, &[])
    }

    /// One with these flags of `run`, a configuration file, and variables in its environment.
    #[track_caller]
    pub(crate) fn in_environment(flags: &[&str], file: Option<&str>, variables: &[(&str, &str)]) -> Self {
        Self::through("", flags, file, variables)
    }

    /// One that a shell turns into after `prelude`: `ulimit -n 64; exec`, or a program that runs another.
    #[track_caller]
    pub(crate) fn through(prelude: &str, flags: &[&str], file: Option<&str>, variables: &[(&str, &str)]) -> Self {
        for _ in 0..3 {
            match Self::start(prelude, flags, file, variables) {
                Ok(instance) => return instance,
                // Somebody was quicker with one of the ports.
                Err(said) if said.contains("in use") => {}
                Err(said) => panic!("why412 does not start:\n{said}"),
            }
        }
        panic!("no port stays free long enough");
    }

    fn start(prelude: &str, flags: &[&str], file: Option<&str>, variables: &[(&str, &str)]) -> Result<Self, String> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (address, admin) = (free_address(), free_address());
        let mut command = if prelude.is_empty() {
            Command::new(env!("CARGO_BIN_EXE_why412"))
        } else {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(format!("{prelude} \"$0\" \"$@\"")).arg(env!("CARGO_BIN_EXE_why412"));
            shell
        };
        command.envs(variables.iter().copied());
        command.arg("run").args(["--listen", &address.to_string(), "--admin", &admin.to_string()]).args(flags);
        if let Some(file) = file {
            fs::write(directory.path().join("why412.toml"), file).expect("writing the configuration");
            command.arg("--config").arg(directory.path().join("why412.toml"));
        }
        let output = |name: &str| File::create(directory.path().join(name)).expect("a file for the output");
        command.current_dir(directory.path()).stdout(output("stdout")).stderr(output("stderr"));
        let child = command.spawn().expect("the binary runs");
        let mut instance = Self { child, address, admin, directory };
        let ready = within(super::PATIENCE, || match instance.child.try_wait().expect("a child of ours") {
            Some(_) => Some(false),
            None => instance.is_ready().then_some(true),
        });
        match ready {
            Some(true) => Ok(instance),
            Some(false) | None => Err(instance.said()),
        }
    }

    /// Where clients connect.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the control plane listens.
    pub(crate) const fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// The configuration file.
    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("why412.toml")
    }

    /// Connects as a client.
    pub(crate) fn connect(&self) -> Wire {
        Wire::to(self.address)
    }

    /// Sends one request on a connection of its own.
    pub(crate) fn ask(&self, request: impl AsRef<[u8]>) -> Message {
        self.connect().ask(request)
    }

    /// Everything it has written, data and messages.
    pub(crate) fn said(&self) -> String {
        let read = |name| fs::read_to_string(self.directory.path().join(name)).unwrap_or_default();
        format!("{}{}", read("stdout"), read("stderr"))
    }

    /// Asks the control plane: `GET /readyz`, `POST /-/reload`.
    pub(crate) fn control(&self, line: &str) -> Message {
        self.control_with(line, "")
    }

    /// Asks the control plane, with a JSON body.
    pub(crate) fn control_with(&self, line: &str, body: &str) -> Message {
        let host = self.admin;
        let length = body.len();
        let framing = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Type: application/json\r\nContent-Length: {length}\r\n")
        };
        Wire::to(self.admin).ask(format!("{line} HTTP/1.1\r\nHost: {host}\r\n{framing}Connection: close\r\n\r\n{body}"))
    }

    /// Every record, oldest first.
    pub(crate) fn records(&self) -> Vec<Value> {
        let listed = self.control("GET /api/v1/exchanges?limit=1000").json();
        let mut records = listed["exchanges"].as_array().expect("a list of exchanges").clone();
        records.reverse();
        records
    }

    /// The first record that fits, once it is readable.
    #[track_caller]
    pub(crate) fn record(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let found = within(super::PATIENCE, || self.records().into_iter().find(&fits));
        found.unwrap_or_else(|| panic!("no record of {what} in {:#?}", self.records()))
    }

    /// The record of the first 412 to a request of that method.
    #[track_caller]
    pub(crate) fn record_of_412(&self, method: &str) -> Value {
        self.record("a 412", |record| {
            record["response"]["status"] == 412 && record["request"]["method"] == method && !is_marker(record)
        })
    }

    /// Every record but the marker's, once all that happened before is readable. Records appear in the order in which
    /// they became readable, so a refused write that is sent now and has appeared shows that nothing is still to come.
    #[track_caller]
    pub(crate) fn settled_records(&self) -> Vec<Value> {
        self.ask(format!(
            "PUT {MARKER} HTTP/1.1\r\nHost: marker.test\r\nIf-Match: nothing\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        ));
        self.record("the marker", is_marker);
        self.records().into_iter().filter(|record| !is_marker(record)).collect()
    }

    /// Asserts that nothing that happened was worth a record.
    #[track_caller]
    pub(crate) fn assert_silent(&self) {
        let records = self.settled_records();
        assert!(records.is_empty(), "clean traffic, and yet: {records:#?}");
    }

    /// The value of a series of `/metrics`, written as it stands there; 0 if there is none.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let text = self.control("GET /metrics").text();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.trim().parse().expect("a number"))
    }

    /// Waits until a series has a value.
    #[track_caller]
    pub(crate) fn assert_metric(&self, series: &str, value: f64) {
        let reached = within(Duration::from_secs(3), || (self.metric(series) == value).then_some(()));
        assert!(reached.is_some(), "{series} is not {value}:\n{}", self.control("GET /metrics").text());
    }

    /// Sends a signal, by the name that `kill` knows it by.
    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.child.id())).status();
        assert!(done.expect("there is a shell").success());
    }

    /// Waits until it has ended by itself.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> ExitStatus {
        eventually("the end of the process", || self.child.try_wait().expect("a child of ours"))
    }

    /// Ends it as a failing machine would: without a word.
    pub(crate) fn killed(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("a child of ours");
    }

    /// Its number in the system.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How many file descriptors it has open.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it runs").count()
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says so");
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") * 1024
    }

    fn is_ready(&self) -> bool {
        let Ok(stream) = std::net::TcpStream::connect(self.admin) else { return false };
        let mut wire = Wire::over(stream);
        let asked = wire.try_send(format!("GET /readyz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.admin));
        asked.is_ok() && wire.try_answer_to("GET").is_ok_and(|answer| answer.status() == 200)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("why412 at {} said:\n{}", self.address, self.said());
        }
    }
}

/// What [`Instance::settled_records`] asks for.
const MARKER: &str = "/the-marker-of-the-tests";

fn is_marker(record: &Value) -> bool {
    record["request"]["url"].as_str().is_some_and(|url| url.ends_with(MARKER))
}
