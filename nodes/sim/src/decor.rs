//! Procedural surfaces: floor, walls and ceiling with their patterns, doors and windows.

use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::appearance::{Finish, MipTexture, Skin};
use crate::body::{Body, CEILING_ID, FLOOR_ID, Placement, WALL_ID};
use crate::footprint::PlanBox;
use crate::mesh::{Material, Mesh, Texture, Triangle};
use crate::room::Room;

const SIDE: usize = 64;
/// A pattern repeats after so many metres.
const PERIOD_M: f64 = 1.6;

/// Floor, ceiling and walls of a room, darker in corners and under `furniture`.
pub fn surfaces(room: &Room, furniture: &[PlanBox], rng: &mut ChaCha8Rng) -> Vec<Body> {
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
        (FLOOR_ID, floor, floor_skin(rng), floor_openness),
        (CEILING_ID, ceiling, plain_skin(light_colour(rng, 0.75)), ceiling_openness),
        (WALL_ID, walls, wall_skin(rng), wall_openness),
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
        at.extend(room.notch_m.map(|n| room.size_m[axis] - n[axis]));
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
    mesh
}

fn painted_mesh(materials: usize) -> Mesh {
    Mesh { materials: vec![Material { colour: [128; 3], texture: None }; materials], ..Mesh::default() }
}

fn quad(mesh: &mut Mesh, corners: [[f64; 3]; 4], uvs: [[f64; 2]; 4], material: u16) {
    let first = mesh.positions.len() as u32;
    mesh.positions.extend(corners.map(|p| p.map(|v| v as f32)));
    mesh.uvs.extend(uvs.map(|t| t.map(|v| v as f32)));
    for indices in [[first, first + 1, first + 2], [first, first + 2, first + 3]] {
        mesh.triangles.push(Triangle { indices, material });
    }
}

/// Adds a box from `low` to `high`, metres.
fn cuboid(mesh: &mut Mesh, low: [f64; 3], high: [f64; 3], material: u16) {
    let corner = |i: usize| std::array::from_fn(|axis| if i >> axis & 1 == 0 { low[axis] } else { high[axis] });
    let uvs = [[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]];
    for face in [[0, 1, 5, 4], [3, 2, 6, 7], [2, 0, 4, 6], [1, 3, 7, 5], [4, 5, 7, 6], [2, 3, 1, 0]] {
        quad(mesh, face.map(corner), uvs, material);
    }
}

/// A parametric door or window, in the object frame of [`crate::mesh`].
#[derive(Debug, Clone)]
pub struct Fixture {
    /// `door` or `window`.
    pub class: &'static str,
    /// The shape.
    pub mesh: Arc<Mesh>,
    /// Its paint; for windows with a shining pane.
    pub skin: Skin,
    /// Width, depth and height, metres.
    pub size_m: [f64; 3],
    /// Height of its bottom over the floor, metres.
    pub elevation_m: f64,
}

/// A door: leaf, three frame posts, panels or not, a handle on one side.
pub fn door(rng: &mut ChaCha8Rng) -> Fixture {
    let (w, h): (f64, f64) = (rng.random_range(0.78..1.0), rng.random_range(2.0..2.15));
    let (post, deep) = (rng.random_range(0.05..0.1), rng.random_range(0.05..0.09));
    let mut mesh = painted_mesh(4);
    let half = w / 2.0;
    cuboid(&mut mesh, [-half + post, deep * -0.1, 0.0], [half - post, deep / 2.0, h - post], 0);
    for (from, to) in [(-half, -half + post), (half - post, half)] {
        cuboid(&mut mesh, [from, -deep / 2.0, 0.0], [to, deep / 2.0, h], 1);
    }
    cuboid(&mut mesh, [-half + post, -deep / 2.0, h - post], [half - post, deep / 2.0, h], 1);
    let side = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
    let inner = half - post;
    let (a, b) = (side * (inner - 0.16), side * (inner - 0.05));
    cuboid(&mut mesh, [a.min(b), -deep / 2.0 - 0.03, 1.0], [a.max(b), deep * -0.1, 1.035], 2);
    let rows = rng.random_range(0..3);
    for row in 0..rows {
        let (z0, z1) = (0.15 + 1.75 * f64::from(row) / f64::from(rows), 1.75 * f64::from(row + 1) / f64::from(rows));
        cuboid(&mut mesh, [0.12 - inner, deep * -0.1 - 0.012, z0], [inner - 0.12 - 0.08, deep * -0.1, z1 + 0.05], 3);
    }
    let leaf = if rng.random_bool(0.5) { light_colour(rng, 0.7) } else { wood_colour(rng) };
    let frame = if rng.random_bool(0.6) { leaf.map(|v| v * 0.8) } else { light_colour(rng, 0.7) };
    let panel = leaf.map(|v| v * rng.random_range(0.7f32..0.95));
    let finishes =
        [leaf, frame, [0.25, 0.24, 0.22], panel].map(|colour| Finish { colour, texture: None, emits: false });
    let skin = Skin { finishes: finishes.to_vec(), textures: Vec::new() };
    Fixture { class: "door", mesh: Arc::new(mesh), skin, size_m: [w, deep + 0.03, h], elevation_m: 0.0 }
}

