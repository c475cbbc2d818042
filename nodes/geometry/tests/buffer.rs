//! Promises of the transform buffer.

use geometry::{GeometryError, Inserted, RigidTransform, StampedTransform, TransformBuffer, rigid_transform};
use nalgebra::Point3;
use proptest::prelude::*;

const LEVEL: [f64; 4] = [0.0, 0.0, 0.0, 1.0];
const QUARTER_LEFT: [f64; 4] = [0.0, 0.0, std::f64::consts::FRAC_1_SQRT_2, std::f64::consts::FRAC_1_SQRT_2];

fn insert(
    buffer: &mut TransformBuffer,
    (parent, child): (&str, &str),
    stamp_nanos: Option<i64>,
    parent_from_child: RigidTransform,
) -> Result<Inserted, GeometryError> {
    let (parent, child) = (parent.to_owned(), child.to_owned());
    buffer.insert(&StampedTransform { parent, child, stamp_nanos, parent_from_child })
}

fn robot() -> TransformBuffer {
    let mut buffer = TransformBuffer::new(10.0);
    insert(&mut buffer, ("odom", "base_link"), Some(0), rigid_transform([0.0; 3], LEVEL)).expect("valid");
    insert(&mut buffer, ("odom", "base_link"), Some(1_000), rigid_transform([2.0, 0.0, 0.0], QUARTER_LEFT))
        .expect("valid");
    insert(&mut buffer, ("base_link", "camera"), None, rigid_transform([0.0, 0.0, 1.0], LEVEL)).expect("valid");
    insert(&mut buffer, ("map", "odom"), None, rigid_transform([10.0, 0.0, 0.0], LEVEL)).expect("valid");
    buffer
}

#[test]
fn walks_the_chain_and_interpolates() {
    let odom_from_camera = robot().lookup("odom", "camera", Some(500)).expect("connected");
    let point = odom_from_camera * Point3::new(1.0, 0.0, 0.0);
    let half = std::f64::consts::FRAC_1_SQRT_2;
    assert!((point - Point3::new(1.0 + half, half, 1.0)).norm() < 1e-9, "{point}");
}

#[test]
fn goes_up_and_down_the_tree() {
    let buffer = robot();
    let camera_from_map = buffer.lookup("camera", "map", Some(1_000)).expect("connected");
    let point = camera_from_map * Point3::new(12.0, 1.0, 0.0);
    assert!((point - Point3::new(1.0, 0.0, -1.0)).norm() < 1e-9, "{point}");
    assert_eq!(buffer.lookup("map", "map", Some(9)).expect("same"), RigidTransform::identity());
}

#[test]
fn says_what_is_missing() {
    let mut buffer = robot();
    assert_eq!(
        buffer.lookup("odom", "camera", Some(2_000)),
        Err(GeometryError::Extrapolation {
            child: "base_link".into(),
            earliest_nanos: 0,
            latest_nanos: 1_000,
            found_nanos: 2_000
        })
    );
    assert_eq!(buffer.lookup("odom", "arm", None), Err(GeometryError::UnknownFrame { found: "arm".into() }));
    insert(&mut buffer, ("shelf", "arm"), None, RigidTransform::identity()).expect("valid");
    assert!(matches!(buffer.lookup("odom", "arm", None), Err(GeometryError::NotConnected { .. })));
    insert(&mut buffer, ("arm", "shelf"), None, RigidTransform::identity()).expect("valid");
    assert!(matches!(buffer.lookup("odom", "arm", None), Err(GeometryError::Circle { .. })));
}

#[test]
fn refuses_broken_transforms() {
    let mut buffer = TransformBuffer::new(10.0);
    for broken in [rigid_transform([f64::NAN, 0.0, 0.0], LEVEL), rigid_transform([0.0; 3], [0.0; 4])] {
        let found = insert(&mut buffer, ("a", "b"), None, broken);
        assert!(matches!(found, Err(GeometryError::InvalidTransform { .. })), "{found:?}");
    }
    assert!(insert(&mut buffer, ("a", "a"), None, RigidTransform::identity()).is_err());
    assert!(insert(&mut buffer, ("", "a"), None, RigidTransform::identity()).is_err());
}

