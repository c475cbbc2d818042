//! Writing the folder.

use std::path::{Path, PathBuf};

use super::{
    EPISODES_FILE, EpisodeLine, FORMAT, FORMAT_FILE, FormatFile, FrameLine, MEDIA_FOLDER, UNLABELLED_FILE,
    UnlabelledLine, VERSION,
};
use crate::episode::{Episode, Question, file_safe};
use crate::json_lines::Writer;
use crate::{Error, Result};

/// A folder of episodes being written.
pub struct FolderWriter {
    folder: PathBuf,
    episodes: Writer,
    unlabelled: Writer,
}

impl FolderWriter {
    /// Makes the folder.
    ///
    /// # Errors
    /// When it holds episodes already or can't be written.
    pub fn create(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let episodes = Writer::create(&folder.join(EPISODES_FILE))?;
        let unlabelled = Writer::create(&folder.join(UNLABELLED_FILE))?;
        let format = serde_json::json!(FormatFile { format: FORMAT.to_owned(), version: VERSION }).to_string();
        let path = folder.join(FORMAT_FILE);
        std::fs::write(&path, format + "\n").map_err(Error::io(&path))?;
        Ok(Self { folder: folder.to_owned(), episodes, unlabelled })
    }

    /// Adds an episode: its pictures, then its lines.
    ///
    /// # Errors
    /// When its id is no name for a folder or was written before, or the operating system refuses.
    pub fn write(&mut self, episode: &Episode) -> Result<()> {
        let id = &episode.id;
        if id.is_empty() || file_safe(id) != *id {
            let expected = "an id of letters, digits, `-`, `_` and `.`".to_owned();
            return Err(Error::Form { path: self.folder.clone(), expected, found: format!("{id:?}") });
        }
        let media = Path::new(MEDIA_FOLDER).join(id);
        let target = self.folder.join(&media);
        std::fs::create_dir_all(self.folder.join(MEDIA_FOLDER)).map_err(Error::io(&self.folder))?;
        std::fs::create_dir(&target).map_err(Error::io(&target))?;
        let mut frames = Vec::with_capacity(episode.frames.len());
        for (number, frame) in episode.frames.iter().enumerate() {
            let file = media.join(format!("{number:06}.{}", frame.picture.format.extension()));
            let path = self.folder.join(&file);
            std::fs::write(&path, &frame.picture.bytes()?).map_err(Error::io(&path))?;
            let file = file.to_string_lossy().into_owned();
            frames.push(FrameLine { stamp_nanos: frame.stamp_nanos, file, pose: frame.pose, camera: frame.camera });
        }
        let (questions, unlabelled): (Vec<Question>, Vec<Question>) =
            episode.questions.iter().cloned().partition(|question| question.label.is_some());
        for question in unlabelled {
            self.unlabelled.write(&UnlabelledLine { episode: id.clone(), question })?;
        }
        self.episodes.write(&EpisodeLine {
            id: id.clone(),
            data_source: episode.data_source.clone(),
            camera: episode.camera,
            frames,
            questions,
            map: episode.map.clone(),
        })
    }

    /// Ends both files.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn finish(self) -> Result<()> {
        self.episodes.finish()?;
        self.unlabelled.finish()
    }
}
