//! What became of what was read.

use std::collections::BTreeMap;
use std::path::Path;

use episodes::Episode;
use serde_json::json;

/// What was written.
#[derive(Default)]
pub struct Counts {
    /// Episodes that were written.
    pub episodes: usize,
    frames: usize,
    labelled: BTreeMap<&'static str, usize>,
    unlabelled: usize,
    /// Messages, records or whole bags that could not be used.
    pub left_out: usize,
    /// SpaceR's records that were looked at.
    pub records: usize,
    /// Those of them that could not be used.
    pub records_left_out: usize,
    /// Bags that were looked at.
    pub bags: usize,
    /// Those of them that could not be used.
    pub bags_left_out: usize,
}

impl Counts {
    /// Counts an episode that was written.
    pub fn add(&mut self, episode: &Episode) {
        self.episodes += 1;
        self.frames += episode.frames.len();
        for question in &episode.questions {
            match &question.label {
                Some(label) => *self.labelled.entry(label.source.name()).or_default() += 1,
                None => self.unlabelled += 1,
            }
        }
    }

    /// Prints the counts.
    pub fn print(&self, out: &Path, as_json: bool) {
        let Self { episodes, frames, labelled, unlabelled, left_out, bags, bags_left_out, .. } = self;
        let Self { records, records_left_out, .. } = self;
        if as_json {
            let counts = json!({"episodes": episodes, "frames": frames, "labelled": labelled, "unlabelled": unlabelled,
                                "left_out": left_out, "bags": bags, "bags_left_out": bags_left_out, "records": records,
                                "records_left_out": records_left_out, "out": out});
            println!("{counts:#}");
            return;
        }
        println!("{}: {episodes} episodes, {frames} frames", out.display());
        for (source, count) in labelled {
            println!("  {count} questions labelled by {source}");
        }
        println!("  {unlabelled} questions that nobody knows the answer of");
        println!("  {left_out} messages or files left out");
        if *records_left_out > 0 {
            println!("  {records_left_out} of {records} records left out");
        }
        if *bags_left_out > 0 {
            println!("  {bags_left_out} of {bags} bags left out");
        }
    }
}
