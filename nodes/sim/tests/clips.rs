//! Clips are functions of their seed, and their truth agrees with their own pixels.

use sim::body::FIRST_OBJECT_ID;
use sim::camera::{Camera, Pose};
use sim::catalogue::Catalogue;
use sim::clip::{Clip, ClipSettings, Scene};
use sim::raster::{Renderer, Shot};
use sim::truth::{Sightings, seen_objects};
use sim::world::RoomSplit;

fn clip(seed: u64, split: RoomSplit) -> Clip {
    Clip::generate(seed, split, Catalogue::bundled().expect("pack"), &ClipSettings::default(), &mut Renderer::new())
}

#[test]
fn a_seed_gives_the_same_clip_and_splits_differ() {
    let (a, b) = (clip(7, RoomSplit::Train), clip(7, RoomSplit::Train));
    assert_eq!((&a.frames, &a.ids, &a.questions), (&b.frames, &b.ids, &b.questions));
    let mut used = Renderer::new();
    Clip::generate(3, RoomSplit::Novel, Catalogue::bundled().expect("pack"), &ClipSettings::default(), &mut used);
    let c =
        Clip::generate(7, RoomSplit::Train, Catalogue::bundled().expect("pack"), &ClipSettings::default(), &mut used);
    assert_eq!(a.frames, c.frames, "a used renderer remembers nothing");
    assert_ne!(a.frames, clip(7, RoomSplit::Heldout).frames);
    assert_ne!(clip(7, RoomSplit::Calibration).frames, clip(7, RoomSplit::Heldout).frames);
}

/// For every object wholly in view: no visible point is nearer than the analytic distance, and one is close to it.
#[test]
fn distances_agree_with_unprojected_pixels() {
    let mut renderer = Renderer::new();
    let mut checked = 0;
    for seed in 0..12 {
        let scene = Scene::generate(seed, RoomSplit::Heldout, Catalogue::bundled().expect("pack"), 20.0);
        let camera = scene.camera.resized(320, 240);
        let pose = scene.walk.pose_at(9.0);
        let shot = Shot { camera, pose, supersample: 1 };
        let view = renderer.render(scene.world.bodies(), &scene.world.lighting, &shot);
        for object in &scene.world.objects {
            let analytic = object.plan_distance([pose.position[0], pose.position[1]]);
            let mut nearest = f64::INFINITY;
            let mut border = false;
            for (at, _) in view.ids.iter().enumerate().filter(|(_, id)| **id == object.id) {
                let (x, y) = (at % 320, at / 320);
                border |= x == 0 || y == 0 || x == 319 || y == 239;
                let point = camera.unproject([x as f64 + 0.5, y as f64 + 0.5], f64::from(view.depth[at]));
                let world = pose.to_world(point);
                nearest = nearest.min((world[0] - pose.position[0]).hypot(world[1] - pose.position[1]));
            }
            assert!(nearest >= analytic - 0.02, "{} {nearest} {analytic}", object.model);
            let id = usize::from(object.id);
            if !border && view.visible[id] > 0.99 * view.unoccluded[id] && view.visible[id] > 0.01 {
                assert!(nearest <= analytic + 0.12, "{} {nearest} {analytic}", object.model);
                checked += 1;
            }
        }
    }
    assert!(checked >= 8, "{checked}");
}

#[test]
fn the_depth_of_a_wall_is_its_distance_along_the_axis() {
    let mut scene = Scene::generate(1, RoomSplit::Train, Catalogue::bundled().expect("pack"), 1.0);
    scene.world.objects.clear();
    let camera = Camera::pinhole(64, 48, 0.6);
    // The wall x = 0 has no notch before it.
    let pose = Pose { position: [1.25, 1.0, 1.2], yaw: std::f64::consts::PI, pitch: 0.0, roll: 0.0, stamp_secs: 0.0 };
    for supersample in [1, 2] {
        let mut renderer = Renderer::new();
        let view = renderer.render(scene.world.bodies(), &scene.world.lighting, &Shot { camera, pose, supersample });
        assert!(view.depth.iter().all(|depth| (depth - 1.25).abs() < 1e-3));
        assert!(view.ids.iter().all(|&id| id == sim::body::WALL_ID));
    }
}

/// Every pixel of a closed room shows something, also with the camera close to things.
#[test]
fn rooms_have_no_holes() {
    for seed in 0..10 {
        for ids in clip(seed, RoomSplit::Train).ids {
            assert!(ids.iter().all(|&id| id != 0), "seed {seed}");
        }
    }
}

#[test]
fn moving_the_whole_world_changes_no_distance() {
    let scene = Scene::generate(5, RoomSplit::Train, Catalogue::bundled().expect("pack"), 20.0);
    let pose = scene.walk.pose_at(10.0);
    let mut renderer = Renderer::new();
    let mut sightings = Sightings::default();
    let shot = Shot { camera: scene.camera.resized(160, 120), pose, supersample: 1 };
    sightings.add(renderer.render(scene.world.bodies(), &scene.world.lighting, &shot));
    let (before, _) = seen_objects(&scene.world, &sightings, &pose);
    let (sin, cos) = 0.8f64.sin_cos();
    let moved = |[x, y]: [f64; 2]| [cos * x - sin * y + 3.0, sin * x + cos * y - 1.0];
    let mirrored = |[x, y]: [f64; 2]| [x, -y];
    let mut turned = scene.world.clone();
    let mut flipped = scene.world.clone();
    for (a, b) in turned.objects.iter_mut().zip(&mut flipped.objects) {
        a.outline.iter_mut().for_each(|p| *p = moved(*p));
        a.plan.centre = moved(a.plan.centre);
        b.outline.iter_mut().for_each(|p| *p = mirrored(*p));
        b.outline.reverse();
        b.plan.centre = mirrored(b.plan.centre);
    }
    let [x, y, z] = pose.position;
    let [tx, ty] = moved([x, y]);
    let (a, _) = seen_objects(&turned, &sightings, &Pose { position: [tx, ty, z], yaw: pose.yaw + 0.8, ..pose });
    let (b, _) = seen_objects(&flipped, &sightings, &Pose { position: [x, -y, z], yaw: -pose.yaw, ..pose });
    assert!(!before.is_empty());
    for ((old, turned), flipped) in before.iter().zip(&a).zip(&b) {
        assert!(
            (old.distance_m - turned.distance_m).abs() < 1e-9 && (old.distance_m - flipped.distance_m).abs() < 1e-9
        );
        assert!((old.plan_m[0] - turned.plan_m[0]).abs() < 1e-9, "right stays right when turned");
        assert!((old.plan_m[0] + flipped.plan_m[0]).abs() < 1e-9, "right and left swap in a mirror");
    }
}

#[test]
fn ids_name_classes_and_novel_rooms_hold_novel_furniture() {
    let catalogue = Catalogue::bundled().expect("pack");
    for seed in 0..20 {
        let scene = Scene::generate(seed, RoomSplit::Novel, catalogue, 1.0);
        for (index, object) in scene.world.objects.iter().enumerate() {
            assert_eq!(object.id, FIRST_OBJECT_ID + index as u16);
            let Some(model) = catalogue.model(&object.model) else { continue };
            let novel = catalogue.models_of(&object.class, sim::catalogue::FurnitureSplit::Novel);
            assert!(novel.is_empty() || model.split == sim::catalogue::FurnitureSplit::Novel);
        }
    }
}
