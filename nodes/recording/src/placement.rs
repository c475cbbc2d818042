//! Recorded poses and transforms as those of [`geometry`].

use geometry::{RigidTransform, StampedTransform, rigid_transform};

use crate::messages::{Pose, Transform, TransformStamped};

impl From<&Transform> for RigidTransform {
    fn from(transform: &Transform) -> Self {
        let (at, turn) = (&transform.translation, &transform.rotation);
        rigid_transform([at.x, at.y, at.z], [turn.x, turn.y, turn.z, turn.w])
    }
}

impl From<&Pose> for RigidTransform {
    fn from(pose: &Pose) -> Self {
        let (at, turn) = (&pose.position, &pose.orientation);
        rigid_transform([at.x, at.y, at.z], [turn.x, turn.y, turn.z, turn.w])
    }
}

impl TransformStamped {
    /// For a [`geometry::TransformBuffer`]; `fixed`: whether it holds for ever, as those of `/tf_static` do.
    pub fn stamped(&self, fixed: bool) -> StampedTransform {
        StampedTransform {
            parent: self.header.frame_id.trim_start_matches('/').to_owned(),
            child: self.child_frame_id.trim_start_matches('/').to_owned(),
            stamp_nanos: (!fixed).then(|| self.header.stamp.nanos()),
            parent_from_child: RigidTransform::from(&self.transform),
        }
    }
}

/// The frame that is called `wanted` (without slash in front), or, where none is, the only one of that name with a
/// prefix before it, as `robot1/base_link` is of `base_link`.
pub fn frame_named<'a>(known: impl Iterator<Item = &'a str> + Clone, wanted: &str) -> Option<&'a str> {
    if let Some(exact) = known.clone().find(|name| *name == wanted) {
        return Some(exact);
    }
    let is_prefixed = |name: &&str| name.strip_suffix(wanted).is_some_and(|prefix| prefix.ends_with('/'));
    let mut prefixed = known.filter(is_prefixed);
    let only = prefixed.next()?;
    prefixed.next().is_none().then_some(only)
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
