//! The file format of the furniture pack, both ways.
//!
//! A ZIP of three kinds of member, all deterministic:
//! - `index.json`: an [`Index`], format version and one [`ModelEntry`] a model;
//! - `geometry.bin`: per model, in the index's order, little-endian: positions as `u16` per axis
//!   (0…65535 spans the declared box), then texture coordinates as `u16` (0…65535 spans
//!   `uv_low…uv_high`), then triangles as three `u16` indices and one `u16` material;
//! - `textures/NNN.jpg`: the pictures, shared between models.
//!
//! Decoding checks every length and index, so a damaged pack is an error and never a panic.

mod encode;

use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zip::ZipArchive;

pub use encode::encode;

use crate::mesh::{MAX_TEXTURE_SIDE, Material, Mesh, Texture, Triangle};

/// The version that this code reads and writes.
pub const PACK_VERSION: u32 = 1;

const INDEX: &str = "index.json";
const GEOMETRY: &str = "geometry.bin";
/// Largest unpacked member that is believed, bytes.
const MEMBER_LIMIT: u64 = 64 << 20;

/// Why a furniture pack cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Not a ZIP, or one of its members is missing or damaged.
    #[error("furniture pack: expected a readable member `{member}`, found: {source}")]
    Member {
        /// Name of the member, or `(archive)`.
        member: String,
        /// What the ZIP reader said.
        source: zip::result::ZipError,
    },
    /// A member cannot be read or written to its end.
    #[error("furniture pack: expected to copy all of `{member}`, found: {source}")]
    Io {
        /// Name of the member.
        member: String,
        /// What the stream said.
        source: std::io::Error,
    },
    /// The index is not the JSON that this version expects.
    #[error("furniture pack: expected an index of version {PACK_VERSION}, found: {0}")]
    Index(#[from] serde_json::Error),
    /// A later or an older format.
    #[error("furniture pack: expected version {PACK_VERSION}, found {0}")]
    Version(u32),
    /// A picture does not decode or encode.
    #[error("furniture pack: expected picture {index} to be a JPEG, found: {source}")]
    Picture {
        /// Number of the picture.
        index: usize,
        /// What the decoder said.
        source: image::ImageError,
    },
    /// A number in the pack contradicts another.
    #[error("furniture pack, {place}: expected {expected}, found {found}")]
    Content {
        /// Model id or member.
        place: String,
        /// What the format asks for.
        expected: String,
        /// What the pack holds.
        found: String,
    },
    /// The file of a pack cannot be read.
    #[error("furniture pack {}: expected a readable file, found: {source}", path.display())]
    Read {
        /// Where it was expected.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The content of a file is not a good pack.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<PackError>,
    },
    /// Two models have the same id.
    #[error("furniture packs: expected unique ids, found `{0}` twice")]
    Duplicate(String),
}

/// The table of contents.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Format version, [`PACK_VERSION`].
    pub version: u32,
    /// How many pictures there are.
    pub textures: usize,
    /// The models.
    pub models: Vec<ModelEntry>,
}

/// What the index says about one model.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// Stable unique name.
    pub id: String,
    /// Plain class name.
    pub class: String,
    /// Who made it, as the source catalogue says; CC0 does not ask for it, manners do.
    pub creator: String,
    /// Width, depth, height, metres.
    pub size_m: [f32; 3],
    /// Bottom over the floor, metres.
    pub elevation_m: f32,
    /// Whether it may stand on a table.
    pub on_top: bool,
    /// Vertices in `geometry.bin`.
    pub vertices: usize,
    /// Triangles in `geometry.bin`.
    pub triangles: usize,
    /// Smallest texture coordinates.
    pub uv_low: [f32; 2],
    /// Largest texture coordinates.
    pub uv_high: [f32; 2],
    /// Surfaces; their textures count in [`ModelEntry::textures`].
    pub materials: Vec<Material>,
    /// Numbers of the pictures that this model uses.
    pub textures: Vec<usize>,
}

/// A model as it goes into and comes out of a pack.
#[derive(Debug, Clone)]
pub struct PackedModel {
    /// Stable unique name.
    pub id: String,
    /// Plain class name.
    pub class: String,
    /// Who made it.
    pub creator: String,
    /// Width, depth, height, metres.
    pub size_m: [f32; 3],
    /// Bottom over the floor, metres.
    pub elevation_m: f32,
    /// Whether it may stand on a table.
    pub on_top: bool,
    /// The shape; it must fill `size_m`.
    pub mesh: Mesh,
}

/// Reads a pack.
///
/// # Errors
/// [`PackError`], which names the member or model that is wrong.
pub fn decode(bytes: &[u8]) -> Result<Vec<PackedModel>, PackError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|source| PackError::Member { member: "(archive)".into(), source })?;
    let index: Index = serde_json::from_slice(&member(&mut archive, INDEX)?)?;
    if index.version != PACK_VERSION {
        return Err(PackError::Version(index.version));
    }
    let textures = (0..index.textures)
        .map(|number| decode_texture(&member(&mut archive, &texture_name(number))?, number).map(Arc::new))
        .collect::<Result<Vec<_>, _>>()?;
    let geometry = member(&mut archive, GEOMETRY)?;
    let mut words = Words { bytes: &geometry };
    let models = index
        .models
        .into_iter()
        .map(|entry| decode_model(entry, &mut words, &textures))
        .collect::<Result<Vec<_>, _>>()?;
    if !words.bytes.is_empty() {
        return Err(content(GEOMETRY, "no bytes after the last model", words.bytes.len()));
    }
    Ok(models)
}

