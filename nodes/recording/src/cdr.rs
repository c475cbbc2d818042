//! CDR as ROS 2 sends it: a representation header of four bytes, then the fields, aligned from behind the header.
//!
//! Read are plain CDR of version 1, which every ROS middleware sends, and of version 2 (`PLAIN_CDR2`), of either byte
//! order. Version 2 has two sets of numbers: those of RTPS 2.5, and those of DDS XTypes 1.2. Representations with lengths
//! or numbers of fields between them (`D_CDR2`, `PL_CDR`) are refused by name.

use byteorder::LittleEndian;
use serde::{Deserialize, Deserializer, Serialize};

use crate::cdr_reader::{CdrReader, Layout};

/// Representation identifier of little-endian plain CDR, and no options (RTPS 2.5, table 10.3).
const LITTLE_ENDIAN_HEADER: [u8; 4] = [0, 1, 0, 0];

/// Decodes a message of either byte order. Fields may borrow from `bytes`.
///
/// # Errors
/// What the header or a field was expected to be.
pub fn from_cdr<'a, M: Deserialize<'a>>(bytes: &'a [u8]) -> Result<M, String> {
    let Some((&[first, kind, ..], body)) = bytes.split_first_chunk::<4>() else {
        return Err("shorter than its header of 4 bytes".to_owned());
    };
    let layout = match (first, kind) {
        (0, 0) => Layout { big_endian: true, is_version_2: false },
        (0, 1) => Layout { big_endian: false, is_version_2: false },
        (0, 6 | 0x10) => Layout { big_endian: true, is_version_2: true },
        (0, 7 | 0x11) => Layout { big_endian: false, is_version_2: true },
        _ => return Err(refused(first, kind)),
    };
    M::deserialize(&mut CdrReader::new(body, layout)).map_err(|error| error.to_string())
}

/// What a representation that is not read here is called (DDS XTypes 1.3, table 60, and 1.2, 7.4.3.4).
fn refused(first: u8, kind: u8) -> String {
    let name = match (first, kind) {
        (0, 2 | 3) => "PL_CDR, a list of parameters",
        (0, 8 | 9 | 0x14 | 0x15) => "D_CDR2, whose structures carry their lengths",
        (0, 10 | 11 | 0x12 | 0x13) => "PL_CDR2, whose fields carry their numbers",
        _ => "no header of CDR",
    };
    format!(
        "expected plain CDR (representation 0, 1, 6, 7, 0x10 or 0x11), found {:#06x}: {name}",
        u16::from_be_bytes([first, kind])
    )
}

/// A sequence of structures or strings, for `#[serde(deserialize_with)]`: in version 2 of CDR its length in bytes
/// stands before it.
pub(crate) fn sequence_of_structs<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    struct SequenceOfStructs<T>(Vec<T>);
    SequenceOfStructs::deserialize(deserializer).map(|SequenceOfStructs(elements)| elements)
}

