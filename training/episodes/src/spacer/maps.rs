//! The file of maps.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use recording::CellMap;
use serde_json::Value;

use super::GRID;
use super::record::stem;
use crate::Result;
use crate::episode::CognitiveMap;
use crate::json_lines::{self, Record};

/// Maps by what their `video_id` names: a video's stem, file or path.
#[derive(Debug, Default)]
pub(super) struct Maps {
    maps: BTreeMap<String, CognitiveMap>,
    used: BTreeSet<String>,
    /// Those that can't be used, each with what is wrong with it.
    pub left_out: Vec<String>,
}

impl Maps {
    /// # Errors
    /// When the file can't be opened; a map that is none is left out.
    pub fn read(path: &Path) -> Result<Self> {
        let mut read = Self::default();
        for record in json_lines::read(path)? {
            let map = record.and_then(|record| Ok((record.text("video_id")?.trim().to_owned(), read_map(&record)?)));
            match map {
                Ok((id, map)) => drop(read.maps.insert(id.trim_start_matches("./").to_owned(), map)),
                Err(error) => read.left_out.push(error.to_string()),
            }
        }
        Ok(read)
    }

    /// The map of the video at `path`.
    pub fn of(&mut self, path: &str) -> Option<CognitiveMap> {
        let path = path.trim_start_matches("./");
        let file = Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let without_extension = Path::new(path).with_extension("").to_string_lossy().into_owned();
        let names = [stem(path), file, without_extension, path.to_owned()];
        let name = names.into_iter().find(|name| self.maps.contains_key(name))?;
        let map = self.maps.get(&name).cloned();
        self.used.insert(name);
        map
    }

    /// The names of maps that no video had so far.
    pub fn unused(&self) -> Vec<&str> {
        self.maps.keys().filter(|name| !self.used.contains(*name)).map(String::as_str).collect()
    }
}

fn read_map(record: &Record) -> Result<CognitiveMap> {
    let refuse = || record.refuse("cognitive_map", "{category: [[x, y], …]} with whole cells of 0 to 9");
    let categories = record.get("cognitive_map").and_then(Value::as_object).ok_or_else(refuse)?;
    // In lower case, as answers are read.
    let named = |category: &String| category.trim().to_lowercase();
    let mut objects: BTreeMap<String, Vec<[u8; 2]>> = BTreeMap::new();
    for (category, cells) in categories {
        let cells: Option<Vec<_>> = cells.as_array().and_then(|cells| cells.iter().map(cell).collect());
        objects.entry(named(category)).or_default().extend(cells.ok_or_else(refuse)?);
    }
    let mut object_list: Vec<String> = record.texts("object_list")?.iter().map(named).collect();
    if object_list.is_empty() {
        object_list = objects.keys().cloned().collect();
    }
    Ok(CognitiveMap { cells: CellMap { objects, ..CellMap::default() }, object_list })
}

fn cell(value: &Value) -> Option<[u8; 2]> {
    let coordinate =
        |value: &Value| value.as_u64().filter(|cell| *cell < GRID).and_then(|cell| u8::try_from(cell).ok());
    match value.as_array()?.as_slice() {
        [x, y] => Some([coordinate(x)?, coordinate(y)?]),
        _ => None,
    }
}
