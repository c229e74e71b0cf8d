//! HTTP/1.1 on the wire (RFC 9112): heads and bodies in and out, byte for byte. It decides nothing about an exchange.

pub(super) mod body;
pub(super) mod framing;
pub(super) mod head;
pub(super) mod write;
