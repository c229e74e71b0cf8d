//! The lines between the chunks of a body (RFC 9112 §7.1).

/// The longest chunk-size line, extensions included (RFC 9112 §7.1.1 wants a limit).
pub(crate) const CHUNK_LINE_MAX: usize = 4096;

/// RFC 9112 §7.1: `chunk-size [ chunk-ext ] CRLF`, the size in hexadecimal. Extensions are read over. The size and
/// the length of the line, or `None` if more bytes are needed.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn chunk_size(bytes: &[u8]) -> Result<Option<(u64, usize)>, &'static str> {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        let too_long = bytes.len() > CHUNK_LINE_MAX;
        return if too_long { Err("a chunk-size line is too long") } else { Ok(None) };
    };
    let line = bytes.get(..end).and_then(|line| line.strip_suffix(b"\r"));
    let line = line.ok_or("a chunk-size line ends without CR")?;
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (size, rest) = line.split_at_checked(digits).unwrap_or_default();
    let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let extension = rest.get(spaces..).unwrap_or_default();
    let well_formed = matches!(extension.first(), None | Some(b';'))
        && !extension.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t');
    // Fifteen digits hold every size that can occur, and cannot overflow.
    if !well_formed || digits == 0 || digits > 15 || end > CHUNK_LINE_MAX {
        return Err("a chunk size cannot be read");
    }
    let size = size.iter().fold(0_u64, |sum, digit| sum * 16 + u64::from(hex_value(*digit)));
    Ok(Some((size, end + 1)))
}

const fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A').wrapping_add(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Result<Option<(u64, usize)>, ()>) {
        assert_eq!(chunk_size(line.as_bytes()).map_err(|_| ()), expected, "{line:?}");
    }

    #[test]
    fn chunk_sizes_are_read_strictly() {
        check("5\r\n", Ok(Some((5, 3))));
        check("1aF\r\nx", Ok(Some((0x1af, 5))));
        check("0;ext=\"1\"\r\n", Ok(Some((0, 11))));
        check("5 ;ext\r\n", Ok(Some((5, 8))));
        check("5", Ok(None));
        check("5\n", Err(()));
        check("\r\n", Err(()));
        check("0x5\r\n", Err(()));
        check("-5\r\n", Err(()));
        check("5 5\r\n", Err(()));
        check("10000000000000000\r\n", Err(()));
        check("5\r;\r\n", Err(()));
        check("5\x0b\r\n", Err(()));
        check("5;a\0\r\n", Err(()));
        check(&format!("5;{}\r\n", "x".repeat(CHUNK_LINE_MAX)), Err(()));
    }
}
