//! Fewer triangles, with `meshopt`: first with borders of materials and textures kept, then with
//! texture seams free, then, for what is made of very many loose parts, by cells.

use std::collections::HashMap;

use meshopt::{SimplifyOptions, SimplifyVertex, VertexDataAdapter};

use crate::leaves;
use crate::shape::Bounds;

/// Most triangles of a model.
pub const MAX_TRIANGLES: usize = 600;

const LIMIT: usize = MAX_TRIANGLES * 3;

/// Vertices with a material each, and triangles whose three vertices share it.
#[derive(Default)]
pub struct Soup {
    /// Object frame; metres after fitting.
    pub positions: Vec<[f32; 3]>,
    /// One a vertex.
    pub uvs: Vec<[f32; 2]>,
    /// One a vertex.
    pub materials: Vec<u16>,
    /// Three a triangle.
    pub indices: Vec<u32>,
    /// Bounds of all surfaces, the transparent ones too.
    pub all_bounds: Bounds,
}

/// At most [`MAX_TRIANGLES`] triangles, and a word on how.
pub fn decimate(soup: &Soup, leafy: bool) -> (Soup, &'static str) {
    let mut welded = compact(soup, &soup.indices);
    if leafy && welded.indices.len() > LIMIT {
        let thin = leaves::thin(&welded);
        welded = compact(&thin, &thin.indices);
    }
    if welded.indices.len() <= LIMIT {
        return (welded, "as drawn");
    }
    // Pruning drops loose parts smaller than the error, so the error must stay small with it.
    for error in [0.01, 0.02, 0.05, 0.1] {
        for (options, how) in [
            (SimplifyOptions::Prune, "seams kept"),
            (SimplifyOptions::Prune | SimplifyOptions::Permissive, "seams freed"),
        ] {
            let indices = simplify(&welded, options, error, MAX_TRIANGLES);
            if (1..=LIMIT).contains(&indices.len()) {
                return (compact(&welded, &indices), how);
            }
        }
    }
    let forced = simplify(&welded, SimplifyOptions::Permissive, 1.0, MAX_TRIANGLES);
    if (1..=LIMIT).contains(&forced.len()) {
        return (compact(&welded, &forced), "forced");
    }
    (compact(&welded, &sloppy(&welded)), "by cells")
}

/// Only the used vertices, equal ones joined, triangles without area dropped.
pub fn compact(soup: &Soup, indices: &[u32]) -> Soup {
    let mut known = HashMap::new();
    let mut out = Soup { all_bounds: soup.all_bounds, ..Soup::default() };
    for triangle in indices.chunks_exact(3) {
        let material = soup.materials[triangle[0] as usize];
        let corners = [0, 1, 2].map(|corner| {
            let at = triangle[corner] as usize;
            let (position, uv) = (soup.positions[at], soup.uvs[at]);
            let key = (position.map(f32::to_bits), uv.map(f32::to_bits), material);
            *known.entry(key).or_insert_with(|| {
                out.positions.push(position);
                out.uvs.push(uv);
                out.materials.push(material);
                out.positions.len() as u32 - 1
            })
        });
        let [a, b, c] = corners.map(|at| out.positions[at as usize]);
        if a != b && b != c && c != a {
            out.indices.extend(corners);
        }
    }
    out
}

/// `error` is relative to the model's largest extent.
pub fn simplify(soup: &Soup, options: SimplifyOptions, error: f32, triangles: usize) -> Vec<u32> {
    let Some(adapter) = adapter(&soup.positions) else { return soup.indices.clone() };
    let attributes: Vec<f32> = soup.uvs.iter().flatten().copied().collect();
    let locks = material_borders(soup);
    meshopt::simplify_with_attributes_and_locks(
        &soup.indices,
        &adapter,
        &attributes,
        &[0.1, 0.1],
        2,
        &locks,
        triangles * 3,
        error,
        options,
        None,
    )
}

/// Vertices where two materials meet may not cross over, even with free seams.
fn material_borders(soup: &Soup) -> Vec<SimplifyVertex> {
    let mut first = HashMap::new();
    let mut border = HashMap::new();
    for (position, material) in soup.positions.iter().zip(&soup.materials) {
        let key = position.map(f32::to_bits);
        if *first.entry(key).or_insert(*material) != *material {
            border.insert(key, ());
        }
    }
    let lock = |position: &[f32; 3]| match border.contains_key(&position.map(f32::to_bits)) {
        true => SimplifyVertex::Protect,
        false => SimplifyVertex::None,
    };
    soup.positions.iter().map(lock).collect()
}

/// Each material by itself, with its share of the triangles.
fn sloppy(soup: &Soup) -> Vec<u32> {
    let Some(adapter) = adapter(&soup.positions) else { return Vec::new() };
    let mut materials = soup.materials.clone();
    materials.sort_unstable();
    materials.dedup();
    let mut indices = Vec::new();
    for material in materials {
        let own = |triangle: &&[u32]| soup.materials[triangle[0] as usize] == material;
        let part: Vec<u32> = soup.indices.chunks_exact(3).filter(own).flatten().copied().collect();
        let share = MAX_TRIANGLES * part.len() / soup.indices.len();
        indices.extend(meshopt::simplify_sloppy(&part, &adapter, share * 3, 1.0, None));
    }
    indices
}

fn adapter(positions: &[[f32; 3]]) -> Option<VertexDataAdapter<'_>> {
    VertexDataAdapter::new(meshopt::typed_to_bytes(positions), size_of::<[f32; 3]>(), 0).ok()
}
