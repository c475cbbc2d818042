//! The shortest way between two cells, with round corners where there is room.

use pathfinding::prelude::astar;

use crate::free_space::{FINE_STEP_M, FreeSpace};

/// How far from a corner its rounding begins, metres, widest first.
const ROUNDINGS_M: [f64; 4] = [0.6, 0.4, 0.25, 0.12];
/// Straight pieces of a rounded corner.
const PIECES: usize = 8;

/// Points of the way, first and last included; `None` if there is none. All of it is free.
pub(super) fn route(space: &FreeSpace, from: usize, to: usize) -> Option<Vec<[f64; 2]>> {
    let (cells, _) = astar(&from, |&cell| space.steps(cell), |&cell| space.least_way(cell, to), |&cell| cell == to)?;
    let points: Vec<[f64; 2]> = cells.into_iter().map(|cell| space.centre(cell)).collect();
    Some(rounded(space, &taut(space, &points)))
}

/// Only the corners that a straight free line can't skip.
fn taut(space: &FreeSpace, points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut kept = Vec::new();
    let mut rest = points;
    while let [here, ahead @ ..] = rest {
        kept.push(*here);
        let farthest = ahead.iter().rposition(|&to| space.line_is_free_by(FINE_STEP_M, *here, to));
        rest = &ahead[farthest.unwrap_or(0).min(ahead.len())..];
    }
    kept
}

fn rounded(space: &FreeSpace, corners: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut points: Vec<[f64; 2]> = corners.first().copied().into_iter().collect();
    for window in corners.windows(3) {
        let curve = ROUNDINGS_M.iter().map(|&reach| curve([window[0], window[1], window[2]], reach));
        let free = |curve: &Vec<[f64; 2]>| {
            curve.windows(2).all(|piece| space.line_is_free_by(FINE_STEP_M, piece[0], piece[1]))
        };
        points.extend(curve.into_iter().find(free).unwrap_or_else(|| vec![window[1]]));
    }
    points.extend(corners.last().filter(|_| corners.len() > 1));
    points
}

/// A parabola that touches both legs of a corner `reach` metres from it, or at their middles if that is nearer.
fn curve([before, corner, after]: [[f64; 2]; 3], reach: f64) -> Vec<[f64; 2]> {
    let towards = |end: [f64; 2]| {
        let d = [end[0] - corner[0], end[1] - corner[1]];
        let share = (reach / d[0].hypot(d[1]).max(1e-9)).min(0.5);
        [corner[0] + share * d[0], corner[1] + share * d[1]]
    };
    let (from, to) = (towards(before), towards(after));
    let at = |t: f64| {
        let mix = |a: f64, b: f64, c: f64| (1.0 - t) * (1.0 - t) * a + 2.0 * t * (1.0 - t) * b + t * t * c;
        std::array::from_fn(|i| mix(from[i], corner[i], to[i]))
    };
    (0..=PIECES).map(|i| at(i as f64 / PIECES as f64)).collect()
}
