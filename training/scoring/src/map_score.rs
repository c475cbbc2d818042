//! The map score of SG-RLVR: how well an imagined map matches the true one.

use std::collections::BTreeMap;

use msgs::{Cell, GRID_SIZE, ImaginedMap};

/// How a map is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MapScoreSettings {
    /// Counts the instances of categories that the truth lacks into the weight; off in the released rule, where an
    /// extra category costs nothing.
    pub penalise_extra: bool,
}

/// Score in 0..=1. For every category instances are matched greedily, closest pair first; a pair at distance d cells is
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
        sum += category_accuracy(found, cells) * cells.len() as f64;
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

fn category_accuracy(predicted: &[Cell], truth: &[Cell]) -> f64 {
    let larger = predicted.len().max(truth.len());
    let mut pairs = Vec::with_capacity(predicted.len() * truth.len());
    for (p, a) in predicted.iter().enumerate() {
        for (t, b) in truth.iter().enumerate() {
            pairs.push((squared_distance(*a, *b), p, t));
        }
    }
    // Ties go to the lower index, so the score does not depend on chance.
    pairs.sort_unstable();
    let (mut predicted_used, mut truth_used) = (vec![false; predicted.len()], vec![false; truth.len()]);
    let mut worth = 0.0;
    for (squared, p, t) in pairs {
        if !predicted_used[p] && !truth_used[t] {
            (predicted_used[p], truth_used[t]) = (true, true);
            let diagonal = GRID_SIZE as f64 * std::f64::consts::SQRT_2;
            worth += (1.0 - f64::from(squared).sqrt() / diagonal).max(0.0);
        }
    }
    worth / larger as f64
}

fn squared_distance(a: Cell, b: Cell) -> u32 {
    let square = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    square(a.x, b.x) + square(a.y, b.y)
}
