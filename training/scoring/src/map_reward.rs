//! The map reward: what an imagined map adds to a right answer, or takes from it.

use std::collections::BTreeSet;

use imagined_map::parse;
use msgs::ImaginedMap;

use crate::completion::map_text;
use crate::map_score::{MapScoreSettings, map_score};

/// The map that a completion states: what the lenient parser reads between its tags, categories outside `categories`
/// left out. `None` where the tags are not both there; garbage between them is an empty map.
#[must_use]
pub fn stated_map(completion: &str, categories: &BTreeSet<String>) -> Option<ImaginedMap> {
    let mut map = parse(map_text(completion)?).unwrap_or_default();
    map.objects.retain(|object| categories.contains(&object.category));
    Some(map)
}

/// The score of the map that a completion states against `truth`, in 0..=1. `None` where no map is stated.
#[must_use]
pub fn stated_map_score(
    completion: &str,
    truth: &ImaginedMap,
    categories: &BTreeSet<String>,
    settings: MapScoreSettings,
) -> Option<f64> {
    stated_map(completion, categories).map(|map| map_score(&map, truth, settings))
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
