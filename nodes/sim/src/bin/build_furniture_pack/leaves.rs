//! Plants: thousands of loose leaves, of which simplification would leave bare stems. So every
//! n-th loose part is kept and enlarged, which keeps the outline and roughly the covered area.

use std::collections::HashMap;

use meshopt::SimplifyOptions;

use crate::decimate::{MAX_TRIANGLES, Soup, compact, simplify};

/// Most that a kept part grows.
const MAX_GROWTH: f32 = 2.5;
/// Triangles of all the large parts together: pot, stem.
const LARGE_TRIANGLES: usize = 220;
/// Triangles of one small part.
const LEAF_TRIANGLES: usize = 6;

/// At most [`MAX_TRIANGLES`] triangles: each part simplified by itself, and of those no longer
/// than a quarter of the model every n-th kept.
pub fn thin(soup: &Soup) -> Soup {
    let large_side = extent(&soup.positions) / 4.0;
    let is_large = |part: &Vec<u32>| extent(&corners(soup, part)) > large_side;
    let (large, small): (Vec<_>, Vec<_>) = parts(soup).into_iter().partition(is_large);
    let large = simplified_parts(soup, &large);
    let small: Vec<Soup> = small.iter().map(|part| leaf(soup, part)).collect();
    let wanted: usize = small.iter().map(|part| part.indices.len() / 3).sum();
    let room = MAX_TRIANGLES.saturating_sub(large.indices.len() / 3 + LEAF_TRIANGLES * 4).max(1);
    let step = wanted.div_ceil(room).max(1);
    let growth = (step as f32).sqrt().min(MAX_GROWTH);
    let mut out = large;
    for part in small.iter().skip(step / 2).step_by(step) {
        append(&mut out, part, growth);
    }
    out
}

/// Each part with its share of [`LARGE_TRIANGLES`], but enough to keep a long leaf's shape.
fn simplified_parts(soup: &Soup, parts: &[Vec<u32>]) -> Soup {
    let total: usize = parts.iter().map(Vec::len).sum();
    let mut out = Soup { all_bounds: soup.all_bounds, ..Soup::default() };
    for part in parts {
        let own = compact(soup, part);
        let share = (LARGE_TRIANGLES * part.len() / total.max(1)).max(LEAF_TRIANGLES * 2);
        let indices = simplify(&own, SimplifyOptions::Permissive, 1.0, share);
        append(&mut out, &compact(&own, &indices), 1.0);
    }
    out
}

fn leaf(soup: &Soup, part: &[u32]) -> Soup {
    let own = compact(soup, part);
    let indices = simplify(&own, SimplifyOptions::Permissive, 1.0, LEAF_TRIANGLES);
    let thin = if indices.len() < 6 { own.indices.iter().take(6).copied().collect() } else { indices };
    compact(&own, &thin)
}

/// Adds a part, enlarged about its centre.
fn append(out: &mut Soup, part: &Soup, growth: f32) {
    let base = out.positions.len() as u32;
    let count = part.positions.len().max(1) as f32;
    let mean = |axis: usize| part.positions.iter().map(|p| p[axis]).sum::<f32>() / count;
    let centre: [f32; 3] = std::array::from_fn(mean);
    let grown = |p: &[f32; 3]| std::array::from_fn(|axis| centre[axis] + (p[axis] - centre[axis]) * growth);
    out.positions.extend(part.positions.iter().map(grown));
    out.uvs.extend(&part.uvs);
    out.materials.extend(&part.materials);
    out.indices.extend(part.indices.iter().map(|index| base + index));
}

fn corners(soup: &Soup, part: &[u32]) -> Vec<[f32; 3]> {
    part.iter().map(|&at| soup.positions[at as usize]).collect()
}

/// Longest side of the box of some points.
fn extent(points: &[[f32; 3]]) -> f32 {
    let span = |axis: usize| {
        let values = || points.iter().map(|p| p[axis]);
        values().fold(f32::MIN, f32::max) - values().fold(f32::MAX, f32::min)
    };
    span(0).max(span(1)).max(span(2))
}

/// The indices of each connected part (sharing a position), in the order of first appearance.
fn parts(soup: &Soup) -> Vec<Vec<u32>> {
    let mut numbers = HashMap::new();
    let key = |at: u32| soup.positions[at as usize].map(f32::to_bits);
    let points: Vec<usize> = soup
        .indices
        .iter()
        .map(|&at| {
            let next = numbers.len();
            *numbers.entry(key(at)).or_insert(next)
        })
        .collect();
    let mut parents: Vec<usize> = (0..numbers.len()).collect();
    for triangle in points.chunks_exact(3) {
        let roots = [0, 1, 2].map(|corner| root(&mut parents, triangle[corner]));
        let lowest = roots[0].min(roots[1]).min(roots[2]);
        roots.iter().for_each(|&at| parents[at] = lowest);
    }
    let mut order: HashMap<usize, usize> = HashMap::new();
    let mut parts: Vec<Vec<u32>> = Vec::new();
    for (at, triangle) in soup.indices.chunks_exact(3).enumerate() {
        let part = *order.entry(root(&mut parents, points[3 * at])).or_insert_with(|| {
            parts.push(Vec::new());
            parts.len() - 1
        });
        parts[part].extend(triangle);
    }
    parts
}

fn root(parents: &mut [usize], mut at: usize) -> usize {
    while parents[at] != at {
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    at
}
