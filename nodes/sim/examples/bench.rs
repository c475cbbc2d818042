//! Measures clips and frames, and how many questions a clip has. `cargo run -p sim --example bench`

use std::collections::BTreeMap;
use std::time::Instant;

use sim::catalogue::Catalogue;
use sim::clip::{Clip, ClipSettings, Scene};
use sim::questions::Truth;
use sim::raster::{Renderer, Shot};
use sim::world::{RoomSplit, World};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let catalogue = Catalogue::bundled()?;
    let mut renderer = Renderer::new();
    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    let start = Instant::now();
    for seed in 0..300 {
        let clip = Clip::generate(seed, RoomSplit::Train, catalogue, &ClipSettings::default(), &mut renderer);
        for question in clip.questions {
            let key = match question.truth {
                Truth::NotSeen => format!("{} absent", question.kind.name()),
                Truth::Number(n) if question.kind.name() == "object_counting" => format!("count {n}"),
                Truth::Number(n) => format!("distance {}-{} m", n.floor(), n.floor() + 1.0),
            };
            *tally.entry(key).or_default() += 1;
        }
    }
    println!("{:.2} ms a clip of 4 frames 140x112, supersampled", start.elapsed().as_secs_f64() * 1e3 / 300.0);
    println!("questions in 300 clips: {tally:#?}");
    let start = Instant::now();
    for seed in 0..100 {
        std::hint::black_box(World::generate(seed, RoomSplit::Train, catalogue));
    }
    println!("{:.2} ms a world", start.elapsed().as_secs_f64() * 10.0);
    for (width, height, supersample) in [(140, 112, 2), (224, 224, 1), (224, 224, 2), (640, 480, 1), (640, 480, 2)] {
        let mut total = 0.0;
        for seed in 0..20 {
            let scene = Scene::generate(seed, RoomSplit::Train, catalogue, 12.0);
            let start = Instant::now();
            for i in 0..5 {
                let shot = Shot {
                    camera: scene.camera.resized(width, height),
                    pose: scene.walk.pose_at(f64::from(i) * 2.0),
                    supersample,
                };
                std::hint::black_box(renderer.render(scene.world.bodies(), &scene.world.lighting, &shot));
            }
            total += start.elapsed().as_secs_f64();
        }
        println!("{width}x{height} x{supersample}: {:.2} ms a frame", total * 10.0);
    }
    Ok(())
}
