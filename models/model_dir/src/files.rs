//! Reading the files of a directory that may hold anything: regular files alone, none longer than what it is for, and
//! where a manifest is known the very bytes that it lists.
//!
//! A name may lead to a FIFO that nobody writes to, to a device without end, to a file of a terabyte, or to another file
//! than a moment ago. So a file is looked at before it is opened and again when it is open, opening never waits, a length
//! beyond the limit is refused before memory is taken, and the digest is that of the bytes that are handed out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::manifest::FileDigest;

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 16;

/// The files of one directory, by path with `/` between parts. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
    listed: Option<Listed>,
}

/// What a manifest says of the files.
#[derive(Clone, Debug)]
struct Listed {
    files: Arc<BTreeMap<String, FileDigest>>,
    /// Path of the folder in the directory that the manifest describes, empty or with `/` at its end.
    prefix: String,
    /// Those that have been compared with it.
    verified: Arc<Mutex<BTreeSet<String>>>,
}

impl Listed {
    fn verified(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file's name in the manifest.
    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl Files {
    /// The files of `folder`, whatever they are.
    pub fn unverified(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), listed: None }
    }

    pub(crate) fn verified(folder: &Path, listed: BTreeMap<String, FileDigest>) -> Self {
        let listed = Listed { files: Arc::new(listed), prefix: String::new(), verified: Arc::default() };
        Self { folder: folder.to_path_buf(), listed: Some(listed) }
    }

    /// Those of the sub-folder `name`.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        let listed = self.listed.clone().map(|listed| Listed { prefix: listed.name(&format!("{name}/")), ..listed });
        Self { folder: self.folder.join(name), listed }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the file `name` lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Whether there is anything of that name; where a manifest is known, whether it lists it.
    pub fn has(&self, name: &str) -> bool {
        match &self.listed {
            Some(listed) => listed.files.contains_key(&listed.name(name)),
            None => self.path(name).symlink_metadata().is_ok(),
        }
    }

    /// The whole file, of at most `most` bytes.
    ///
    /// # Errors
    /// `MissingFile`, `NotRegular`, `TooLarge`, `Io`; where a manifest is known `Unlisted`, `Length`, `Digest`.
    pub fn read(&self, name: &str, most: u64) -> Result<Vec<u8>> {
        let mut reader = self.open(name)?;
        if reader.length() > most {
            return Err(Error::TooLarge { path: self.path(name), most, found: reader.length() });
        }
        let mut bytes = Vec::with_capacity(reader.length() as usize);
        // A file may grow, or have no length of its own, as those of /proc.
        reader.by_ref().take(most + 1).read_to_end(&mut bytes).map_err(Error::io(&self.path(name)))?;
        if bytes.len() as u64 > most {
            return Err(Error::TooLarge { path: self.path(name), most, found: bytes.len() as u64 });
        }
        reader.finish()?;
        Ok(bytes)
    }

    /// As [`Files::read`], of UTF-8.
    ///
    /// # Errors
    /// Those, and `Text`.
    pub fn text(&self, name: &str, most: u64) -> Result<String> {
        String::from_utf8(self.read(name, most)?).map_err(|error| {
            let (path, at) = (self.path(name), error.utf8_error().valid_up_to());
            Error::Text { path, at }
        })
    }

    /// Opens a file that is read piece by piece. What was read counts only after [`FileReader::finish`].
    ///
    /// # Errors
    /// `MissingFile`, `NotRegular`, `Io`; where a manifest is known `Unlisted`.
    pub fn open(&self, name: &str) -> Result<FileReader> {
        let path = self.path(name);
        let expected = match &self.listed {
            None => None,
            Some(listed) => match listed.files.get(&listed.name(name)) {
                Some(digest) => Some(Expected { digest: digest.clone(), name: listed.name(name), of: listed.clone() }),
                None => return Err(Error::Unlisted { path }),
            },
        };
        let (file, length) = open_regular(&path, expected.as_ref().map(|expected| &expected.digest))?;
        let hasher = expected.is_some().then(Sha256::new);
        Ok(FileReader { file, path, length, bytes: 0, hasher, expected })
    }

    /// Reads the file and compares it with the manifest, where one is known.
    ///
    /// # Errors
    /// Those of [`Files::open`] and [`FileReader::finish`].
    pub fn verify(&self, name: &str) -> Result<()> {
        self.open(name)?.finish()
    }

