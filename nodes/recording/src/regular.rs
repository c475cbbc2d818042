//! Opening files that can be read to an end.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a regular file for reading. Opening a FIFO would wait for a writer, and a device may have no end.
///
/// # Errors
/// What the operating system said, or that it is no regular file.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let never_waits = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(never_waits).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("expected a regular file, found a folder, a FIFO or a device"));
    }
    Ok(file)
}
