//! The map score of SG-RLVR: how well an imagined map matches the true one.

use std::collections::BTreeMap;

use msgs::{Cell, GRID_SIZE, ImaginedMap};

use crate::matching::{Matching, squared_distance};

/// How a map is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MapScoreSettings {
    /// Counts the instances of categories that the truth lacks into the weight; off in the released rule, where an
    /// extra category costs nothing.
    pub penalise_extra: bool,
    /// How instances are paired.
    pub matching: Matching,
}

/// Score in 0..=1. For every category instances are paired, in the released rule greedily, closest pair first; a pair at distance d cells is
/// worth `max(0, 1 − d / (10·√2))`; a category scores the sum over the larger count; categories are weighted by their
/// true count. Both maps empty = 1; truth empty and prediction not = 0.
pub fn map_score(predicted: &ImaginedMap, truth: &ImaginedMap, settings: MapScoreSettings) -> f64 {
    let (predicted, truth) = (by_category(predicted), by_category(truth));
    if truth.is_empty() {
        return if predicted.is_empty() { 1.0 } else { 0.0 };
    }
    let (mut sum, mut weight) = (0.0, 0.0);
    for (category, cells) in &truth {
        let found = predicted.get(category).map_or(&[][..], Vec::as_slice);
        sum += category_accuracy(found, cells, settings.matching) * cells.len() as f64;
        weight += cells.len() as f64;
    }
    if settings.penalise_extra {
        let extra = predicted.iter().filter(|(category, _)| !truth.contains_key(*category));
        weight += extra.map(|(_, cells)| cells.len() as f64).sum::<f64>();
    }
    sum / weight
}

fn by_category(map: &ImaginedMap) -> BTreeMap<&str, Vec<Cell>> {
    let mut categories: BTreeMap<&str, Vec<Cell>> = BTreeMap::new();
    for object in &map.objects {
        categories.entry(&object.category).or_default().push(object.cell);
    }
    categories
}

fn category_accuracy(predicted: &[Cell], truth: &[Cell], matching: Matching) -> f64 {
    let larger = predicted.len().max(truth.len());
    let pairs = matching.pairs(predicted, truth);
    pairs.into_iter().map(|(p, t)| worth(p, t)).sum::<f64>() / larger as f64
}

/// What a pair of instances is worth, by their distance.
fn worth(a: Cell, b: Cell) -> f64 {
    let diagonal = GRID_SIZE as f64 * std::f64::consts::SQRT_2;
    (1.0 - f64::from(squared_distance(a, b)).sqrt() / diagonal).max(0.0)
}
