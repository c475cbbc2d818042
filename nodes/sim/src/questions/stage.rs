//! What an exam is drawn from: the plan, the objects, and what of them was seen over a stretch of the walk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::camera::{Camera, Pose};
use crate::closest::mesh_distance;
use crate::footprint::PlanBox;
use crate::path::wrap;
use crate::plan::FloorPlan;
use crate::truth::{Sighting, is_enough};
use crate::watch::{FrameView, Watch};
use crate::world::{Object, World};

/// How one object showed over the frames.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shown {
    best: Sighting,
    /// First frame that shows enough of it.
    first_frame: Option<usize>,
}

/// What is shorter is a jamb: the end of an inner wall, metres.
const THINNEST_WALL_M: f64 = 0.3;
/// An object that moved no farther than this is where it was, metres and radians.
const STILL: f64 = 0.02;

/// A furnished plan and a stretch of a watch. Frames and poses count from the start of that stretch.
#[derive(Debug)]
pub struct Stage<'a> {
    /// The walls.
    pub plan: FloorPlan,
    /// Everything that was placed; questions name objects by their index here.
    pub objects: &'a [Object],
    /// The classes that the room could have had.
    pub menu: &'a [String],
    /// The frames, oldest first; at least one.
    pub frames: &'a [FrameView],
    /// The camera of all frames.
    pub camera: Camera,
    shown: Vec<Shown>,
    classes: BTreeMap<&'a str, Vec<usize>>,
    distances: RefCell<BTreeMap<(usize, usize), f64>>,
}

impl<'a> Stage<'a> {
    /// The stage of a world, as it is at the newest frame, and a stretch of its watch; `None` for an empty stretch. What
    /// moved counts as seen only where it is now.
    pub fn new(world: &'a World, watch: &'a Watch, frames: Range<usize>) -> Option<Self> {
        Self::on(FloorPlan::of(world), (&world.objects, &world.menu), watch, frames)
    }

    /// The same of any plan, the objects on it, and the menu that they were drawn from.
    pub fn on(
        plan: FloorPlan,
        (objects, menu): (&'a [Object], &'a [String]),
        watch: &'a Watch,
        frames: Range<usize>,
    ) -> Option<Self> {
        let frames = watch.frames.get(frames).filter(|frames| !frames.is_empty())?;
        let mut classes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, object) in objects.iter().enumerate() {
            classes.entry(&object.class).or_default().push(index);
        }
        Some(Self {
            plan,
            shown: objects.iter().enumerate().map(|(index, object)| shown(index, object, frames)).collect(),
            objects,
            menu,
            frames,
            camera: watch.camera,
            classes,
            distances: RefCell::default(),
        })
    }

    /// The newest pose.
    pub fn newest(&self) -> Pose {
        self.frames[self.frames.len() - 1].pose
    }

    /// Whether an object of the room counts as seen.
    pub fn is_seen(&self, object: usize) -> bool {
        self.shown.get(object).is_some_and(|shown| shown.best.seen())
    }

    /// The first frame that shows enough of any of these objects.
    pub fn first_frame(&self, objects: &[usize]) -> Option<usize> {
        objects.iter().filter_map(|&object| self.shown.get(object)?.first_frame).min()
    }

    /// Every class of the room with its instances, in alphabetical order.
    pub fn classes(&self) -> impl Iterator<Item = (&'a str, &[usize])> {
        self.classes.iter().map(|(class, instances)| (*class, instances.as_slice()))
    }

    /// The classes that may be asked about: every instance was seen.
    pub fn askable(&self) -> impl Iterator<Item = (&'a str, &[usize])> {
        self.classes().filter(|(_, instances)| instances.iter().all(|&object| self.is_seen(object)))
    }

    /// The only instances of their classes, seen; indices into the objects, by class.
    pub fn unique(&self) -> Vec<usize> {
        let only = |instances: &[usize]| if let &[only] = instances { Some(only) } else { None };
        self.askable().filter_map(|(_, instances)| only(instances)).collect()
    }

    /// Class of an object.
    pub fn class(&self, object: usize) -> &'a str {
        &self.objects[object].class
    }

    /// Volume of the largest box of a class, m³.
    pub fn largest(&self, class: &str) -> f64 {
        let volume =
            |object: &Object| 4.0 * object.plan.half[0] * object.plan.half[1] * (object.span_m[1] - object.span_m[0]);
        let instances = self.classes.get(class).into_iter().flatten().filter_map(|&object| self.objects.get(object));
        instances.map(volume).fold(0.0, f64::max)
    }

    /// Centre of an object's box on the plan, metres.
    pub fn centre(&self, object: usize) -> [f64; 2] {
        self.objects[object].plan.centre
    }

    /// Closest points of two objects' meshes, metres; measured once.
    pub fn distance(&self, a: usize, b: usize) -> f64 {
        let key = (a.min(b), a.max(b));
        if let Some(&known) = self.distances.borrow().get(&key) {
            return known;
        }
        let distance = mesh_distance(&self.objects[key.0].body, &self.objects[key.1].body);
        self.distances.borrow_mut().insert(key, distance);
        distance
    }

    /// Whether every wall, but for the jambs of a doorway, fills enough of some frame.
    pub fn all_walls_seen(&self) -> bool {
        self.plan.walls().enumerate().filter(|(_, wall)| !is_jamb(wall)).all(|(wall, _)| {
            self.frames.iter().any(|frame| frame.walls().get(wall).is_some_and(|&share| is_enough(share)))
        })
    }

    /// The pose of so many whole seconds before the newest frame; `None` before the stretch.
    pub fn pose_before(&self, secs: u32) -> Option<Pose> {
        let wanted = self.newest().stamp_secs - f64::from(secs);
        self.frames.iter().map(|frame| frame.pose).find(|pose| (pose.stamp_secs - wanted).abs() < 1e-6)
    }
}

fn is_jamb([start, end]: &[[f64; 2]; 2]) -> bool {
    (end[0] - start[0]).hypot(end[1] - start[1]) < THINNEST_WALL_M
}

fn shown(object_index: usize, object: &Object, frames: &[FrameView]) -> Shown {
    let still = |then: &PlanBox| {
        let [dx, dy] = [0, 1].map(|i: usize| then.centre[i] - object.plan.centre[i]);
        dx.hypot(dy) <= STILL && wrap(then.yaw - object.plan.yaw).abs() <= STILL
    };
    let mut shown = Shown { best: Sighting::default(), first_frame: None };
    for (index, frame) in frames.iter().enumerate() {
        let sighting = frame.of(object.id);
        if sighting.visible > shown.best.visible && frame.plan_of(object_index).is_some_and(still) {
            shown.best = sighting;
        }
        if is_enough(sighting.visible) && shown.first_frame.is_none() {
            shown.first_frame = Some(index);
        }
    }
    shown
}
