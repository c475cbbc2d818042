//! How a file is stored, by its first bytes: names lie.

use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::{journal, regular};

/// What a frame of zstd begins with, a whole file or one message.
pub(crate) const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const MCAP_MAGIC: &[u8] = b"\x89MCAP";
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
/// So many bytes tell every kind below.
const LOOKED_AT: usize = 16;

/// First bytes of what people have beside their bags, what it is, and what to do.
const OTHERS: [(&[u8], &str); 10] = [
    (
        b"#ROSBAG",
        "a ROS 1 bag; make one of ROS 2 of it: `pip install rosbags`, then `rosbags-convert --src FILE.bag --dst FOLDER`",
    ),
    (b"rosbag2_bagfile", "metadata.yaml; pass the folder that it lies in"),
    (&[0x04, 0x22, 0x4d, 0x18], "a file compressed by lz4; unpack it: `lz4 -d FILE`"),
    (&[0x1f, 0x8b], "a file compressed by gzip; unpack it: `gunzip -k FILE`, or `tar xf FILE`"),
    (b"BZh", "a file compressed by bzip2; unpack it: `bunzip2 -k FILE`"),
    (&[0xfd, b'7', b'z', b'X', b'Z'], "a file compressed by xz; unpack it: `unxz -k FILE`"),
    (b"PK\x03\x04", "a zip archive; unpack it"),
    (&[0x89, b'P', b'N', b'G'], "a picture (PNG)"),
    (&[0xff, 0xd8, 0xff], "a picture (JPEG)"),
    (&[0x1a, 0x45, 0xdf, 0xa3], "a video (Matroska)"),
];

/// The formats that rosbag2 stores in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Mcap,
    Sqlite,
}

/// How a file is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Storage {
    pub format: Format,
    /// By zstd, as a whole.
    pub is_compressed: bool,
}

impl Storage {
    /// Looks at a file.
    ///
    /// # Errors
    /// [`Error::NotABag`] says what it is instead.
    pub fn of(path: &Path) -> Result<Self> {
        let mut file = regular::open(path).map_err(Error::io(path))?;
        let first = first_bytes(&mut file).map_err(Error::io(path))?;
        if let Some(format) = format(&first) {
            return Ok(Self { format, is_compressed: false });
        }
        // A recorder that is killed early may leave all of a database in its log.
        if first.iter().all(|byte| *byte == 0) && journal::has_log(path) {
            return Ok(Self { format: Format::Sqlite, is_compressed: false });
        }
        if !first.starts_with(&ZSTD_MAGIC) {
            return Err(Error::NotABag { path: path.to_owned(), found: what(&first) });
        }
        let inner = regular::open(path).and_then(zstd::Decoder::new).and_then(|mut inside| first_bytes(&mut inside));
        let inner = inner.map_err(|error| {
            let found = format!("a file compressed by zstd that can't be unpacked: {error}");
            Error::NotABag { path: path.to_owned(), found }
        })?;
        match format(&inner) {
            Some(format) => Ok(Self { format, is_compressed: true }),
            None => {
                let found = format!("a file compressed by zstd, in it {}", what(&inner));
                Err(Error::NotABag { path: path.to_owned(), found })
            }
        }
    }
}

fn first_bytes(source: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut first = Vec::new();
    source.take(LOOKED_AT as u64).read_to_end(&mut first)?;
    Ok(first)
}

fn format(first: &[u8]) -> Option<Format> {
    match first {
        _ if first.starts_with(MCAP_MAGIC) => Some(Format::Mcap),
        _ if first.starts_with(SQLITE_MAGIC) => Some(Format::Sqlite),
        _ => None,
    }
}

/// What a file is that holds no recording of ROS 2, in words.
fn what(first: &[u8]) -> String {
    if first.is_empty() {
        return "an empty file: its recorder wrote nothing, or was killed before it did".to_owned();
    }
    if first.iter().all(|byte| *byte == 0) {
        return "zeros: the file was made but never written, as after a power cut".to_owned();
    }
    if first.get(4..8) == Some(b"ftyp") {
        return "a video (MP4)".to_owned();
    }
    let known = OTHERS.iter().find(|(magic, _)| first.starts_with(magic)).map(|(_, what)| *what);
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    match known {
        Some(known) => known.to_owned(),
        None if first.iter().all(is_text) => format!("text: {:?}", String::from_utf8_lossy(first)),
        None => {
            let bytes: Vec<String> = first.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("an unknown kind of file that begins with {}", bytes.join(" "))
        }
    }
}