fn texture_name(number: usize) -> String {
    format!("textures/{number:03}.jpg")
}

fn content(place: &str, expected: impl ToString, found: impl ToString) -> PackError {
    PackError::Content { place: place.to_owned(), expected: expected.to_string(), found: found.to_string() }
}

fn member(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Vec<u8>, PackError> {
    let file = archive.by_name(name).map_err(|source| PackError::Member { member: name.to_owned(), source })?;
    let mut bytes = Vec::new();
    file.take(MEMBER_LIMIT)
        .read_to_end(&mut bytes)
        .map_err(|source| PackError::Io { member: name.to_owned(), source })?;
    Ok(bytes)
}

fn decode_texture(bytes: &[u8], index: usize) -> Result<Texture, PackError> {
    let picture = image::load_from_memory_with_format(bytes, image::ImageFormat::Jpeg)
        .map_err(|source| PackError::Picture { index, source })?
        .into_rgb8();
    let (width, height) = picture.dimensions();
    let fits = |side: u32| side.is_power_of_two() && side <= MAX_TEXTURE_SIDE;
    if !fits(width) || !fits(height) {
        let expected = format!("sides that are powers of two up to {MAX_TEXTURE_SIDE}");
        return Err(content(&texture_name(index), expected, format!("{width}×{height}")));
    }
    Ok(Texture { width, height, rgb: picture.into_raw() })
}

/// Little-endian `u16`s from the front of a slice.
struct Words<'a> {
    bytes: &'a [u8],
}

impl Words<'_> {
    fn take<const N: usize>(&mut self, count: usize, id: &str) -> Result<Vec<[u16; N]>, PackError> {
        let needed = count.saturating_mul(2 * N);
        let Some((front, rest)) = self.bytes.split_at_checked(needed) else {
            return Err(content(id, format!("{needed} more bytes of geometry"), self.bytes.len()));
        };
        self.bytes = rest;
        let word = |group: &[u8], at: usize| u16::from_le_bytes([group[2 * at], group[2 * at + 1]]);
        let groups = front.chunks_exact(2 * N);
        Ok(groups.map(|group| std::array::from_fn(|at| word(group, at))).collect())
    }
}

/// Origin and span of the declared box in the object frame, metres.
fn box_of(size_m: [f32; 3]) -> ([f32; 3], [f32; 3]) {
    ([-size_m[0] / 2.0, -size_m[1] / 2.0, 0.0], size_m)
}

fn decode_model(entry: ModelEntry, words: &mut Words<'_>, pictures: &[Arc<Texture>]) -> Result<PackedModel, PackError> {
    let (origin, span) = box_of(entry.size_m);
    let uv_span: [f32; 2] = std::array::from_fn(|i| entry.uv_high[i] - entry.uv_low[i]);
    let mesh = Mesh {
        positions: words.take(entry.vertices, &entry.id)?.into_iter().map(|q| expand(q, origin, span)).collect(),
        normals: Vec::new(),
        uvs: words.take(entry.vertices, &entry.id)?.into_iter().map(|q| expand(q, entry.uv_low, uv_span)).collect(),
        triangles: words
            .take(entry.triangles, &entry.id)?
            .into_iter()
            .map(|[a, b, c, material]| Triangle { indices: [a, b, c].map(u32::from), material })
            .collect(),
        textures: entry
            .textures
            .iter()
            .map(|&number| {
                pictures
                    .get(number)
                    .cloned()
                    .ok_or_else(|| content(&entry.id, format!("a picture below {}", pictures.len()), number))
            })
            .collect::<Result<_, _>>()?,
        materials: entry.materials,
    };
    check_mesh(&entry.id, &mesh)?;
    Ok(PackedModel {
        id: entry.id,
        class: entry.class,
        creator: entry.creator,
        size_m: entry.size_m,
        elevation_m: entry.elevation_m,
        on_top: entry.on_top,
        mesh,
    })
}

fn check_mesh(id: &str, mesh: &Mesh) -> Result<(), PackError> {
    for triangle in &mesh.triangles {
        if let Some(index) = triangle.indices.iter().find(|&&i| i as usize >= mesh.positions.len()) {
            return Err(content(id, format!("a vertex below {}", mesh.positions.len()), index));
        }
        if triangle.material as usize >= mesh.materials.len() {
            return Err(content(id, format!("a material below {}", mesh.materials.len()), triangle.material));
        }
    }
    let textures = mesh.materials.iter().filter_map(|material| material.texture);
    match textures.max() {
        Some(last) if last as usize >= mesh.textures.len() => {
            Err(content(id, format!("a texture below {}", mesh.textures.len()), last))
        }
        _ => Ok(()),
    }
}

fn expand<const N: usize>(value: [u16; N], origin: [f32; N], span: [f32; N]) -> [f32; N] {
    std::array::from_fn(|i| origin[i] + f32::from(value[i]) / f32::from(u16::MAX) * span[i])
}