/// A window: frame, cross bars, a shining pane with sky and ground.
pub fn window(rng: &mut ChaCha8Rng, room_height_m: f64) -> Fixture {
    let (w, h): (f64, f64) = (rng.random_range(0.8..1.8), rng.random_range(0.9..1.4));
    let (bar, deep) = (rng.random_range(0.05..0.08), 0.06);
    let mut mesh = painted_mesh(2);
    let half = w / 2.0;
    for (low, high) in [
        ([-half, 0.0], [-half + bar, h]),
        ([half - bar, 0.0], [half, h]),
        ([-half + bar, 0.0], [half - bar, bar]),
        ([-half + bar, h - bar], [half - bar, h]),
        ([-bar / 3.0, bar], [bar / 3.0, h - bar]),
    ] {
        cuboid(&mut mesh, [low[0], -deep / 2.0, low[1]], [high[0], deep / 2.0, high[1]], 0);
    }
    let y = deep / 4.0;
    let pane = [[-half, y, 0.0], [half, y, 0.0], [half, y, h], [-half, y, h]];
    quad(&mut mesh, pane, [[0.0, 0.99], [1.0, 0.99], [1.0, 0.01], [0.0, 0.01]], 1);
    let day: f32 = rng.random_range(0.5..1.6);
    let frame = if rng.random_bool(0.7) { light_colour(rng, 0.75) } else { wood_colour(rng) };
    let finishes = vec![
        Finish { colour: frame, texture: None, emits: false },
        Finish { colour: [day; 3], texture: Some(0), emits: true },
    ];
    let skin = Skin { finishes, textures: vec![outside(rng)] };
    let elevation_m = rng.random_range(0.8..1.05f64).min(room_height_m - h - 0.1);
    Fixture { class: "window", mesh: Arc::new(mesh), skin, size_m: [w, deep, h], elevation_m }
}

fn outside(rng: &mut ChaCha8Rng) -> MipTexture {
    let horizon = rng.random_range(0.45..0.85);
    let sky = [rng.random_range(150.0..215.0), 205.0, rng.random_range(215.0..255.0)];
    let ground = [rng.random_range(50.0..120.0), rng.random_range(80.0..130.0), 60.0];
    let salt = rng.random();
    paint(|u, v| {
        let ragged = horizon + 0.1 * (noise(salt, u * 8.0, 0.0, 8) - 0.5);
        let base: [f64; 3] = if v < ragged { sky } else { ground };
        let cloud = 40.0 * (noise(salt ^ 1, u * 4.0, v * 8.0, 8) - 0.4);
        base.map(|c| c + cloud)
    })
}

fn plain_skin(colour: [f32; 3]) -> Skin {
    Skin { finishes: vec![Finish { colour, texture: None, emits: false }], textures: Vec::new() }
}

fn textured_skin(colour: [f32; 3], texture: MipTexture) -> Skin {
    Skin { finishes: vec![Finish { colour, texture: Some(0), emits: false }], textures: vec![texture] }
}

fn light_colour(rng: &mut ChaCha8Rng, base: f32) -> [f32; 3] {
    std::array::from_fn(|_| base * rng.random_range(0.85f32..1.15))
}

fn wood_colour(rng: &mut ChaCha8Rng) -> [f32; 3] {
    let tone: f32 = rng.random_range(0.08..0.55);
    [tone, tone * rng.random_range(0.5..0.75), tone * rng.random_range(0.2..0.5)]
}

fn any_colour(rng: &mut ChaCha8Rng) -> [f32; 3] {
    let tone: f32 = rng.random_range(0.1..0.7);
    std::array::from_fn(|_| tone * rng.random_range(0.6f32..1.3))
}

