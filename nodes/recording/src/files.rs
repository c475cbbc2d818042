//! Which files a path means: one file, a rosbag2 folder, or what is left of one.
//!
//! `metadata.yaml` says which files belong together. Where it is missing, or names files that are not there, those that
//! lie in the folder are read, if they are pieces of one recording. Nothing is ever written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::damage::{Damage, DamageList};
use crate::error::{Error, Result};
use crate::listed::{Listed, locate, unpacked_name};
use crate::metadata::FILE_NAME;
use crate::pieces::{Piece, recordings};
use crate::storage::Storage;

/// Endings of data files; of several forms of one file the first is read.
const ENDS: [&str; 2] = ["mcap", "db3"];
/// Most files that an error describes.
const MOST_DESCRIBED: usize = 3;

/// What a path means.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Data files in the order of recording.
    pub files: Vec<PathBuf>,
    /// The folder whose files nobody says belong together.
    pub undeclared: Option<PathBuf>,
    /// Types of topics.
    pub types: Arc<BTreeMap<String, String>>,
    /// What should be there.
    pub damage: DamageList,
}

/// Finds the files of one recording.
///
/// # Errors
/// [`Error::NoBag`] when there are none, [`Error::Several`] when there are those of several.
pub(crate) fn find(path: &Path) -> Result<Found> {
    let about = std::fs::metadata(path).map_err(Error::io(path))?;
    if about.is_dir() {
        return in_folder(path);
    }
    match path.parent() {
        Some(folder) if path.file_name().is_some_and(|name| name == FILE_NAME) => in_folder(folder),
        _ => Ok(Found { files: vec![path.to_owned()], ..Found::default() }),
    }
}

fn in_folder(folder: &Path) -> Result<Found> {
    // The folder of a bare file name.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Listed { files: listed, types } = Listed::of(folder);
    let present = data_files(folder)?;
    let mut named: Vec<PathBuf> = Vec::new();
    let mut damage = DamageList::default();
    for file in &listed {
        match locate(folder, file) {
            Some(found) if named.contains(&found) => {}
            Some(found) => named.push(found),
            None => damage.push(absence(folder, file)),
        }
    }
    let types = Arc::new(types);
    if !named.is_empty() {
        return Ok(Found { files: with_continuation(named, present), undeclared: None, types, damage });
    }
    if present.is_empty() {
        return below(folder);
    }
    // As many as were listed, by other names: they were renamed.
    let damage = if present.len() >= listed.len() { DamageList::default() } else { damage };
    let several = recordings(&present);
    if several.len() > 1 {
        return Err(Error::several(folder, &present));
    }
    Ok(Found { files: present, undeclared: Some(folder.to_owned()), types, damage })
}

/// The files that are listed, and those that the recorder made after the list was.
fn with_continuation(mut named: Vec<PathBuf>, present: Vec<PathBuf>) -> Vec<PathBuf> {
    let stems: Vec<String> = named.iter().map(|file| Piece::of(file).stem).collect();
    let forms: Vec<PathBuf> = named.iter().map(|file| form_of(file)).collect();
    let mut goes_on = false;
    for file in present {
        let piece = Piece::of(&file);
        if piece.number.is_some() && stems.contains(&piece.stem) && !forms.contains(&form_of(&file)) {
            named.push(file);
            goes_on = true;
        }
    }
    if goes_on {
        named.sort_by_cached_key(|file| Piece::of(file));
    }
    named
}

fn absence(folder: &Path, listed: &Path) -> Damage {
    let path = folder.join(listed.file_name().unwrap_or(listed.as_os_str()));
    Damage { path, messages: 0, reason: format!("{FILE_NAME} names it, and it is not there") }
}

/// A file's path without the endings that say how it is stored.
fn form_of(file: &Path) -> PathBuf {
    unpacked_name(file).with_extension("")
}

/// The data files of a folder in the order of recording: `bag_10` comes behind `bag_9`. Of one that is there in several
/// forms, unpacked or converted, one is taken.
fn data_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(Error::io(folder))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let rank = |file: &Path| {
        let whole = unpacked_name(file);
        let end = whole.extension()?.to_str()?;
        let preference = ENDS.iter().position(|known| end.eq_ignore_ascii_case(known))?;
        Some((preference, whole != file))
    };
    let mut files: Vec<PathBuf> = paths.filter(|path| rank(path).is_some() && path.is_file()).collect();
    files.sort_by_cached_key(|file| (Piece::of(file), form_of(file), rank(file)));
    files.dedup_by_key(|file| form_of(file));
    Ok(files)
}

/// The one recording in a folder within the folder.
fn below(folder: &Path) -> Result<Found> {
    let entries = std::fs::read_dir(folder).map_err(Error::io(folder))?;
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let holds_one = |path: &Path| {
        let listed = || Listed::of(path).files.iter().any(|file| locate(path, file).is_some());
        path.is_dir() && (data_files(path).is_ok_and(|files| !files.is_empty()) || listed())
    };
    folders.retain(|path| holds_one(path));
    folders.sort();
    match folders.as_slice() {
        [] => Err(Error::NoBag { path: folder.to_owned(), holds: described(folder) }),
        [only] => in_folder(only),
        several => Err(Error::several(folder, several)),
    }
}

/// What lies in a folder without recordings, for who put it there.
fn described(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.is_file() && path.file_name().is_some_and(|name| name != FILE_NAME));
    files.sort();
    let describe = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match Storage::of(path) {
            Ok(_) => format!("; {name} is one: pass it"),
            Err(Error::NotABag { found, .. }) => format!("; {name} is {found}"),
            Err(error) => format!("; {error}"),
        }
    };
    files.iter().take(MOST_DESCRIBED).map(describe).collect()
}
