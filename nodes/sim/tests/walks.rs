//! Planned walks, over many seeds.

use std::f64::consts::{PI, TAU};

use sim::camera::Pose;
use sim::catalogue::Catalogue;
use sim::clip::Scene;
use sim::free_space::{CLEARANCE_M, HEADROOM_M};
use sim::path::{STEP_SECS, wrap};
use sim::variety::Variety;
use sim::world::RoomSplit;

const SEEDS: u64 = 500;
const WALK_SECS: f64 = 40.0;

fn scenes() -> impl Iterator<Item = (u64, Scene)> {
    let variety = Variety { shadows: false, moving_share: 0.3, ..Variety::full() };
    let catalogue = Catalogue::bundled().expect("pack");
    (0..SEEDS).map(move |seed| (seed, Scene::generate_with(seed, RoomSplit::Train, catalogue, (WALK_SECS, &variety))))
}

fn speed(step: &[Pose]) -> f64 {
    (step[1].position[0] - step[0].position[0]).hypot(step[1].position[1] - step[0].position[1]) / STEP_SECS
}

#[test]
fn cameras_keep_their_distance_and_their_limits() {
    let mut fastest: f64 = 0.0;
    for (seed, scene) in scenes() {
        let poses = scene.walk.poses();
        assert_eq!(poses.len(), (WALK_SECS / STEP_SECS) as usize + 1);
        for pose in poses {
            let at = [pose.position[0], pose.position[1]];
            assert!(scene.world.room.contains(at, CLEARANCE_M), "seed {seed}: a wall at {at:?}");
            let world = scene.world.at(pose.stamp_secs);
            let low = world.objects.iter().filter(|object| object.span_m[0] < HEADROOM_M);
            let nearest = low.map(|object| object.plan.distance(at)).fold(f64::INFINITY, f64::min);
            assert!(nearest >= CLEARANCE_M, "seed {seed}: {nearest} m at {} s", pose.stamp_secs);
            assert!((0.28..1.72).contains(&pose.position[2]), "seed {seed}: {} m high", pose.position[2]);
            assert!((-0.47..-0.05).contains(&pose.pitch), "seed {seed}: pitch {}", pose.pitch);
        }
        for step in poses.windows(2) {
            fastest = fastest.max(speed(step));
            assert!(speed(step) <= 0.6 + 1e-9, "seed {seed}: {} m/s", speed(step));
            let rate = wrap(step[1].yaw - step[0].yaw).abs() / STEP_SECS;
            assert!(rate <= PI / 3.0, "seed {seed}: {}° a second", rate.to_degrees());
        }
    }
    assert!(fastest > 0.5);
}

#[test]
fn walks_cover_ground_stop_to_look_and_turn_round_once() {
    let (mut moving, mut cruising, mut hands) = (0, 0, 0);
    for (seed, scene) in scenes() {
        let poses = scene.walk.poses();
        let speeds: Vec<f64> = poses.windows(2).map(speed).collect();
        moving += speeds.iter().filter(|&&v| v > 0.02).count();
        cruising += speeds.iter().filter(|&&v| v > 0.2).count();
        assert!(speeds.iter().filter(|&&v| v == 0.0).count() > 20, "seed {seed} never stops");
        hands += usize::from(poses.iter().any(|pose| pose.roll != 0.0));
        // The most that is turned in one direction without a step.
        let (mut turned, mut most): (f64, f64) = (0.0, 0.0);
        for (step, speed) in poses.windows(2).zip(&speeds) {
            let by = wrap(step[1].yaw - step[0].yaw);
            turned = if *speed > 0.0 || by * turned < -1e-6 { 0.0 } else { turned + by };
            most = most.max(turned.abs());
        }
        assert!(most > 0.97 * TAU, "seed {seed}: {}° at most", most.to_degrees());
    }
    let steps = SEEDS as usize * (WALK_SECS / STEP_SECS) as usize;
    assert!(moving > steps / 4 && cruising * 10 > moving * 7, "{moving} of {steps} steps, {cruising} at speed");
    assert!(hands > 10 && hands < SEEDS as usize - 10, "{hands} hand-held");
}
