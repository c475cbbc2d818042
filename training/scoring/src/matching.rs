//! Pairing predicted with true instances of a category.

use msgs::Cell;
use pathfinding::prelude::{Matrix, kuhn_munkres_min};
use serde::{Deserialize, Serialize};

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
    pub(crate) fn pairs(self, predicted: &[Cell], truth: &[Cell]) -> Vec<(Cell, Cell)> {
        match self {
            Self::Greedy => greedy(predicted, truth),
            Self::Hungarian if predicted.len() <= truth.len() => hungarian(predicted, truth),
            Self::Hungarian => hungarian(truth, predicted).into_iter().map(|(t, p)| (p, t)).collect(),
        }
    }
}

/// The square of the distance in cells.
pub(crate) fn squared_distance(a: Cell, b: Cell) -> u32 {
    let square = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    square(a.x, b.x) + square(a.y, b.y)
}

fn greedy(predicted: &[Cell], truth: &[Cell]) -> Vec<(Cell, Cell)> {
    let mut candidates = Vec::with_capacity(predicted.len() * truth.len());
    for (p, a) in predicted.iter().enumerate() {
        for (t, b) in truth.iter().enumerate() {
            candidates.push((squared_distance(*a, *b), p, t));
        }
    }
    // Ties go to the lower index, so the score does not depend on chance.
    candidates.sort_unstable();
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
fn hungarian(few: &[Cell], many: &[Cell]) -> Vec<(Cell, Cell)> {
    if few.is_empty() {
        return Vec::new();
    }
    // The solver wants integers: millionths of a cell.
    let cost = |(row, column): (usize, usize)| {
        let squared = few.get(row).zip(many.get(column)).map_or(0, |(a, b)| squared_distance(*a, *b));
        (f64::from(squared).sqrt() * 1e6).round() as i64
    };
    let (_, columns) = kuhn_munkres_min(&Matrix::from_fn(few.len(), many.len(), cost));
    few.iter().zip(columns).filter_map(|(a, column)| many.get(column).map(|b| (*a, *b))).collect()
}
