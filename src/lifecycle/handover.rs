//! Listening sockets that come from outside, and their way to a successor: with socket activation a service manager
//! holds them, at SIGUSR2 this process starts the program that is at its own path by then, and ends when that is ready.
//! No connection is refused or reset meanwhile, because the sockets never close.

use std::ffi::OsString;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use command_fds::{CommandFdExt as _, FdMapping};
use listenfd::ListenFd;
use tokio::time::Sleep;

/// How long a successor may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How often it is looked whether a successor is still there.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a successor says when it is ready.
const READY: &[u8] = b"ready";

/// Where inherited descriptors begin (`sd_listen_fds`(3)).
const FIRST: i32 = 3;

/// What this process was given when it was started.
#[derive(Debug, Default)]
pub struct Inherited {
    listeners: Vec<TcpListener>,
    predecessor: Option<UnixDatagram>,
}

impl Inherited {
    /// Takes what the environment announces in `LISTEN_FDS` and `LISTEN_PID`, by the protocol of systemd's socket
    /// activation. Belongs at the very start: it changes the environment, so that no program we start believes it is
    /// meant.
    ///
    /// # Errors
    ///
    /// A descriptor is none that we can use.
    pub fn take() -> io::Result<Self> {
        let mut announced = ListenFd::from_env();
        let mut inherited = Self::default();
        for index in 0..announced.len() {
            if let Ok(Some(listener)) = announced.take_tcp_listener(index) {
                listener.set_nonblocking(true)?;
                inherited.listeners.push(listener);
            } else if let Ok(Some(predecessor)) = announced.take_unix_datagram(index) {
                inherited.predecessor = Some(predecessor);
            } else {
                let number = FIRST as usize + index;
                return Err(io::Error::other(format!("the inherited descriptor {number} is no listening TCP socket")));
            }
        }
        Ok(inherited)
    }

    /// The listener at `address`, if it is among them.
    pub(super) fn listener(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let fits = |listener: &TcpListener| listener.local_addr().is_ok_and(|at| at == address);
        let index = self.listeners.iter().position(fits)?;
        Some(self.listeners.swap_remove(index))
    }

    /// A listener that nobody asked for: somebody expects us to serve there, and we would not.
    pub(super) fn left(&self) -> Option<SocketAddr> {
        self.listeners.iter().find_map(|listener| listener.local_addr().ok())
    }

    /// Tells whoever handed over that it can end.
    pub(super) fn ready(&self) {
        if let Some(predecessor) = &self.predecessor {
            // One that is gone needs no telling.
            let _ = predecessor.send(READY);
        }
    }
}

/// What a successor needs.
#[derive(Debug)]
pub(super) struct Handover {
    sockets: Vec<TcpListener>,
    program: io::Result<PathBuf>,
    arguments: Vec<OsString>,
}

/// A successor that is not ready yet. Dropped, it is ended.
#[derive(Debug)]
pub(super) struct Successor {
    child: Option<Child>,
    ready: tokio::net::UnixDatagram,
    late: Pin<Box<Sleep>>,
}

impl Handover {
    /// Remembers what this process was started as, with sockets that stay open for a successor.
    pub(super) fn new(sockets: Vec<TcpListener>) -> Self {
        Self { sockets, program: std::env::current_exe(), arguments: std::env::args_os().skip(1).collect() }
    }

    /// Starts the successor with the sockets. Belongs within a runtime.
    ///
    /// # Errors
    ///
    /// It cannot be started, or must not be: somebody else decides how long this process lasts.
    pub(super) fn begin(&self) -> io::Result<Successor> {
        let own = std::process::id();
        let managed = |name| std::env::var_os(name).is_some();
        let by_systemd = std::env::var("SYSTEMD_EXEC_PID").is_ok_and(|pid| pid == own.to_string());
        if own == 1 || by_systemd || managed("NOTIFY_SOCKET") {
            return Err(io::Error::other(
                "a container or service ends with its first process; restart it with a socket that its manager holds",
            ));
        }
        let program = self.program.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
        let (ready, theirs) = UnixDatagram::pair()?;
        ready.set_nonblocking(true)?;
        let mut descriptors: Vec<OwnedFd> = Vec::new();
        for socket in &self.sockets {
            descriptors.push(socket.try_clone()?.into());
        }
        descriptors.push(theirs.into());
        let count = descriptors.len();
        let mappings = (FIRST..).zip(descriptors).map(|(child_fd, parent_fd)| FdMapping { parent_fd, child_fd });
        let mut command = Command::new(program);
        command.args(&self.arguments).stdin(Stdio::null());
        command.env("LISTEN_FDS", count.to_string()).env_remove("LISTEN_PID").env_remove("LISTEN_FDNAMES");
        command.fd_mappings(mappings.collect()).map_err(io::Error::other)?;
        let child = command.spawn()?;
        tracing::info!(pid = child.id(), program = %program.display(), "handing over to a successor");
        let ready = tokio::net::UnixDatagram::from_std(ready)?;
        Ok(Successor { child: Some(child), ready, late: Box::pin(tokio::time::sleep(READY_WITHIN)) })
    }
}

impl Successor {
    /// Waits until it is ready, and leaves it to itself. May be given up and begun again.
    ///
    /// # Errors
    ///
    /// It ended, or is not ready in time.
    pub(super) async fn is_ready(&mut self) -> io::Result<u32> {
        let mut said = [0; READY.len()];
        loop {
            tokio::select! {
                received = self.ready.recv(&mut said) => match received {
                    Ok(length) if said.get(..length) == Some(READY) => {
                        return Ok(self.child.take().map_or(0, |child| child.id()));
                    }
                    // It has closed its end; how it ended is asked below.
                    Ok(_) | Err(_) => tokio::time::sleep(LOOK_EVERY).await,
                },
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = &mut self.late => return Err(io::Error::other(format!("it took longer than {READY_WITHIN:?}"))),
            }
            if let Some(status) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                return Err(io::Error::other(format!("it ended with {status}")));
            }
        }
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
