//! From an OBJ to a mesh in the object frame, at the declared size, with few triangles.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use sim::mesh::{Material, Mesh, Triangle};

use crate::decimate::{Soup, decimate};
use crate::pictures;
use crate::source::{Archive, Piece};

/// Surfaces more transparent than this are left out.
const MIN_DISSOLVE: f32 = 0.4;

/// The mesh of a piece; `leafy` ones keep their outline rather than their parts.
pub fn mesh_of(piece: &Piece, archive: &mut Archive<'_>, leafy: bool) -> Result<Mesh> {
    let folder = piece.model.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let obj = archive.read(&piece.model)?;
    let (models, materials) = load(&obj, &folder, archive)?;
    let mut mesh = Mesh::default();
    let surfaces = surfaces(&materials, &folder, archive, &mut mesh)?;
    let plain = mesh.materials.len() as u16;
    mesh.materials.push(Material { colour: [200; 3], texture: None });
    let mut soup = Soup::default();
    for model in &models {
        let surface = model.mesh.material_id.map_or(Some(plain), |at| surfaces[at]);
        let material = surface.map(|at| (at, mesh.materials[at as usize].texture.is_some()));
        append(&model.mesh, material, piece, &mut soup);
    }
    fit(&mut soup.positions, &soup.all_bounds, piece.size_m);
    let (soup, how) = decimate(&soup, leafy);
    ensure!(!soup.indices.is_empty(), "no visible triangle");
    eprintln!("{:60} {:4} triangles, {how}", piece.model, soup.indices.len() / 3);
    fill(&mut mesh, soup, piece);
    Ok(mesh)
}

fn load(obj: &[u8], folder: &str, archive: &mut Archive<'_>) -> Result<(Vec<tobj::Model>, Vec<tobj::Material>)> {
    let text = String::from_utf8_lossy(obj);
    let libraries = text.lines().filter_map(|line| line.trim().strip_prefix("mtllib "));
    let mut bytes = BTreeMap::new();
    for name in libraries {
        let name = name.trim();
        if let Ok(library) = archive.read(&format!("{folder}/{name}")) {
            bytes.insert(name.to_owned(), library);
        }
    }
    let (models, materials) = tobj::load_obj_buf(&mut &obj[..], &tobj::GPU_LOAD_OPTIONS, |path| {
        let found = path.to_str().and_then(|name| bytes.get(name));
        found.map_or(Err(tobj::LoadError::OpenFileFailed), |library| tobj::load_mtl_buf(&mut &library[..]))
    })?;
    Ok((models, materials?))
}

/// Adds the materials and textures to `mesh`; a transparent material gives `None`.
fn surfaces(
    materials: &[tobj::Material],
    folder: &str,
    archive: &mut Archive<'_>,
    mesh: &mut Mesh,
) -> Result<Vec<Option<u16>>> {
    let mut numbers = Vec::with_capacity(materials.len());
    for material in materials {
        if material.dissolve.is_some_and(|dissolve| dissolve < MIN_DISSOLVE) {
            numbers.push(None);
            continue;
        }
        let diffuse = material.diffuse.unwrap_or([0.8; 3]);
        let mut colour = diffuse.map(|share| (share.clamp(0.0, 1.0) * 255.0).round() as u8);
        let mut number = None;
        if let Some(name) = &material.diffuse_texture {
            // Some materials name a file on their author's disk: only its last part can be here.
            let name = name.trim().rsplit(['/', '\\']).next().unwrap_or_default();
            if let Ok(bytes) = archive.read(&format!("{folder}/{name}")) {
                let texture = pictures::texture(&bytes).with_context(|| format!("texture {name}"))?;
                colour = texture.mean();
                number = Some(position_or_push(&mut mesh.textures, Arc::new(texture)));
            } else {
                eprintln!("  {folder} lacks the texture {name}: plain colour instead");
            }
        }
        let surface = Material { colour, texture: number };
        numbers.push(Some(position_or_push(&mut mesh.materials, surface)));
    }
    Ok(numbers)
}

fn position_or_push<T: PartialEq>(items: &mut Vec<T>, item: T) -> u16 {
    let at = items.iter().position(|known| *known == item).unwrap_or_else(|| {
        items.push(item);
        items.len() - 1
    });
    at as u16
}

