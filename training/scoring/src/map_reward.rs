//! The map reward: what an imagined map adds to a right answer, or takes from it.

use std::collections::BTreeSet;

use msgs::ImaginedMap;

use crate::completion::map_text;
use crate::map_score::{MapScoreSettings, points_score};
use crate::stated_map::{self, MapPoints};

/// The map that a completion states, as the released code reads it: of the text inside the first `<map>` pair, the points
/// of `categories`. `None` where a tag is missing; garbage between the tags is an empty map.
///
/// A Python literal `{category: [[x, y], …]}` is taken by its keys, of equal keys the last. Points are pairs `[x, y]` or
/// `(x, y)`, of numbers or of texts that hold a number; or texts that hold two numbers, of which the first two count. What
/// is no pair is left out: `[x]`, `[x, y, z]`, `{"x": 1}`. One pair may stand for the list. All other text, prose too, is
/// taken by position: a category owns the numbers behind it, up to the next one, two by two. Numbers are truncated, and may
/// lie off the grid.
///
/// Unlike in the released code, names are compared in lower case on both sides (there, a category with an upper-case letter
/// is never met), and the one pair may be a list, too: `{"chair": [2, 2]}` (there, it says nothing, which takes the reward of
/// a right answer away). Texts are read up to 65,536 bytes.
#[must_use]
pub fn stated_map(completion: &str, categories: &BTreeSet<String>) -> Option<MapPoints> {
    map_text(completion).map(|text| stated_map::read(text, categories))
}

/// The score of the map that a completion states against `truth`, in 0..=1. `None` where no map is stated.
///
/// `categories` are those of the record's own map; others don't count. So a record whose map is empty gives 1 for every
/// map, as in the released code.
#[must_use]
pub fn stated_map_score(
    completion: &str,
    truth: &ImaginedMap,
    categories: &BTreeSet<String>,
    settings: MapScoreSettings,
) -> Option<f64> {
    stated_map(completion, categories).map(|map| points_score(&map, truth, settings))
}

/// The accuracy reward once a good answer's map is scored: their sum, or 0 for a score of 0, since a wrong map cancels a
/// right answer. Without a map it stays.
#[must_use]
pub fn accuracy_with_map(accuracy: f64, map_score: Option<f64>) -> f64 {
    match map_score {
        None => accuracy,
        Some(score) if score > 0.0 => accuracy + score,
        Some(_) => 0.0,
    }
}
