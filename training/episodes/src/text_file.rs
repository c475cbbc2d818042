//! Text files as they come from other systems: UTF-8 with or without a byte order mark, UTF-16 with one, gzipped.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::{Error, Result};

const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];
const GZIP: &[u8] = &[0x1F, 0x8B];
/// Longest file in UTF-16, which is held in memory, bytes.
const LONGEST_UTF16: u64 = 1 << 30;

/// A reader of the file's text in UTF-8, without its mark.
///
/// # Errors
/// When the file can't be opened, or is of an encoding that is not read.
pub fn open(path: &Path) -> Result<Box<dyn BufRead + Send>> {
    let mut file = BufReader::new(File::open(path).map_err(Error::io(path))?);
    if begins_with(&mut file, GZIP).map_err(Error::io(path))? {
        return text(path, Box::new(BufReader::new(MultiGzDecoder::new(file))));
    }
    text(path, Box::new(file))
}

/// The whole text.
///
/// # Errors
/// As [`open`], and when it is no UTF-8.
pub fn read_to_string(path: &Path) -> Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text).map_err(Error::io(path))?;
    Ok(text)
}

fn text(path: &Path, mut file: Box<dyn BufRead + Send>) -> Result<Box<dyn BufRead + Send>> {
    if begins_with(&mut file, UTF8_MARK).map_err(Error::io(path))? {
        file.consume(UTF8_MARK.len());
        return Ok(file);
    }
    let is_little = begins_with(&mut file, &[0xFF, 0xFE]).map_err(Error::io(path))?;
    let is_big = begins_with(&mut file, &[0xFE, 0xFF]).map_err(Error::io(path))?;
    if !is_little && !is_big {
        return Ok(file);
    }
    let mut bytes = Vec::new();
    file.take(LONGEST_UTF16).read_to_end(&mut bytes).map_err(Error::io(path))?;
    let unit = |pair: &[u8; 2]| if is_little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) };
    let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().skip(1).map(unit).collect();
    let refuse = |found: &dyn std::fmt::Display| Error::Form {
        path: path.to_owned(),
        expected: "text in UTF-8 or UTF-16".to_owned(),
        found: found.to_string(),
    };
    let text = String::from_utf16(&units).map_err(|error| refuse(&error))?;
    Ok(Box::new(std::io::Cursor::new(text)))
}

/// Whether the text begins so; nothing is taken from it.
fn begins_with(file: &mut impl BufRead, mark: &[u8]) -> std::io::Result<bool> {
    Ok(file.fill_buf()?.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn texts_of_other_systems_are_read() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("text");
        let text = "{\"a\": \"椅子\"}\nz";
        let utf16 = |big: bool| -> Vec<u8> {
            let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(bytes).collect()
        };
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&[UTF8_MARK, text.as_bytes()].concat()).unwrap();
        let forms = [text.as_bytes().to_vec(), [UTF8_MARK, text.as_bytes()].concat(), utf16(false), utf16(true)];
        for bytes in forms.into_iter().chain([gzip.finish().unwrap()]) {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(read_to_string(&path).unwrap(), text);
        }
        std::fs::write(&path, [0xFF, 0xFE, 0x00, 0xD8]).unwrap();
        assert!(read_to_string(&path).unwrap_err().to_string().contains("UTF-16"));
        std::fs::write(&path, "").unwrap();
        assert_eq!(read_to_string(&path).unwrap(), "");
    }
}
