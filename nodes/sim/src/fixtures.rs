//! Doors and windows as parametric models.

use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::appearance::{Finish, Skin};
use crate::colours::{light_colour, wood_colour};
use crate::mesh::Mesh;
use crate::patterns::outside;
use crate::shapes::{cuboid, painted_mesh, quad};

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

/// Thickness of a leaf without its handles, metres.
pub(crate) const LEAF_M: f64 = 0.04;
/// Width of the posts of [`frame`], metres.
const FRAME_M: f64 = 0.06;
/// How far a handle stands off its leaf, metres.
const HANDLE_M: f64 = 0.045;

/// The leaf of a door that swings, `width` × `height` metres: panels or not, a handle on both sides far from the hinge,
/// which is at −x.
pub fn leaf(width: f64, height: f64, rng: &mut ChaCha8Rng) -> Fixture {
    let mut mesh = painted_mesh(3);
    let (half, thick, deep) = (width / 2.0, LEAF_M / 2.0, LEAF_M / 2.0 + HANDLE_M);
    cuboid(&mut mesh, [-half, -thick, 0.0], [half, thick, height], 0);
    for side in [-1.0, 1.0] {
        let (near, far) = (side * thick, side * deep);
        cuboid(&mut mesh, [half - 0.17, near.min(far), 1.0], [half - 0.05, near.max(far), 1.035], 1);
    }
    let rows = rng.random_range(0..3);
    for row in 0..rows {
        let at = |share: i32| 0.15 + (height - 0.3) * f64::from(share) / f64::from(rows);
        for side in [-1.0, 1.0] {
            let (low, high) = (side * (thick + 0.008), side * thick);
            let (z0, z1) = (at(row) + 0.04, at(row + 1) - 0.04);
            cuboid(&mut mesh, [0.12 - half, low.min(high), z0], [half - 0.2, low.max(high), z1], 2);
        }
    }
    let colour = if rng.random_bool(0.5) { light_colour(rng, 0.7) } else { wood_colour(rng) };
    let panel = colour.map(|v| v * rng.random_range(0.7f32..0.95));
    let finishes = [colour, [0.25, 0.24, 0.22], panel].map(|colour| Finish { colour, texture: None, emits: false });
    let skin = Skin { finishes: finishes.to_vec(), textures: Vec::new() };
    Fixture { class: "door", mesh: Arc::new(mesh), skin, size_m: [width, 2.0 * deep, height], elevation_m: 0.0 }
}

/// The frame of a door that swings, and the dim space behind it: `width` × `height` metres of opening, `deep` metres
/// before the wall.
pub fn frame([width, height]: [f64; 2], deep: f64, rng: &mut ChaCha8Rng) -> Fixture {
    let (post, half) = (FRAME_M, width / 2.0);
    let mut mesh = painted_mesh(2);
    for x in [-half - post, half] {
        cuboid(&mut mesh, [x, -deep / 2.0, 0.0], [x + post, deep / 2.0, height + post], 0);
    }
    cuboid(&mut mesh, [-half, -deep / 2.0, height], [half, deep / 2.0, height + post], 0);
    let y = deep / 2.0 - 0.004;
    let behind = [[-half, y, 0.0], [half, y, 0.0], [half, y, height], [-half, y, height]];
    quad(&mut mesh, behind, [[0.0, 0.99], [1.0, 0.99], [1.0, 0.01], [0.0, 0.01]], 1);
    let dim: f32 = rng.random_range(0.02..0.3);
    let finishes = vec![
        Finish { colour: light_colour(rng, 0.6), texture: None, emits: false },
        Finish { colour: [dim; 3], texture: Some(0), emits: true },
    ];
    let skin = Skin { finishes, textures: vec![outside(rng)] };
    let size_m = [width + 2.0 * post, deep, height + post];
    Fixture { class: "door", mesh: Arc::new(mesh), skin, size_m, elevation_m: 0.0 }
}
