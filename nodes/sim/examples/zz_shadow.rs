//! temporary
use sim::{catalogue::Catalogue, clip::*, raster::*, world::RoomSplit};
fn main() {
    let cat = Catalogue::bundled().unwrap();
    let mut r = Renderer::new();
    let mut scenes: Vec<_> = (0..10).map(|s| Scene::generate(s, RoomSplit::Train, cat, 30.0)).collect();
    let t = std::time::Instant::now();
    for s in &mut scenes {
        s.world.lighting.shadows = Some(sim::shadow::shadow_maps(s.world.bodies(), &s.world.lighting.lights));
    }
    println!(
        "maps {:.2} ms a scene, {} lights",
        t.elapsed().as_secs_f64() * 100.0,
        scenes.iter().map(|s| s.world.lighting.lights.len()).sum::<usize>()
    );
    for k in 0..3 {
        let t = std::time::Instant::now();
        for s in &scenes {
            for i in 0..15 {
                let shot = Shot {
                    camera: s.camera.resized(224, 224),
                    pose: s.walk.pose_at(f64::from(i) * 2.0),
                    supersample: 1,
                };
                std::hint::black_box(r.render(s.world.bodies(), &s.world.lighting, &shot));
            }
        }
        if k == 2 {
            println!("{:.3} ms", t.elapsed().as_secs_f64() * 1e3 / 150.0);
        }
    }
    if std::env::args().len() < 2 {
        return;
    }
    let mut sheet = image::RgbImage::new(320 * 3, 240 * 4);
    for (row, s) in scenes.iter_mut().take(4).enumerate() {
        for col in 0..3 {
            let mut camera = s.camera.resized(320, 240);
            if col == 2 {
                camera.distortion = sim::lens::Distortion { k1: -0.15, ..Default::default() }
            }
            let shot = Shot { camera, pose: s.walk.pose_at(6.0), supersample: 2 };
            let mut l = s.world.lighting.clone();
            if col == 0 {
                l.shadows = None;
            }
            let out = r.render(s.world.bodies(), &l, &shot);
            let mut rgb = Vec::new();
            sim::noise::Sensor::clean().develop(out, &mut RoomSplit::Train.rng(0, "x"), &mut rgb);
            for y in 0..240u32 {
                for x in 0..320u32 {
                    let at = ((y * 320 + x) * 3) as usize;
                    sheet.put_pixel(
                        col * 320 + x,
                        row as u32 * 240 + y,
                        image::Rgb([rgb[at], rgb[at + 1], rgb[at + 2]]),
                    );
                }
            }
        }
    }
    sheet.save("/tmp/shadow.png").unwrap();
}
