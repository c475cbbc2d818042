//! A run's log, one JSON object a line, each with its step.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// The open log.
pub struct RunLog {
    file: File,
}

impl RunLog {
    /// Opens the log of a run that goes on after `step`: what a killed session wrote about later steps is dropped, since
    /// they will be made again. At step 0 the log starts anew.
    pub fn open(path: &Path, step: u64) -> Result<Self> {
        let context = || path.display().to_string();
        let earlier = if path.exists() { std::fs::read_to_string(path).with_context(context)? } else { String::new() };
        let belongs = |line: &&str| {
            let value = serde_json::from_str::<serde_json::Value>(line).unwrap_or_default();
            step > 0 && value["step"].as_u64().is_some_and(|found| found <= step)
        };
        let kept: String = earlier.lines().filter(belongs).flat_map(|line| [line, "\n"]).collect();
        let fresh = path.with_extension("new");
        std::fs::write(&fresh, kept).with_context(context)?;
        std::fs::rename(&fresh, path).with_context(context)?;
        Ok(Self { file: File::options().append(true).open(path).with_context(context)? })
    }

    /// Adds a line.
    pub fn write(&mut self, line: &impl Serialize) -> Result<()> {
        Ok(writeln!(self.file, "{}", serde_json::to_string(line)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_will_be_made_again_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        std::fs::write(&path, "{\"step\":0}\n{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"st").unwrap();
        let mut log = RunLog::open(&path, 2).unwrap();
        log.write(&serde_json::json!({"step": 3})).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"step\":0}\n{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n");
        RunLog::open(&path, 0).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    }
}
