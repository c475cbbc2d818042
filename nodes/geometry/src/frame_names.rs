//! Names of frames, as robots with and without a prefix have them.

/// The frame that is called `wanted` (without slash in front), or, where none is, the only one of that name with a prefix
/// before it, as `robot1/base_link` is of `base_link`.
pub fn frame_named<'a>(known: impl Iterator<Item = &'a str> + Clone, wanted: &str) -> Option<&'a str> {
    if let Some(exact) = known.clone().find(|name| *name == wanted) {
        return Some(exact);
    }
    let is_prefixed = |name: &&str| name.strip_suffix(wanted).is_some_and(|prefix| prefix.ends_with('/'));
    let mut prefixed = known.filter(is_prefixed);
    let only = prefixed.next()?;
    prefixed.next().is_none().then_some(only)
}

/// TF1 wrote a leading slash, and some drivers still do.
pub(crate) fn without_slash(name: &str) -> &str {
    name.strip_prefix('/').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_found_with_its_prefix_where_there_is_one_such() {
        let find = |known: &[&'static str]| frame_named(known.iter().copied(), "base_link");
        assert_eq!(find(&["odom", "base_link", "robot1/base_link"]), Some("base_link"));
        assert_eq!(find(&["robot1/odom", "robot1/base_link"]), Some("robot1/base_link"));
        assert_eq!(find(&["robot1/base_link", "robot2/base_link"]), None);
        assert_eq!(find(&["odom", "my_base_link"]), None);
    }
}
