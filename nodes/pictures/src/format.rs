//! What encoded data are, by their first bytes and by what a message says about them.

use std::fmt;

use crate::error::{Error, Result};

/// Formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// ITU T.81, with or without JFIF or EXIF.
    Jpeg,
    /// Portable network graphics.
    Png,
    /// Windows bitmap.
    Bmp,
    /// Portable grey or pixel map.
    Pnm,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Bmp => "BMP",
            Self::Pnm => "PGM or PPM",
        })
    }
}

/// How PNG data begin.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Bytes of `compressed_depth_image_transport` ahead of its PNG.
const DEPTH_HEADER: usize = 12;
/// Bytes that an error shows.
const SHOWN: usize = 8;

impl Format {
    /// The format of a file, by its first bytes.
    ///
    /// # Errors
    /// When it is none that is read; the error says which it is, where that can be told.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        match bytes {
            [0xFF, 0xD8, ..] => Ok(Self::Jpeg),
            [b'B', b'M', ..] if bytes.len() > 26 => Ok(Self::Bmp),
            [b'P', b'2'..=b'6', space, ..] if space.is_ascii_whitespace() => Ok(Self::Pnm),
            _ if bytes.starts_with(PNG) => Ok(Self::Png),
            _ => Err(Error::Format { found: name_of(bytes) }),
        }
    }
}

/// A name for data that are not read.
fn name_of(bytes: &[u8]) -> String {
    let is_depth = bytes.get(DEPTH_HEADER..).is_some_and(|rest| rest.starts_with(PNG));
    let name = match bytes {
        [] => "no data",
        _ if is_depth => "compressedDepth: depth, not colours",
        [0, 0, 0, 1, ..] | [0, 0, 1, ..] => "a piece of a video (H.264 or H.265)",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "WebP",
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => "TIFF",
        [b'G', b'I', b'F', b'8', ..] => "GIF",
        [0, 0, 0, _, b'j', b'P', ..] => "JPEG 2000",
        [0xFF, 0x0A, ..] => "JPEG XL",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "HEIF, AVIF or a video",
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "zstd-compressed data",
        [0x1F, 0x8B, ..] => "gzip-compressed data",
        _ => return begins(bytes),
    };
    name.to_owned()
}

fn begins(bytes: &[u8]) -> String {
    let shown: Vec<String> = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
    format!("{} bytes that begin with {}", bytes.len(), shown.join(" "))
}

/// The pixel layout that a `CompressedImage`'s format names ahead of its semicolon; the whole format where it has none.
///
/// # Errors
/// When it says that the data are no picture.
pub(crate) fn of_message(format: &str) -> Result<&str> {
    let refuse = |what, advice| Err(Error::NoPicture { what, format: format.to_owned(), advice });
    let lower = format.to_ascii_lowercase();
    let layout = format.split(';').next().unwrap_or_default().trim();
    let is_depth = ["16UC1", "32FC1", "16SC1", "32SC1"].iter().any(|depth| layout.eq_ignore_ascii_case(depth));
    if lower.contains("compresseddepth") || is_depth {
        return refuse("depth", "give the topic of the colour picture");
    }
    let videos = ["h264", "h.264", "h265", "h.265", "hevc", "av1", "vp8", "vp9", "mpeg4", "theora", "ffmpeg"];
    if videos.iter().any(|video| lower.contains(video)) {
        return refuse("a piece of a video", "pictures that need the ones before them are not read: republish as jpeg");
    }
    Ok(layout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_says_about_itself() {
        for (format, layout) in [
            ("jpeg", "jpeg"),
            ("", ""),
            ("rgb8; jpeg compressed bgr8", "rgb8"),
            ("mono16; png compressed ", "mono16"),
            ("bayer_rggb8; jpeg compressed bgr8", "bayer_rggb8"),
        ] {
            assert_eq!(of_message(format), Ok(layout));
        }
        for format in
            ["16UC1; compressedDepth png", "32FC1; compressedDepth rvl", "16UC1; png compressed", "compressedDepth"]
        {
            assert!(of_message(format).unwrap_err().to_string().contains("found depth"), "{format}");
        }
        for format in ["h264", "H.265", "hevc", "bgr8; h264_nvenc"] {
            assert!(of_message(format).unwrap_err().to_string().contains("piece of a video"), "{format}");
        }
    }

    #[test]
    fn data_that_are_no_picture_are_called_by_name() {
        let depth = [&[0; DEPTH_HEADER][..], PNG].concat();
        let named: [(&[u8], &str); 7] = [
            (b"", "no data"),
            (&depth, "compressedDepth"),
            (b"\0\0\0\x01\x67\x42", "H.264"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "WebP"),
            (b"II*\0\x08\0\0\0", "TIFF"),
            (b"BM", "2 bytes that begin with 42 4d"),
            (b"no picture", "10 bytes that begin with 6e 6f 20 70"),
        ];
        for (bytes, name) in named {
            assert!(Format::of(bytes).unwrap_err().to_string().contains(name), "{name}");
        }
    }
}
