//! Rooms for MuJoCo, with our own pictures or our own speed beside them.
//!
//! `mujoco OUT SEED..` writes a folder `OUT/SEED` a seed: the scene as MJCF and, a camera, our depth (`N.depth`,
//! little-endian f32, metres) and ids (`N.ids`, little-endian u16), and prints `WIDTH HEIGHT CAMERAS`.
//! `mujoco --speed OUT SEED` writes the scene alone, renders it on two threads with and without shadow maps, and prints
//! both rates, RGB, depth and ids each.

use std::path::Path;
use std::time::Instant;

use sim::catalogue::Catalogue;
use sim::clip::Scene;
use sim::mjcf::export;
use sim::raster::{Renderer, Shot};
use sim::variety::Variety;
use sim::world::{RoomSplit, World};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const WALK_SECS: f64 = 40.0;
const CAMERAS: usize = 20;
const SIDE_PX: usize = 224;
/// Frames that each thread renders.
const FRAMES: usize = 600;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args[..] {
        [flag, out, seed] if flag == "--speed" => speed(Path::new(out), seed.parse()?),
        [out, seeds @ ..] if !seeds.is_empty() => {
            for seed in seeds {
                pictures(&Path::new(out).join(seed), seed.parse()?)?;
            }
            println!("{SIDE_PX} {SIDE_PX} {CAMERAS}");
            Ok(())
        }
        _ => Err("expected OUT SEED.. or --speed OUT SEED".into()),
    }
}

/// A full room without what MuJoCo hasn't, and views along a walk.
fn scene(seed: u64) -> Result<(World, Vec<Shot>)> {
    let variety = Variety { lenses: false, ..Variety::full() };
    let scene = Scene::generate_with(seed, RoomSplit::Train, Catalogue::bundled()?, (WALK_SECS, &variety));
    let camera = scene.camera.resized(SIDE_PX, SIDE_PX);
    let shots = (0..CAMERAS).map(|i| Shot {
        camera,
        pose: scene.walk.pose_at(WALK_SECS * i as f64 / CAMERAS as f64),
        supersample: 1,
    });
    let shots = shots.collect();
    Ok((scene.world, shots))
}

fn pictures(folder: &Path, seed: u64) -> Result<()> {
    let (world, shots) = scene(seed)?;
    export(&world, &shots, folder)?;
    let mut renderer = Renderer::new();
    for (number, shot) in shots.iter().enumerate() {
        let view = renderer.render(world.bodies(), &world.lighting, shot);
        let depth: Vec<u8> = view.depth.iter().flat_map(|metres| metres.to_le_bytes()).collect();
        let ids: Vec<u8> = view.ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        std::fs::write(folder.join(format!("{number}.depth")), depth)?;
        std::fs::write(folder.join(format!("{number}.ids")), ids)?;
    }
    Ok(())
}

fn speed(folder: &Path, seed: u64) -> Result<()> {
    let (mut world, shots) = scene(seed)?;
    export(&world, &shots, folder)?;
    let triangles: usize = world.bodies().map(|body| body.triangles.len()).sum();
    let lamps = world.lighting.lights.len();
    println!("scene: {} objects, {triangles} triangles, {lamps} lamps, {SIDE_PX}x{SIDE_PX}", world.objects.len());
    let started = Instant::now();
    world.cast_shadows();
    println!("shadow maps: {:.1} ms a scene", started.elapsed().as_secs_f64() * 1e3);
    println!("with_shadows {:.1}", frames_per_sec(&world, &shots));
    world.lighting.shadows = None;
    println!("without_shadows {:.1}", frames_per_sec(&world, &shots));
    Ok(())
}

fn frames_per_sec(world: &World, shots: &[Shot]) -> f64 {
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut renderer = Renderer::new();
                for shot in shots.iter().cycle().take(FRAMES) {
                    std::hint::black_box(renderer.render(world.bodies(), &world.lighting, shot));
                }
            });
        }
    });
    2.0 * FRAMES as f64 / started.elapsed().as_secs_f64()
}
