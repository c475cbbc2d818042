//! The map score of SG-RLVR: how well an imagined map matches the true one.

use msgs::{GRID_SIZE, ImaginedMap};

use crate::matching::{Matching, Point, squared_distance};
use crate::stated_map::MapPoints;

/// Coordinates from here on can't be measured with: their squares overflow.
const TOO_LARGE: f64 = 1e150;

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
/// true count. Both maps empty = 1; truth empty and prediction not = 0. Categories are compared in lower case.
pub fn map_score(predicted: &ImaginedMap, truth: &ImaginedMap, settings: MapScoreSettings) -> f64 {
    points_score(&points(predicted), truth, settings)
}

/// As [`map_score`], of a map whose points may lie off the grid; 0 where one lies too far off to be measured.
pub(crate) fn points_score(predicted: &MapPoints, truth: &ImaginedMap, settings: MapScoreSettings) -> f64 {
    let truth = points(truth);
    if predicted.iter().any(|(category, points)| !is_measurable(points, truth.contains_key(category))) {
        return 0.0;
    }
    if truth.is_empty() {
        return if predicted.is_empty() { 1.0 } else { 0.0 };
    }
    let (mut sum, mut weight) = (0.0, 0.0);
    for (category, points) in &truth {
        let found = predicted.get(category).map_or(&[][..], Vec::as_slice);
        sum += category_accuracy(found, points, settings.matching) * points.len() as f64;
        weight += points.len() as f64;
    }
    if settings.penalise_extra {
        let extra = predicted.iter().filter(|(category, _)| !truth.contains_key(*category));
        weight += extra.map(|(_, points)| points.len() as f64).sum::<f64>();
    }
    sum / weight
}

/// Whether all points of a category have a distance that can be told, where it `is_needed`.
fn is_measurable(points: &[Point], is_needed: bool) -> bool {
    let limit = if is_needed { TOO_LARGE } else { f64::INFINITY };
    points.iter().flatten().all(|coordinate| coordinate.abs() < limit)
}

fn points(map: &ImaginedMap) -> MapPoints {
    let mut points = MapPoints::new();
    for object in &map.objects {
        let category = object.category.trim().to_lowercase();
        points.entry(category).or_default().push([f64::from(object.cell.x), f64::from(object.cell.y)]);
    }
    points
}

fn category_accuracy(predicted: &[Point], truth: &[Point], matching: Matching) -> f64 {
    let larger = predicted.len().max(truth.len());
    let pairs = matching.pairs(predicted, truth);
    pairs.into_iter().map(|(p, t)| worth(p, t)).sum::<f64>() / larger as f64
}

/// What a pair of instances is worth, by their distance.
fn worth(a: Point, b: Point) -> f64 {
    let diagonal = GRID_SIZE as f64 * std::f64::consts::SQRT_2;
    (1.0 - squared_distance(a, b).sqrt() / diagonal).max(0.0)
}
