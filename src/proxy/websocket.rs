//! The one part of WebSocket's opening handshake that HTTP/1.1 has and HTTP/2 has not: a key, and what proves that it
//! was understood (RFC 6455 §4, RFC 8441 §5).

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use sha1::{Digest as _, Sha1};

use crate::analysis::semantics::fields::Fields;

/// The field of the key.
pub(super) const KEY: &[u8] = b"sec-websocket-key";

/// The field of what proves it.
pub(super) const ACCEPT: &[u8] = b"sec-websocket-accept";

/// RFC 6455 §1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A new key: sixteen bytes that nobody can foresee, so that no cache can have the answer.
pub(super) fn new_key() -> String {
    let half = || RandomState::new().build_hasher().finish().to_be_bytes();
    base64(&[half(), half()].concat())
}

/// What an answer proves that it understood the key of a request with.
pub(super) fn accept(request: &Fields) -> Option<String> {
    let key = request.all_named(KEY).next()?;
    Some(base64(Sha1::new().chain_update(key).chain_update(GUID).finalize().as_slice()))
}

/// Whether an answer proves that it understood the key of `request`.
pub(super) fn accepts(request: &Fields, answer: &Fields) -> bool {
    let expected = accept(request);
    let mut said = answer.all_named(ACCEPT);
    expected.is_some_and(|expected| said.next() == Some(expected.as_bytes())) && said.next().is_none()
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let index = (bits >> (18 - 6 * at)) as usize & 63;
            let letter = ALPHABET.get(index).copied().map_or('=', char::from);
            text.push(if at <= group.len() { letter } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_holds() {
        let request: Fields = [("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")].into_iter().collect();
        let answer: Fields = [("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")].into_iter().collect();
        assert!(accepts(&request, &answer));
        assert!(!accepts(&request, &Fields::default()));
        assert!(!accepts(&Fields::default(), &answer));
    }

    #[test]
    fn base64_is_padded() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_ne!(new_key(), new_key());
    }
}
