//! A second opinion on every answer, by brute force: counted pixels, unprojected points, steps added up.
//!
//! It is told what a robot could be told (the pictures, the poses, the names behind the ids, which way each object's
//! front looks) and nothing of the analytic truth: no outlines, boxes, corners or walls.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use super::cloud::{Blocks, Cloud};
use super::survey::Survey;
use crate::camera::Pose;
use crate::questions::ask::{Answer, Ask, Video};
use crate::questions::exam::ExamQuestion;
use crate::raster::{Renderer, Rendering};
use crate::world::World;

use super::{bearing, stroll};

/// An object must fill this share of a frame to have been seen there.
const ENOUGH_SHARE: f64 = 0.003;
/// Eyes for the survey of the room: every so many frames.
const EYE_STRIDE: usize = 6;
/// Height of those eyes, metres.
const EYE_HEIGHT_M: f64 = 1.2;

/// Pixels by id in every frame, gathered while a walk is watched.
#[derive(Debug, Clone, Default)]
pub struct PixelCounts {
    frames: Vec<BTreeMap<u16, usize>>,
    pixels: usize,
}

impl PixelCounts {
    /// Counts one more frame.
    pub fn add(&mut self, view: &Rendering) {
        let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
        for &id in &view.ids {
            *counts.entry(id).or_default() += 1;
        }
        self.pixels = view.ids.len();
        self.frames.push(counts);
    }

    /// Pixels of an id in a frame.
    pub fn of(&self, frame: usize, id: u16) -> usize {
        self.frames.get(frame).and_then(|counts| counts.get(&id)).copied().unwrap_or(0)
    }

    fn enough(&self, frame: usize, id: u16) -> bool {
        self.of(frame, id) as f64 >= ENOUGH_SHARE * self.pixels as f64
    }
}

/// Somebody who answers from pictures.
pub struct Witness<'a> {
    world: &'a World,
    pixels: &'a PixelCounts,
    poses: &'a [Pose],
    clouds: BTreeMap<u16, Cloud>,
    blocks: BTreeMap<u16, Blocks>,
    distances: RefCell<BTreeMap<(u16, u16), f64>>,
    survey: Survey,
}

impl<'a> Witness<'a> {
    /// Probes every object alone and the empty room.
    pub fn new(world: &'a World, pixels: &'a PixelCounts, poses: &'a [Pose], renderer: &mut Renderer) -> Self {
        let around = |object: &crate::world::Object, renderer: &mut Renderer| {
            (object.id, Cloud::around(&object.body, &world.lighting, renderer))
        };
        let clouds: BTreeMap<u16, Cloud> = world.objects.iter().map(|object| around(object, renderer)).collect();
        let blocks = clouds.iter().map(|(&id, cloud)| (id, Blocks::new(cloud))).collect();
        let eyes: Vec<[f64; 3]> =
            poses.iter().step_by(EYE_STRIDE).map(|pose| [pose.position[0], pose.position[1], EYE_HEIGHT_M]).collect();
        let mut survey = Survey::of_room(&world.surfaces, &world.lighting, &eyes, renderer);
        survey.furnish(clouds.values(), stroll::CLEARANCE_M);
        Self { world, pixels, poses, clouds, blocks, distances: RefCell::default(), survey }
    }

