//! Procedural surfaces: floor, walls and ceiling with their patterns.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::appearance::{Finish, MipTexture, Skin};
use crate::body::{Body, CEILING_ID, FLOOR_ID, Placement, WALL_ID};
use crate::colours::{any_colour, light_colour, wood_colour};
use crate::footprint::PlanBox;
use crate::mesh::Mesh;
use crate::patterns::{checks, dots, grain, planks, stripes, tiles};
use crate::room::{Partition, Room};
use crate::shapes::{painted_mesh, quad};

/// A pattern repeats after so many metres.
const PERIOD_M: f64 = 1.6;

/// Which patterns floors and walls may have: some are kept for rooms that are new in everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patterns {
    /// Those that training sees.
    Known,
    /// Those that it never sees.
    Novel,
}

/// Floor, ceiling and walls of a room, darker in corners and under `furniture`.
pub fn surfaces(room: &Room, furniture: &[PlanBox], patterns: Patterns, rng: &mut ChaCha8Rng) -> Vec<Body> {
    let mut floor = plane(room, 0.0, 0.25);
    let dark = |p: &[f32; 3]| {
        let at = [f64::from(p[0]), f64::from(p[1])];
        let shade = furniture.iter().map(|b| 0.4 + 0.6 * (b.distance(at) / 0.45).min(1.0).sqrt());
        (shade.fold(1.0, f64::min) * wall_shade(room, at)) as f32
    };
    let floor_openness = floor.positions.iter().map(dark).collect();
    let ceiling = plane(room, room.height_m, 0.6);
    let ceiling_openness =
        ceiling.positions.iter().map(|p| wall_shade(room, [f64::from(p[0]), f64::from(p[1])]) as f32).collect();
    let walls = wall_mesh(room);
    let wall_openness = walls
        .positions
        .iter()
        .map(|p| 0.72 + 0.28 * (f64::from(p[2]).min(room.height_m - f64::from(p[2])) / 0.5).min(1.0) as f32)
        .collect();
    let turned = rng.random_bool(0.5);
    if turned {
        floor.uvs.iter_mut().for_each(|uv| uv.swap(0, 1));
    }
    [
        (FLOOR_ID, floor, floor_skin(patterns, rng), floor_openness),
        (CEILING_ID, ceiling, plain_skin(light_colour(rng, 0.75)), ceiling_openness),
        (WALL_ID, walls, wall_skin(patterns, rng), wall_openness),
    ]
    .into_iter()
    .map(|(id, mesh, skin, openness)| {
        let at = Placement { position: [0.0; 3], yaw: 0.0, scale: [1.0; 3] };
        Body { openness, ..Body::new(id, &mesh, skin, &at) }
    })
    .collect()
}

/// 1 in the open, less close to a wall.
fn wall_shade(room: &Room, p: [f64; 2]) -> f64 {
    let open = (0..5).filter(|&i| room.contains(p, 0.1 * f64::from(i) + 0.02)).count();
    0.7 + 0.06 * open as f64
}

fn plane(room: &Room, z: f64, step: f64) -> Mesh {
    let mut mesh = painted_mesh(1);
    let lines = |axis: usize| {
        let mut at: Vec<f64> =
            (0..).map(|i| f64::from(i) * step).take_while(|&v| v < room.size_m[axis] - 1e-6).collect();
        at.push(room.size_m[axis]);
        at.extend(room.cuts_m(axis));
        at.sort_by(f64::total_cmp);
        at
    };
    let (xs, ys) = (lines(0), lines(1));
    for x in xs.windows(2) {
        for y in ys.windows(2) {
            if x[1] - x[0] < 1e-6
                || y[1] - y[0] < 1e-6
                || !room.contains([(x[0] + x[1]) / 2.0, (y[0] + y[1]) / 2.0], 0.0)
            {
                continue;
            }
            let corners = [[x[0], y[0], z], [x[1], y[0], z], [x[1], y[1], z], [x[0], y[1], z]];
            quad(&mut mesh, corners, corners.map(|p| [p[0] / PERIOD_M, p[1] / PERIOD_M]), 0);
        }
    }
    mesh
}

