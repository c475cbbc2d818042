//! The rows of the tables.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde_json::json;

use super::VIDEO_KEY;
use super::table::{self, Column};
use crate::Result;
use crate::episode::{Frame, Question};

/// Numbers of a pose.
pub(super) const STATE_NUMBERS: usize = 7;

/// One row a frame of an episode.
#[derive(Default)]
pub(super) struct FrameRows {
    pub state: Vec<Vec<f32>>,
    pub timestamp: Vec<f32>,
    pub frame_index: Vec<i64>,
    pub episode_index: Vec<i64>,
    pub index: Vec<i64>,
    pub task_index: Vec<i64>,
    stamp_nanos: Vec<i64>,
    answer: Vec<String>,
    label_source: Vec<String>,
}

impl FrameRows {
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Adds the frames of a question; returns their rows.
    pub fn add(
        &mut self,
        question: &Question,
        frames: &[&Frame],
        (episode, task_index): (usize, i64),
        rate_hz: u32,
    ) -> Range<usize> {
        let before = self.len();
        let label = question.label.as_ref();
        for (number, frame) in frames.iter().enumerate() {
            let pose = frame.pose.map(|pose| [&pose.position_m[..], &pose.orientation[..]].concat());
            let state = pose.map(|pose| pose.into_iter().map(|value| value as f32).collect());
            self.state.push(state.unwrap_or_else(|| vec![f32::NAN; STATE_NUMBERS]));
            self.timestamp.push(number as f32 / rate_hz as f32);
            self.frame_index.push(number as i64);
            self.episode_index.push(episode as i64);
            self.index.push((before + number) as i64);
            self.task_index.push(task_index);
            self.stamp_nanos.push(frame.stamp_nanos);
            self.answer.push(label.map(|label| label.text.clone()).unwrap_or_default());
            self.label_source.push(label.map(|label| label.source.name().to_owned()).unwrap_or_default());
        }
        before..self.len()
    }

    pub fn write(self, folder: &Path) -> Result<()> {
        let columns = [
            ("observation.state", Column::Floats(self.state)),
            ("timestamp", Column::Float(self.timestamp)),
            ("frame_index", Column::Int(self.frame_index)),
            ("episode_index", Column::Int(self.episode_index)),
            ("index", Column::Int(self.index)),
            ("task_index", Column::Int(self.task_index)),
            ("stamp_nanos", Column::Int(self.stamp_nanos)),
            ("answer", Column::Text(self.answer)),
            ("label_source", Column::Text(self.label_source)),
        ];
        table::write(&folder.join("data/chunk-000/file-000.parquet"), &columns, None)
    }
}

/// One row an episode.
#[derive(Default)]
pub(super) struct EpisodeRows {
    tasks: Vec<Vec<String>>,
    from: Vec<i64>,
    to: Vec<i64>,
    video_chunk: Vec<i64>,
    video_file: Vec<i64>,
    from_secs: Vec<f64>,
    to_secs: Vec<f64>,
}

impl EpisodeRows {
    pub fn len(&self) -> usize {
        self.from.len()
    }

    /// Adds an episode with these rows of data; its video begins with frame `first` of the file.
    pub fn add(&mut self, task: String, rows: Range<usize>, (chunk, file): (i64, i64), (first, rate_hz): (usize, u32)) {
        self.tasks.push(vec![task]);
        self.from.push(rows.start as i64);
        self.to.push(rows.end as i64);
        self.video_chunk.push(chunk);
        self.video_file.push(file);
        self.from_secs.push(first as f64 / f64::from(rate_hz));
        self.to_secs.push((first + rows.len()) as f64 / f64::from(rate_hz));
    }

    pub fn write(self, folder: &Path) -> Result<()> {
        let count = self.len();
        let zeros = || Column::Int(vec![0; count]);
        let lengths = self.from.iter().zip(&self.to).map(|(from, to)| to - from).collect();
        let video = |name: &str| format!("videos/{VIDEO_KEY}/{name}");
        let columns = [
            ("episode_index".to_owned(), Column::Int((0..count as i64).collect())),
            ("tasks".to_owned(), Column::Texts(self.tasks)),
            ("length".to_owned(), Column::Int(lengths)),
            ("data/chunk_index".to_owned(), zeros()),
            ("data/file_index".to_owned(), zeros()),
            ("dataset_from_index".to_owned(), Column::Int(self.from)),
            ("dataset_to_index".to_owned(), Column::Int(self.to)),
            (video("chunk_index"), Column::Int(self.video_chunk)),
            (video("file_index"), Column::Int(self.video_file)),
            (video("from_timestamp"), Column::Double(self.from_secs)),
            (video("to_timestamp"), Column::Double(self.to_secs)),
            ("meta/episodes/chunk_index".to_owned(), zeros()),
            ("meta/episodes/file_index".to_owned(), zeros()),
        ];
        table::write(&folder.join("meta/episodes/chunk-000/file-000.parquet"), &columns, None)
    }
}

/// The tasks, read by pandas as a frame whose index they are.
pub(super) fn write_tasks(folder: &Path, tasks: &BTreeMap<String, i64>) -> Result<()> {
    const INDEX: &str = "__index_level_0__";
    let mut ordered: Vec<(&String, &i64)> = tasks.iter().collect();
    ordered.sort_by_key(|(_, index)| **index);
    let (texts, indices) = ordered.into_iter().map(|(text, index)| (text.clone(), *index)).unzip();
    let column = |name: Option<&str>, field: &str, kinds: [&str; 2]| json!({"name": name, "field_name": field, "pandas_type": kinds[0], "numpy_type": kinds[1], "metadata": null});
    let pandas = json!({
        "index_columns": [INDEX],
        "column_indexes": [],
        "columns": [
            column(Some("task_index"), "task_index", ["int64", "int64"]),
            column(None, INDEX, ["unicode", "object"]),
        ],
        "pandas_version": "2.0.0",
    });
    let columns = [("task_index", Column::Int(indices)), (INDEX, Column::Text(texts))];
    table::write(&folder.join("meta/tasks.parquet"), &columns, Some(("pandas", pandas.to_string())))
}
