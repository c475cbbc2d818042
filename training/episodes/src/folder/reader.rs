//! Reading the folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{
    EPISODES_FILE, EpisodeLine, FORMAT, FORMAT_FILE, FormatFile, FrameLine, MEDIA_FOLDER, UNLABELLED_FILE,
    UnlabelledLine, VERSION,
};
use crate::episode::{Episode, Frame, Picture, Question};
use crate::json_lines::{self, Record};
use crate::{Error, Result};

/// A folder that [`super::FolderWriter`] wrote.
pub struct EpisodeFolder {
    folder: PathBuf,
}

impl EpisodeFolder {
    /// Opens a folder.
    ///
    /// # Errors
    /// When it is none, or of another version.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(FORMAT_FILE);
        if !path.is_file() {
            let expected = format!("a folder that `spacer-train episodes` wrote, with {FORMAT_FILE}");
            return Err(Error::Form { path: folder.to_owned(), expected, found: "none".to_owned() });
        }
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        let expected = FormatFile { format: FORMAT.to_owned(), version: VERSION };
        match serde_json::from_str::<FormatFile>(&text) {
            Ok(found) if found == expected => Ok(Self { folder: folder.to_owned() }),
            _ => {
                let expected = format!("{FORMAT} version {VERSION}");
                Err(Error::Form { path, expected, found: text.trim().to_owned() })
            }
        }
    }

    /// The episodes in the order written, with their labelled questions.
    ///
    /// # Errors
    /// When the file of episodes can't be opened; what is wrong with an episode is an error in its place.
    pub fn episodes(&self) -> Result<Episodes> {
        let lines = json_lines::read(&self.folder.join(EPISODES_FILE))?;
        Ok(Episodes { folder: self.folder.clone(), lines, left_out: Vec::new() })
    }

    /// The questions without a label, by episode.
    ///
    /// # Errors
    /// When the file can't be read or a line is none.
    pub fn unlabelled(&self) -> Result<BTreeMap<String, Vec<Question>>> {
        let mut questions: BTreeMap<String, Vec<Question>> = BTreeMap::new();
        for line in json_lines::read(&self.folder.join(UNLABELLED_FILE))? {
            let UnlabelledLine { episode, question } = line?.parse()?;
            questions.entry(episode).or_default().push(question);
        }
        Ok(questions)
    }
}

/// The episodes of a folder, one after the other. Frames whose pictures are broken are left out and named.
pub struct Episodes {
    folder: PathBuf,
    lines: json_lines::Records,
    left_out: Vec<String>,
}

impl Episodes {
    /// The broken pictures of the episodes so far, each with what is wrong with it; told once.
    pub fn take_left_out(&mut self) -> Vec<String> {
        std::mem::take(&mut self.left_out)
    }
}

impl Iterator for Episodes {
    type Item = Result<Episode>;

    fn next(&mut self) -> Option<Result<Episode>> {
        loop {
            let line = self.lines.next()?;
            let known = self.left_out.len();
            let episode = line.and_then(|line| read_episode(&self.folder, &line, &mut self.left_out));
            // Of some episodes nothing is left that could be shown.
            let is_lost = |episode: &Episode| episode.frames.is_empty() && self.left_out.len() > known;
            if !episode.as_ref().is_ok_and(is_lost) {
                return Some(episode);
            }
        }
    }
}

fn read_episode(folder: &Path, line: &Record, left_out: &mut Vec<String>) -> Result<Episode> {
    let EpisodeLine { id, data_source, camera, frames, questions, map } = line.parse()?;
    let mut read = Vec::with_capacity(frames.len());
    for frame in frames {
        let is_inside = Path::new(&frame.file).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if !is_inside || !frame.file.starts_with(MEDIA_FOLDER) {
            return Err(line.refuse("frames", &format!("files within {MEDIA_FOLDER}/ (found {:?})", frame.file)));
        }
        let path = folder.join(&frame.file);
        let picture = match Picture::read(&path) {
            Ok(picture) => picture,
            Err(error @ (Error::Broken(_) | Error::Picture { .. })) => {
                left_out.push(format!("{}: {error}", path.display()));
                continue;
            }
            Err(error) => return Err(error),
        };
        let FrameLine { stamp_nanos, pose, camera, .. } = frame;
        read.push(Frame { stamp_nanos, pose, camera, picture });
    }
    Ok(Episode { id, data_source, camera, frames: read, questions, map })
}
