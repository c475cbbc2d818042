//! Furnishing: the plain rooms that `spacer-nano` 0.2.0 was trained on. For the others see [`full`].

mod doors;
pub(crate) mod full;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::body::{Light, Lighting};
use crate::catalogue::Catalogue;
use crate::decor::{self, Patterns};
use crate::fixtures::{self, Fixture};
use crate::footprint::PlanBox;
use crate::mesh::Mesh;
use crate::placement::{Habit, Piece, Placer, Slot};
use crate::room::Room;
use crate::wishes::{Appetite, Wish, menu, wish_list};
use crate::world::{Look, Object, RoomSplit, World};

/// A rectangle or an L with 4–15 things in it.
pub(crate) fn world(seed: u64, split: RoomSplit, catalogue: &Catalogue) -> World {
    let mut rng = split.rng(seed, "world");
    let room = Room::generate(&mut rng);
    let menu = menu(catalogue, &mut split.rng(seed, "menu"));
    let mut objects = Vec::new();
    {
        let mut placer = Placer::new(&room);
        place_fixtures(&room, &mut placer, &mut objects, &mut rng);
        let appetite = Appetite { classes: 5..=13, least: 4, things: 14 };
        let wishes = wish_list(room.area_m2(), &appetite, (split, &menu), catalogue, &mut rng);
        place_furniture(&room, &mut placer, &mut objects, &wishes, &mut rng);
    }
    let surfaces = decor::surfaces(&room, &standing(&objects), Patterns::Known, &mut rng);
    let lighting = lighting(&room, &mut rng);
    World { room, objects, surfaces, lighting, menu, motions: Vec::new() }
}

/// The boxes that darken the floor.
fn standing(objects: &[Object]) -> Vec<PlanBox> {
    objects.iter().filter(|object| object.span_m[0] < 0.05).map(|object| object.plan).collect()
}

fn lighting(room: &Room, rng: &mut ChaCha8Rng) -> Lighting {
    let lights = (0..rng.random_range(1..=4)).map(|_| {
        let at = (0..8).map(|_| room.size_m.map(|side| rng.random_range(0.1..0.9) * side));
        let plan = at.into_iter().find(|&p| room.contains(p, 0.3)).unwrap_or_else(|| room.middle());
        Light {
            position: [plan[0] as f32, plan[1] as f32, (room.height_m * rng.random_range(0.75..0.97)) as f32],
            strength: rng.random_range(0.4..1.2),
            reach_m: rng.random_range(1.5..5.0),
        }
    });
    Lighting { lights: lights.collect(), ambient: rng.random_range(0.2..0.55), shadows: None }
}

fn place_fixtures(room: &Room, placer: &mut Placer, objects: &mut Vec<Object>, rng: &mut ChaCha8Rng) {
    let doors = [0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 1][rng.random_range(0..12)];
    let windows = [0, 1, 1, 2][rng.random_range(0..4)];
    for index in 0..doors + windows {
        let fixture = if index < doors { fixtures::door(rng) } else { fixtures::window(rng, room.height_m) };
        let piece = Piece { size_m: fixture.size_m, elevation_m: fixture.elevation_m, habit: Habit::Wall };
        let Some(slot) = placer.place_fixture(&piece, rng) else { continue };
        if index < doors {
            placer.reserve(before(&slot, 0.75));
        }
        let Fixture { class, mesh, skin, .. } = fixture;
        let look = Look { class, model: class, mesh: &mesh, skin, scale: [1.0; 3] };
        objects.push(Object::new(objects.len(), look, &slot));
    }
}

/// The space in front of a slot, `deep` metres.
pub(crate) fn before(slot: &Slot, deep: f64) -> Slot {
    let centre = slot.plan.to_world([0.0, -slot.plan.half[1] - deep / 2.0]);
    let plan = PlanBox { centre, half: [slot.plan.half[0], deep / 2.0], ..slot.plan };
    Slot { plan, ..*slot }
}

fn place_furniture(room: &Room, placer: &mut Placer, objects: &mut Vec<Object>, wishes: &[Wish], rng: &mut ChaCha8Rng) {
    let mut free = room.area_m2() * 0.45;
    for wish in wishes {
        let piece = wish.piece();
        let on_floor = piece.habit != Habit::OnTop && piece.elevation_m <= 0.0;
        let area = piece.size_m[0] * piece.size_m[1];
        if on_floor && area > free {
            continue;
        }
        let Some(slot) = placer.place(&piece, rng) else { continue };
        if on_floor {
            free -= area;
        }
        let model = wish.model;
        if model.class.contains("table") || model.class == "desk" {
            placer.offer_table(slot.plan);
        }
        if on_floor && (0.3..1.3).contains(&slot.top_m) && has_flat_top(&model.mesh) {
            placer.offer_top(slot);
        }
        objects.push(Object::new(objects.len(), wish.look(), &slot));
    }
}

/// Whether level triangles near the highest point cover most of the footprint.
pub(crate) fn has_flat_top(mesh: &Mesh) -> bool {
    let (low, high) = mesh.bounds();
    let footprint = (high[0] - low[0]) * (high[1] - low[1]);
    let level = high[2] - 0.03;
    let area: f32 = mesh
        .triangles
        .iter()
        .map(|triangle| mesh.corners(triangle))
        .filter(|corners| corners.iter().all(|p| p[2] >= level))
        .map(|[a, b, c]| ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])).abs() / 2.0)
        .sum();
    area > 0.75 * footprint
}
