//! The eight types of VSI-Bench (arXiv 2412.14171) and the mean over them, which weighs each type alike, however many
//! questions it has.

use std::collections::BTreeMap;

/// Each type with the groups whose scores it is the mean of.
pub const TYPES: [(&str, &[&str]); 8] = [
    ("object_counting", &["object_counting"]),
    ("object_abs_distance", &["object_abs_distance"]),
    ("object_size_estimation", &["object_size_estimation"]),
    ("room_size_estimation", &["room_size_estimation"]),
    ("object_rel_distance", &["object_rel_distance"]),
    (
        "object_rel_direction",
        &["object_rel_direction_easy", "object_rel_direction_medium", "object_rel_direction_hard"],
    ),
    ("route_planning", &["route_planning"]),
    ("obj_appearance_order", &["obj_appearance_order"]),
];

/// The types in terms of `groups`, or the names of the groups that are missing.
///
/// # Errors
/// The missing names: without them there is no mean.
pub fn types<T>(groups: &BTreeMap<String, T>) -> Result<Vec<Vec<&T>>, Vec<&'static str>> {
    let all = || TYPES.iter().flat_map(|(_, names)| names.iter().copied());
    let missing: Vec<&str> = all().filter(|name| !groups.contains_key(*name)).collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    Ok(TYPES.iter().map(|(_, names)| names.iter().filter_map(|name| groups.get(*name)).collect()).collect())
}

/// The mean over types of the means over their groups.
pub fn mean_over<T>(types: &[Vec<&T>], mut of_group: impl FnMut(&T) -> f64) -> f64 {
    let mut of_type = |groups: &Vec<&T>| groups.iter().map(|group| of_group(group)).sum::<f64>() / groups.len() as f64;
    types.iter().map(&mut of_type).sum::<f64>() / types.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_directions_are_one_type() {
        let mut groups: BTreeMap<String, f64> =
            TYPES.iter().flat_map(|(_, names)| names.iter().map(|name| ((*name).to_owned(), 0.5))).collect();
        assert_eq!(mean_over(&types(&groups).unwrap(), |score| *score), 0.5);
        groups.insert("object_rel_direction_hard".to_owned(), 0.8);
        let mean = mean_over(&types(&groups).unwrap(), |score| *score);
        assert!((mean - (7.0 * 0.5 + 0.6) / 8.0).abs() < 1e-12, "{mean}");
        groups.remove("route_planning");
        assert_eq!(types(&groups), Err(vec!["route_planning"]));
    }
}