fn wall_mesh(room: &Room) -> Mesh {
    let mut mesh = painted_mesh(1);
    let heights = [0.0, 0.25, 0.6, 1.3, room.height_m - 0.5, room.height_m];
    for wall in room.walls() {
        let length = wall.length_m();
        let steps = (length / 0.7).ceil() as usize;
        for i in 0..steps {
            let along = [length * i as f64 / steps as f64, length * (i + 1) as f64 / steps as f64];
            for z in heights.windows(2) {
                let grid = [(along[0], z[0]), (along[1], z[0]), (along[1], z[1]), (along[0], z[1])];
                let corner = |(a, h): (f64, f64)| {
                    let [x, y] = wall.point(a, 0.0);
                    [x, y, h]
                };
                quad(&mut mesh, grid.map(corner), grid.map(|(a, h)| [a / PERIOD_M, -h / PERIOD_M]), 0);
            }
        }
    }
    if let Some(partition) = room.partition {
        add_lintel(&mut mesh, &partition, room.height_m);
    }
    mesh
}

/// The wall above a doorway: two faces and the underside.
fn add_lintel(mesh: &mut Mesh, partition: &Partition, ceiling_m: f64) {
    let [near, far] = partition.faces_m();
    let [from, to] = partition.doorway_m;
    let low = partition.doorway_height_m;
    let corner = |(across, along, z): (f64, f64, f64)| {
        let [x, y] = partition.point(across, along);
        [x, y, z]
    };
    for at in [near, far] {
        let grid = [(at, from, low), (at, to, low), (at, to, ceiling_m), (at, from, ceiling_m)];
        quad(mesh, grid.map(corner), grid.map(|(_, a, h)| [a / PERIOD_M, -h / PERIOD_M]), 0);
    }
    let under = [(near, from, low), (far, from, low), (far, to, low), (near, to, low)];
    quad(mesh, under.map(corner), under.map(|(a, b, _)| [a / PERIOD_M, b / PERIOD_M]), 0);
}

fn plain_skin(colour: [f32; 3]) -> Skin {
    Skin { finishes: vec![Finish { colour, texture: None, emits: false }], textures: Vec::new() }
}

fn textured_skin(colour: [f32; 3], texture: MipTexture) -> Skin {
    Skin { finishes: vec![Finish { colour, texture: Some(0), emits: false }], textures: vec![texture] }
}

fn floor_skin(patterns: Patterns, rng: &mut ChaCha8Rng) -> Skin {
    let salt: u64 = rng.random();
    if patterns == Patterns::Novel {
        return textured_skin(any_colour(rng), checks(salt, rng.random_range(2..6)));
    }
    match rng.random_range(0..10) {
        0..4 => textured_skin(wood_colour(rng), planks(salt)),
        4..7 => textured_skin(any_colour(rng), tiles(salt, rng.random_range(2..6))),
        7..9 => textured_skin(any_colour(rng), grain(salt, 90.0)),
        _ => plain_skin(any_colour(rng)),
    }
}

fn wall_skin(patterns: Patterns, rng: &mut ChaCha8Rng) -> Skin {
    let salt: u64 = rng.random();
    let base: f32 = rng.random_range(0.3..0.8);
    if patterns == Patterns::Novel {
        return textured_skin(light_colour(rng, base), dots(salt, rng.random_range(4..12)));
    }
    match rng.random_range(0..10) {
        0..4 => plain_skin(light_colour(rng, base)),
        4..7 => textured_skin(light_colour(rng, base), grain(salt, 25.0)),
        7..9 => textured_skin(light_colour(rng, base), stripes(salt, rng.random_range(3..12))),
        _ => textured_skin(light_colour(rng, base), tiles(salt, rng.random_range(4..10))),
    }
}
