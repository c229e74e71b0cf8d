//! HTTP/1.1 as bytes (RFC 9112): heads are read, lengths of bodies told, chunks found. It opens no connection and decides
//! nothing; the proxy and the client of `diagnose` share it.

pub(crate) mod chunk;
pub(crate) mod framing;
pub(crate) mod head;
