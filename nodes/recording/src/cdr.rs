//! Plain CDR as ROS 2 sends it: a representation header of four bytes, then the fields, aligned from behind the header.

use byteorder::{BigEndian, LittleEndian};
use serde::{Deserialize, Serialize};

/// Representation identifier of little-endian plain CDR, and no options (RTPS 2.5, table 10.3).
const LITTLE_ENDIAN_HEADER: [u8; 4] = [0, 1, 0, 0];

/// Decodes a message of either byte order. Fields may borrow from `bytes`.
///
/// # Errors
/// What the header or a field was expected to be.
pub fn from_cdr<'a, M: Deserialize<'a>>(bytes: &'a [u8]) -> Result<M, String> {
    let Some((&[_, kind, ..], body)) = bytes.split_first_chunk::<4>() else {
        return Err("shorter than its header of 4 bytes".to_owned());
    };
    let decoded = match kind {
        0 => cdr_encoding::from_bytes::<M, BigEndian>(body),
        1 => cdr_encoding::from_bytes::<M, LittleEndian>(body),
        _ => return Err(format!("expected plain CDR (representation 0 or 1), found {kind}")),
    };
    decoded.map(|(message, _)| message).map_err(|error| error.to_string())
}

/// Encodes a message, little-endian.
///
/// # Errors
/// When a sequence is longer than CDR can say.
pub fn to_cdr<M: Serialize>(message: &M) -> Result<Vec<u8>, String> {
    let mut bytes = LITTLE_ENDIAN_HEADER.to_vec();
    cdr_encoding::to_writer::<M, LittleEndian, _>(&mut bytes, message).map_err(|error| error.to_string())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::{Header, Image, StringMessage, Time};

    #[test]
    fn a_message_has_the_bytes_that_fast_dds_sends() {
        let text = StringMessage { data: "hi".to_owned() };
        let bytes = to_cdr(&text).unwrap();
        assert_eq!(bytes, b"\0\x01\0\0\x03\0\0\0hi\0");
        assert_eq!(from_cdr::<StringMessage>(&bytes).unwrap(), text);
        assert_eq!(from_cdr::<StringMessage>(b"\0\0\0\0\0\0\0\x03hi\0").unwrap(), text, "big-endian");
    }

    #[test]
    fn an_image_borrows_its_rows() {
        let header = Header { stamp: Time { sec: 1, nanosec: 2 }, frame_id: "camera".to_owned() };
        let (encoding, data) = ("mono8".to_owned(), &[1, 2, 3, 4][..]);
        let image = Image { header, height: 2, width: 2, encoding, is_bigendian: 0, step: 2, data };
        let bytes = to_cdr(&image).unwrap();
        let read: Image<'_> = from_cdr(&bytes).unwrap();
        assert_eq!(read, image);
        assert!(bytes.as_ptr_range().contains(&read.data.as_ptr()));
    }

    #[test]
    fn every_cut_of_a_message_is_an_error() {
        let header = Header { stamp: Time::default(), frame_id: "camera".to_owned() };
        let (encoding, data) = ("mono8".to_owned(), &[1, 2, 3, 4][..]);
        let whole = to_cdr(&Image { header, height: 2, width: 2, encoding, is_bigendian: 0, step: 2, data }).unwrap();
        for length in 0..whole.len() {
            assert!(from_cdr::<Image<'_>>(&whole[..length]).is_err(), "{length} of {}", whole.len());
        }
        assert!(from_cdr::<StringMessage>(b"\0\x01\0\0\xff\xff\xff\xffabc").is_err());
        assert!(from_cdr::<StringMessage>(b"\0\x03\0\0\x03\0\0\0hi\0").is_err_and(|text| text.contains("plain CDR")));
    }
}
