//! Room for an export, checked before the first byte is written.

use std::path::Path;

use crate::error::{Error, Result};

/// Memory taken beside the largest buffer: graphs, file buffers, rotary tables, the program.
const BASE_MEMORY: u64 = 256 << 20;

/// Refuses an export of `disk` bytes into `dir` whose largest buffer takes `buffer` bytes.
///
/// # Errors
/// `DiskSpace`, `Memory` with estimate and found; `Io` if the file system doesn't tell.
pub(crate) fn check(dir: &Path, disk: u64, buffer: u64) -> Result<()> {
    let stat = rustix::fs::statvfs(dir).map_err(|errno| Error::io(dir)(errno.into()))?;
    compare_disk(dir, disk, stat.f_bavail.saturating_mul(stat.f_frsize))?;
    match model_dir::available_memory() {
        Some(found) => compare_memory(buffer + BASE_MEMORY, found),
        // Not Linux, or no /proc: nothing to compare with.
        None => Ok(()),
    }
}

fn compare_disk(dir: &Path, expected: u64, found: u64) -> Result<()> {
    if expected <= found {
        return Ok(());
    }
    Err(Error::DiskSpace { path: dir.to_path_buf(), expected, found })
}

fn compare_memory(expected: u64, found: u64) -> Result<()> {
    if expected <= found { Ok(()) } else { Err(Error::Memory { expected, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_room_is_refused_with_both_figures() {
        let disk = check(Path::new("/tmp"), u64::MAX, 0).unwrap_err().to_string();
        assert!(disk.contains("/tmp") && disk.contains(&u64::MAX.to_string()), "{disk}");
        let memory = check(Path::new("/tmp"), 0, u64::MAX - BASE_MEMORY).unwrap_err().to_string();
        assert!(memory.contains("memory") && memory.contains(&u64::MAX.to_string()), "{memory}");
        check(Path::new("/tmp"), 1, 1).unwrap();
    }
}
