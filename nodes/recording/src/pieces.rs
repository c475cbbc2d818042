//! Whether files are pieces of one recording, or recordings of their own.
//!
//! A recorder that splits calls its files `NAME_0`, `NAME_1` and so on, mostly with the folder's name, and goes on in
//! one where the one before ended. People number their recordings alike (`run_1`, `run_2`): where the name is not the
//! folder's, the times must fit too.

use std::path::{Path, PathBuf};

use crate::contents::Contents;
use crate::listed::unpacked_name;

/// Longest silence between two pieces, nanoseconds: topics may be slow.
const LONGEST_SILENCE_NANOS: u64 = 600_000_000_000;
/// A cache writes a message or two of one piece into the next.
const OVERLAP_NANOS: u64 = 1_000_000_000;

/// What a file's name says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Piece {
    /// The name without number and endings.
    pub stem: String,
    /// The number behind it.
    pub number: Option<u64>,
}

impl Piece {
    /// Reads the name of a file.
    pub fn of(file: &Path) -> Self {
        let name = unpacked_name(file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let numbered = name.rsplit_once('_').and_then(|(stem, number)| Some((stem, number.parse().ok()?)));
        match numbered {
            Some((stem, number)) => Self { stem: stem.to_owned(), number: Some(number) },
            None => Self { stem: name, number: None },
        }
    }
}

/// The names of recordings that files have, each once, as far as names tell.
pub(crate) fn recordings(files: &[PathBuf]) -> Vec<String> {
    let mut stems: Vec<String> = files.iter().map(|file| Piece::of(file).stem).collect();
    stems.sort();
    stems.dedup();
    stems
}

/// Whether files of one name, in order, are pieces of one recording. One whose times nobody knows may be.
pub(crate) fn are_one(folder: &Path, files: &[(PathBuf, Contents)]) -> bool {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let is_folders = files.iter().all(|(file, _)| {
        let piece = Piece::of(file);
        piece.number.is_some() && folder.file_name().is_some_and(|name| *name == *piece.stem)
    });
    let times: Vec<(u64, u64)> = files.iter().filter_map(|(_, contents)| contents.log_times_nanos).collect();
    let follows = |pair: &[(u64, u64)]| match pair {
        [(_, end), (start, _)] => {
            *start >= end.saturating_sub(OVERLAP_NANOS) && *start <= end.saturating_add(LONGEST_SILENCE_NANOS)
        }
        _ => true,
    };
    is_folders || times.windows(2).all(follows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000_000_000;

    fn files(spans: &[(&str, u64, u64)]) -> Vec<(PathBuf, Contents)> {
        let file = |(name, first, last): &(&str, u64, u64)| {
            let log_times_nanos = Some((first * MINUTE, last * MINUTE));
            (PathBuf::from(name), Contents { topics: Vec::new(), log_times_nanos })
        };
        spans.iter().map(file).collect()
    }

    #[test]
    fn pieces_are_told_from_recordings_by_name_and_time() {
        assert_eq!(Piece::of(Path::new("a/bag_10.mcap.zstd")), Piece { stem: "bag".into(), number: Some(10) });
        assert_eq!(Piece::of(Path::new("monday.db3")), Piece { stem: "monday".into(), number: None });
        assert_eq!(recordings(&["b_0.mcap".into(), "b_1.mcap".into(), "c.mcap".into()]), ["b", "c"]);
        let (split, runs) = ([("run_0", 0, 5), ("run_1", 5, 9)], [("run_1", 0, 5), ("run_2", 90, 95)]);
        assert!(are_one(Path::new("/data/walks"), &files(&split)));
        assert!(!are_one(Path::new("/data/walks"), &files(&runs)), "an hour apart");
        assert!(are_one(Path::new("/data/run"), &files(&runs)), "a folder's own");
        assert!(!are_one(Path::new("/data/walks"), &files(&[("run_0", 0, 5), ("run_1", 0, 5)])), "at the same time");
    }
}
