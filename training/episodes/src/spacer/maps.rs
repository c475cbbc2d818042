//! The file of maps.

use std::collections::BTreeMap;
use std::path::Path;

use recording::CellMap;
use serde_json::Value;

use super::GRID;
use crate::Result;
use crate::episode::CognitiveMap;
use crate::json_lines::{self, Record};

/// Maps by `video_id`.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, CognitiveMap>> {
    let line = |record: Result<Record>| {
        let record = record?;
        Ok((record.text("video_id")?.to_owned(), read_map(&record)?))
    };
    json_lines::read(path)?.map(line).collect()
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