/// A field that was put behind a message's last one, for `#[serde(deserialize_with)]`: bodies made before end without
/// it.
pub(crate) fn default_where_absent<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
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
    use crate::messages::{Header, Image, Odometry, StringMessage, TfMessage, Time, TransformStamped};
    use crate::spacer_messages::SpatialAnswer;

    #[test]
    fn a_message_has_the_bytes_that_fast_dds_sends() {
        let text = StringMessage { data: "hi".to_owned() };
        let bytes = to_cdr(&text).unwrap();
        assert_eq!(bytes, b"\0\x01\0\0\x03\0\0\0hi\0");
        assert_eq!(from_cdr::<StringMessage>(&bytes).unwrap(), text);
        for kind in [0, 6, 0x10] {
            let bytes = [0, kind, 0, 0, 0, 0, 0, 3, b'h', b'i', 0];
            assert_eq!(from_cdr::<StringMessage>(&bytes).unwrap(), text, "big-endian {kind}");
        }
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
        for (kind, name) in [
            (3, "PL_CDR,"),
            (9, "D_CDR2,"),
            (11, "PL_CDR2,"),
            (0x12, "PL_CDR2,"),
            (0x13, "PL_CDR2,"),
            (0x14, "D_CDR2,"),
            (0x15, "D_CDR2,"),
            (0x16, "no header"),
            (99, "no header"),
        ] {
            let refused = from_cdr::<StringMessage>(&[0, kind, 0, 0, 3, 0, 0, 0, b'h', b'i', 0]);
            assert!(refused.is_err_and(|text| text.contains("plain CDR") && text.contains(name)), "{kind}");
        }
    }

    /// Bytes in the making: numbers are aligned to their size, but to `most_align` at most.
    struct Body {
        bytes: Vec<u8>,
        most_align: usize,
    }

    impl Body {
        fn put<const N: usize>(&mut self, number: [u8; N]) {
            let align = N.min(self.most_align);
            self.bytes.resize(self.bytes.len().next_multiple_of(align), 0);
            self.bytes.extend(number);
        }

        fn text(&mut self, text: &str) {
            self.put((text.len() as u32 + 1).to_le_bytes());
            self.bytes.extend(text.bytes().chain([0]));
        }

        fn header(&mut self, frame: &str) {
            self.put(7_i32.to_le_bytes());
            self.put(9_u32.to_le_bytes());
            self.text(frame);
        }

        /// Seven numbers of 8 bytes: 1 to 7.
        fn pose(&mut self) {
            (1..8).for_each(|number| self.put(f64::from(number).to_le_bytes()));
        }
    }

    #[test]
    fn numbers_of_eight_bytes_are_aligned_to_four_in_version_2_and_sequences_of_structures_say_their_length() {
        let mut body = Body { bytes: Vec::new(), most_align: 4 };
        // What a sequence holds in bytes, then how many elements.
        let length_at = body.bytes.len();
        body.put(0_u32.to_le_bytes());
        body.put(2_u32.to_le_bytes());
        for child in ["a", "base_link"] {
            body.header("odom");
            body.text(child);
            body.pose();
        }
        let length = (body.bytes.len() - length_at - 4) as u32;
        body.bytes[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
        let bytes = [&[0, 7, 0, 0][..], &body.bytes].concat();
        let TfMessage { transforms } = from_cdr(&bytes).unwrap();
        let children: Vec<&str> = transforms.iter().map(|link| link.child_frame_id.as_str()).collect();
        assert_eq!(children, ["a", "base_link"]);
        let TransformStamped { header, transform, .. } = &transforms[1];
        assert_eq!((header.stamp, header.frame_id.as_str()), (Time { sec: 7, nanosec: 9 }, "odom"));
        assert_eq!((transform.translation.x, transform.rotation.w), (1.0, 7.0));

        for (representation, most_align) in [(1, 8), (7, 4), (0x11, 4)] {
            let mut body = Body { bytes: Vec::new(), most_align };
            body.header("odom");
            body.text("base_link");
            body.pose();
            (0..36 + 6 + 36).for_each(|number| body.put(f64::from(number).to_le_bytes()));
            let bytes = [&[0, representation, 0, 0][..], &body.bytes].concat();
            let read: Odometry = from_cdr(&bytes).unwrap();
            let found = (read.pose.pose.position.x, read.pose.covariance[5][5], read.twist.covariance[5][5]);
            assert_eq!(found, (1.0, 35.0, 77.0), "representation {representation}");
        }
    }

    #[test]
    fn answers_recorded_before_they_had_a_camera_are_read() {
        let answer = SpatialAnswer { model: "spacer-nano".into(), text: "2 m".into(), ..SpatialAnswer::default() };
        let whole = to_cdr(&answer).unwrap();
        let model = b"spacer-nano\0";
        let model_at = whole.windows(model.len()).rposition(|bytes| bytes == model).unwrap();
        let old = &whole[..model_at + model.len()];
        // A wire's messages are filled up to a multiple of four.
        for filled in 0..4 {
            let bytes = [old, &vec![0; filled]].concat();
            assert_eq!(from_cdr::<SpatialAnswer>(&bytes), Ok(answer.clone()), "{filled} bytes behind it");
        }
        assert!(from_cdr::<SpatialAnswer>(&old[..old.len() - 1]).is_err(), "cut within the field before");
        let with = SpatialAnswer { camera: "front".into(), ..answer };
        assert_eq!(from_cdr::<SpatialAnswer>(&to_cdr(&with).unwrap()), Ok(with));
    }
}
