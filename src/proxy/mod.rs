//! The data plane: the straight line that moves an exchange.

mod alarm;
mod client;
mod connection_fields;
mod http1;
mod http2;
mod io;