    /// The answer to a question; `None` where the pictures do not tell.
    pub fn answer(&self, question: &ExamQuestion) -> Option<Answer> {
        match &question.video {
            Video::Walk => {}
            Video::Black => return Some(Answer::NotSeen),
            Video::Without(_) => return None,
            Video::Frozen(frame) => return self.sights(&question.ask, *frame..*frame + 1),
        }
        let newest = *self.poses.get(question.frames.end.checked_sub(1)?)?;
        match &question.ask {
            Ask::Count(_) | Ask::EgoDistance(_) if self.sights(&question.ask, question.frames.clone()).is_some() => {
                Some(Answer::NotSeen)
            }
            Ask::Count(class) => {
                let seen = self.ids(class).into_iter().filter(|&id| self.was_seen(id, question.frames.clone()));
                Some(Answer::Number(seen.count() as f64))
            }
            Ask::Between([a, b]) => Some(Answer::Number(self.between(self.only(a)?, self.only(b)?))),
            Ask::Size(class) => Some(Answer::Number(100.0 * self.longest_side(self.only(class)?)?)),
            Ask::RoomArea => Some(Answer::Number(self.survey.area_m2())),
            Ask::Nearest { to, among } => self.nearest(self.only(to)?, among),
            Ask::Direction { level, stand, face, target } => {
                let [stand, face, target] = [self.middle(stand)?, self.middle(face)?, self.middle(target)?];
                Some(Answer::Words(bearing::seen_from(*level, bearing::right_of(stand, face, target)).to_owned()))
            }
            Ask::Route { start, face, via, goal } => {
                let [from, mid, to] = [self.stops(start)?, self.stops(via)?, self.stops(goal)?];
                let middles = [self.middle(start)?, self.middle(via)?, self.middle(goal)?];
                let turns = stroll::words(self.middle(face)?, middles).map(Answer::Words);
                turns.filter(|_| stroll::can_be_walked(&self.survey, [&from, &mid, &to]))
            }
            Ask::Order(four) => self.order(four, question.frames.clone()),
            Ask::EgoDistance(class) => {
                let ground = [newest.position[0], newest.position[1]];
                Some(Answer::Number(self.clouds.get(&self.only(class)?)?.floor_distance(ground)))
            }
            Ask::EgoSide(class) => {
                let right = bearing::right_of_camera(&newest, self.middle(class)?);
                Some(Answer::Words(bearing::quarter(right).to_owned()))
            }
            Ask::EgoClock(class) => {
                Some(Answer::Words(bearing::clock(bearing::right_of_camera(&newest, self.middle(class)?))))
            }
            Ask::Moved(secs) | Ask::MovedWay(secs) | Ask::Turned(secs) | Ask::TurnedSide(secs) => {
                let path = bearing::add_up(self.poses, question.frames.end - 1, f64::from(*secs))?;
                Some(path.answer(&question.ask))
            }
        }
    }

    /// "Not seen" where no pixel of these frames shows what a count or a distance is about.
    fn sights(&self, ask: &Ask, mut frames: Range<usize>) -> Option<Answer> {
        let ids = self.ids(ask.classes().first()?);
        let dark = frames.all(|frame| ids.iter().all(|&id| self.pixels.of(frame, id) == 0));
        dark.then_some(Answer::NotSeen)
    }

    fn ids(&self, class: &str) -> Vec<u16> {
        self.world.objects.iter().filter(|object| object.class == class).map(|object| object.id).collect()
    }

    /// The id of a class with one instance.
    fn only(&self, class: &str) -> Option<u16> {
        if let [only] = self.ids(class)[..] { Some(only) } else { None }
    }

    fn was_seen(&self, id: u16, mut frames: Range<usize>) -> bool {
        frames.any(|frame| self.pixels.enough(frame, id))
    }

    /// Which way the front of an object looks, radians.
    fn yaw(&self, id: u16) -> Option<f64> {
        self.world.objects.iter().find(|object| object.id == id).map(|object| object.plan.yaw)
    }

    fn between(&self, a: u16, b: u16) -> f64 {
        let (Some(from), Some(to)) = (self.blocks.get(&a), self.blocks.get(&b)) else { return f64::INFINITY };
        *self.distances.borrow_mut().entry((a.min(b), a.max(b))).or_insert_with(|| from.distance(to))
    }

    fn longest_side(&self, id: u16) -> Option<f64> {
        let (cloud, yaw) = (self.clouds.get(&id)?, self.yaw(id)?);
        let sides = [cloud.extent(yaw), cloud.extent(yaw + std::f64::consts::FRAC_PI_2), cloud.heights()];
        Some(sides.into_iter().map(|[low, high]| high - low).fold(0.0, f64::max))
    }

    fn middle(&self, class: &str) -> Option<[f64; 2]> {
        let id = self.only(class)?;
        Some(self.clouds.get(&id)?.middle(self.yaw(id)?))
    }

    fn stops(&self, class: &str) -> Option<Vec<[f64; 2]>> {
        let id = self.only(class)?;
        Some(stroll::stops(&self.survey, self.clouds.get(&id)?, self.yaw(id)?))
    }

    fn nearest(&self, to: u16, among: &[String; 4]) -> Option<Answer> {
        let distance =
            |class: &String| self.ids(class).into_iter().map(|id| self.between(to, id)).fold(f64::INFINITY, f64::min);
        let nearest = among.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        Some(Answer::Words(nearest.clone()))
    }

    fn order(&self, four: &[String; 4], frames: Range<usize>) -> Option<Answer> {
        let mut order = Vec::new();
        for frame in frames {
            for class in four {
                let shows = self.ids(class).into_iter().any(|id| self.pixels.enough(frame, id));
                if shows && !order.contains(class) {
                    order.push(class.clone());
                }
            }
        }
        (order.len() == four.len()).then(|| Answer::Words(order.join(", ")))
    }
}
