//! What SQLite keeps beside a database until it moves it in: the last messages of a recorder that was killed.
//!
//! A write-ahead log (`-wal`) is read. SQLite writes beside a database that it opens with its log, so both are copied
//! into the folder of temporary files and put together there. A log that can't be copied, and a rollback journal
//! (`-journal`), are left unread, and said.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::regular;

/// What a write-ahead log begins with, by the byte order of its checksums.
const LOG_MAGICS: [[u8; 4]; 2] = [[0x37, 0x7f, 0x06, 0x82], [0x37, 0x7f, 0x06, 0x83]];
/// Bytes before the first page of a log: its own header and the page's.
const BEFORE_FIRST_PAGE: u64 = 32 + 24;
/// Largest page of SQLite, bytes.
const MOST_PAGE_BYTES: u32 = 1 << 16;
/// A database and its log that are larger together are not copied.
const MOST_COPIED_BYTES: u64 = 64 << 30;
/// The copy's name in its folder.
const COPY: &str = "bag.db3";

/// A journal beside a database.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    /// Database and log as one, or why there is no such copy.
    copy: Result<TempDir, String>,
}

impl Journal {
    /// Looks beside a database.
    pub fn beside(database: &Path) -> Option<Self> {
        let log = beside(database, "-wal");
        if has_content(&log) {
            let is_log = is_log(&log);
            let copy = if is_log { put_together(database, &log) } else { Err("it is no log of SQLite".to_owned()) };
            return Some(Self { path: log, copy });
        }
        let path = beside(database, "-journal");
        has_content(&path).then(|| Self { path, copy: Err("it undoes changes".to_owned()) })
    }

    /// The database with what its log holds, outside the bag; there as long as this is.
    pub fn copy(&self) -> Option<PathBuf> {
        self.copy.as_ref().ok().map(|folder| folder.path().join(COPY))
    }

    /// What is not read and why, and what to do.
    pub fn unread(&self) -> Option<String> {
        let reason = self.copy.as_ref().err()?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        Some(format!(
            "its last messages are still in {name}, which is not read ({reason}); `sqlite3 FILE .tables` on a copy of \
             both moves them"
        ))
    }
}

/// Whether a database that itself holds nothing has a log which does.
pub(crate) fn has_log(database: &Path) -> bool {
    is_log(&beside(database, "-wal"))
}

fn beside(database: &Path, end: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn has_content(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() > 0)
}

fn is_log(path: &Path) -> bool {
    let mut first = [0; 4];
    regular::open(path).and_then(|mut file| file.read_exact(&mut first)).is_ok() && LOG_MAGICS.contains(&first)
}

/// Copies a database and its log, and lets SQLite move the one into the other.
fn put_together(database: &Path, log: &Path) -> Result<TempDir, String> {
    let words = |error: std::io::Error| error.to_string();
    let length = |path: &Path| std::fs::metadata(path).map(|about| about.len()).map_err(words);
    let (database_bytes, log_bytes) = (length(database)?, length(log)?);
    // The database grows by what its log holds.
    let needed = database_bytes.saturating_add(log_bytes.saturating_mul(2));
    check_room(needed)?;
    let folder = tempfile::Builder::new().prefix("spacer-bag-").tempdir().map_err(words)?;
    let copy = folder.path().join(COPY);
    copy_file(database, &copy).map_err(words)?;
    copy_file(log, &beside(&copy, "-wal")).map_err(words)?;
    if database_bytes == 0 {
        // SQLite throws a log away where the database has no page at all.
        std::fs::write(&copy, first_page(log).map_err(words)?).map_err(words)?;
    }
    move_in(&copy).map_err(|error| error.to_string())?;
    Ok(folder)
}

fn check_room(needed: u64) -> Result<(), String> {
    let folder = std::env::temp_dir();
    let free = rustix::fs::statvfs(&folder).map_or(u64::MAX, |about| about.f_bavail.saturating_mul(about.f_frsize));
    let most = free.min(MOST_COPIED_BYTES);
    if needed <= most {
        return Ok(());
    }
    Err(format!(
        "a copy takes {needed} bytes, at most {most} may go to {}; TMPDIR names another folder",
        folder.display()
    ))
}

/// Content only: a copy of a file that nobody may write could not be written either.
fn copy_file(from: &Path, to: &Path) -> std::io::Result<()> {
    std::io::copy(&mut regular::open(from)?, &mut File::create_new(to)?).map(|_| ())
}

/// The first page that a log holds. Its content does not matter: SQLite reads every page from the log.
fn first_page(log: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = regular::open(log)?;
    let mut header = [0; 12];
    file.read_exact(&mut header)?;
    let [.., a, b, c, d] = header;
    let bytes = u32::from_be_bytes([a, b, c, d]).min(MOST_PAGE_BYTES);
    let mut page = Vec::new();
    file.seek(SeekFrom::Start(BEFORE_FIRST_PAGE))?;
    file.take(bytes.into()).read_to_end(&mut page)?;
    Ok(page)
}

fn move_in(copy: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(copy, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, true)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_finds_no_room_is_not_begun_and_the_folder_is_named() {
        assert_eq!(check_room(0), Ok(()));
        let folder = std::env::temp_dir().display().to_string();
        let refused = check_room(MOST_COPIED_BYTES + 1).expect_err("more than is ever copied");
        assert!(refused.contains(&folder) && refused.contains("TMPDIR"), "{refused}");
    }
}
