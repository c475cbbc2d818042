//! Furnishing after the whole specification: flats, swinging doors, clutter, 8–25 objects, free space in one piece.

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::doors::{SwingDoor, doorway, swing_door};
use super::{has_flat_top, standing};
use crate::body::{Body, Light, Lighting};
use crate::catalogue::{Catalogue, Model};
use crate::decor::{self, Patterns};
use crate::fixtures::{self, Fixture};
use crate::motion::Motion;
use crate::placement::{Habit, Piece, Placer, Slot};
use crate::room::Room;
use crate::variety::Variety;
use crate::wishes::{Appetite, Wish, menu, small_wish, wish_list};
use crate::world::{Look, Object, RoomSplit, World};

/// How many objects a room holds, doors and windows too.
pub(crate) const OBJECTS: std::ops::RangeInclusive<usize> = 8..=25;
/// Attempts to find room for clutter.
const CLUTTER_TRIES: usize = 60;

/// The room of a seed.
pub(crate) fn world(seed: u64, split: RoomSplit, catalogue: &Catalogue, variety: &Variety) -> World {
    let mut rng = split.rng(seed, "full world");
    let room = Room::draw(&mut rng);
    let menu = menu(catalogue, &mut split.rng(seed, "menu"));
    let wanted = (room.area_m2() * rng.random_range(0.35..0.9)) as usize + rng.random_range(3..8);
    let mut furnishing = Furnishing {
        placer: Placer::keeping_ways(&room),
        objects: Vec::new(),
        frames: Vec::new(),
        slots: Vec::new(),
        door: None,
        wanted: wanted.clamp(*OBJECTS.start(), *OBJECTS.end()),
    };
    furnishing.place_fixtures(&room, &mut rng);
    let appetite = Appetite { classes: 6..=16, least: 4, things: 20 };
    let wishes = wish_list(room.area_m2(), &appetite, (split, &menu), catalogue, &mut rng);
    furnishing.place_furniture(room.area_m2(), &wishes, &mut rng);
    for _ in 0..CLUTTER_TRIES {
        let Some(wish) = small_wish(&menu, split, catalogue, &mut rng) else { break };
        furnishing.place_wish(&wish, &mut rng);
    }
    let moves = rng.random_bool(variety.moving_share.clamp(0.0, 1.0));
    let motions = if moves { furnishing.motion(&mut rng) } else { None };
    let Furnishing { objects, frames, .. } = furnishing;
    let patterns = if split == RoomSplit::Novel { Patterns::Novel } else { Patterns::Known };
    let mut surfaces = decor::surfaces(&room, &standing(&objects), patterns, &mut rng);
    surfaces.extend(frames);
    let lighting = lighting(&room, &objects, &mut rng);
    World { room, objects, surfaces, lighting, menu, motions: motions.into_iter().collect() }
}

/// A room while it is being furnished.
struct Furnishing<'a> {
    placer: Placer<'a>,
    objects: Vec<Object>,
    frames: Vec<Body>,
    /// One an object.
    slots: Vec<Slot>,
    /// The last swinging door in an outer wall, and its index.
    door: Option<(usize, SwingDoor)>,
    wanted: usize,
}

