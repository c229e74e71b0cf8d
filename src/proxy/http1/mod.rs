//! HTTP/1.1 on the wire (RFC 9112): heads and bodies in and out, byte for byte. It decides nothing about an exchange.

pub(super) mod body;
pub(super) mod write;

pub(super) use crate::http1::{framing, head};
