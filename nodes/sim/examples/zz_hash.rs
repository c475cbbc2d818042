//! temporary
use sha2::{Digest, Sha256};
use sim::{catalogue::Catalogue, clip::*, raster::*, world::RoomSplit};
fn main() {
    let cat = Catalogue::bundled().unwrap();
    let mut r = Renderer::new();
    let mut h = Sha256::new();
    for seed in 100..130 {
        for split in [RoomSplit::Train, RoomSplit::Heldout, RoomSplit::Novel, RoomSplit::Calibration] {
            let c = Clip::generate(seed, split, cat, &ClipSettings::default(), &mut r);
            c.frames.iter().for_each(|f| h.update(f));
            c.ids.iter().flatten().for_each(|f| h.update(f.to_le_bytes()));
            c.depth.iter().flatten().for_each(|f| h.update(f.to_le_bytes()));
            h.update(format!(
                "{:?}{:?}{:?}",
                c.seen,
                c.questions,
                c.poses.iter().map(|p| (p.position, p.yaw, p.pitch)).collect::<Vec<_>>()
            ));
        }
        let mut s = Scene::generate(seed, RoomSplit::Heldout, cat, 60.0);
        for i in 0..3 {
            let shot =
                Shot { camera: s.camera.resized(200, 150), pose: s.walk.pose_at(f64::from(i) * 20.0), supersample: 1 };
            let out = r.render(s.world.bodies(), &s.world.lighting, &shot);
            let mut rgb = Vec::new();
            s.sensor.develop(out, &mut RoomSplit::Train.rng(0, "x"), &mut rgb);
            h.update(&rgb);
            out.depth.iter().for_each(|f| h.update(f.to_le_bytes()));
            out.unoccluded.iter().chain(&out.visible).for_each(|f| h.update(f.to_le_bytes()));
        }
    }
    println!("{}", h.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect::<String>());
}
