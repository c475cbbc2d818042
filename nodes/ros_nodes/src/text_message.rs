//! `std_msgs/String` from its CDR bytes. r2r's own conversion turns text that is not UTF-8 into an empty one and cuts at
//! a NUL, so that an asker would be told the wrong reason.

/// CDR's representation header.
const HEADER_BYTES: usize = 4;

/// Reads the `data` field.
///
/// # Errors
/// What was expected and found, for an asker to read.
pub fn read_text(cdr: &[u8]) -> Result<String, String> {
    let too_short = || format!("expected a serialized std_msgs/String, found {} bytes", cdr.len());
    let (header, body) = cdr.split_at_checked(HEADER_BYTES).ok_or_else(too_short)?;
    let (length, body) = body.split_first_chunk::<4>().ok_or_else(too_short)?;
    // Second byte of the header: odd kinds are little-endian.
    let little = header[1] & 1 == 1;
    let length = if little { u32::from_le_bytes(*length) } else { u32::from_be_bytes(*length) } as usize;
    let bytes = body.get(..length).ok_or_else(too_short)?;
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        format!("expected UTF-8, found other bytes at byte {} of {}", error.valid_up_to(), bytes.len())
    })?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cdr(text: &[u8]) -> Vec<u8> {
        let length = (text.len() as u32 + 1).to_le_bytes();
        [&[0, 1, 0, 0][..], &length, text, &[0]].concat()
    }

    #[test]
    fn reads_text_of_both_byte_orders() {
        assert_eq!(read_text(&cdr("how far? ä".as_bytes())), Ok("how far? ä".to_owned()));
        assert_eq!(read_text(&cdr(b"")), Ok(String::new()));
        assert_eq!(read_text(b"\0\0\0\0\0\0\0\x03hi\0"), Ok("hi".to_owned()));
    }

    #[test]
    fn refuses_what_is_no_text() {
        assert_eq!(read_text(&cdr(b"how \xff")), Err("expected UTF-8, found other bytes at byte 4 of 5".to_owned()));
        for bytes in [&b""[..], b"\0\x01\0\0", b"\0\x01\0\0\xff\xff\xff\xffabc"] {
            assert!(read_text(bytes).is_err_and(|text| text.contains("serialized")), "{bytes:?}");
        }
    }
}