fn floor_skin(rng: &mut ChaCha8Rng) -> Skin {
    let salt: u64 = rng.random();
    match rng.random_range(0..10) {
        0..4 => textured_skin(wood_colour(rng), planks(salt)),
        4..7 => textured_skin(any_colour(rng), tiles(salt, rng.random_range(2..6))),
        7..9 => textured_skin(any_colour(rng), grain(salt, 90.0)),
        _ => plain_skin(any_colour(rng)),
    }
}

fn wall_skin(rng: &mut ChaCha8Rng) -> Skin {
    let salt: u64 = rng.random();
    let base: f32 = rng.random_range(0.3..0.8);
    match rng.random_range(0..10) {
        0..4 => plain_skin(light_colour(rng, base)),
        4..7 => textured_skin(light_colour(rng, base), grain(salt, 25.0)),
        7..9 => textured_skin(light_colour(rng, base), stripes(salt, rng.random_range(3..12))),
        _ => textured_skin(light_colour(rng, base), tiles(salt, rng.random_range(4..10))),
    }
}

fn planks(salt: u64) -> MipTexture {
    paint(move |u, v| {
        let row = (v * 8.0).floor();
        let shift = noise(salt, row, 7.0, 8);
        let piece = (u + shift).fract();
        let gap = (v * 8.0).fract() < 0.08 || piece < 0.015;
        let tone = 150.0
            + 80.0 * noise(salt ^ 3, row, ((u + shift) * 2.0).floor(), 8)
            + 40.0 * noise(salt ^ 5, u * 8.0, v * 32.0, 32);
        [if gap { tone * 0.55 } else { tone }; 3]
    })
}

fn tiles(salt: u64, count: u32) -> MipTexture {
    let count = f64::from(count);
    paint(move |u, v| {
        let (x, y) = (u * count, v * count);
        let joint = x.fract() < 0.06 || y.fract() < 0.06;
        let tone =
            190.0 + 40.0 * noise(salt, x.floor(), y.floor(), 64) + 20.0 * noise(salt ^ 9, u * 16.0, v * 16.0, 16);
        [if joint { 130.0 } else { tone }; 3]
    })
}

fn grain(salt: u64, contrast: f64) -> MipTexture {
    paint(move |u, v| {
        let fine = noise(salt, u * 64.0, v * 64.0, 64) - 0.5;
        let coarse = noise(salt ^ 2, u * 8.0, v * 8.0, 8) - 0.5;
        [215.0 + contrast * (fine + 0.5 * coarse); 3]
    })
}

fn stripes(salt: u64, count: u32) -> MipTexture {
    let dark = 150.0 + 70.0 * noise(salt, 1.0, 2.0, 8);
    let share = 0.2 + 0.6 * noise(salt, 3.0, 4.0, 8);
    paint(move |u, _| [if (u * f64::from(count)).fract() < share { dark } else { 235.0 }; 3])
}

fn paint(colour: impl Fn(f64, f64) -> [f64; 3]) -> MipTexture {
    let mut rgb = Vec::with_capacity(SIDE * SIDE * 3);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let texel = colour((x as f64 + 0.5) / SIDE as f64, (y as f64 + 0.5) / SIDE as f64);
            rgb.extend(texel.map(|v| v.clamp(0.0, 255.0) as u8));
        }
    }
    MipTexture::new(&Texture { width: SIDE as u32, height: SIDE as u32, rgb })
}

/// Smooth value noise in 0..=1 that repeats every `period`.
fn noise(salt: u64, x: f64, y: f64, period: i64) -> f64 {
    let at = |x: f64, y: f64| {
        let (x, y) = ((x as i64).rem_euclid(period) as u64, (y as i64).rem_euclid(period) as u64);
        let mut h = salt ^ x.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ y.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        h = (h ^ (h >> 31)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        (h >> 40) as f64 / (1u64 << 24) as f64
    };
    let (x0, y0) = (x.floor(), y.floor());
    let (fx, fy) = (x - x0, y - y0);
    let (top, bottom) =
        (at(x0, y0) * (1.0 - fx) + at(x0 + 1.0, y0) * fx, at(x0, y0 + 1.0) * (1.0 - fx) + at(x0 + 1.0, y0 + 1.0) * fx);
    top * (1.0 - fy) + bottom * fy
}
