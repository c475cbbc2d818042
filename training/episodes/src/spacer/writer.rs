//! Writing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{MAPS_FILE, QUESTIONS_FILE, UNLABELLED_FILE};
use crate::episode::{Episode, Frame, Question, Span};
use crate::json_lines::Writer;
use crate::sampling::regular;
use crate::{Error, Result, video};

/// Episodes as SpaceR's files: one video (or picture, of a single frame) for each stretch of frames that is asked about.
///
/// Videos have a steady rate, so frames are taken nearest to its moments. Questions without a label go to
/// `unlabelled.jsonl`, without `solution`. Maps lose their scale and the robot, which SpaceR's form has no place for.
pub struct SpacerWriter {
    folder: PathBuf,
    rate_hz: f64,
    questions: Writer,
    maps: Writer,
    unlabelled: Writer,
    written: u64,
}

impl SpacerWriter {
    /// Makes the folder; videos get `rate_hz` frames a second.
    ///
    /// # Errors
    /// When it holds such files already or can't be written.
    pub fn create(folder: &Path, rate_hz: f64) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let create = |name: &str| Writer::create(&folder.join(name));
        let (questions, maps, unlabelled) = (create(QUESTIONS_FILE)?, create(MAPS_FILE)?, create(UNLABELLED_FILE)?);
        Ok(Self { folder: folder.to_owned(), rate_hz, questions, maps, unlabelled, written: 0 })
    }

    /// Adds an episode.
    ///
    /// # Errors
    /// When a picture can't be decoded, or the operating system refuses.
    pub fn write(&mut self, episode: &Episode) -> Result<()> {
        let mut media: BTreeMap<Option<Span>, (String, &str)> = BTreeMap::new();
        for question in &episode.questions {
            let (path, data_type) = match media.get(&question.span) {
                Some(known) => known.clone(),
                None => {
                    let name =
                        if media.is_empty() { episode.id.clone() } else { format!("{}.{}", episode.id, media.len()) };
                    let new = self.write_media(&name, &episode.frames_of(question).collect::<Vec<_>>())?;
                    self.write_map(&name, episode, question)?;
                    media.insert(question.span, new.clone());
                    new
                }
            };
            let record = record(self.written, question, &path, data_type, &episode.data_source);
            self.written += 1;
            if question.label.is_some() { self.questions.write(&record)? } else { self.unlabelled.write(&record)? }
        }
        Ok(())
    }

    /// Ends the files.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn finish(self) -> Result<()> {
        self.questions.finish()?;
        self.maps.finish()?;
        self.unlabelled.finish()
    }

    /// Path of the file within the folder, and its `data_type`.
    fn write_media(&self, name: &str, frames: &[&Frame]) -> Result<(String, &'static str)> {
        let (sub, extension, data_type) = match frames {
            [only] => ("images", only.picture.format.extension(), "image"),
            _ => ("videos", "mp4", "video"),
        };
        let folder = self.folder.join(sub);
        std::fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        let path = folder.join(format!("{name}.{extension}"));
        match frames {
            [only] => std::fs::write(&path, &only.picture.bytes()?).map_err(Error::io(&path))?,
            _ if video::write(&path, &regular(frames, self.rate_hz)?, self.rate_hz)?.is_some() => {}
            _ => {
                let expected = "frames within each question's span".to_owned();
                return Err(Error::Form { path, expected, found: "none".to_owned() });
            }
        }
        Ok((format!("./{sub}/{name}.{extension}"), data_type))
    }

    fn write_map(&mut self, video_id: &str, episode: &Episode, question: &Question) -> Result<()> {
        let Some(map) = episode.map_of(question) else { return Ok(()) };
        let (map, list) = (&map.cells.objects, &map.object_list);
        self.maps.write(&json!({"video_id": video_id, "cognitive_map": map, "object_list": list}))
    }
}

fn record(number: u64, question: &Question, path: &str, data_type: &str, data_source: &str) -> Value {
    let mut record = json!({
        "problem_id": number,
        "problem": question.text,
        "data_type": data_type,
        "problem_type": question.problem_type,
        "options": question.options,
        "path": path,
        "data_source": data_source,
    });
    if let (Some(fields), Some(label)) = (record.as_object_mut(), &question.label) {
        fields.insert("solution".to_owned(), format!("<answer>{}</answer>", label.text).into());
        fields.insert("label_source".to_owned(), label.source.name().into());
    }
    record
}
