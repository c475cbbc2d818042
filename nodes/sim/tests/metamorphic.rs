//! A world that is rotated and moved gives the same answers; a mirrored one the same with left and right swapped.

use std::collections::BTreeMap;

use sim::body::{Body, Lighting};
use sim::camera::{Camera, Pose};
use sim::catalogue::Catalogue;
use sim::lens::Distortion;
use sim::plan::FloorPlan;
use sim::questions::ask::{Answer, Ask, Draft};
use sim::questions::exam::drafts;
use sim::questions::stage::Stage;
use sim::questions::tally::Tally;
use sim::raster::{Renderer, Shot};
use sim::variety::Variety;
use sim::watch::{FrameView, Sight, Watch, WatchSettings};
use sim::world::{Object, RoomSplit, World};

const SEEDS: [u64; 3] = [2, 9, 14];

/// Mirrors at the world's x axis or not, then turns about its origin, then shifts.
#[derive(Clone, Copy)]
struct Moved {
    mirror: bool,
    turn: f64,
    shift: [f64; 2],
}

impl Moved {
    fn point(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (sin, cos) = self.turn.sin_cos();
        let y = if self.mirror { -y } else { y };
        [cos * x - sin * y + self.shift[0], sin * x + cos * y + self.shift[1]]
    }

    fn space(&self, p: [f32; 3]) -> [f32; 3] {
        let [x, y] = self.point([f64::from(p[0]), f64::from(p[1])]);
        [x as f32, y as f32, p[2]]
    }

    fn body(&self, body: &Body) -> Body {
        let mut moved = body.clone();
        moved.positions.iter_mut().for_each(|p| *p = self.space(*p));
        moved.centre = self.space(moved.centre);
        // Neither depth nor ids depend on them.
        moved.normals.clear();
        moved
    }

    fn object(&self, object: &Object) -> Object {
        let mut moved = object.clone();
        moved.body = self.body(&object.body);
        moved.plan.centre = self.point(object.plan.centre);
        // The front of an object is its −y.
        moved.plan.yaw = if self.mirror { std::f64::consts::PI - object.plan.yaw } else { object.plan.yaw } + self.turn;
        moved.outline.iter_mut().for_each(|p| *p = self.point(*p));
        if self.mirror {
            moved.outline.reverse();
        }
        moved
    }

    fn pose(&self, pose: &Pose) -> Pose {
        let [x, y] = self.point([pose.position[0], pose.position[1]]);
        let (yaw, roll) = if self.mirror { (-pose.yaw, -pose.roll) } else { (pose.yaw, pose.roll) };
        Pose { position: [x, y, pose.position[2]], yaw: yaw + self.turn, roll, ..*pose }
    }

    fn camera(&self, camera: Camera) -> Camera {
        let Distortion { p2, .. } = camera.distortion;
        let p2 = if self.mirror { -p2 } else { p2 };
        Camera { distortion: Distortion { p2, ..camera.distortion }, ..camera }
    }

    fn words(&self, answer: &Answer) -> Answer {
        let Answer::Words(words) = answer else { return answer.clone() };
        if !self.mirror {
            return answer.clone();
        }
        if let Some(hour) = words.strip_suffix(" o'clock") {
            let hour: u32 = hour.parse().expect("an hour");
            return Answer::Words(format!("{} o'clock", if hour == 12 { 12 } else { 12 - hour }));
        }
        Answer::Words(words.replace("left", "?").replace("right", "left").replace('?', "right"))
    }
}

/// Every question that a moved world allows, by what it asks.
fn asked(world: &World, camera: Camera, poses: &[Pose], moved: Moved) -> BTreeMap<Ask, Answer> {
    let corners = FloorPlan::of(world).corners().iter().map(|&p| moved.point(p)).collect();
    let plan = FloorPlan::new(corners);
    let objects: Vec<Object> = world.objects.iter().map(|object| moved.object(object)).collect();
    let surfaces: Vec<Body> = world.surfaces.iter().map(|body| moved.body(body)).collect();
    let sight = Sight { surfaces: &surfaces, objects: &objects, lighting: &Lighting::default(), plan: &plan };
    let (camera, mut renderer) = (moved.camera(camera), Renderer::new());
    let frames = poses.iter().map(|pose| {
        let shot = Shot { camera, pose: moved.pose(pose), supersample: 1 };
        FrameView::take(&sight, &shot, &mut renderer).0
    });
    let watch = Watch { camera, frames: frames.collect() };
    let stage = Stage::on(plan.clone(), (&objects, &world.menu), &watch, 0..watch.frames.len()).expect("frames");
    let drafts = drafts(&stage, &mut Tally::default(), &mut RoomSplit::Train.rng(1, "metamorphic"));
    let walk = drafts.into_iter().filter(|draft| !draft.topic.is_absence());
    walk.map(|Draft { ask, answer, .. }| (ask, answer)).collect()
}

fn same(truth: &Answer, found: &Answer) -> bool {
    match (truth, found) {
        (Answer::Number(truth), Answer::Number(found)) => (truth - found).abs() <= 1e-4 * truth.abs().max(1.0),
        (truth, found) => truth == found,
    }
}

fn check(moved: Moved) {
    let variety = Variety { shadows: false, ..Variety::full() };
    let settings = WatchSettings { walk_secs: 30.0, rate_hz: 1.0, variety, ..WatchSettings::default() };
    let (mut shared, mut all) = (0, 0);
    for seed in SEEDS {
        let scene = settings.scene(seed, RoomSplit::Train, Catalogue::bundled().expect("pack"));
        let camera = scene.camera.resized(settings.width, settings.height);
        let poses = settings.poses(&scene);
        let stay = Moved { mirror: false, turn: 0.0, shift: [0.0; 2] };
        let [before, after] = [stay, moved].map(|moved| asked(&scene.world, camera, &poses, moved));
        for (ask, answer) in &before {
            let Some(found) = after.get(ask) else { continue };
            assert!(same(&moved.words(answer), found), "seed {seed}: {ask:?}: {answer:?} became {found:?}");
            shared += 1;
        }
        all += before.len().max(after.len());
    }
    // A pixel more or less may make an object seen or not.
    assert!(all > 500 && shared * 10 >= all * 8, "{shared} of {all} questions are asked of both");
}

#[test]
fn a_moved_world_gives_the_same_answers() {
    check(Moved { mirror: false, turn: 0.0, shift: [12.25, -7.5] });
}

#[test]
fn a_rotated_world_gives_the_same_answers() {
    check(Moved { mirror: false, turn: 0.7, shift: [0.0; 2] });
}

#[test]
fn a_mirrored_world_swaps_left_and_right() {
    check(Moved { mirror: true, turn: 0.0, shift: [0.0; 2] });
}
