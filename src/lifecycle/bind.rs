//! Listening sockets, opened exclusively: a second instance at the same address must fail and not share it unseen.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use super::RunError;

/// How many connections may wait to be accepted; the system cuts it to its own limit.
const BACKLOG: i32 = 4096;

/// A listener at `address`, which the configuration calls `key`.
pub(super) fn listen(key: &'static str, address: SocketAddr) -> Result<TcpListener, RunError> {
    open(address).map_err(|error| RunError::Bind { key, address, error })
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // It lets a restart have the port while old connections are in TIME_WAIT; it does not let two processes listen, as
    // SO_REUSEPORT would.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_had_by_one_alone() {
        let first = open(([127, 0, 0, 1], 0).into()).expect("a free port");
        let address = first.local_addr().expect("an address");
        let error = listen("listen.address", address).expect_err("taken");
        assert!(error.to_string().starts_with(&format!("listen.address {address}: ")), "{error}");
        drop(first);
        assert!(open(address).is_ok());
    }
}
