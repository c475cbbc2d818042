//! Plants: thousands of loose leaves, of which simplification would leave bare stems. So every
//! n-th loose part is kept and enlarged, which keeps the outline and roughly the covered area.

use std::collections::HashMap;

use crate::decimate::Soup;

/// Most that a kept part grows.
const MAX_GROWTH: f32 = 2.2;

/// Keeps of the small loose parts every `step`-th, enlarged about its centre by √step, and all
/// of the large ones (over a quarter of the model's height or width).
pub fn thin(soup: &Soup, step: usize) -> Soup {
    let growth = (step as f32).sqrt().min(MAX_GROWTH);
    let large = extent(&soup.positions) / 4.0;
    let mut out = Soup { all_bounds: soup.all_bounds, ..Soup::default() };
    let mut small = 0;
    for part in parts(soup) {
        let corners: Vec<[f32; 3]> = part.iter().map(|&at| soup.positions[at as usize]).collect();
        let scale = if extent(&corners) > large { 1.0 } else { growth };
        if scale > 1.0 {
            small += 1;
            if small % step != 0 {
                continue;
            }
        }
        let centre: [f32; 3] =
            std::array::from_fn(|axis| corners.iter().map(|p| p[axis]).sum::<f32>() / corners.len() as f32);
        for (at, corner) in part.iter().zip(corners) {
            out.indices.push(out.positions.len() as u32);
            out.positions.push(std::array::from_fn(|axis| centre[axis] + (corner[axis] - centre[axis]) * scale));
            out.uvs.push(soup.uvs[*at as usize]);
            out.materials.push(soup.materials[*at as usize]);
        }
    }
    out
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
