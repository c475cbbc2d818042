//! Pairing predicted with true instances of a category.

use pathfinding::prelude::{Matrix, kuhn_munkres_min};
use serde::{Deserialize, Serialize};

/// Column and row in cells; outside the grid, too.
pub(crate) type Point = [f64; 2];

/// A point this far off is worth nothing, however far it is, cells.
const FAR_CELLS: f64 = 1e6;

/// How instances are paired; each is used at most once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// Closest pair first, as SpaceR's released code does.
    #[default]
    Greedy,
    /// The pairing with the smallest sum of distances (Kuhn 1955), which greedy pairing can miss.
    Hungarian,
}

impl Matching {
    /// As many pairs (predicted, true) as the smaller side has instances.
    pub(crate) fn pairs(self, predicted: &[Point], truth: &[Point]) -> Vec<(Point, Point)> {
        match self {
            Self::Greedy => greedy(predicted, truth),
            Self::Hungarian if predicted.len() <= truth.len() => hungarian(predicted, truth),
            Self::Hungarian => hungarian(truth, predicted).into_iter().map(|(t, p)| (p, t)).collect(),
        }
    }
}

/// The square of the distance in cells.
pub(crate) fn squared_distance(a: Point, b: Point) -> f64 {
    let square = |x: f64, y: f64| (x - y) * (x - y);
    square(a[0], b[0]) + square(a[1], b[1])
}

fn greedy(predicted: &[Point], truth: &[Point]) -> Vec<(Point, Point)> {
    let mut candidates = Vec::with_capacity(predicted.len() * truth.len());
    for (p, a) in predicted.iter().enumerate() {
        for (t, b) in truth.iter().enumerate() {
            candidates.push((squared_distance(*a, *b), p, t));
        }
    }
    // Ties go to the lower index, so the score does not depend on chance.
    candidates.sort_unstable_by(|(a, p, t), (b, q, u)| a.total_cmp(b).then((p, t).cmp(&(q, u))));
    let (mut predicted_used, mut truth_used) = (vec![false; predicted.len()], vec![false; truth.len()]);
    let mut pairs = Vec::new();
    for (_, p, t) in candidates {
        if !predicted_used[p] && !truth_used[t] {
            (predicted_used[p], truth_used[t]) = (true, true);
            pairs.push((predicted[p], truth[t]));
        }
    }
    pairs
}

/// `few` has no more cells than `many`.
fn hungarian(few: &[Point], many: &[Point]) -> Vec<(Point, Point)> {
    if few.is_empty() {
        return Vec::new();
    }
    // The solver wants integers: millionths of a cell.
    let cost = |(row, column): (usize, usize)| {
        let squared = few.get(row).zip(many.get(column)).map_or(0.0, |(a, b)| squared_distance(*a, *b));
        (squared.sqrt().min(FAR_CELLS) * 1e6).round() as i64
    };
    let (_, columns) = kuhn_munkres_min(&Matrix::from_fn(few.len(), many.len(), cost));
    few.iter().zip(columns).filter_map(|(a, column)| many.get(column).map(|b| (*a, *b))).collect()
}
