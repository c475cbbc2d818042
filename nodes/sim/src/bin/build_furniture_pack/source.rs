//! The `.sh3f` file: a ZIP of a catalogue in Java properties and of models.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use anyhow::{Context, Result};
use zip::ZipArchive;

/// Members that an OBJ or MTL file asks for by a wrong name, and their right names.
const MISNAMED: [(&str, &str); 2] = [
    ("katorlegaz/oriental-rug/Living room rug.jpg", "katorlegaz/oriental-rug/rug.jpg"),
    ("scopia/kids_shelves/kids_shelves_sh3d.mtl", "scopia/kids_shelves/kids_shelves.mtl"),
];

/// The opened file.
pub struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
}

/// One piece of furniture as the source catalogue describes it.
pub struct Piece {
    /// Path of the OBJ inside the archive.
    pub model: String,
    /// Width, depth, height, metres.
    pub size_m: [f32; 3],
    /// Bottom over the floor, metres.
    pub elevation_m: f32,
    /// Row-major rotation of the OBJ's Y-up vertices.
    pub rotation: [f32; 9],
    /// Author.
    pub creator: String,
}

impl<'a> Archive<'a> {
    /// Opens the file's bytes.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        Ok(Self { zip: ZipArchive::new(Cursor::new(bytes))? })
    }

    /// A member's bytes.
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>> {
        let name = MISNAMED.iter().find(|(wrong, _)| *wrong == name).map_or(name, |(_, right)| right);
        let mut bytes = Vec::new();
        self.zip.by_name(name).with_context(|| format!("no member {name}"))?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The catalogue's pieces by the last part of their id.
    pub fn pieces(&mut self) -> Result<BTreeMap<String, Piece>> {
        let bytes = self.read("PluginFurnitureCatalog.properties")?;
        // Java properties are Latin-1.
        let text: String = bytes.into_iter().map(char::from).collect();
        let mut rows: BTreeMap<u32, BTreeMap<&str, &str>> = BTreeMap::new();
        for line in text.lines() {
            let Some((key, value)) = line.split_once('=') else { continue };
            let Some((key, number)) = key.split_once('#') else { continue };
            if let Ok(number) = number.trim().parse() {
                rows.entry(number).or_default().insert(key.trim(), value.trim());
            }
        }
        rows.values().map(piece).collect()
    }
}

fn piece(row: &BTreeMap<&str, &str>) -> Result<(String, Piece)> {
    let text = |key: &str| row.get(key).copied().with_context(|| format!("a piece has no {key}"));
    let metres = |key: &str| -> Result<f32> { Ok((text(key)?.parse::<f64>()? / 100.0) as f32) };
    let id = text("id")?.rsplit('#').next().unwrap_or_default().to_owned();
    let mut rotation = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    if let Some(given) = row.get("modelRotation") {
        for (slot, number) in rotation.iter_mut().zip(given.split_whitespace()) {
            *slot = number.parse()?;
        }
    }
    let piece = Piece {
        model: text("model")?.trim_start_matches('/').to_owned(),
        size_m: [metres("width")?, metres("depth")?, metres("height")?],
        elevation_m: if row.contains_key("elevation") { metres("elevation")? } else { 0.0 },
        rotation,
        creator: text("creator")?.to_owned(),
    };
    Ok((id, piece))
}
