//! Episodes as a LeRobot data set, version 3.0 (<https://github.com/huggingface/lerobot>): parquet tables and mp4 files.
//!
//! ```text
//! OUT/
//!   meta/info.json                                       features, rate, paths
//!   meta/stats.json                                      least, largest, mean, deviation of the numbers
//!   meta/tasks.parquet                                   task -> task_index
//!   meta/episodes/chunk-000/file-000.parquet             one row an episode: rows of data, stretch of video
//!   data/chunk-000/file-000.parquet                      one row a frame
//!   videos/observation.images.camera/chunk-<c>/file-<f>.mp4
//! ```
//! A labelled question is an episode of LeRobot's: its `task` is the question, its frames those that the question is
//! about, `answer` and `label_source` stand in every row. Questions about one recording share its video, each with its
//! own stretch of it. `observation.state` is the pose of the robot's base (x, y, z in metres, quaternion x, y, z, w;
//! NaN where unknown), `stamp_nanos` the recording's own stamp. LeRobot wants a steady rate: for each moment of it the
//! nearest frame is taken. All pictures must be of one size.

mod info;
mod rows;
mod stats;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::episode::{Episode, Frame, Question, Span};
use crate::sampling::regular;
use crate::video::{self, Video};
use crate::{Error, Result};

use rows::{EpisodeRows, FrameRows};

/// Version of the format, as LeRobot writes it.
pub const CODEBASE_VERSION: &str = "v3.0";
/// The one camera.
pub const VIDEO_KEY: &str = "observation.images.camera";
/// Most files a folder.
const CHUNK_FILES: usize = 1000;

/// A data set being written.
pub struct LerobotWriter {
    folder: PathBuf,
    rate_hz: u32,
    tasks: BTreeMap<String, i64>,
    frames: FrameRows,
    episodes: EpisodeRows,
    video: Option<Video>,
    videos: usize,
}

impl LerobotWriter {
    /// Makes the folder; data and videos get `rate_hz` frames a second.
    ///
    /// # Errors
    /// When it holds a data set already or can't be written.
    pub fn create(folder: &Path, rate_hz: u32) -> Result<Self> {
        let meta = folder.join("meta");
        if meta.exists() {
            let (expected, found) = ("no data set there yet".to_owned(), "one".to_owned());
            return Err(Error::Form { path: meta, expected, found });
        }
        std::fs::create_dir_all(&meta).map_err(Error::io(&meta))?;
        Ok(Self {
            folder: folder.to_owned(),
            rate_hz: rate_hz.max(1),
            tasks: BTreeMap::new(),
            frames: FrameRows::default(),
            episodes: EpisodeRows::default(),
            video: None,
            videos: 0,
        })
    }

    /// Adds the labelled questions of an episode; one without any is left out.
    ///
    /// # Errors
    /// When a picture can't be decoded or is of another size than those before, or the operating system refuses.
    pub fn write(&mut self, episode: &Episode) -> Result<()> {
        let known: Vec<&Question> = episode.questions.iter().filter(|question| question.label.is_some()).collect();
        let all: Vec<&Frame> = episode.frames.iter().collect();
        let steady = regular(&all, f64::from(self.rate_hz))?;
        let (Some(first), Some(last)) = (steady.first(), steady.last()) else { return Ok(()) };
        if known.is_empty() {
            return Ok(());
        }
        let whole = Span { from_nanos: first.stamp_nanos, until_nanos: last.stamp_nanos };
        let file = self.write_video(&steady)?;
        for question in known {
            let span = question.span.unwrap_or(whole);
            let count = steady.len();
            let step = |stamp: i64| {
                let periods = (stamp - first.stamp_nanos) as f64 / 1e9 * f64::from(self.rate_hz);
                (periods.round().max(0.0) as usize).min(count - 1)
            };
            let (from, until) = (step(span.from_nanos), step(span.until_nanos));
            self.add(question, steady.get(from..=until).unwrap_or_default(), (file, from));
        }
        Ok(())
    }

    /// Writes the tables.
    ///
    /// # Errors
    /// When nothing was added, or the operating system refuses.
    pub fn finish(self) -> Result<()> {
        let Some(video) = self.video else {
            let (expected, found) = ("labelled questions about frames".to_owned(), "none".to_owned());
            return Err(Error::Form { path: self.folder, expected, found });
        };
        info::write(&self.folder, &self, video)?;
        stats::write(&self.folder, &self.frames)?;
        rows::write_tasks(&self.folder, &self.tasks)?;
        self.episodes.write(&self.folder)?;
        self.frames.write(&self.folder)
    }

    /// Number of the new file.
    fn write_video(&mut self, frames: &[&Frame]) -> Result<usize> {
        let number = self.videos;
        let (chunk, file) = chunk_file(number);
        let path = self.folder.join(format!("videos/{VIDEO_KEY}/chunk-{chunk:03}/file-{file:03}.mp4"));
        let parent = path.parent().unwrap_or(&self.folder);
        std::fs::create_dir_all(parent).map_err(Error::io(parent))?;
        let written = video::write(&path, frames, f64::from(self.rate_hz))?;
        match (self.video, written) {
            (Some(before), Some(now)) if before != now => {
                let size = |video: Video| format!("pictures of {}x{} pixels", video.width, video.height);
                return Err(Error::Form { path, expected: format!("{}, as before", size(before)), found: size(now) });
            }
            _ => self.video = written.or(self.video),
        }
        self.videos += 1;
        Ok(number)
    }

    fn add(&mut self, question: &Question, frames: &[&Frame], (file, first): (usize, usize)) {
        let task = if question.options.is_empty() {
            question.text.clone()
        } else {
            format!("{} {}", question.text, question.options.join(" "))
        };
        let next = self.tasks.len() as i64;
        let task_index = *self.tasks.entry(task.clone()).or_insert(next);
        let rows = self.frames.add(question, frames, (self.episodes.len(), task_index), self.rate_hz);
        self.episodes.add(task, rows, chunk_file(file), (first, self.rate_hz));
    }
}

fn chunk_file(number: usize) -> (i64, i64) {
    ((number / CHUNK_FILES) as i64, (number % CHUNK_FILES) as i64)
}
