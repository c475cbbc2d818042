//! temporary
use sim::{catalogue::Catalogue, clip::*, raster::*, world::RoomSplit};
fn main() {
    let cat = Catalogue::bundled().unwrap();
    let mut r = Renderer::new();
    let scenes: Vec<_> = (0..10).map(|s| Scene::generate(s, RoomSplit::Train, cat, 30.0)).collect();
    let tris: usize =
        scenes.iter().map(|s| s.world.bodies().map(|b| b.triangles.len()).sum::<usize>()).sum::<usize>() / 10;
    let objs: usize = scenes.iter().map(|s| s.world.objects.len()).sum();
    println!("{tris} triangles, {objs} objects in 10");
    for _ in 0..3 {
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
        println!("{:.3} ms", t.elapsed().as_secs_f64() * 1e3 / 150.0);
    }
}