impl Furnishing<'_> {
    fn add(&mut self, look: Look, slot: Slot) {
        self.objects.push(Object::new(self.objects.len(), look, &slot));
        self.slots.push(slot);
    }

    fn add_fixture(&mut self, fixture: &Fixture, slot: Slot) {
        let Fixture { class, mesh, skin, .. } = fixture;
        self.add(Look { class, model: class, mesh, skin: skin.clone(), scale: [1.0; 3] }, slot);
    }

    fn place_fixtures(&mut self, room: &Room, rng: &mut ChaCha8Rng) {
        if let Some(partition) = &room.partition
            && let Some((leaf, slot)) = doorway(partition, &mut self.placer, rng)
        {
            self.add_fixture(&leaf, slot);
        }
        for _ in 0..[0, 1, 1, 1, 1, 1, 1, 2, 2, 2][rng.random_range(0..10)] {
            if let Some(mut door) = swing_door(&mut self.placer, rng) {
                self.add_fixture(&door.leaf, door.slot);
                self.frames.push(std::mem::take(&mut door.frame));
                self.door = Some((self.objects.len() - 1, door));
            }
        }
        for _ in 0..[0, 1, 1, 2, 3][rng.random_range(0..5)] {
            let window = fixtures::window(rng, room.height_m);
            let piece = Piece { size_m: window.size_m, elevation_m: window.elevation_m, habit: Habit::Wall };
            if let Some(slot) = self.placer.outer_wall_slot(&piece, rng)
                && self.placer.take(slot, None)
            {
                self.add_fixture(&window, slot);
            }
        }
    }

    fn place_furniture(&mut self, area_m2: f64, wishes: &[Wish], rng: &mut ChaCha8Rng) {
        let mut free = area_m2 * 0.45;
        for wish in wishes {
            let piece = wish.piece();
            let on_floor = piece.habit != Habit::OnTop && piece.elevation_m <= 0.0;
            let area = piece.size_m[0] * piece.size_m[1];
            let placed = (!on_floor || area <= free) && self.place_wish(wish, rng);
            if placed && on_floor {
                free -= area;
            }
        }
    }

    /// Whether the thing found a place; nothing does once there are enough.
    fn place_wish(&mut self, wish: &Wish, rng: &mut ChaCha8Rng) -> bool {
        let piece = wish.piece();
        if self.objects.len() >= self.wanted {
            return false;
        }
        let Some(slot) = self.placer.place_well(&piece, rng) else { return false };
        let Model { class, mesh, .. } = wish.model;
        if class.contains("table") || class == "desk" {
            self.placer.offer_table(slot.plan);
        }
        let on_floor = slot.bottom_m <= 0.0;
        if on_floor && piece.habit != Habit::OnTop && (0.3..1.3).contains(&slot.top_m) && has_flat_top(mesh) {
            self.placer.offer_top(slot);
        }
        self.add(wish.look(), slot);
        true
    }

    /// A door that opens or closes, or a thing that is pushed where it finds room.
    fn motion(&self, rng: &mut ChaCha8Rng) -> Option<Motion> {
        let (start_secs, duration_secs) = (rng.random_range(6.0..16.0), rng.random_range(2.0..5.0));
        let still = Motion { id: 0, pivot: [0.0; 2], turn: 0.0, shift: [0.0; 2], start_secs, duration_secs };
        let swing = self.door.as_ref().filter(|_| rng.random_bool(0.6)).and_then(|(index, door)| {
            let to = if door.angle > 0.5 { 0.0 } else { rng.random_range(0.9..1.6) };
            let turn = door.hinge.side * (to - door.angle);
            let motion = Motion { id: self.objects.get(*index)?.id, pivot: door.hinge.at, turn, ..still };
            self.can_move(*index, &door.reserved, &motion).then_some(motion)
        });
        swing.or_else(|| (0..40).find_map(|_| self.push(&still, rng)))
    }

    fn push(&self, still: &Motion, rng: &mut ChaCha8Rng) -> Option<Motion> {
        let object = self.objects.choose(rng)?;
        let index = self.objects.iter().position(|other| other.id == object.id)?;
        let slot = *self.slots.get(index)?;
        let (heading, way) = (rng.random_range(0.0..std::f64::consts::TAU), rng.random_range(0.4..1.2));
        let shift = [way * heading.cos(), way * heading.sin()];
        let motion =
            Motion { id: object.id, pivot: slot.plan.centre, turn: rng.random_range(-0.6..0.6), shift, ..*still };
        let light = slot.plan.half[0] * slot.plan.half[1] < 0.2 && slot.bottom_m <= 0.0;
        let bears = |other: &Slot| other.bottom_m > 0.0 && other.plan.overlaps(&slot.plan);
        let pushed = light && object.class != "door" && !self.slots.iter().any(bears);
        (pushed && self.can_move(index, &[], &motion)).then_some(motion)
    }

    fn can_move(&self, index: usize, reserved: &[Slot], motion: &Motion) -> bool {
        let own = self.slots.get(index);
        own.is_some_and(|own| self.placer.can_move(own, reserved, &motion.sweep(&own.plan)))
    }
}

/// 1–4 lamps outside all things; in a flat each room has one.
fn lighting(room: &Room, objects: &[Object], rng: &mut ChaCha8Rng) -> Lighting {
    let rooms = room.polygons();
    let count = rng.random_range(1..=4).max(rooms.len());
    let lights = (0..count).filter_map(|index| {
        let corners = rooms.get(index % rooms.len())?;
        let range = |axis: usize| {
            let along = corners.iter().map(|corner| corner[axis]);
            along.clone().fold(f64::INFINITY, f64::min)..along.fold(f64::NEG_INFINITY, f64::max)
        };
        let strength = rng.random_range(0.4..1.2);
        let reach_m = rng.random_range(1.5..5.0);
        (0..40).find_map(|_| {
            let plan = [rng.random_range(range(0)), rng.random_range(range(1))];
            let z = room.height_m * rng.random_range(0.75..0.97);
            let buried = |object: &Object| {
                let [low, high] = object.span_m;
                (low - 0.15..high + 0.15).contains(&z) && object.plan.distance(plan) < 0.15
            };
            let free = room.contains(plan, 0.3) && !objects.iter().any(buried);
            free.then_some(Light { position: [plan[0] as f32, plan[1] as f32, z as f32], strength, reach_m })
        })
    });
    Lighting { lights: lights.collect(), ambient: rng.random_range(0.2..0.45), shadows: None }
}