/// Adds an OBJ group, turned to the object frame. `material` is its number and whether it has a
/// texture; without one only the bounds grow.
fn append(group: &tobj::Mesh, material: Option<(u16, bool)>, piece: &Piece, soup: &mut Soup) {
    let base = soup.positions.len() as u32;
    let turned: Vec<[f32; 3]> = group.positions.chunks_exact(3).map(|p| to_object(p, &piece.rotation)).collect();
    for index in &group.indices {
        soup.all_bounds.include(turned[*index as usize]);
    }
    let Some((material, textured)) = material else { return };
    for (at, position) in turned.into_iter().enumerate() {
        let uv = group.texcoords.get(2 * at..2 * at + 2).filter(|_| textured);
        soup.positions.push(position);
        // OBJ counts v from the bottom of the picture.
        soup.uvs.push(uv.map_or([0.0; 2], |uv| [uv[0], 1.0 - uv[1]]));
        soup.materials.push(material);
    }
    soup.indices.extend(group.indices.iter().map(|index| base + index));
}

/// Y-up, front along +z, to z-up, front along −y.
fn to_object(p: &[f32], rotation: &[f32; 9]) -> [f32; 3] {
    let row = |at: usize| rotation[at] * p[0] + rotation[at + 1] * p[1] + rotation[at + 2] * p[2];
    [row(0), -row(6), row(3)]
}

/// An axis-aligned box that grows.
#[derive(Clone, Copy)]
pub struct Bounds {
    low: [f32; 3],
    high: [f32; 3],
}

impl Default for Bounds {
    fn default() -> Self {
        Self { low: [f32::MAX; 3], high: [f32::MIN; 3] }
    }
}

impl Bounds {
    fn include(&mut self, p: [f32; 3]) {
        for (axis, value) in p.into_iter().enumerate() {
            self.low[axis] = self.low[axis].min(value);
            self.high[axis] = self.high[axis].max(value);
        }
    }
}

/// Moves and scales so that `bounds` becomes the declared box.
fn fit(positions: &mut [[f32; 3]], bounds: &Bounds, size_m: [f32; 3]) {
    let origin = [-size_m[0] / 2.0, -size_m[1] / 2.0, 0.0];
    for position in positions {
        for axis in 0..3 {
            let span = (bounds.high[axis] - bounds.low[axis]).max(f32::MIN_POSITIVE);
            position[axis] = origin[axis] + (position[axis] - bounds.low[axis]) / span * size_m[axis];
        }
    }
}

/// Moves the decimated triangles into `mesh`, fits them exactly, drops unused materials.
fn fill(mesh: &mut Mesh, mut soup: Soup, piece: &Piece) {
    let mut bounds = Bounds::default();
    soup.positions.iter().for_each(|p| bounds.include(*p));
    for axis in 0..3 {
        let share = (bounds.high[axis] - bounds.low[axis]) / piece.size_m[axis];
        if !(0.9..=1.1).contains(&share) {
            eprintln!("  axis {axis}: visible part fills {:.0} % of the declared size", share * 100.0);
        }
    }
    fit(&mut soup.positions, &bounds, piece.size_m);
    let mut kept: BTreeMap<u16, u16> = BTreeMap::new();
    let mut materials = Vec::new();
    let mut textures = Vec::new();
    for old in soup.indices.chunks_exact(3).map(|t| soup.materials[t[0] as usize]) {
        kept.entry(old).or_insert_with(|| {
            let Material { colour, texture } = mesh.materials[old as usize];
            let texture = texture.map(|at| position_or_push(&mut textures, mesh.textures[at as usize].clone()));
            materials.push(Material { colour, texture });
            (materials.len() - 1) as u16
        });
    }
    mesh.triangles = soup
        .indices
        .chunks_exact(3)
        .map(|t| Triangle { indices: [t[0], t[1], t[2]], material: kept[&soup.materials[t[0] as usize]] })
        .collect();
    (mesh.materials, mesh.textures) = (materials, textures);
    (mesh.positions, mesh.uvs) = (soup.positions, soup.uvs);
}