#[test]
fn history_is_bounded() {
    let mut buffer = TransformBuffer::new(1.0);
    for second in 0..100 {
        insert(&mut buffer, ("odom", "base_link"), Some(second * 1_000_000_000), RigidTransform::identity())
            .expect("valid");
    }
    assert!(buffer.lookup("odom", "base_link", Some(97_000_000_000)).is_err());
    assert!(buffer.lookup("odom", "base_link", Some(98_500_000_000)).is_ok());
    for frame in 0..2_000 {
        let _ = insert(&mut buffer, ("odom", &format!("f{frame}")), None, RigidTransform::identity());
    }
    let one_more = insert(&mut buffer, ("odom", "one_more"), None, RigidTransform::identity());
    assert!(matches!(one_more, Err(GeometryError::TooManyFrames { .. })));
    assert!(buffer.lookup("odom", "base_link", None).is_err(), "what moves made room for what does not");
    assert!(buffer.lookup("odom", "f3", None).is_ok());
}

#[test]
fn a_flood_of_frames_does_not_silence_those_that_go_on() {
    let mut buffer = robot();
    for stamp in 0..5_000 {
        insert(&mut buffer, ("junk", &format!("f{stamp}")), Some(stamp), RigidTransform::identity()).expect("room");
        insert(&mut buffer, ("odom", "base_link"), Some(1_000 + stamp), RigidTransform::identity()).expect("held");
    }
    assert!(buffer.lookup("odom", "camera", Some(5_000)).is_ok());
}

#[test]
fn a_link_that_stopped_serves_for_a_while_and_then_no_more() {
    let buffer = robot();
    let near = |stamp, oldest| buffer.lookup_near("odom", "camera", stamp, oldest);
    assert_eq!(near(1_400, 500), buffer.lookup("odom", "camera", Some(1_000)));
    assert!(matches!(near(1_501, 500), Err(GeometryError::Extrapolation { .. })));
    assert!(near(-1, 500).is_err(), "nothing is guessed before the first stamp");
    assert_eq!(near(500, 500), buffer.lookup("odom", "camera", Some(500)));
}

#[test]
fn one_straggler_changes_nothing_and_a_clock_that_was_set_back_begins_anew() {
    const HOUR: i64 = 3_600_000_000_000;
    let mut buffer = TransformBuffer::new(10.0);
    let mut at = |stamp: i64| {
        let moved = rigid_transform([stamp as f64, 0.0, 0.0], LEVEL);
        insert(&mut buffer, ("odom", "base_link"), Some(stamp), moved).expect("valid")
    };
    assert_eq!([HOUR, HOUR - 1, HOUR + 1, 5, HOUR + 2].map(&mut at), [Inserted::Kept; 5]);
    let restarted = Inserted::Restarted { back_nanos: HOUR - 6 };
    assert_eq!([6, 7, 8].map(&mut at), [Inserted::Kept, Inserted::Kept, restarted]);
    assert_eq!(at(9), Inserted::Kept);
    assert!(buffer.lookup("odom", "base_link", Some(9)).is_ok());
    assert!(buffer.lookup("odom", "base_link", Some(HOUR)).is_err());
}

proptest! {
    #[test]
    fn there_and_back_is_identity(x in -9.0..9.0f64, y in -9.0..9.0f64, yaw in -3.0..3.0f64, stamp in 0i64..1_000) {
        let mut buffer = robot();
        let quaternion = [0.0, 0.0, (yaw / 2.0).sin(), (yaw / 2.0).cos()];
        insert(&mut buffer, ("camera", "tool"), None, rigid_transform([x, y, 0.3], quaternion)).expect("valid");
        let there = buffer.lookup("map", "tool", Some(stamp)).expect("connected");
        let back = buffer.lookup("tool", "map", Some(stamp)).expect("connected");
        let round = there * back;
        prop_assert!(round.translation.vector.norm() < 1e-9 && round.rotation.angle() < 1e-9);
    }
}