    /// Compares with the manifest every listed file of this folder that was not read whole yet, in order of names.
    ///
    /// # Errors
    /// As [`Files::verify`].
    pub fn verify_rest(&self) -> Result<()> {
        let Some(listed) = &self.listed else { return Ok(()) };
        let is_left = |name: &&str| !listed.verified().contains(&listed.name(name));
        let names = listed.files.keys().filter_map(|name| name.strip_prefix(listed.prefix.as_str()));
        names.filter(is_left).try_for_each(|name| self.verify(name))
    }
}

/// What a file must be.
#[derive(Debug)]
struct Expected {
    digest: FileDigest,
    name: String,
    of: Listed,
}

/// A regular file while it is read.
#[derive(Debug)]
pub struct FileReader {
    file: File,
    path: PathBuf,
    length: u64,
    /// Read so far.
    bytes: u64,
    /// Absent where nobody asks for the digest.
    hasher: Option<Sha256>,
    expected: Option<Expected>,
}

impl FileReader {
    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the file when it was opened.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Reads what is left and compares the whole with the manifest, where one is known.
    ///
    /// # Errors
    /// `Io`, `Length`, `Digest`.
    pub fn finish(mut self) -> Result<()> {
        let Some(expected) = self.expected.take() else { return Ok(()) };
        let (path, found) = self.digest()?;
        compare(path, &expected.digest, found)?;
        expected.of.verified().insert(expected.name);
        Ok(())
    }

    /// Reads what is left; length and digest of the whole.
    pub(crate) fn digest(mut self) -> Result<(PathBuf, FileDigest)> {
        let mut block = vec![0; BLOCK];
        while self.read(&mut block).map_err(Error::io(&self.path))? > 0 {}
        let digest = self.hasher.unwrap_or_default().finalize();
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok((self.path, FileDigest { bytes: self.bytes, sha256 }))
    }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.bytes += count as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..count]);
        }
        Ok(count)
    }
}

/// Length and SHA-256 of a regular file.
///
/// # Errors
/// `MissingFile`, `NotRegular`, `Io`.
pub fn digest_file(path: &Path) -> Result<FileDigest> {
    let (file, length) = open_regular(path, None)?;
    let hasher = Some(Sha256::new());
    let reader = FileReader { file, path: path.to_path_buf(), length, bytes: 0, hasher, expected: None };
    Ok(reader.digest()?.1)
}

/// Refuses what is not there, or no regular file; `expected` is what the manifest says. Links are followed.
pub(crate) fn require(path: &Path, expected: Option<&FileDigest>) -> Result<Metadata> {
    match path.metadata() {
        Ok(found) if found.is_file() => Ok(found),
        Ok(found) => Err(Error::NotRegular { path: path.to_path_buf(), found: kind(&found) }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::MissingFile { path: path.to_path_buf(), expected: expected.map(|file| file.sha256.clone()) })
        }
        Err(source) => Err(Error::Io { path: path.to_path_buf(), source }),
    }
}

fn open_regular(path: &Path, expected: Option<&FileDigest>) -> Result<(File, u64)> {
    require(path, expected)?;
    // What was a file a moment ago may be a FIFO now: opening one would wait for a writer.
    let never_waits = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(never_waits).open(path).map_err(Error::io(path))?;
    let found = file.metadata().map_err(Error::io(path))?;
    if !found.is_file() {
        return Err(Error::NotRegular { path: path.to_path_buf(), found: kind(&found) });
    }
    Ok((file, found.len()))
}

fn compare(path: PathBuf, expected: &FileDigest, found: FileDigest) -> Result<()> {
    if found.bytes != expected.bytes {
        return Err(Error::Length {
            path,
            expected_bytes: expected.bytes,
            found_bytes: found.bytes,
            expected: expected.sha256.clone(),
            found: found.sha256,
        });
    }
    if found.sha256 != expected.sha256 {
        return Err(Error::Digest { path, expected: expected.sha256.clone(), found: found.sha256 });
    }
    Ok(())
}

/// What something is that is no regular file.
pub(crate) fn kind(found: &Metadata) -> &'static str {
    let found = found.file_type();
    match () {
        () if found.is_dir() => "a folder",
        () if found.is_symlink() => "a link",
        () if found.is_fifo() => "a FIFO",
        () if found.is_socket() => "a socket",
        () if found.is_block_device() || found.is_char_device() => "a device",
        () => "something else",
    }
}
