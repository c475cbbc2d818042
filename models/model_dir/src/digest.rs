//! SHA-256 of files, and the list of files in a directory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::manifest::FileDigest;

/// Length and SHA-256 of a file, read in blocks of 64 KiB.
///
/// # Errors
/// `Io`.
pub fn digest_file(path: &Path) -> Result<FileDigest> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut block).map_err(Error::io(path))?;
        if count == 0 {
            break;
        }
        bytes += count as u64;
        hasher.update(&block[..count]);
    }
    let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(FileDigest { bytes, sha256 })
}

/// Digests of every file under `dir` but `skip`, by relative path; hidden files and directories are left out.
pub(crate) fn digest_tree(dir: &Path, skip: &str) -> Result<BTreeMap<String, FileDigest>> {
    let mut digests = BTreeMap::new();
    for name in list_files(dir)? {
        if name != skip {
            let digest = digest_file(&dir.join(&name))?;
            digests.insert(name, digest);
        }
    }
    Ok(digests)
}

/// Relative paths of every file under `dir`, with `/` between parts; hidden files and directories are left out.
pub(crate) fn list_files(dir: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let mut pending = vec![(dir.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = pending.pop() {
        for entry in std::fs::read_dir(&folder).map_err(Error::io(&folder))? {
            let entry = entry.map_err(Error::io(&folder))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let relative = format!("{prefix}{name}");
            let path = entry.path();
            if path.is_dir() {
                pending.push((path, format!("{relative}/")));
            } else {
                files.push(relative);
            }
        }
    }
    files.sort();
    Ok(files)
}
