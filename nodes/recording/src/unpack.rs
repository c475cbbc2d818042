//! What was compressed by zstd, message by message or a whole file.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::{Error, Result};
use crate::stream::MAX_RECORD_BYTES;

/// Most room that is made for a message before it is unpacked.
const MAX_ROOM_BYTES: u64 = 16 << 20;
/// A file that unpacks to less is never taken for a bomb.
const HARMLESS_BYTES: u64 = 1 << 30;
/// Most bytes that one packed byte of a recording may stand for.
const MOST_GAIN: u64 = 2000;

/// One message, unpacked.
///
/// # Errors
/// What zstd said, or that it is larger than any message.
pub(crate) fn message(packed: &[u8]) -> std::result::Result<Vec<u8>, String> {
    let size = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten().unwrap_or(0);
    let mut bytes = Vec::with_capacity(size.min(MAX_ROOM_BYTES) as usize);
    let decoder = zstd::Decoder::new(packed).map_err(|error| error.to_string())?;
    let read = decoder.take(MAX_RECORD_BYTES as u64 + 1).read_to_end(&mut bytes);
    match read {
        Ok(length) if length > MAX_RECORD_BYTES => {
            Err(format!("zstd: expected a message of at most {MAX_RECORD_BYTES} bytes, found more"))
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(format!("zstd: {error}")),
    }
}

/// A file that was unpacked, as far as it could be.
pub(crate) struct Unpacked {
    /// Goes when this does.
    pub file: NamedTempFile,
    /// Why it ends where it does, if not at its end.
    pub damage: Option<String>,
}

/// A file, unpacked into the system's folder for temporary files.
///
/// # Errors
/// When there is no room, or the file grows beyond what a recording can.
pub(crate) fn file(path: &Path) -> Result<Unpacked> {
    let folder = std::env::temp_dir();
    let mut file = tempfile::Builder::new().prefix("spacer-bag-").tempfile().map_err(Error::io(&folder))?;
    let packed = File::open(path).map_err(Error::io(path))?;
    let most = packed.metadata().map_err(Error::io(path))?.len().saturating_mul(MOST_GAIN).max(HARMLESS_BYTES);
    let mut decoder = zstd::Decoder::new(packed).map_err(Error::io(path))?.take(most);
    let mut buffer = vec![0; 1 << 18];
    let mut damage = None;
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                file.write_all(buffer.get(..read).unwrap_or_default()).map_err(Error::no_room(&folder, path))?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            // The database reads as far as it goes.
            Err(error) => {
                damage = Some(format!("zstd: {error}"));
                break;
            }
        }
    }
    if decoder.limit() == 0 {
        let found = format!("a file that zstd unpacks to more than {most} bytes");
        return Err(Error::NotABag { path: path.to_owned(), found });
    }
    Ok(Unpacked { file, damage })
}
