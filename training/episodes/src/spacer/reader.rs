//! Reading.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::maps;
use super::media;
use super::record::{DataType, SpacerRecord, stem};
use crate::episode::{CognitiveMap, Episode, Question, file_safe};
use crate::json_lines;
use crate::sampling::FrameSampling;
use crate::{Error, Result};

/// Where the files are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpacerFiles {
    /// JSON lines of questions.
    pub questions: PathBuf,
    /// Folder that `path` is relative to.
    pub media: PathBuf,
    /// `cognitive_map.jsonl`.
    pub maps: Option<PathBuf>,
    /// List of excluded videos.
    pub excluded: Option<PathBuf>,
}

impl SpacerFiles {
    /// The files as they lie in SpaceR's folder: media and maps beside the questions.
    pub fn beside(questions: &Path) -> Self {
        let media = questions.parent().unwrap_or(Path::new("")).to_owned();
        let maps = Some(media.join(super::MAPS_FILE)).filter(|path| path.exists());
        Self { questions: questions.to_owned(), media, maps, excluded: None }
    }
}

/// One file and what is asked about it.
struct Group {
    path: String,
    data_type: DataType,
    data_source: String,
    questions: Vec<Question>,
}

/// The episodes, one for each file that is asked about, in the order of their first questions.
///
/// All lines are read first; frames are decoded as episodes are taken.
pub struct SpacerEpisodes {
    media: PathBuf,
    sampling: FrameSampling,
    maps: BTreeMap<String, CognitiveMap>,
    groups: std::vec::IntoIter<Group>,
    excluded: usize,
    ids: BTreeSet<String>,
}

impl SpacerEpisodes {
    /// Reads questions, maps and the list of excluded videos.
    ///
    /// # Errors
    /// [`Error::Record`] with file, line, field, expected and found; [`Error::Io`].
    pub fn open(files: &SpacerFiles, sampling: FrameSampling) -> Result<Self> {
        let excluded = files.excluded.as_deref().map(read_excluded).transpose()?.unwrap_or_default();
        let maps = files.maps.as_deref().map(maps::read).transpose()?.unwrap_or_default();
        let mut groups: Vec<Group> = Vec::new();
        let mut known: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut left_out = 0;
        for line in json_lines::read(&files.questions)? {
            let line = line?;
            let SpacerRecord { question, path, data_type, data_source } = SpacerRecord::read(&line)?;
            if excluded.contains(&stem(&path)) {
                left_out += 1;
                continue;
            }
            let index = *known.entry((path.clone(), data_source.clone())).or_insert(groups.len());
            match groups.get_mut(index) {
                Some(group) if group.data_type == data_type => group.questions.push(question),
                Some(_) => return Err(line.refuse("data_type", &format!("that of the lines before about {path:?}"))),
                None => groups.push(Group { path, data_type, data_source, questions: vec![question] }),
            }
        }
        let groups = groups.into_iter();
        Ok(Self { media: files.media.clone(), sampling, maps, groups, excluded: left_out, ids: BTreeSet::new() })
    }

    /// Questions that were left out with their videos.
    pub fn excluded(&self) -> usize {
        self.excluded
    }

    /// `id`, with a number behind it where it was given before.
    fn unique(&mut self, id: String) -> String {
        let again = (2u32..).map(|number| format!("{id}-{number}"));
        let ids = &mut self.ids;
        std::iter::once(id.clone()).chain(again).find(|id| ids.insert(id.clone())).unwrap_or(id)
    }
}

impl Iterator for SpacerEpisodes {
    type Item = Result<Episode>;

    fn next(&mut self) -> Option<Result<Episode>> {
        let Group { path, data_type, data_source, questions } = self.groups.next()?;
        let file = self.media.join(path.trim_start_matches("./"));
        let frames = media::frames(&file, data_type, &self.sampling);
        let without_extension = Path::new(&path).with_extension("");
        let id = self.unique(file_safe(&without_extension.to_string_lossy()));
        Some(frames.map(|frames| Episode {
            id,
            data_source,
            frames,
            questions,
            map: self.maps.get(&stem(&path)).cloned(),
            ..Episode::default()
        }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.groups.size_hint()
    }
}

fn read_excluded(path: &Path) -> Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    Ok(lines.filter(|line| !line.is_empty()).map(stem).collect())
}
