//! A result that takes the place of an earlier one once it is whole.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// What the forms of results are known by.
const MARKS: [&str; 3] = ["format.json", "questions.jsonl", "meta/info.json"];

/// A folder in the making.
pub struct NewFolder {
    out: PathBuf,
    fresh: PathBuf,
}

impl NewFolder {
    /// An empty folder beside `out`; what a broken-off command left there is removed.
    ///
    /// # Errors
    /// When `out` holds something that this command did not write, or the disk refuses.
    pub fn beside(out: &Path) -> Result<Self> {
        let is_empty = !out.exists() || std::fs::read_dir(out).is_ok_and(|mut files| files.next().is_none());
        ensure!(
            is_empty || MARKS.iter().any(|mark| out.join(mark).is_file()),
            "{}: expected a new folder, or one that this command wrote, found other files",
            out.display()
        );
        let mut name = out.file_name().unwrap_or_default().to_owned();
        name.push(".unfinished");
        let fresh = out.with_file_name(name);
        if fresh.exists() {
            std::fs::remove_dir_all(&fresh).with_context(|| fresh.display().to_string())?;
        }
        std::fs::create_dir_all(&fresh).with_context(|| fresh.display().to_string())?;
        Ok(Self { out: out.to_owned(), fresh })
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        &self.fresh
    }

    /// Puts the result in the place of the earlier one.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn take_its_place(self) -> Result<()> {
        let Self { out, fresh } = self;
        let context = || out.display().to_string();
        if out.exists() {
            std::fs::remove_dir_all(&out).with_context(context)?;
        }
        std::fs::rename(&fresh, &out).with_context(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_replaces_the_one_before_and_nothing_else() {
        let scratch = tempfile::tempdir().unwrap();
        let out = scratch.path().join("data/mine");
        for text in ["first", "second"] {
            let folder = NewFolder::beside(&out).unwrap();
            std::fs::write(folder.path().join("format.json"), text).unwrap();
            folder.take_its_place().unwrap();
            assert_eq!(std::fs::read_to_string(out.join("format.json")).unwrap(), text);
        }
        // One that breaks off leaves the result before, and its own leavings go with the next.
        let broken = NewFolder::beside(&out).unwrap();
        std::fs::write(broken.path().join("half"), "x").unwrap();
        let next = NewFolder::beside(&out).unwrap();
        assert_eq!(std::fs::read_dir(next.path()).unwrap().count(), 0);
        assert_eq!(std::fs::read_to_string(out.join("format.json")).unwrap(), "second");
        let theirs = scratch.path().join("home");
        std::fs::create_dir(&theirs).unwrap();
        std::fs::write(theirs.join("letter.txt"), "dear").unwrap();
        assert!(NewFolder::beside(&theirs).map(drop).unwrap_err().to_string().contains("found other files"));
    }
}
