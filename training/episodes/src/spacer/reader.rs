//! Reading.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::maps::Maps;
use super::media;
use super::record::{DataType, SpacerRecord, stem};
use crate::episode::{Episode, Question, file_safe};
use crate::json_lines::{self, Record};
use crate::sampling::FrameSampling;
use crate::{Result, text_file};

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
    /// The files as they lie in SpaceR's folder: media beside the questions, maps there or in a folder `annotation`.
    pub fn beside(questions: &Path) -> Self {
        let media = questions.parent().unwrap_or(Path::new("")).to_owned();
        let places = ["", "annotation", "annotations", "maps"].map(|folder| media.join(folder).join(super::MAPS_FILE));
        let maps = places.into_iter().find(|path| path.exists());
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

/// Questions by the file that they are about.
#[derive(Default)]
struct Grouping {
    groups: Vec<Group>,
    known: BTreeMap<(String, String), usize>,
}

impl Grouping {
    fn add(&mut self, record: SpacerRecord, line: &Record) -> Result<()> {
        let SpacerRecord { question, path, data_type, data_source } = record;
        let index = *self.known.entry((path.clone(), data_source.clone())).or_insert(self.groups.len());
        match self.groups.get_mut(index) {
            Some(group) if group.data_type == data_type => group.questions.push(question),
            Some(_) => return Err(line.refuse("data_type", &format!("that of the lines before about {path:?}"))),
            None => self.groups.push(Group { path, data_type, data_source, questions: vec![question] }),
        }
        Ok(())
    }
}

/// The episodes, one for each file that is asked about, in the order of their first questions.
///
/// All lines are read first; frames are decoded as episodes are taken. Records and maps that can't be used are left out
/// with the reason.
pub struct SpacerEpisodes {
    media: PathBuf,
    sampling: FrameSampling,
    maps: Maps,
    groups: std::vec::IntoIter<Group>,
    excluded: usize,
    ids: BTreeSet<String>,
    left_out: Vec<String>,
    records: Records,
}

/// What became of the records so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// All of them, but for those that were excluded.
    pub all: usize,
    /// Those that were left out, because they or their media can't be used.
    pub left_out: usize,
}

impl SpacerEpisodes {
    /// Reads questions, maps and the list of excluded videos.
    ///
    /// # Errors
    /// When a file can't be opened, or the questions are neither JSON lines nor an array.
    pub fn open(files: &SpacerFiles, sampling: FrameSampling) -> Result<Self> {
        let excluded = files.excluded.as_deref().map(read_excluded).transpose()?.unwrap_or_default();
        let mut maps = files.maps.as_deref().map(Maps::read).transpose()?.unwrap_or_default();
        let mut read = Self {
            media: files.media.clone(),
            sampling,
            groups: Vec::new().into_iter(),
            excluded: 0,
            ids: BTreeSet::new(),
            left_out: std::mem::take(&mut maps.left_out),
            maps,
            records: Records::default(),
        };
        let mut grouping = Grouping::default();
        let mut matched = BTreeSet::new();
        for line in json_lines::read(&files.questions)? {
            let record = line.and_then(|line| Ok((SpacerRecord::read(&line)?, line)));
            if let Ok((record, _)) = &record
                && excluded.contains(&stem(&record.path))
            {
                matched.insert(stem(&record.path));
                read.excluded += 1;
                continue;
            }
            read.records.all += 1;
            if let Err(error) = record.and_then(|(record, line)| grouping.add(record, &line)) {
                read.records.left_out += 1;
                read.left_out.push(error.to_string());
            }
        }
        if !excluded.is_empty() && matched.is_empty() {
            let list = files.excluded.as_deref().unwrap_or(Path::new("")).display();
            read.left_out.push(format!("{list}: expected names of these videos, found none of {}", excluded.len()));
        }
        for group in &grouping.groups {
            read.maps.of(&group.path);
        }
        if let [first, ..] = read.maps.unused().as_slice() {
            let path = files.maps.as_deref().unwrap_or(Path::new("")).display();
            let (count, first) = (read.maps.unused().len(), (*first).to_owned());
            read.left_out.push(format!("{path}: {count} maps of videos that no question is about, such as {first:?}"));
        }
        read.groups = grouping.groups.into_iter();
        Ok(read)
    }

    /// Questions that were left out with their videos.
    pub fn excluded(&self) -> usize {
        self.excluded
    }

    /// What was left out since this was last asked, each with the reason.
    pub fn take_left_out(&mut self) -> Vec<String> {
        std::mem::take(&mut self.left_out)
    }

    /// What became of the records so far. An episode that can't be read takes all its records with it.
    pub fn records(&self) -> Records {
        self.records
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
        self.records.left_out += if frames.is_err() { questions.len() } else { 0 };
        let without_extension = Path::new(&path).with_extension("");
        let id = self.unique(file_safe(&without_extension.to_string_lossy()));
        Some(frames.map(|frames| Episode {
            id,
            data_source,
            frames,
            questions,
            map: self.maps.of(&path),
            ..Episode::default()
        }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.groups.size_hint()
    }
}

fn read_excluded(path: &Path) -> Result<BTreeSet<String>> {
    let text = text_file::read_to_string(path)?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    Ok(lines.filter(|line| !line.is_empty()).map(stem).collect())
}
